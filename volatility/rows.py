"""Bars one after another, none, and written a line each."""

import numpy as np

from volatility.bars import PRICES, Bars


def empty_bars(interval: int) -> Bars:
    """Bars of which there are none."""
    none = np.empty(0)
    return Bars(none.astype("datetime64[s]"), none, none, none, none, interval)


def joined(*parts: Bars) -> Bars:
    """Bars of one interval, one part after another; at least one part."""
    prices = {name: np.concatenate([getattr(it, name) for it in parts]) for name in PRICES}
    stamps = np.concatenate([it.timestamps for it in parts])
    return Bars(timestamps=stamps, interval=parts[0].interval, **prices)


def time_name(is_daily: bool) -> str:
    """What the time of bars is called beside their prices."""
    return "date" if is_daily else "timestamp"


def times_of(bars: Bars) -> list[str]:
    """When each bar opens: dates of daily ones, else times in UTC."""
    if bars.is_daily:
        written = np.datetime_as_string(bars.dates)
    else:
        written = np.datetime_as_string(bars.timestamps, timezone="UTC")
    times: list[str] = written.tolist()
    return times


def csv_header(is_daily: bool) -> str:
    """First line of a table of bars."""
    return ",".join((time_name(is_daily), *PRICES)) + "\n"


def csv_lines(bars: Bars) -> list[str]:
    """A line a bar; floats are as short as gives them back to the last bit."""
    columns = (getattr(bars, name).tolist() for name in PRICES)
    rows = zip(times_of(bars), *columns, strict=True)
    return [f"{time},{','.join(map(repr, prices))}\n" for time, *prices in rows]
