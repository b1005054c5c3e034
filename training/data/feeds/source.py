"""What every source of bars is, whoever gives them out."""

from typing import NamedTuple, Protocol

import numpy as np

from volatility.arrays import DateArray, FloatArray
from volatility.bars import Bars
from volatility.errors import InvalidInput

UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}  # of them, in a second
# Bars of 1980 to 2100. In units that are a thousand times apart no two of these spans touch.
_EARLIEST, _LATEST = 315_532_800, 4_102_444_800


class FeedRefused(InvalidInput):
    """A source does not have what is asked for, or gives what cannot be taken."""

    code = "feed_refused"


class Page(NamedTuple):
    """Bars that a source gives out in one answer.

    Parameters
    ----------
    bars : those that open at the time asked for or later, in the source's order, the one under
        way among them.
    through : every bar that the source has and that opens by then is among them; None where that
        is so of all bars there are.
    """

    bars: Bars
    through: np.datetime64 | None


class Source(Protocol):
    """Who gives out bars of one symbol."""

    @property
    def name(self) -> str:
        """As messages call it."""
        ...

    @property
    def interval(self) -> int:
        """Seconds that a bar spans."""
        ...

    def page(self, start: np.datetime64) -> Page:
        """The first bars that open at a time in UTC or later.

        Raises
        ------
        FeedRefused : the source does not have them, or gives something else.
        Unavailable : it does not answer.
        """
        ...


def opening_times(stamps: FloatArray, name: str) -> DateArray:
    """When bars open, whatever unit the source counts in; (n,) datetime64[s].

    Parameters
    ----------
    stamps : (n,) seconds, milliseconds or microseconds since 1970 in UTC.
    name : of the source.

    Raises
    ------
    FeedRefused : they are none of these, of all bars alike; or no whole seconds.
    """
    for per_second in UNITS.values():
        seconds = stamps / per_second
        if ((seconds >= _EARLIEST) & (seconds < _LATEST)).all():
            return _whole(seconds, name)
    low, high = np.min(stamps), np.max(stamps)
    needed = f"{', '.join(UNITS)} since 1970 of one kind, from 1980 to 2100"
    raise FeedRefused(
        f"{name} gives bars that open at {low:.0f} to {high:.0f}, which is no time in any unit; "
        f"needed: {needed}",
        code="implausible_times",
        field="timestamps",
        found=f"{low:.0f} to {high:.0f}",
        needed=needed,
    )


def _whole(seconds: FloatArray, name: str) -> DateArray:
    between = seconds != np.floor(seconds)
    if between.any():
        found = f"a bar that opens {seconds[between][0]} seconds after 1970"
        raise FeedRefused(
            f"{name} gives {found}; needed: whole seconds",
            code="implausible_times",
            field="timestamps",
            found=found,
            needed="whole seconds",
        )
    return seconds.astype(np.int64).astype("datetime64[s]")
