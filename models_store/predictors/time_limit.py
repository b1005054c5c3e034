"""How long something may keep the processor: a run of a network ends when its time is over.

Counted is the processor's time in the thread that does it, of which a sound artifact takes as much
on a busy machine as on a quiet one. onnxruntime looks between two nodes of a graph whether it is to
end, wherever that run was asked for.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import onnxruntime as ort  # type: ignore[import-untyped]

_LOOKS = 0.5  # seconds between two looks at the clock


class TimeIsOver(ValueError):
    """Something took more of the processor's time than it was given."""


class _Limit:
    """The time of one thread, from now on."""

    def __init__(self, what: str, seconds: float) -> None:
        self._what, self._seconds = what, seconds
        self._clock = time.pthread_getcpuclockid(threading.get_ident())
        self._began = time.clock_gettime(self._clock)
        self.options: Any = None  # of the runs of this thread, once there is one
        self._done = threading.Event()

    def start(self) -> Any:
        """Options for a run; from the first on, another thread looks at the clock."""
        if self.options is None:
            self.options = ort.RunOptions()
            threading.Thread(target=self._watch, name="time-limit", daemon=True).start()
        return self.options

    def stop(self) -> None:
        """End."""
        self._done.set()

    def check(self) -> None:
        """Raise once the time is over."""
        if self._is_over():
            raise TimeIsOver(
                f"{self._what} takes more than {self._seconds:g} s of the processor's time"
            )

    def _is_over(self) -> bool:
        return time.clock_gettime(self._clock) - self._began > self._seconds

    def _watch(self) -> None:
        while not self._done.wait(_LOOKS):
            if self._is_over():
                self.options.terminate = True
                return


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def in_time(what: str, seconds: float) -> Iterator[None]:
    """End what this thread does when it has taken too long.

    Parameters
    ----------
    what : is done, for the message.
    seconds : of the processor.

    Raises
    ------
    TimeIsOver : it has, by the time of a run of a network or of :func:`check_time`.
    """
    limit = _Limit(what, seconds)
    before = _limit.set(limit)
    try:
        yield
    except Exception:
        limit.check()  # what was ended says nothing of time
        raise
    finally:
        limit.stop()
        _limit.reset(before)


def check_time() -> None:
    """Raise `TimeIsOver` where this thread has no time left."""
    limit = _limit.get()
    if limit is not None:
        limit.check()


def run_options() -> Any:
    """What a run of a network is given to end in time; None where this thread has no limit."""
    limit = _limit.get()
    return None if limit is None else limit.start()
