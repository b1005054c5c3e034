"""Bars that an operator sends: read, checked, and merged into the held history."""

import io
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
from volatility.bars import Bars, from_records, validate
from volatility.calendars import get_calendar
from volatility.errors import InvalidInput
from volatility.frames import from_frame

CSV = "text/csv"


class Ingested(NamedTuple):
    """What became of bars that were sent.

    Parameters
    ----------
    merge : how many were added, unchanged and replaced.
    held : the asset's history after it.
    warnings : what is worth knowing about the bars, and about what they leave out.
    """

    merge: Merge
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


def ingest(
    asset: HeldAsset, bars: Bars, replace: bool, holdings: Holdings, now: datetime
) -> Ingested:
    """Check bars and merge them into the held history.

    Raises
    ------
    InvalidBars : what is wrong with them.
    BarsConflict : they contradict held ones, and ``replace`` is false.
    """
    try:
        findings = validate(bars, get_calendar(asset.calendar), now)
    except InvalidInput as error:
        raise located(error) from None
    before = holdings.find(asset.asset)
    gap = _gap(asset, before.bars, bars) if before else ()
    merge, held = holdings.merge(asset, bars, replace)
    return Ingested(merge, held, (*map(str, findings), *gap, *_unmeasured(held, bars)))


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


def _gap(asset: HeldAsset, held: Bars, given: Bars) -> tuple[str, ...]:
    """Say so if sessions are missing between what is held and what is added after it."""
    if not len(held) or given.dates[0] <= held.dates[-1]:
        return ()
    ends = np.array([held.dates[-1], given.dates[0]])
    missing = len(get_calendar(asset.calendar).missing_sessions(ends))
    if not missing:
        return ()
    sessions = "1 session is" if missing == 1 else f"{missing} sessions are"
    return (f"{sessions} missing between {ends[0]}, held before, and {ends[1]}",)


def _unmeasured(held: Held, given: Bars) -> tuple[str, ...]:
    """Say so if days of shorter bars are not complete yet."""
    if given.is_daily:  # a day without a range is a finding already
        return ()
    days = np.setdiff1d(given.dates, held.sessions())
    if not len(days):
        return ()
    what = "1 day has" if len(days) == 1 else f"{len(days)} days have"
    needed = "that needs all of a day's bars and the one before them"
    return (f"{what} no realized variance yet, the first {days[0]}: {needed}",)
