"""Tables and series of pandas, as the rooms below take them, and back."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from volatility.bars import Bars
from volatility.calendar_inference import infer_calendar, market_of, market_of_bars
from volatility.calendars import ALWAYS_OPEN, get_calendar
from volatility.errors import InvalidInput, InvalidSeries
from volatility.frames import from_frame, to_frame
from volatility.measures import MEASURES
from volatility.plausibility import check_series, unit_doubt
from volatility.scale_free import KINDS, USUAL_MEASURE
from volatility.series import DatedSeries

INTRADAY_MEASURE = "realized_variance"
UNKNOWN = "unknown"  # measure of a series that nobody has named


class Described(NamedTuple):
    """What a caller says of an asset, or its table does; None where neither says anything."""

    calendar: str | None = None
    kind: str | None = None
    measure: str | None = None

    def completed(self, data: "pd.DataFrame | pd.Series[Any]") -> "Described":
        """The same, and what the ``attrs`` of the data say of what is left out.

        Raises
        ------
        InvalidInput : ``unknown_kind``, there is no such kind of asset.
        UnknownMeasure : there is no such measure.
        """
        said = data.attrs
        found = Described(*(given or said.get(name) for name, given in self._asdict().items()))
        if found.measure not in (None, UNKNOWN):
            _ = MEASURES[found.measure]  # which says that there is none of the name
        if found.kind not in (None, *KINDS):
            needed = f"one of {', '.join(KINDS)}"
            raise InvalidInput(
                f"there is no kind of asset {found.kind!r}; needed: {needed}",
                code="unknown_kind",
                field="kind",
                found=found.kind,
                needed=needed,
            )
        return found


class GivenBars(NamedTuple):
    """Bars, and what was said or inferred of their market."""

    bars: Bars
    calendar: str
    kind: str
    measure: str
    inferred: str | None  # in words

    @classmethod
    def of(cls, frame: pd.DataFrame, described: Described) -> "GivenBars":
        """Read a table.

        Raises
        ------
        InvalidInput : it is none, ``unknown_kind``, or ``calendar_needed`` of bars within a day
            that have no weekends.
        InvalidBars : see :func:`volatility.frames.from_frame`.
        UnknownCalendar : there is none of the name given.
        """
        if not isinstance(frame, pd.DataFrame):
            raise wrong_type(frame, "bars", "a DataFrame with open, high, low and close")
        bars, (calendar, kind, measure) = from_frame(frame), described.completed(frame)
        if bars.is_daily:
            market = market_of_bars(bars, calendar, kind)
        else:
            market = market_of(bars.dates, calendar or _of_intraday(bars), kind)
        usual = USUAL_MEASURE if bars.is_daily else INTRADAY_MEASURE
        return cls(bars, market.calendar, market.kind, measure or usual, market.inferred)


class GivenSeries(NamedTuple):
    """Daily rv, what was said or inferred of its market, and what is worth knowing, in words."""

    series: DatedSeries
    calendar: str
    kind: str
    notes: tuple[str, ...]

    @classmethod
    def of(cls, rv: "pd.Series[Any]", described: Described, now: datetime) -> "GivenSeries":
        """Read a series of rv with dates.

        Raises
        ------
        InvalidInput : it is none, or ``unknown_kind``.
        InvalidSeries, ImplausibleUnit : see :func:`volatility.plausibility.check_series`.
        UnknownCalendar : there is none of the name given.
        """
        if not isinstance(rv, pd.Series):
            raise wrong_type(rv, "rv", "a Series of daily rv, as measure() makes it")
        if not isinstance(rv.index, pd.DatetimeIndex):
            raise InvalidSeries(
                f"rv has an index of {rv.index.dtype}; needed: the date of each session",
                code="unclear_time",
                field="rv",
                found=str(rv.index.dtype),
                needed="a DatetimeIndex",
            )
        calendar, kind, measure = described.completed(rv)
        named = str(rv.name) if rv.name in MEASURES else UNKNOWN
        dates = rv.index.tz_localize(None).to_numpy().astype("datetime64[D]")
        try:
            values = rv.to_numpy(np.float64)
        except (TypeError, ValueError):
            needed = "a Series of numbers, the variance of each day in decimal²"
            raise wrong_type(rv.iloc[0], "rv", needed) from None
        series = DatedSeries(values, measure or named, dates)
        market = market_of(dates, calendar, kind)
        sessions = get_calendar(market.calendar)
        check_series(series, sessions, now)
        doubt = unit_doubt(series, market.kind, sessions.periods_per_year)
        said = tuple(it for it in (market.inferred, doubt) if it)
        return cls(series, market.calendar, market.kind, said)


def indexed(bars: Bars) -> pd.DataFrame:
    """Bars by time in UTC, which of daily ones is a date without a zone."""
    frame = to_frame(bars).set_index("timestamp")
    return frame.tz_localize(None).rename_axis("date") if bars.is_daily else frame


def to_series(series: DatedSeries) -> "pd.Series[float]":
    """Rv by date, named for its measure."""
    index = pd.DatetimeIndex(series.dates.astype("datetime64[s]"), name="date")
    return pd.Series(series.rv, index, name=series.measure)


def several(values: object, field: str, needed: str) -> tuple[Any, ...]:
    """Values that are given as a list, those of numpy as Python's own.

    Raises
    ------
    InvalidInput : ``wrong_type``, they are text, or one value without a list.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise wrong_type(values, field, needed)
    return tuple(it.item() if isinstance(it, np.generic) else it for it in values)


def moment(now: datetime | None, field: str = "now") -> datetime:
    """A time that is given, in UTC where it has no zone, or else the present.

    Raises
    ------
    InvalidInput : ``wrong_type``, it is no time.
    """
    if now is None:
        return datetime.now(UTC)
    if not isinstance(now, datetime):
        raise wrong_type(now, field, "a datetime, in UTC where it has no zone")
    return now if now.tzinfo else now.replace(tzinfo=UTC)


def _of_intraday(bars: Bars) -> str:
    if infer_calendar(bars.dates) == ALWAYS_OPEN:
        return ALWAYS_OPEN
    needed = "the calendar of the exchange, such as calendar='XNYS'"
    raise InvalidInput(
        f"bars of {bars.interval} seconds without weekends do not tell the hours of their market; "
        f"needed: {needed}",
        code="calendar_needed",
        field="calendar",
        found=None,
        needed=needed,
    )


def check_whole(value: object, field: str, needed: str, is_usable: Callable[[int], bool]) -> None:
    """Refuse what is no whole number, or one that cannot be used.

    Raises
    ------
    InvalidInput : ``invalid_value``.
    """
    if not isinstance(value, Integral) or not is_usable(int(value)):
        raise wrong_value(value, field, needed)


def wrong_value(found: object, field: str, needed: str) -> InvalidInput:
    """What is given is nothing that can be used."""
    return InvalidInput(
        f"{field}: found {found!r}; needed: {needed}",
        code="invalid_value",
        field=field,
        found=found,
        needed=needed,
    )


def wrong_type(found: object, field: str, needed: str) -> InvalidInput:
    """What is given is something else than is needed."""
    name = type(found).__name__
    return InvalidInput(
        f"{field} is of type {name}; needed: {needed}",
        code="wrong_type",
        field=field,
        found=name,
        needed=needed,
    )
