"""Bars from where they are to one asset's daily rv."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from models_store.names import check_asset_name
from training.data.assets import AssetData
from volatility import datasets
from volatility.bars import Bars, session_dates, validate, within_sessions
from volatility.calendars import Calendar, get_calendar
from volatility.errors import Finding, InvalidInput
from volatility.formats.content import table_of
from volatility.formats.reading import Options, Reading, Unreadable
from volatility.formats.tables import Table
from volatility.formats.tables import read_table as bars_of_table
from volatility.measures import MEASURES
from volatility.measures.columns import available
from volatility.measuring import extreme_sessions
from volatility.scale_free import usual_kind
from volatility.series import daily_series

DAY = 86_400  # seconds
_UNSAID = Options()
MINIMUM_SESSIONS = 500  # half to fit on, a quarter to calibrate intervals on, a quarter to test on


class UnreadableFile(InvalidInput):
    """A file of bars cannot be read as any table."""

    code = "unreadable_file"


class CalendarNeeded(InvalidInput):
    """Bars without weekends, and nobody said which exchange they come from."""

    code = "calendar_needed"


@dataclass(frozen=True)
class BarsFile:
    """A user's own bars, and how to read them; None means the usual choice."""

    path: Path
    calendar: str | None = None
    measure: str | None = None
    drop_outside: bool = False  # leave out bars outside of sessions, instead of refusing the file
    kind: str | None = None  # of asset
    written: Options = _UNSAID


def load_asset(
    asset: str, file: BarsFile | None, now: datetime
) -> tuple[AssetData, tuple[Finding, ...]]:
    """One asset's daily rv and every column that its bars give, from a file or the shipped data.

    Returns
    -------
    The series with its origin, and what is worth knowing about it (missing sessions, say).

    Raises
    ------
    InvalidInput : a name that no asset can have, an unreadable file or invalid bars.
    UnknownAsset : without a file, an asset that is not shipped.
    """
    if file is None:
        shipped = datasets.load(asset)
        return make_asset(
            asset,
            shipped.bars,
            calendar_name=shipped.calendar,
            measure=shipped.measure,
            source="shipped dataset",
            now=now,
            kind=shipped.kind,
        )
    check_asset_name(asset)
    reading = read_file(file.path, file.written)
    bars = reading.bars
    calendar = file.calendar or _usual_calendar(bars)
    measure = file.measure or ("garman_klass" if bars.interval == DAY else "realized_variance")
    data, notes = make_asset(
        asset,
        bars,
        calendar_name=calendar,
        measure=measure,
        source=file.path.name,
        now=now,
        kind=file.kind or usual_kind(calendar),
        drop_outside=file.drop_outside,
    )
    return data, (*reading.told, *notes)


def read_bars(path: Path, written: Options = _UNSAID) -> Bars:
    """Bars of a file, oldest first; see :func:`read_file`.

    Raises
    ------
    UnreadableFile, InvalidBars : see :func:`read_file`.
    """
    return read_file(path, written).bars


def read_file(path: Path, written: Options = _UNSAID) -> Reading:
    """Bars of a file in any of the forms of docs/formats.md, told by its content.

    Raises
    ------
    UnreadableFile : there is no such file, or it is no table of bars.
    InvalidBars : a column is missing, cells cannot be parsed, or something is ambiguous.
    """
    return bars_of_table(read_table(path, written), written)


def read_table(path: Path, written: Options = _UNSAID) -> Table:
    """The table of a file, as :func:`read_file` reads it, before its columns are read.

    Raises
    ------
    UnreadableFile : there is no such file, or it is no table.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        return table_of(path.read_bytes(), written, named=path.name)
    except (OSError, Unreadable) as error:
        why = "it is an address, and no file: fetch it first" if _is_address(path) else error
        raise UnreadableFile(
            f"{path} cannot be read: {why}",
            field="bars",
            found=str(path),
            needed="a file with date, open, high, low, close, such as CSV or Parquet",
        ) from error


def _is_address(path: Path) -> bool:
    """Whether somebody gave a URL; a path has lost one of its two slashes."""
    return bool(re.match(r"[a-z][a-z0-9+.-]+:/", str(path))) and not path.exists()


def _usual_calendar(bars: Bars) -> str:
    weekdays = (bars.timestamps.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 0: Monday
    if np.any(weekdays >= 5):
        return "24/7"
    raise CalendarNeeded(
        "the bars have no weekends, so they are not from a market that never closes; "
        "say which exchange calendar they follow, such as --calendar XNYS",
        field="calendar",
        needed="a calendar of exchange_calendars, such as XNYS",
    )


def _without_outside(bars: Bars, calendar: Calendar) -> tuple[Bars, tuple[Finding, ...]]:
    inside, dropped = within_sessions(bars, calendar)
    if not dropped:
        return bars, ()
    found = "bars outside of sessions, which are dropped"
    needed = f"bars within the sessions of the calendar {calendar.name}"
    return inside, (Finding("outside_session", "warning", "bars", found, needed, None, dropped),)


def make_asset(
    asset: str,
    bars: Bars,
    *,
    calendar_name: str,
    measure: str,
    source: str,
    now: datetime,
    kind: str,
    drop_outside: bool = False,
) -> tuple[AssetData, tuple[Finding, ...]]:
    """One asset's daily rv and every column that its bars give; see :func:`load_asset`."""
    calendar = get_calendar(calendar_name)
    dropped: tuple[Finding, ...] = ()
    if drop_outside:
        bars, dropped = _without_outside(bars, calendar)
    notes = validate(bars, calendar, now)
    extreme = extreme_sessions(bars, calendar)
    fitted_on = bars.where(~np.isin(session_dates(bars, calendar), extreme))
    columns = available(bars.is_daily, calendar.always_open)
    series, more_notes = daily_series(fitted_on, measure, calendar, columns)
    data = AssetData(
        asset=asset,
        series=series,
        calendar_name=calendar_name,
        bar_interval=bars.interval,
        source=source,
        kind=kind,
    )
    return data, (*dropped, *notes, *more_notes, *_overlap(measure))


def _overlap(measure: str) -> tuple[Finding, ...]:
    if not MEASURES[measure].overlapping:
        return ()
    return (
        Finding(
            "overlapping_measure",
            "warning",
            "measure",
            f"{measure}, in which successive days share all returns but one",
            "a measure of one day at a time: this one is nearly tomorrow's own value already, and "
            "every model looks good on it",
        ),
    )
