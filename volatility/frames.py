"""Bars from and to tables of pandas."""

from typing import TYPE_CHECKING

import numpy as np

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.bars import DAILY, PRICES, Bars, no_bars
from volatility.errors import Finding, InvalidBars

if TYPE_CHECKING:
    import pandas as pd

TIMES = ("date", "timestamp", "datetime", "time")
_DATES = "ISO 8601 dates, such as 2021-10-26"


def from_frame(frame: "pd.DataFrame", interval: int | None = None, first: int = 0) -> Bars:
    """Bars of a table, such as a user's CSV or Parquet file.

    Parameters
    ----------
    frame : columns ``open``, ``high``, ``low``, ``close`` and one of ``date``, ``timestamp``,
        ``datetime``, ``time``, in any case; others are ignored. Without a time column, an index of
        dates is taken. Times with an offset become UTC, times without one are taken as UTC. A
        daily bar keeps its own calendar date, whatever its offset.
    interval : seconds a bar spans; by default the most frequent distance between rows, where a day
        or more is daily.
    first : number of the first bar, where the frame is a part of a table.

    Raises
    ------
    InvalidBars : a column is missing or ambiguous, the frame is empty, or cells cannot be read as
        numbers or ISO 8601 dates; dates without a time, where the interval is given and within a
        day. Prices are not judged here; see :func:`volatility.bars.validate`.
    """
    columns = _columns(frame)
    if not len(frame):
        raise InvalidBars([no_bars()])
    prices = {name: _numbers(columns[name], name, first) for name in PRICES}
    utc, wall = _times(columns["time"], first)
    if interval is not None and interval < DAILY:
        _refuse_dates_alone(columns["time"], first)
    seconds = _infer_interval(utc) if interval is None else interval
    stamps = wall.astype("datetime64[D]") if seconds == DAILY else utc
    return Bars(timestamps=stamps, interval=seconds, **prices)


def to_frame(bars: Bars) -> "pd.DataFrame":
    """Table of the columns ``timestamp`` (UTC), ``open``, ``high``, ``low``, ``close``."""
    import pandas as pd

    prices = {name: getattr(bars, name) for name in PRICES}
    return pd.DataFrame({"timestamp": pd.to_datetime(bars.timestamps, utc=True), **prices})


def _columns(frame: "pd.DataFrame") -> "dict[str, pd.Series]":
    """Columns of prices, and that of times under the name ``time``."""
    import pandas as pd

    named: dict[str, list[int]] = {}
    for place, label in enumerate(frame.columns):
        named.setdefault(str(label).strip().lower(), []).append(place)
    times = [name for name in TIMES if name in named]
    findings = [
        *(_missing_column(name, frame) for name in PRICES if name not in named),
        *(_ambiguous_column(name) for name in (*PRICES, *times) if len(named.get(name, "")) > 1),
        *([_ambiguous_column(" and ".join(times))] if len(times) > 1 else ()),
    ]
    indexed = not times and isinstance(frame.index, pd.DatetimeIndex)
    if not times and not indexed:
        findings.append(_missing_column(", ".join(TIMES[:-1]) + f" or {TIMES[-1]}", frame))
    if findings:
        raise InvalidBars(findings)
    columns = {name: frame.iloc[:, named[name][0]] for name in PRICES}
    time = frame.index.to_series() if indexed else frame.iloc[:, named[times[0]][0]]
    return {**columns, "time": time}


def _missing_column(name: str, frame: "pd.DataFrame") -> Finding:
    labels = ", ".join(map(str, frame.columns)) or "none"
    return Finding(
        "missing_column", "error", name, f"columns {labels}", f"a column named {name}, in any case"
    )


def _ambiguous_column(name: str) -> Finding:
    return Finding(
        "ambiguous_column",
        "error",
        name,
        "more than one such column",
        "one column of times and one of each price",
    )


def _numbers(column: "pd.Series", name: str, first: int) -> FloatArray:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    # An empty cell is a missing price, which validate reports; text is not a price at all.
    unreadable = np.isnan(numbers) & column.notna().to_numpy()
    _refuse_unreadable(column, unreadable, name, "numbers", first)
    return numbers


def _times(column: "pd.Series", first: int) -> tuple[DateArray, DateArray]:
    """Times in UTC, and as the column's own clock shows them; both datetime64[s]."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):  # seconds, milliseconds, or 20211026?
        nothing = np.ones(len(column), dtype=np.bool_)
        _refuse_unreadable(column, nothing, "time", _DATES, first)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _seconds(column.dt.tz_convert("UTC")), _seconds(column.dt.tz_localize(None))
    if column.dtype.kind == "M":
        return _seconds(column), _seconds(column)
    text = column.astype("string")
    utc = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    # One column may hold two offsets, of summer and winter, which pandas reads as UTC only.
    without_offset = text.str.replace(r"(Z|[+-]\d{2}:?\d{2})$", "", regex=True)
    wall = pd.to_datetime(without_offset, errors="coerce", format="ISO8601")
    # Of a year and a month alone, pandas would make the first day of the month.
    whole = text.str.contains(r"^\s*\d{4}-?\d{2}-?\d{2}").fillna(False)
    unreadable = (utc.isna() | wall.isna() | ~whole.astype(bool)).to_numpy()
    _refuse_unreadable(column, unreadable, "time", _DATES, first)
    return _seconds(utc), _seconds(wall)


def _refuse_dates_alone(column: "pd.Series", first: int) -> None:
    """A date says nothing of when within it a shorter bar opens."""
    if column.dtype.kind == "M":
        return
    alone = column.astype("string").str.fullmatch(r"\s*[\d-]+\s*").to_numpy(np.bool_)
    if alone.any():
        index = int(np.argmax(alone))
        raise InvalidBars(
            [
                Finding(
                    "unclear_time",
                    "error",
                    "time",
                    f"the date {column.iloc[index]} at bar {first + index}",
                    "a timestamp, since the bars are shorter than a day",
                    first + index,
                    int(np.count_nonzero(alone)),
                )
            ]
        )


def _seconds(times: "pd.Series") -> DateArray:
    naive = times.dt.tz_localize(None) if times.dt.tz is not None else times
    return naive.to_numpy().astype("datetime64[s]")


def _refuse_unreadable(
    column: "pd.Series", unreadable: BoolArray, name: str, needed: str, first: int
) -> None:
    if not unreadable.any():
        return
    index = int(np.argmax(unreadable))
    code = "unparsable_dates" if name == "time" else "unparsable_numbers"
    found = f"{str(column.iloc[index])!r} at bar {first + index}"
    count = int(np.count_nonzero(unreadable))
    raise InvalidBars([Finding(code, "error", name, found, needed, first + index, count)])


def _infer_interval(stamps: DateArray) -> int:
    gaps = np.abs(np.diff(stamps).astype(np.int64))  # newest first is reported by validate
    gaps = gaps[gaps > 0]
    if not len(gaps):
        raise InvalidBars(
            [
                Finding(
                    "unknown_interval",
                    "error",
                    "interval",
                    f"{len(stamps)} bars at one time",
                    "bars at two different times, or the interval",
                )
            ]
        )
    values, counts = np.unique(gaps, return_counts=True)
    return min(int(values[np.argmax(counts)]), DAILY)
