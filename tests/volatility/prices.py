"""Bars for tests, from as little as their closes."""

from datetime import UTC, datetime

import numpy as np

from volatility.arrays import DateArray, FloatArray
from volatility.bars import DAILY, Bars
from volatility.measures import daily

RANGE_MEASURES = {  # from open, high, low and close
    "parkinson": lambda o, h, low, c: daily.parkinson(h, low),
    "garman_klass": daily.garman_klass,
    "rogers_satchell": daily.rogers_satchell,
}

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)  # after every bar made here


def make_bars(nobs: int = 40, start: str = "2021-01-01", interval: int = DAILY) -> Bars:
    """Bars of a random walk without gaps on the 24/7 calendar; deterministic."""
    rng = np.random.default_rng(5)
    path = 100 * np.exp(np.cumsum(rng.normal(0, 0.004, (nobs, 64)).ravel()))
    path = path.reshape(nobs, 64)
    step = np.timedelta64(interval, "s")
    return Bars(
        timestamps=np.datetime64(start, "s") + np.arange(nobs) * step,
        open=path[:, 0],
        high=1.001 * path.max(axis=1),  # open and close never both at an end of the range
        low=0.999 * path.min(axis=1),
        close=path[:, -1],
        interval=interval,
    )


def changed(bars: Bars, **columns: FloatArray | DateArray) -> Bars:
    """The same bars with some columns replaced."""
    old = {name: getattr(bars, name) for name in ("timestamps", "open", "high", "low", "close")}
    return Bars(**{**old, **columns}, interval=bars.interval)


def with_price(bars: Bars, name: str, index: int, price: float) -> Bars:
    """The same bars with one price replaced."""
    column = getattr(bars, name).copy()
    column[index] = price
    return changed(bars, **{name: column})


def chosen(bars: Bars, places: object) -> Bars:
    """The bars at some places, in that order."""
    columns = {
        name: getattr(bars, name)[places] for name in ("timestamps", "open", "high", "low", "close")
    }
    return Bars(**columns, interval=bars.interval)
