"""Bars as rows of a table, and rows as bars."""

from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from volatility.arrays import DateArray
from volatility.bars import PRICES, Bars

ROWS_AT_ONCE = 5_000  # what one statement sends; more takes memory and no less time


class Stamp(NamedTuple):
    """When bars became known, microseconds since 1970, and the key that sent them."""

    known_at: int
    put_by: str


def to_bars(rows: sa.CursorResult[Any], interval: int) -> Bars:
    """Bars of rows, made of some thousands at a time: the driver keeps all threads waiting."""
    times, prices = [np.empty(0, np.int64)], [np.empty((0, len(PRICES)))]
    for part in rows.partitions(ROWS_AT_ONCE):
        times.append(np.array([row[0] for row in part], dtype=np.int64))
        prices.append(np.array([row[1:] for row in part], dtype=np.float64))
    columns = np.concatenate(prices).T.copy()
    return Bars(
        np.concatenate(times).astype("datetime64[s]"),
        **dict(zip(PRICES, columns, strict=True)),
        interval=interval,
    )


def rows_of(asset: str, bars: Bars, stamp: Stamp) -> list[tuple[object, ...]]:
    """A row for each bar of an asset: the columns of :data:`.tables.bars`, in their order."""
    opened = seconds_of(bars.timestamps).tolist()
    prices = [getattr(bars, price).tolist() for price in PRICES]
    return [(asset, *bar, *stamp) for bar in zip(opened, *prices, strict=True)]


def seconds_of(timestamps: DateArray) -> np.ndarray:
    """Seconds since 1970 in UTC; (n,)."""
    return timestamps.astype("datetime64[s]").astype(np.int64)
