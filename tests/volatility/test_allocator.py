"""The allocator is told once, where it can be told."""

import ctypes
import subprocess
import sys

import pytest

from volatility.allocator import keep_freed_memory, movable, move_what_grows, share_arenas

FAULTS = """
import resource
import sys

import numpy as np

from volatility.allocator import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
np.ones(2**20)  # 8 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    one, two = np.ones(2**20), np.ones(2**20)
    del one, two
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

GROWTH = """
import resource
import sys

from volatility.allocator import movable, move_what_grows

move_what_grows()
one, other, part = bytearray(2**20), bytearray(2**20), bytes(2**16)
if sys.argv[1] == "movable":
    one = movable(one)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
while len(one) < 2**24:
    one += part
    if len(other) < 2**22:  # which stands in its way
        other += part
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    told: list[tuple[int, int]] = []

    class Library:
        def __init__(self, name: object) -> None:
            assert name is None  # this process itself

        def mallopt(self, *given: int) -> None:
            told.append(given)  # type: ignore[arg-type]

    monkeypatch.setattr(ctypes, "CDLL", Library)
    return told


def test_threads_share_two_arenas(told: list[tuple[int, int]]) -> None:
    share_arenas()
    assert told == [(-8, 2)]  # M_ARENA_MAX of malloc.h


def test_what_grows_is_moved_from_two_megabytes_on(told: list[tuple[int, int]]) -> None:
    move_what_grows()
    assert told == [(-3, 2**21), (-1, 2**22)]  # MMAP_THRESHOLD, and TRIM_THRESHOLD twice as much


def test_what_is_freed_is_kept(told: list[tuple[int, int]]) -> None:
    keep_freed_memory()
    assert told == [(-1, 2**31 - 1), (-2, 2**28), (-3, 2**25)]  # TRIM_THRESHOLD and so on


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_an_array_has_the_pages_of_those_before_it() -> None:
    faults = {
        name: int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, name], capture_output=True, check=True
            ).stdout
        )
        for name in ("kept", "given back")
    }
    assert 5 * faults["kept"] < faults["given back"]


@pytest.mark.parametrize("content", [b"", b"abc", bytearray(b"ab" * 2**20), b"x" * (2**22 + 1)])
def test_what_is_made_movable_is_what_it_was(content: bytes) -> None:
    moved = movable(content)
    assert type(moved) is bytearray
    assert moved == content
    moved += b"more"
    assert moved == content + b"more"


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_what_is_movable_grows_without_being_copied() -> None:
    """By the pages that are touched for it: a copy would touch all of them again."""
    faults = {
        name: int(
            subprocess.run(
                [sys.executable, "-c", GROWTH, name], capture_output=True, check=True
            ).stdout
        )
        for name in ("movable", "small")
    }
    assert faults["small"] > faults["movable"] + 400  # of 4,096 pages that 16 MB have


@pytest.mark.parametrize("error", [AttributeError, OSError, TypeError])
def test_another_allocator_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def refuse(_name: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    share_arenas()
    keep_freed_memory()
