"""Bars oldest first, each time once, and with highs and lows that hold open and close."""

from dataclasses import replace

import numpy as np

from volatility.arrays import IndexArray
from volatility.bars import PRICES, Bars, price_errors
from volatility.calendar_inference import shorter_bars
from volatility.errors import Finding, InvalidBars
from volatility.formats.reading import Inferred, Reading

TOLERANCE = 1e-4  # relative, of vendors' rounding and adjusting: beyond it a price is wrong
_MOST_NAMED = 3  # pairs of rows of one time


def settled(bars: Bars, inferred: Inferred) -> Reading:
    """Bars as models take them; what was changed is counted and told.

    Parameters
    ----------
    bars : in the order in which they were given.
    inferred : what is known of them.

    Raises
    ------
    InvalidBars : ``duplicate_dates``, with the rows; ``wrong_interval``, of shorter bars as daily
        ones; with these, what :func:`volatility.bars.price_errors` finds.
    """
    bars, mended = _mended(bars)
    steps = np.diff(bars.timestamps).astype(np.int64)
    if (steps > 0).all():
        unmoved = np.arange(len(bars), dtype=np.int64)
        return Reading(bars, unmoved, replace(inferred, mended_rows=_count(mended)), mended)
    errors = [*(shorter_bars(bars) or _duplicates(bars)), *price_errors(bars)]
    if errors:
        raise InvalidBars(errors)
    rows: IndexArray = np.argsort(bars.timestamps, kind="stable").astype(np.int64)
    newest_first = bool((steps < 0).all())
    moved = () if newest_first else _moved(bars, rows)
    inferred = replace(
        inferred,
        order="newest first" if newest_first else "unsorted",
        sorted_rows=int(np.count_nonzero(rows != np.arange(len(rows)))),
        mended_rows=_count(mended),
    )
    return Reading(bars.where(rows), rows, inferred, (*mended, *moved))


def _count(findings: tuple[Finding, ...]) -> int:
    return sum(it.count for it in findings)


def _mended(bars: Bars) -> tuple[Bars, tuple[Finding, ...]]:
    """Highs raised and lows lowered to hold open and close, where they miss them by a rounding."""
    top, bottom = np.fmax(bars.open, bars.close), np.fmin(bars.open, bars.close)
    above = (bars.high < top) & (top - bars.high <= TOLERANCE * top)
    below = (bars.low > bottom) & (bars.low - bottom <= TOLERANCE * bottom)
    wrong = above | below
    if not wrong.any():
        return bars, ()
    mended = replace(
        bars,
        high=np.where(above, top, bars.high),
        low=np.where(below, bottom, bars.low),
    )
    at = int(np.argmax(wrong))
    prices = ", ".join(f"{name} {getattr(bars, name)[at]}" for name in PRICES)
    found = f"{prices} at bar {at} ({_time(bars, at)}), mended: within {TOLERANCE:g} of the range"
    needed = "a high of at least open and close, and a low of at most both"
    count = int(np.count_nonzero(wrong))
    return mended, (Finding("mended_range", "warning", "high", found, needed, at, count),)


def _duplicates(bars: Bars) -> list[Finding]:
    stamps, numbers = np.unique(bars.timestamps, return_counts=True)
    twice = stamps[numbers > 1]
    if not len(twice):
        return []
    places = [np.flatnonzero(bars.timestamps == it) for it in twice[:_MOST_NAMED]]
    said = "; ".join(
        f"bars {' and '.join(map(str, it[:4]))} are of {_time(bars, it[0])}" for it in places
    )
    more = (
        f"; {len(twice) - _MOST_NAMED} more times stand twice" if len(twice) > len(places) else ""
    )
    index, count = int(places[0][1]), int(np.sum(numbers[numbers > 1] - 1))
    found = said + more
    return [
        Finding("duplicate_dates", "error", "timestamps", found, "each time once", index, count)
    ]


def _moved(bars: Bars, rows: IndexArray) -> tuple[Finding, ...]:
    wrong = rows != np.arange(len(rows))
    at, count = int(np.argmax(wrong)), int(np.count_nonzero(wrong))
    found = f"the bar of {_time(bars, at)} at bar {at}, sorted"
    needed = "bars from the oldest to the newest"
    return (Finding("sorted_rows", "warning", "timestamps", found, needed, at, count),)


def _time(bars: Bars, at: int) -> str:
    return str((bars.dates if bars.is_daily else bars.timestamps)[at])
