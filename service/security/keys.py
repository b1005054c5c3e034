"""API keys: what they look like, and the ones that are known."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.security.scopes import KeyScope

_PREFIX = "rc"
_ID_BYTES, _SECRET_BYTES = 4, 32  # 8 hexadecimal digits to name a key by, and 256 bits to guess


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the database has it: enough to recognize it, not to use it.

    Attributes
    ----------
    id : by which people and logs name it.
    name : whose it is.
    scopes : what it may do.
    sha256 : hexadecimal digest of the whole key. Keys are random, so that a slow hash, as of
        passwords that people think up, would add nothing.
    created_at : seconds since 1970.
    revoked_at : likewise; None while the key is good.
    """

    id: str
    name: str
    scopes: frozenset[KeyScope]
    sha256: str
    created_at: int
    revoked_at: int | None = None


def make_key(name: str, scopes: Iterable[KeyScope], created_at: int) -> tuple[ApiKey, str]:
    """A new key, and the text that its owner sends; the text is nowhere else."""
    key_id = secrets.token_hex(_ID_BYTES)
    text = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return ApiKey(key_id, name, frozenset(scopes), _digest(text), created_at), text


class KeyRing:
    """The keys that are good, in memory: no request waits for the database to be let in.

    Attributes
    ----------
    keys : by id. Replaced as a whole.
    """

    def __init__(self) -> None:
        self.keys: Mapping[str, ApiKey] = {}

    def replace(self, keys: Iterable[ApiKey]) -> None:
        """Know these keys and no others; revoked ones are left out."""
        self.keys = {key.id: key for key in keys if key.revoked_at is None}

    def find(self, text: str) -> ApiKey | None:
        """The key that somebody sent; None if it is none, or not known.

        Digests are compared in constant time: how long it takes tells nothing of how much is right.
        """
        prefix, _, rest = text.partition("_")
        key = self.keys.get(rest.partition("_")[0]) if prefix == _PREFIX else None
        found = _digest(text)
        if key is None or not hmac.compare_digest(found, key.sha256):
            return None
        return key


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
