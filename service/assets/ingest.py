"""Bars that an operator sends: read, checked, and merged into the held history."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from service.assets.database import HeldAsset, Merge
from service.assets.holdings import Held, Holdings
from service.assets.schemas import BarsInput
from service.http.bodies import JSON
from service.http.errors import located
from service.http.problems import from_validation
from volatility.bars import PRICES, Bars, from_records, session_dates, validate, within_sessions
from volatility.calendars import get_calendar
from volatility.companions import as_measured, worth_telling
from volatility.errors import InvalidInput
from volatility.frames import from_frame
from volatility.measures.session_returns import needed_bars
from volatility.splits import ADJUSTED, NEIGHBOURS, split_factors

CSV = "text/csv"


class Ingested(NamedTuple):
    """What became of bars that were sent.

    Parameters
    ----------
    merge : how many were added, unchanged and replaced.
    dropped : how many were outside of sessions and left out.
    held : the asset's history after it.
    warnings : what is worth knowing about the bars, and about what they leave out.
    """

    merge: Merge
    dropped: int
    held: Held
    warnings: tuple[str, ...]


def read(content: bytes, media_type: str, interval: int) -> Bars:
    """Bars of a JSON or CSV body.

    Raises
    ------
    MalformedJson, InvalidRequest : the JSON is not as :class:`BarsInput` says.
    InvalidInput : the CSV is not a table.
    InvalidBars : a column is missing, or a cell cannot be read.
    """
    if media_type == JSON:
        return _read_json(content, interval)
    return _read_csv(content, interval)


class Merging(NamedTuple):
    """How bars are to be merged.

    Parameters
    ----------
    replace : whether held bars that they contradict are replaced.
    drop_outside : whether bars outside of sessions are left out, rather than all refused.
    """

    replace: bool
    drop_outside: bool


def ingest(
    asset: HeldAsset, bars: Bars, how: Merging, holdings: Holdings, now: datetime
) -> Ingested:
    """Check bars and merge them into the held history.

    Raises
    ------
    InvalidBars : what is wrong with them.
    BarsConflict : they contradict held ones, which are not to be replaced.
    """
    calendar, dropped = get_calendar(asset.calendar), 0
    try:
        if how.drop_outside:
            bars, dropped = within_sessions(bars, calendar)
        bars = as_measured(bars, asset.measure)
        findings = worth_telling(validate(bars, calendar, now), asset.measure)
    except InvalidInput as error:
        raise located(error) from None
    before = holdings.find(asset.asset)
    join = _join(before, bars) if before else ()
    merge, held = holdings.merge(asset, bars, how.replace)
    warnings = (*map(str, findings), *join, *_unmeasured(held, bars))
    return Ingested(merge, dropped, held, warnings)


def _read_json(content: bytes, interval: int) -> Bars:
    try:
        given = BarsInput.model_validate_json(content).bars
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False)) from error
    try:
        return from_records(given, interval)
    except InvalidInput as error:
        raise located(error) from None


def _read_csv(content: bytes, interval: int) -> Bars:
    import pandas as pd  # half a second to load, which a service that gets no CSV need not spend

    try:
        frame = pd.read_csv(io.BytesIO(content), low_memory=False)
        # pandas renames a name that stands twice, which would hide that there is a choice.
        header = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype="string")
    except ValueError as error:  # whatever pandas raises for text that is not a table
        raise _malformed_csv(str(error)) from error
    if not frame.index.equals(pd.RangeIndex(len(frame))):  # where pandas puts surplus fields
        raise _malformed_csv("its lines have more fields than its header")
    frame.columns = header.iloc[0].fillna("")
    try:
        return from_frame(frame, interval)
    except InvalidInput as error:
        raise located(error) from None


def _malformed_csv(reason: str) -> InvalidInput:
    return InvalidInput(
        f"the body is not a CSV table: {reason}",
        code="malformed_csv",
        field="body",
        needed="a header line with date or timestamp, open, high, low, close; a line a bar",
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
