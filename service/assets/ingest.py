"""Bars that an operator sends: read, checked, and merged into the held history."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.assets.database import HeldAsset
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.merging import Merge
from service.assets.schemas import MAX_BARS, BarsInput
from service.http.bodies import JSON
from service.http.bodies import read as read_body
from service.http.errors import Fault, InvalidRequest, located
from service.http.json_lists import Content
from volatility.bars import (
    PRICES,
    Bars,
    from_records,
    session_dates,
    validate,
    within_sessions,
)
from volatility.calendars import get_calendar
from volatility.companions import as_measured, worth_telling
from volatility.errors import InvalidInput
from volatility.frames import from_frame
from volatility.measures.session_returns import needed_bars
from volatility.rows import joined
from volatility.splits import ADJUSTED, NEIGHBOURS, split_factors

if TYPE_CHECKING:
    import pandas as pd

CSV = "text/csv"
MAX_COLUMNS = 64
_ROWS_AT_ONCE = 20_000  # that are read from text in some ten milliseconds


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


def read(content: Content, media_type: str, interval: int) -> Bars:
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
    put_by : id of the key that sent them, if one was needed.
    """

    replace: bool
    drop_outside: bool
    put_by: str


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
    merge, held = holdings.merge(asset, bars, how.replace, how.put_by)
    warnings = (*map(str, findings), *join, *_unmeasured(held, bars))
    return Ingested(merge, dropped, held, warnings)


def _read_json(content: Content, interval: int) -> Bars:
    given = read_body(BarsInput, content).bars
    try:
        return from_records(given, interval)
    except InvalidInput as error:
        raise located(error) from None


def _read_csv(content: Content, interval: int) -> Bars:
    import pandas as pd  # half a second to load, which a service that gets no CSV need not spend

    _check_size(content)
    try:
        # pandas renames a name that stands twice, which would hide that there is a choice.
        header = pd.read_csv(io.BytesIO(content), header=None, nrows=1, dtype="string")
        frames = pd.read_csv(io.BytesIO(content), low_memory=False, chunksize=_ROWS_AT_ONCE)
        names = header.iloc[0].fillna("")
        parts: list[Bars] = []
        for frame in frames:
            parts.append(_bars_of(frame, names, interval, sum(map(len, parts))))
        return joined(*parts)
    except ValueError as error:  # whatever pandas raises for text that is not a table
        raise _malformed_csv(str(error)) from error


def _bars_of(frame: "pd.DataFrame", names: "pd.Series", interval: int, first: int) -> Bars:
    """Bars of some rows of a table, the first of which has the number ``first``."""
    rows = np.arange(first, first + len(frame))
    if not np.array_equal(frame.index, rows):  # where pandas puts surplus fields
        raise _malformed_csv("its lines have more fields than its header")
    frame.columns = names
    try:
        return from_frame(frame, interval, first)
    except InvalidInput as error:
        raise located(error) from None


def _check_size(content: Content) -> None:
    """Refuse what pandas would take long to find out is no table of bars.

    Raises
    ------
    InvalidInput : ``too_many_columns``, in any of its lines.
    InvalidRequest : it has more lines than bars are taken at once.
    """
    text = io.BytesIO(content) if b"\n" in content else io.BytesIO(content.replace(b"\r", b"\n"))
    for number, line in enumerate(text):
        commas = line.count(b",")
        if commas >= MAX_COLUMNS:
            needed = f"at most {MAX_COLUMNS} columns"
            raise InvalidInput(
                f"line {number + 1} of the CSV has {commas + 1} fields; needed: {needed}",
                code="too_many_columns",
                field="body",
                found=commas + 1,
                needed=needed,
            )
        if number > MAX_BARS:
            needed = f"at most {MAX_BARS} bars in one request"
            detail = f"bars: found more than {MAX_BARS} lines after the header; needed: {needed}"
            raise InvalidRequest([Fault("too_many_items", detail, "bars", None, needed)])


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
