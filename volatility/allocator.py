"""What glibc's allocator is told at the start of a process; others are left as they are."""

import contextlib
import ctypes

# Of malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
_ARENAS = 2
_NEVER = 2**31 - 1
_PAD = 256 * 2**20  # bytes asked of the system at once; pages that nobody writes to cost nothing
_MAPPED = 32 * 2**20  # bytes from which an array goes back to the system by itself: glibc's most
_MOVED = 2 * 2**20  # bytes from which what grows is moved: a millisecond, were it copied


def share_arenas() -> None:
    """Let threads share two arenas of memory, instead of each having its own.

    What a thread frees stays in its arena: a fifth of the memory of a service that opens and closes
    models. Python's lock lets hardly two of them allocate at a time.
    """
    _tell(_ARENA_MAX, _ARENAS)


def move_what_grows() -> None:
    """Let what has some megabytes grow without being copied.

    By default glibc copies what is smaller than the largest that was freed so far: the body of a
    request that grows to 16 MB, five milliseconds at a time, in which no other thread runs. Arrays
    of that size are filled with zeros by the system each time, as they are at the start of any
    process (docs/decisions/0059).
    """
    for option, value in ((_MMAP_THRESHOLD, _MOVED), (_TRIM_THRESHOLD, 2 * _MOVED)):
        _tell(option, value)


def movable(content: bytes | bytearray) -> bytearray:
    """A copy of what is about to grow by megabytes, in memory that is moved and not copied.

    What began small has a place among other things, from which it is copied when that is full.
    """
    moved = bytearray(max(len(content), _MOVED + 1))
    moved[: len(content)] = content
    del moved[len(content) :]
    return moved


def keep_freed_memory() -> None:
    """Let arrays have the memory that others have freed.

    By default it goes back to the system, which fills each page of the next array with zeros: a
    quarter of the time of an encoder of the model for every asset (docs/decisions/0059).
    """
    for option, value in ((_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _PAD), (_MMAP_THRESHOLD, _MAPPED)):
        _tell(option, value)


def _tell(option: int, value: int) -> None:
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(option, value)
