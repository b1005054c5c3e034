"""A remote store in memory, and a connection to it that is lost, or a process that is killed."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models_store import Store
from models_store.mirror import Mirror, mirror_of
from models_store.remote import Remote
from tests.models_store.artifacts import make_files


def with_two_versions(url: str, folder: Path) -> Store:
    """A store at an empty URL in which two versions were published, and the first serves."""
    store = mirrored(url, folder)
    store.publish(make_files(intercept=1e-5), promote=True)
    store.publish(make_files(intercept=2e-5))
    return store


def with_a_newer_version(store: Store) -> int:
    """Publish a third, since the newest is never pruned; it never serves."""
    return store.publish(make_files(intercept=9e-5))


class Killed(BaseException):
    """What no code expects."""


class Failing:
    """A file system of fsspec on which one call, and each after it, is the end.

    Parameters
    ----------
    files : the file system.
    calls : how many are answered.
    is_done : whether the one that is the end has come there.
    error : what is raised.
    """

    def __init__(self, files: Any, calls: int, is_done: bool, error: type[BaseException]) -> None:
        self._files, self._is_done, self._error = files, is_done, error
        self.left, self._lock = calls, threading.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._files, name)

        def call(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                self.left -= 1
                if self.left >= 0:
                    return method(*arguments, **options)
                if self._is_done and self.left == -1:
                    method(*arguments, **options)
                raise self._error("the connection is lost")

        return call


@contextmanager
def failing(
    calls: int, is_done: bool = False, error: type[BaseException] = Killed
) -> Iterator[list[Failing]]:
    """Answer so many calls of all remote stores, and no other."""
    made: list[Failing] = []

    def files(remote: Remote) -> Failing:
        if not made:
            made.append(Failing(remote._opened[0], calls, is_done, error))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Remote, "files", property(files))
        yield made


class Refusing:
    """A file system of fsspec that does not give some files, while all else is answered.

    Parameters
    ----------
    files : the file system.
    why : what is raised for a path and its content; None where it is given.
    """

    def __init__(self, files: Any, why: Callable[[str, bytes], Exception | None]) -> None:
        self._files, self._why = files, why

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)

    def cat_file(self, path: str, **options: Any) -> Any:
        content = self._files.cat_file(path, **options)
        error = self._why(path, content)
        if error is not None:
            raise error
        return content


@contextmanager
def refusing(why: Callable[[str, bytes], Exception | None]) -> Iterator[None]:
    """Do not give some files of all remote stores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Remote, "files", property(lambda it: Refusing(it._opened[0], why)))
        yield


def make_url() -> str:
    return f"memory://{uuid.uuid4().hex}/models"


def mirrored(url: str, root: Path) -> Store:
    """What a process that begins now sees of a store."""
    mirror = mirror_of(url, root)
    assert mirror is not None
    mirror.pull()
    return Store(root)


def followed(mirror: Mirror | None) -> Mirror:
    """A mirror that has just been brought into step."""
    assert mirror is not None
    assert mirror.follow(anyway=True)
    return mirror
