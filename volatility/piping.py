"""Commands whose output goes to another, which may have read enough: ``… | head -1``."""

import os
import select
import sys
from collections.abc import Callable

CLOSED = 1  # exit status, as Python's own documentation has it


def until_closed(command: Callable[[], int | None]) -> int:
    """Run a command; returns its exit status, also where nobody reads what it prints any longer.

    Then it ends where it stands and says nothing, as commands do that are written in C.

    Parameters
    ----------
    command : returns its exit status, or None for 0.

    Raises
    ------
    BrokenPipeError : of something else than standard output.
    """
    try:
        try:
            return command() or 0
        finally:
            sys.stdout.flush()  # here, since Python tells of an error in its own flush at the end
    except BrokenPipeError:
        output = sys.stdout.fileno()
        if not _has_no_reader(output):
            raise
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, output)
        os.close(nowhere)
        return CLOSED


def _has_no_reader(descriptor: int) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, 0)  # errors are always told
    return any(event & select.POLLERR for _, event in waiting.poll(0))
