"""A history of daily realized variance: what every model sees and every forecast continues."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.calendars import Calendar
from volatility.errors import ImplausibleUnit, InvalidSeries

# A median rv of 0.25 is 50 % a day, 800 % a year: no market. In percent², 0.25 is a calm day.
MAX_PLAUSIBLE_MEDIAN = 0.25
# The logs of two prices that a float holds differ by at most 1,455: no day's bars give as much. Two
# values of 1e308 would add up to infinity.
MAX_POSSIBLE_RV = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class RealizedSeries:
    """Daily realized variance, oldest first.

    Parameters
    ----------
    rv : (n,) variance of each session's log returns, decimal² per day, not annualized.
    measure : which estimator made it; see :data:`volatility.realized.MEASURES`.
    dates : (n,) datetime64[D], the sessions; None where they are not known.
    columns : what else is known of each session, (n,) finite values each, by a name of
        :mod:`volatility.columns`.

    Raises
    ------
    InvalidSeries : ``length_mismatch``, when rv, dates and columns are not vectors of one length;
        ``non_finite_column``.
    """

    rv: FloatArray
    measure: str
    dates: DateArray | None = None
    columns: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rv", np.asarray(self.rv, dtype=np.float64))
        if self.dates is not None:
            object.__setattr__(self, "dates", np.asarray(self.dates).astype("datetime64[D]"))
        shape = self.rv.shape if self.dates is None else self.dates.shape
        if self.rv.ndim != 1 or shape != self.rv.shape:
            raise InvalidSeries(
                f"rv has shape {self.rv.shape} and dates have shape {shape}; "
                "needed: one list of values, with one date a value or no dates",
                code="length_mismatch",
                field="dates",
                found=f"{self.rv.shape} and {shape}",
                needed="one date a value",
            )
        columns = {name: np.asarray(it, dtype=np.float64) for name, it in self.columns.items()}
        object.__setattr__(self, "columns", columns)
        for name, values in columns.items():
            self._check_column(name, values)

    def __len__(self) -> int:
        return len(self.rv)

    @property
    def log_rv(self) -> FloatArray:
        """Log of rv; (n,)."""
        return np.log(self.rv)

    @property
    def volatility(self) -> FloatArray:
        """Square root of rv; (n,) decimal per day."""
        return np.sqrt(self.rv)

    def until(self, as_of: np.datetime64) -> "RealizedSeries":
        """Sessions up to and including ``as_of``: what was known at its close.

        Raises
        ------
        InvalidSeries : ``dates_needed``, when the series has none.
        """
        if self.dates is None:
            raise InvalidSeries(
                f"a series without dates cannot be cut at {as_of}; needed: its dates",
                code="dates_needed",
                field="dates",
                needed="one date a value",
            )
        known = int(np.searchsorted(self.dates, as_of.astype("datetime64[D]"), side="right"))
        return self._part(slice(known))

    def tail(self, nobs: int) -> "RealizedSeries":
        """Last ``nobs`` sessions, or all of them where there are fewer."""
        return self._part(slice(max(0, len(self) - nobs), None))

    def select(self, columns: Iterable[str]) -> "RealizedSeries":
        """The same with these columns alone beside rv; those it does not have are passed over."""
        chosen = {name: self.columns[name] for name in columns if name in self.columns}
        return RealizedSeries(self.rv, self.measure, self.dates, chosen)

    @property
    def sha256(self) -> str:
        """Hex digest of measure, dates, rv and columns, the same on every machine."""
        digest = hashlib.sha256(f"{self.measure}\n{len(self)}\n".encode())
        if self.dates is not None:
            digest.update(self.dates.astype("<i8").tobytes())
        digest.update(self.rv.astype("<f8").tobytes())
        for name in sorted(self.columns):
            digest.update(f"{name}\n".encode())
            digest.update(self.columns[name].astype("<f8").tobytes())
        return digest.hexdigest()

    def _part(self, which: slice) -> "RealizedSeries":
        dates = None if self.dates is None else self.dates[which]
        columns = {name: values[which] for name, values in self.columns.items()}
        return RealizedSeries(self.rv[which], self.measure, dates, columns)

    def _check_column(self, name: str, values: FloatArray) -> None:
        if values.shape != self.rv.shape:
            raise InvalidSeries(
                f"the column {name} has shape {values.shape} and rv has shape {self.rv.shape}; "
                "needed: one value a session",
                code="length_mismatch",
                field=name,
                found=f"{values.shape} and {self.rv.shape}",
                needed="one value a session",
            )
        _refuse(self, ~np.isfinite(values), "non_finite_column", name, "finite values")


def check_series(
    series: RealizedSeries, calendar: Calendar | None = None, now: datetime | None = None
) -> None:
    """Raise what makes a series unusable for forecasting.

    Parameters
    ----------
    series : as it came.
    calendar : the sessions its dates should follow; None leaves that open.
    now : with a time zone; a session that had not closed by then is in the future. Needs a
        calendar.

    Raises
    ------
    InvalidSeries : ``empty_history``, ``non_finite_rv``, ``non_positive_rv``,
        ``duplicate_dates``, ``unsorted_dates``, ``future_dates``, ``not_a_session``.
    ImplausibleUnit : the median is above 0.25, as when rv is in percent², or a value is one that
        no prices give.
    OutsideCalendar : a date before the calendar begins.
    """
    _check_values(series)
    if series.dates is not None:
        _check_order(series, series.dates)
        if calendar is not None:
            _check_sessions(series, series.dates, calendar, now)


def _check_values(series: RealizedSeries) -> None:
    if not len(series):
        raise InvalidSeries(
            "the history holds no rv; needed: at least one value",
            code="empty_history",
            field="rv",
            found=0,
            needed="at least one value",
        )
    if series.rv.min() > 0 and series.rv.max() <= MAX_PLAUSIBLE_MEDIAN:  # false for NaN
        return  # as nearly always: a median takes longer than everything else here
    finite = np.isfinite(series.rv)
    _refuse(series, ~finite, "non_finite_rv", "rv", "finite values")
    _refuse(series, series.rv <= 0, "non_positive_rv", "rv", "values above zero")
    median = float(np.median(series.rv))
    if median > MAX_PLAUSIBLE_MEDIAN:
        raise ImplausibleUnit(
            f"the median rv is {median:.6g}, which looks like percent; needed: the variance of a "
            f"day's log returns in decimal² (0.0004 for a 2 % day), "
            f"with a median of at most {MAX_PLAUSIBLE_MEDIAN}",
            field="rv",
            found=median,
            needed=f"a median of at most {MAX_PLAUSIBLE_MEDIAN}",
        )
    largest = float(series.rv.max())
    if largest > MAX_POSSIBLE_RV:
        raise ImplausibleUnit(
            f"the largest rv is {largest:.6g}, which no prices give; needed: the variance of a "
            f"day's log returns in decimal², at most {MAX_POSSIBLE_RV:g}",
            field="rv",
            found=largest,
            needed=f"values of at most {MAX_POSSIBLE_RV:g}",
        )


def _check_order(series: RealizedSeries, dates: DateArray) -> None:
    _refuse(series, np.isnat(dates), "invalid_dates", "dates", "a date a value")
    steps = np.diff(dates).astype(np.int64)
    # A date repeated further away is out of order as well, and is reported as that.
    for wrong, code, needed in (
        (steps == 0, "duplicate_dates", "each date once"),
        (steps < 0, "unsorted_dates", "dates from the oldest to the newest"),
    ):
        _refuse(series, np.concatenate([[False], wrong]), code, "dates", needed)


def _check_sessions(
    series: RealizedSeries, dates: DateArray, calendar: Calendar, now: datetime | None
) -> None:
    if now is not None:
        closed = calendar.last_closed_session(now)
        needed = f"sessions that had closed by {now:%Y-%m-%d %H:%M %Z}: up to {closed}"
        _refuse(series, dates > closed, "future_dates", "dates", needed)
    needed = f"sessions of the calendar {calendar.name}"
    _refuse(series, ~calendar.is_session(dates), "not_a_session", "dates", needed)


def _refuse(series: RealizedSeries, wrong: BoolArray, code: str, field: str, needed: str) -> None:
    """Raise for the first value of a mask, if there is one."""
    count = int(np.count_nonzero(wrong))
    if not count:
        return
    index = int(np.argmax(wrong))
    date = "no date" if series.dates is None else str(series.dates[index])
    values = {"rv": series.rv, **series.columns}.get(field)
    found = date if values is None else values[index].item()
    times = f", the first of {count}" if count > 1 else ""
    raise InvalidSeries(
        f"{code.replace('_', ' ')}: found {found} at position {index} ({date}){times}; "
        f"needed: {needed}",
        code=code,
        field=field,
        found=found,
        needed=needed,
    )
