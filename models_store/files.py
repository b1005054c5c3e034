"""The files of an artifact: each read once, and used as the bytes that its digest was taken of."""

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from models_store import limits
from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.signatures import NO_KEYS, SIGNATURE, SUMS, TrustedKeys


class DamagedArtifact(ValueError):
    """An artifact is not what training wrote; the message says which check failed."""


class UnreadableArtifact(DamagedArtifact):
    """An artifact cannot be read at present, and may be later: of its content nothing is known."""


@dataclass(frozen=True)
class ArtifactFiles:
    """The files of one artifact, as they were when their digests were compared.

    Attributes
    ----------
    sha256 : digest of ``SHA256SUMS``, which names the artifact as a whole.
    contents : by name, ``SHA256SUMS`` and its signature among them.
    """

    sha256: str
    contents: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path, trusted: TrustedKeys = NO_KEYS) -> Self:
        """Read every file, and compare it with ``SHA256SUMS``.

        Parameters
        ----------
        folder : of the artifact.
        trusted : by whose keys it must be signed, if any are given.

        Raises
        ------
        DamagedArtifact : a file is missing, unlisted, altered, too large or no regular file, the
            folder is a link, or none of the ``trusted`` keys has signed the artifact.
        UnreadableArtifact : the operating system does not let the folder or a file be read.
        """
        with refusing("its folder cannot be read"):
            names = _names(folder)
        contents, left = {}, limits.MAX_ARTIFACT_BYTES
        for name in names:
            with refusing(f"{name} cannot be read"):
                contents[name] = read_file(folder / name, min(left, limits.max_bytes(name)))
            left -= len(contents[name])
        found = cls(_sha256(contents.get(SUMS, b"")), contents)
        found._compare()
        fault = trusted.fault(found[SUMS], contents.get(SIGNATURE))
        if fault is not None:
            raise DamagedArtifact(fault)
        return found

    def __getitem__(self, name: str) -> bytes:
        """Content of a file, which is none that would become too much; see :mod:`.limits`.

        Raises
        ------
        DamagedArtifact : there is none of the name, or it is beyond limits.
        ValueError : it is not what its name says.
        """
        content = self.contents.get(name)
        if content is None:
            raise DamagedArtifact(f"{name} is missing")
        try:
            limits.check_content(name, content)
        except limits.BeyondLimits as error:
            raise DamagedArtifact(f"{name} is beyond limits: {error}") from error
        return content

    def check_names(self, names: Collection[str]) -> None:
        """Refuse an artifact with a file that does not belong to it.

        Parameters
        ----------
        names : of the files that do, besides ``SHA256SUMS`` and its signature.

        Raises
        ------
        DamagedArtifact : there is another.
        """
        odd = sorted(set(self.contents) - {SUMS, SIGNATURE, *names})
        if odd:
            raise DamagedArtifact(f"{', '.join(odd)} is no file of such a model")

    def _compare(self) -> None:
        try:
            lines = [line.split("  ", 1) for line in self[SUMS].decode().splitlines()]
            listed = {name: digest for digest, name in lines}
        except DamagedArtifact:
            raise
        except ValueError as error:
            raise DamagedArtifact(f"{SUMS} cannot be read: {error}") from error
        present = set(self.contents) - {SUMS, SIGNATURE}
        if present != set(listed):
            odd = sorted(present ^ set(listed))
            raise DamagedArtifact(f"{SUMS} and the folder disagree on {', '.join(odd)}")
        for name, expected in listed.items():
            found = _sha256(self.contents[name])
            if found != expected:
                raise DamagedArtifact(
                    f"{name} has sha256 {found[:12]}…, but {SUMS} says {expected[:12]}…"
                )


@contextmanager
def refusing(said: str) -> Iterator[None]:
    """Refuse the artifact, whatever the disk, onnxruntime, json or numpy raise on a bad file.

    What the operating system refuses is no fault of the artifact's: it may be granted later.

    Parameters
    ----------
    said : what is not possible, such as "the model cannot be opened".
    """
    try:
        yield
    except DamagedArtifact:
        raise
    except (OSError, MemoryError) as error:
        raise UnreadableArtifact(f"{said}: {_why_unreadable(error)}") from error
    except Exception as error:
        raise DamagedArtifact(f"{said}: {error}") from error


@contextmanager
def refusing_model(asset: str, model: str, version: int | None, said: str = "") -> Iterator[None]:
    """Refuse a model whose files cannot be read at present, or are not what was written.

    Parameters
    ----------
    asset, model, version : of which the files are; no version where its pointer is read.
    said : what the reason begins with.

    Raises
    ------
    ArtifactUnreadable : the operating system does not let them be read.
    ArtifactRefused : they are damaged.
    """
    try:
        yield
    except UnreadableArtifact as error:
        raise ArtifactUnreadable(asset, model, version, f"{said}{error}") from error
    except OSError as error:
        reason = f"{said}{_why_unreadable(error)}"
        raise ArtifactUnreadable(asset, model, version, reason) from error
    except (DamagedArtifact, ValidationError) as error:
        raise ArtifactRefused(asset, model, version, f"{said}{error}") from error


def _why_unreadable(error: OSError | MemoryError) -> str:
    """What the operating system says, without the path of the store."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def read_file(path: Path, most: int = limits.MAX_POINTER_BYTES) -> bytes:
    """Content of a regular file, judged by what was opened and not by what had its name before.

    Raises
    ------
    OSError : it cannot be read.
    DamagedArtifact : it has more than ``most`` bytes, or is a link, a folder, a pipe or a device,
        of which reading may never end.
    """
    try:
        # Without waiting: a pipe would, for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise DamagedArtifact(f"{path.name} is no regular file") from error
        raise
    try:
        known = os.fstat(descriptor)
        if not stat.S_ISREG(known.st_mode):
            raise DamagedArtifact(f"{path.name} is no regular file")
        if known.st_size > most:
            raise DamagedArtifact(f"{path.name} has {known.st_size} bytes; at most {most} are read")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(known.st_size)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    """Names of the files in a folder, sorted."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError as error:
        raise DamagedArtifact("its folder is a link, or none") from error
    try:
        names = sorted(os.listdir(descriptor))  # noqa: PTH208 - of what was opened
    finally:
        os.close(descriptor)
    if len(names) > limits.MAX_FILES:
        raise DamagedArtifact(f"it has {len(names)} files; at most {limits.MAX_FILES} are read")
    return names


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
