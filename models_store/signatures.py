"""Who published an artifact: signatures of its ``SHA256SUMS`` by ed25519 keys (RFC 8032).

The signature stands beside it in ``SHA256SUMS.sig``, 64 bytes in base64. Keys are PEM files, as
``openssl genpkey -algorithm ed25519`` and ``openssl pkey -pubout`` write them. Digests tell that
nothing was damaged; a signature tells that nobody else has written it.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from models_store.atomic import replace_file
from volatility.errors import InvalidInput

if TYPE_CHECKING:  # loading it takes time, and few stores are signed
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"


class UnreadableKey(InvalidInput):
    """A file is no ed25519 key."""

    code = "unreadable_key"


@dataclass(frozen=True)
class TrustedKeys:
    """Whose signatures count.

    Attributes
    ----------
    keys : public keys; with none, nothing needs a signature.
    """

    keys: "tuple[Ed25519PublicKey, ...]" = ()

    @classmethod
    def read(cls, paths: Iterable[Path]) -> Self:
        """Read public keys from PEM files.

        Raises
        ------
        UnreadableKey : a file is not there, or holds another kind of key.
        """
        return cls(tuple(map(_public_key, paths)))

    def fault(self, sums: bytes, signature: bytes | None) -> str | None:
        """What is wrong with the signature of an artifact; None if nothing is.

        Parameters
        ----------
        sums : content of its ``SHA256SUMS``.
        signature : content of ``SHA256SUMS.sig``; None where there is none.
        """
        if not self.keys:
            return None
        if signature is None:
            return f"it is not signed: {SIGNATURE} is missing"
        try:
            signed_by = base64.b64decode(signature.strip(), validate=True)
        except binascii.Error as error:
            return f"{SIGNATURE} cannot be read: {error}"
        if any(_verifies(key, signed_by, sums) for key in self.keys):
            return None
        return f"{SIGNATURE} is of none of the {len(self.keys)} trusted keys"


NO_KEYS = TrustedKeys()


def sign(folder: Path, key: "Ed25519PrivateKey") -> None:
    """Sign the artifact in a folder, in place of any signature that it has."""
    signature = base64.b64encode(key.sign((folder / SUMS).read_bytes()))
    replace_file(folder / SIGNATURE, signature.decode())


def read_private_key(path: Path) -> "Ed25519PrivateKey":
    """The key of a PEM file without a password.

    Raises
    ------
    UnreadableKey : it is not there, or holds another kind of key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, "private", str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(path, "private", f"it is a {type(key).__name__}")
    return key


def _public_key(path: Path) -> "Ed25519PublicKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, "public", str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable(path, "public", f"it is a {type(key).__name__}")
    return key


def _verifies(key: "Ed25519PublicKey", signature: bytes, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _unreadable(path: Path, kind: str, reason: str) -> UnreadableKey:
    return UnreadableKey(
        f"{path.name} holds no {kind} ed25519 key: {reason}",
        field="key",
        found=path.name,
        needed=f"a PEM file with a {kind} ed25519 key",
    )
