"""Bars that an operator sends: read, checked, and merged into the held history."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np

from service.assets.database import HeldAsset
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.merging import Merge
from service.http.errors import located
from volatility.bars import PRICES, Bars, session_dates, validate, within_sessions
from volatility.calendars import Calendar, get_calendar
from volatility.companions import as_measured, worth_telling
from volatility.errors import InvalidBars, InvalidInput
from volatility.formats.reading import Inferred, Reading
from volatility.measures.session_returns import needed_bars
from volatility.splits import ADJUSTED, NEIGHBOURS, split_factors


class Ingested(NamedTuple):
    """What became of bars that were sent.

    Parameters
    ----------
    merge : how many were added, unchanged and replaced.
    dropped : how many were outside of sessions and left out.
    held : the asset's history after it.
    inferred : how the bars were read.
    warnings : what is worth knowing about the bars, and about what they leave out.
    """

    merge: Merge
    dropped: int
    held: Held
    inferred: Inferred
    warnings: tuple[str, ...]


class Merging(NamedTuple):
    """How bars are to be merged.

    Parameters
    ----------
    replace : whether held bars that they contradict are replaced.
    drop_outside : whether bars outside of sessions are left out, rather than all refused.
    put_by : id of the key that sent them, if one was needed.
    """

    replace: bool
    drop_outside: bool
    put_by: str


def ingest(
    asset: HeldAsset, reading: Reading, how: Merging, holdings: Holdings, now: datetime
) -> Ingested:
    """Check bars and merge them into the held history.

    Raises
    ------
    InvalidBars : what is wrong with them.
    BarsConflict : they contradict held ones, which are not to be replaced.
    """
    bars, calendar, dropped = reading.bars, get_calendar(asset.calendar), 0
    try:
        if how.drop_outside:
            bars, dropped = within_sessions(bars, calendar)
        bars = as_measured(bars, asset.measure)
        findings = worth_telling(validate(bars, calendar, now), asset.measure)
    except InvalidInput as error:
        if isinstance(error, InvalidBars) and not dropped:
            error = reading.counted_as_given(error)
        raise located(error, time=reading.time_name) from None
    before = holdings.find(asset.asset)
    join = _join(before, bars) if before else ()
    merge, held = holdings.merge(asset, bars, how.replace, how.put_by)
    told = map(str, (*reading.findings, *findings))
    apart = _times_of_day(reading, calendar)
    warnings = (*told, *apart, *join, *_unmeasured(held, bars))
    return Ingested(merge, dropped, held, reading.inferred, warnings)


def _times_of_day(reading: Reading, calendar: Calendar) -> Iterator[str]:
    """Say so if a daily bar came with a time that no bar of a whole day has."""
    newest = reading.inferred.newest
    if newest is None:
        return
    day = reading.bars.dates[-1]
    at = calendar.session_dates.searchsorted(day)
    if newest not in (calendar.opens[at], calendar.closes[at]):
        yield (
            f"the newest bar came with the time {newest} UTC, which is neither midnight nor when "
            f"its session opens or closes: it is held as the bar of the whole of {day}"
        )


def _join(held: Held, given: Bars) -> tuple[str, ...]:
    """Say so if bars that are added after those held leave out sessions, or look like a split."""
    bars = held.bars
    if not len(bars) or given.timestamps[0] <= bars.timestamps[-1]:
        return ()
    return (*_gap(held, given), *_split(bars, given))


def _gap(held: Held, given: Bars) -> Iterator[str]:
    ends = np.array(
        [session_dates(it, held.calendar)[at] for it, at in ((held.bars, -1), (given, 0))]
    )
    missing = len(held.calendar.missing_sessions(ends))
    if missing:
        sessions = "1 session is" if missing == 1 else f"{missing} sessions are"
        yield f"{sessions} missing between {ends[0]}, held before, and {ends[1]}"


def _split(held: Bars, given: Bars) -> Iterator[str]:
    beside = (held.where(slice(-NEIGHBOURS, None)), given.where(slice(NEIGHBOURS)))
    prices = [np.concatenate([getattr(it, name) for it in beside]) for name in PRICES]
    factor = split_factors(*prices)[len(beside[0])]
    if np.isfinite(factor):
        yield (
            f"open: {given.open[0]} after a close of {held.close[-1]}, held before, about "
            f"{factor:.3g} times; needed: {ADJUSTED}"
        )


def _unmeasured(held: Held, given: Bars) -> tuple[str, ...]:
    """Say so if days of shorter bars are not complete yet."""
    if given.is_daily:  # a day without a range is a finding already
        return ()
    days = np.setdiff1d(session_dates(given, held.calendar), held.sessions())
    if not len(days):
        return ()
    what = "1 day has" if len(days) == 1 else f"{len(days)} days have"
    needed = f"that needs {needed_bars(held.calendar)}"
    return (f"{what} no realized variance yet, the first {days[0]}: {needed}",)
