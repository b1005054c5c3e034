"""Finished units on disk, so that a run that was stopped goes on where it ended."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from training.files import write_atomically

Result = TypeVar("Result")

# What comes of a file that is not there, or damaged.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    EOFError,
    pickle.UnpicklingError,
)


class FinishedUnits(Generic[Result]):
    """A folder of finished units, one file each.

    A file's name holds the digest of all that its content depends on: data, configuration, seed
    and code. Where one of them has changed, the name is another, and the old file is not read.

    Parameters
    ----------
    folder : of the files; made for this user alone with the first of them.
    encode, decode : a result as bytes, and back. The usual ones run what a file says, as pickles
        do: they are for a folder in which nobody else writes.
    """

    def __init__(
        self,
        folder: Path,
        encode: Callable[[Result], bytes] = pickle.dumps,
        decode: Callable[[bytes], Result] = pickle.loads,
    ) -> None:
        self.folder = folder
        self._encode = encode
        self._decode = decode

    def __len__(self) -> int:
        return sum(1 for _ in self.folder.glob("*.unit"))

    def path(self, name: str, digest: str) -> Path:
        """Where a unit's result is."""
        return self.folder / f"{name}-{digest[:16]}.unit"

    def read(self, name: str, digest: str) -> Result | None:
        """What came of a unit; None where it is not finished, or its file is not whole."""
        try:
            found, content = self.path(name, digest).read_bytes().split(b"\n", 1)
            return self._decode(content) if found.decode() == digest else None
        except _UNREADABLE:
            return None

    def write(self, name: str, digest: str, result: Result) -> None:
        """Keep what came of a unit that had ``digest`` when its work began.

        The digest is that of the run's beginning. One that was taken from the files of code as they
        are at the end would file what old code has made under the name of new code.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self.path(name, digest), digest.encode() + b"\n" + self._encode(result))
