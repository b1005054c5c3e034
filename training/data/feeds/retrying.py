"""Requests that are made again where what went wrong may pass."""

import time
from collections.abc import Callable
from typing import TypeVar

from volatility.errors import RoughcastError

DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each further try: half a minute in all
LONGEST = 60.0  # seconds that are waited because an answer asks for it; a ban lasts longer
TOO_MANY = 429  # status: too many requests

Answer = TypeVar("Answer")


class Unavailable(RoughcastError):
    """What is asked does not answer, or asks to be left alone."""

    code = "unavailable"


class PassingFailure(Exception):
    """No answer, or one that says to ask later.

    Parameters
    ----------
    reason : what went wrong.
    after : seconds to wait, where the answer says so.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


def may_pass(status: int) -> bool:
    """Whether an answer of this status may be another one soon."""
    return status == TOO_MANY or status >= 500


def told_delay(retry_after: str | None) -> float:
    """Seconds of a header ``Retry-After``; 0 where there is none, or a date."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0


def patiently(ask: Callable[[], Answer], whom: str) -> Answer:
    """The answer to a request, made up to six times.

    Parameters
    ----------
    ask : makes it once, and raises :class:`PassingFailure` where it may be made again.
    whom : who is asked, as a message names it.

    Raises
    ------
    Unavailable : every time it failed, or the wait asked for is longer than a minute.
    """
    delays = iter(DELAYS)
    while True:
        try:
            return ask()
        except PassingFailure as failure:
            delay = next(delays, None)
            if failure.after > LONGEST:
                asked = f"it asks to wait for {failure.after:.0f} seconds"
                raise _unavailable(whom, f"{failure}; {asked}") from failure
            if delay is None:
                tries = f"asked {len(DELAYS) + 1} times"
                raise _unavailable(whom, f"{failure}; {tries}") from failure
            time.sleep(max(delay, failure.after))


def _unavailable(whom: str, why: str) -> Unavailable:
    return Unavailable(
        f"{whom} does not answer: {why}. What was sent before is kept, and the same command, "
        "given later, goes on from there",
        field="source",
        found=why,
        needed="an answer",
    )
