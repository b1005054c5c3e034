"""A store's files where only fsspec reaches them: in a bucket of S3, Google or Azure.

Names are relative to the store. A file is put whole or not at all, as object stores do it, and as a
folder does where a file is written beside and renamed; a folder is whole once it has the digests of
its files, which are put last.
"""

import errno
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from models_store.signatures import SUMS
from volatility.errors import InvalidInput, RoughcastError

# One that does not answer is told after seconds, not after minutes.
_S3 = {
    "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}},
}
# The kinds of URL. Others of fsspec (sftp, hdfs, …) may leave half a pointer.
_OPTIONS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "s3": _S3,
        "s3a": _S3,
        **{kind: {} for kind in ("gs", "gcs", "az", "abfs", "abfss", "memory")},
        "file": {"auto_mkdir": True},
    }
)
# What tells one content of a file from another, by what the kinds of fsspec call it.
_TELLING = ("ETag", "etag", "generation", "md5", "mtime", "ino", "created", "LastModified", "size")
MARK = ".remote"  # file in a local folder that says what it mirrors
BEGINNING = ".beginning"  # at the remote, while the shipped models are put there
DIFFERS = "is another than that of the remote; delete the mirror's folder to take that"
_MANIFEST = "manifest.json"  # of every version, and the file that claims its number
# A longer number is no count: the next after a stray one would be more than any mirror accepts.
_COUNTED = re.compile(r"[1-9][0-9]{0,8}")


class ExtraNeeded(RoughcastError):
    """A store is named by a URL whose library is not installed."""

    code = "extra_missing"


class NotAnswered(OSError):
    """A remote store does not answer, or refuses."""


class Entry(NamedTuple):
    """A file of the remote store.

    Parameters
    ----------
    size : bytes.
    token : another one once its content is another.
    """

    size: int
    token: str


@dataclass(frozen=True)
class Remote:
    """A store at a URL that fsspec knows.

    Whatever does not answer, or refuses, is a :class:`NotAnswered` that names the URL.

    Parameters
    ----------
    url : such as ``s3://bucket/prefix``; who may read and write there is told by the environment,
        as the library of its kind documents it.
    """

    url: str

    @cached_property
    def files(self) -> Any:
        """The file system of fsspec.

        Raises
        ------
        ExtraNeeded : its library is not installed.
        InvalidInput : no store can be of its kind.
        """
        return self._opened[0]

    def listed(self, under: str = "") -> dict[str, Entry]:
        """Every file there, or those of one folder, by name; none where there is no such folder."""
        path = self._path(under)
        with self._reached():
            try:
                found = self.files.find(path, detail=True)
            except FileNotFoundError:
                return {}
        start = len(self._path("")) + 1
        return {name[start:]: Entry(int(it["size"]), _token(it)) for name, it in found.items()}

    def token(self, name: str) -> str | None:
        """What tells the content of a file from others; None where it is not there."""
        with self._reached():
            try:
                return _token(self.files.info(self._path(name)))
            except FileNotFoundError:
                return None

    def read(self, name: str, most: int) -> bytes:
        """Content of a file.

        Raises
        ------
        FileNotFoundError : it is not there.
        ValueError : it has more than ``most`` bytes.
        """
        path = self._path(name)
        with self._reached():
            try:
                content = cast(bytes, self.files.cat_file(path, start=0, end=most + 1))
            except Exception:
                if self.files.info(path)["size"]:
                    raise
                content = b""  # of which S3 gives no range
        if len(content) > most:
            raise ValueError(f"{name} has more than {most} bytes")
        return content

    def put(self, name: str, content: bytes) -> None:
        """Put a file in the place of another, or of none."""
        path = self._path(name)
        with self._reached():
            if not self._is_folder:
                self.files.pipe_file(path, content)
                return
            with self._beside(path, content) as new:
                self.files.mv(new, path)

    def create(self, name: str, content: bytes) -> bool:
        """Put a file where none is; whether none was.

        Of two who do so at once one is told no, where the remote can tell (S3 and Google can).
        """
        path = self._path(name)
        with self._reached():
            try:
                if not self._is_folder:
                    self.files.pipe_file(path, content, mode="create")
                    return True
                with self._beside(path, content) as new:
                    self.files.link(new, path)
            except FileExistsError:
                return False
        return True

    def add_version(self, family: str, first: int, files: Mapping[str, bytes]) -> int:
        """Add a version under the next number that nobody has taken, whole or not.

        Parameters
        ----------
        family : the folder of versions.
        first : the least number.
        files : by name, the digests of the others among them.

        Returns
        -------
        The number. Whoever is killed leaves it taken, and nothing that serves.
        """
        taken = {name.split("/")[-2] for name in self.listed(family)}
        version = max([first, *(int(it) + 1 for it in taken if _COUNTED.fullmatch(it))])
        while not self.create(f"{family}/{version}/{_MANIFEST}", files[_MANIFEST]):
            version += 1
        self.put_folder(f"{family}/{version}", {it: files[it] for it in files if it != _MANIFEST})
        return version

    def put_folder(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Put the files of a folder, the digests last."""
        for name in sorted(files, key=lambda it: (it.startswith(SUMS), it == SUMS, it)):
            self.put(f"{folder}/{name}", files[name])

    def remove_folder(self, folder: str) -> None:
        """Remove a folder, the digests first; it may be gone already.

        Of a version an empty manifest stays, so that no other gets its number: mirrors may have it.
        """
        for name in sorted(self.listed(folder), key=lambda it: (not it.endswith(f"/{SUMS}"), it)):
            if name.endswith(f"/{_MANIFEST}"):
                self.put(name, b"")
            else:
                self.remove(name)

    def remove(self, name: str) -> None:
        """Remove a file; it may be gone already."""
        with self._reached():
            try:
                self.files.rm_file(self._path(name))
            except FileNotFoundError:
                return

    @property
    def _is_folder(self) -> bool:
        return self.url.startswith("file://")

    @contextmanager
    def _beside(self, path: str, content: bytes) -> Iterator[str]:
        """A hidden file in the folder of another; removed if it is still there at the end."""
        new = f"{path.rpartition('/')[0]}/.unfinished-{uuid.uuid4().hex}"
        self.files.pipe_file(new, content)
        try:
            yield new
        finally:
            if self.files.exists(new):
                self.files.rm_file(new)

    def _path(self, name: str) -> str:
        root = self._opened[1]
        return f"{root}/{name}" if name else root

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        kind = self.url.partition("://")[0]
        if kind not in _OPTIONS:
            raise InvalidInput(
                f"a store cannot be at {kind}://, where a file may be there in part",
                field="store",
                found=self.url,
                needed=f"a folder, or a URL of {', '.join(_OPTIONS)}",
            )
        try:
            from fsspec.core import url_to_fs

            files, root = url_to_fs(self.url, use_listings_cache=False, **_OPTIONS[kind])
        except (ImportError, ValueError) as error:
            raise ExtraNeeded(
                f"a store at {kind}:// needs a library of fsspec: {error}. For s3:// it is the "
                "extra 's3': pip install 'roughcast[s3]'",
                field="store",
                found=self.url,
                needed="a folder, or a URL whose library is installed",
            ) from error
        return files, root.rstrip("/")

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Let whatever a library raises come out as an error of the operating system."""
        try:
            yield
        except (FileNotFoundError, FileExistsError, RoughcastError):
            raise
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            number = getattr(error, "errno", None) or errno.EIO
            raise NotAnswered(number, f"{self.url} does not answer, or refuses: {why}") from error


def marked(root: Path) -> str | None:
    """URL of what a store's folder mirrors; None where it is a store of its own."""
    try:
        return (root / MARK).read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _token(info: Mapping[str, Any]) -> str:
    return " ".join(str(info[it]) for it in _TELLING if it in info)
