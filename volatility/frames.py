"""Bars from and to tables of pandas whose layout is known."""

from typing import TYPE_CHECKING

from volatility.bars import PRICES, Bars
from volatility.formats.reading import Inferred, Options
from volatility.formats.tables import Table, bars_of

if TYPE_CHECKING:
    import pandas as pd


def from_frame(frame: "pd.DataFrame", interval: int | None = None) -> Bars:
    """Bars of a table, in the order of its rows.

    Of a table that somebody else made, :func:`volatility.formats.content.read_frame` reads more:
    it sorts, mends and refuses as it does files.

    Parameters
    ----------
    frame : columns ``open``, ``high``, ``low``, ``close`` and one of ``date``, ``timestamp``,
        ``datetime``, ``time``, in any case; others are ignored. Without a time column, an index of
        dates is taken. Times with an offset become UTC, times without one are taken as UTC. A
        daily bar keeps its own calendar date, whatever its offset.
    interval : seconds a bar spans; by default the most frequent distance between rows, where a day
        or more is daily.

    Raises
    ------
    InvalidBars : a column is missing or ambiguous, the frame is empty, or cells cannot be read as
        numbers or dates; dates without a time, where the interval is given and within a
        day. Prices are not judged here; see :func:`volatility.bars.validate`.
    """
    return bars_of(Table(frame, Inferred()), Options(prices="raw", interval=interval))[0]


def to_frame(bars: Bars) -> "pd.DataFrame":
    """Table of the columns ``timestamp`` (UTC), ``open``, ``high``, ``low``, ``close``."""
    import pandas as pd

    prices = {name: getattr(bars, name) for name in PRICES}
    return pd.DataFrame({"timestamp": pd.to_datetime(bars.timestamps, utc=True), **prices})
