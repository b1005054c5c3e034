"""A thread that computes for long lets the event loop go on meanwhile.

Asked for the interpreter, a thread that reads slice after slice gives it up in vain: it has it back
before the other has woken up. An event loop beside 100,000 bars waited for a tenth of a second.
Only who sleeps lets go, and to sleep for nothing takes the system some 70 microseconds, more than
many a slice does.
"""

import threading
import time

_LONGEST = 5e-4  # seconds for which a thread computes before it lets others


class _Since(threading.local):
    """By the clock of :func:`time.perf_counter`, when this thread last gave way."""

    at = 0.0


_since = _Since()


def give_way() -> None:
    """Let other threads run, if this one has computed for a while."""
    if time.perf_counter() - _since.at > _LONGEST:
        time.sleep(0)
        _since.at = time.perf_counter()
