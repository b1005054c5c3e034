"""What a series of realized variance that was given, not measured, has to be like."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import numpy as np

from volatility.bars import Bars, order_errors, price_errors
from volatility.calendars import Calendar
from volatility.errors import ImplausibleUnit, InvalidSeries
from volatility.series import DatedSeries, RealizedSeries, refuse_where

# A median rv of 0.25 is 50 % a day, 800 % a year: no market. In percent², 0.25 is a calm day.
MAX_PLAUSIBLE_MEDIAN = 0.25
# The logs of two prices that a float holds differ by at most 1,455: no day's bars give as much. Two
# values of 1e308 would add up to infinity.
MAX_POSSIBLE_RV = 1e9
# By kind, volatility per year above which a series' median is rather a volatility, or annualized,
# than a variance. Of 53 assets medians were 3 to 17 % (etf), 6 to 11 (fx), 9 to 12 (index), 11 to
# 37 (stock) and 42 to 104 (crypto); their roots, taken for variances, 74 to 162, 99 to 135, 121 to
# 141, 134 to 243 and 282 to 445 %.
DOUBTFUL_VOLATILITY: Mapping[str, float] = MappingProxyType(
    {"etf": 0.7, "fx": 0.7, "index": 0.7, "stock": 1.0, "crypto": 2.0}
)


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
    if isinstance(series, DatedSeries):
        _check_order(series)
        if calendar is not None:
            _check_sessions(series, calendar, now)


def unit_doubt(series: RealizedSeries, kind: str, periods_per_year: int) -> str | None:
    """What makes the unit of a series doubtful, in words; None where nothing does.

    Parameters
    ----------
    series : that :func:`check_series` lets pass.
    kind : of asset, one of :data:`DOUBTFUL_VOLATILITY`.
    periods_per_year : sessions.
    """
    median = float(np.median(series.rv))
    volatility, usual = float(np.sqrt(median * periods_per_year)), DOUBTFUL_VOLATILITY[kind]
    if volatility <= usual:
        return None
    return (
        f"the median rv, {median:.3g}, is a volatility of {volatility:.0%} a year, and above "
        f"{usual:.0%} is rare for a series of kind {kind}; needed: the variance of a day's log "
        "returns in decimal² (0.0004 for a 2 % day), not a volatility and not annualized"
    )


def _check_values(series: RealizedSeries) -> None:
    if not len(series):
        raise InvalidSeries(
            "the history holds no rv; needed: at least one value",
            code="empty_history",
            field="rv",
            found=0,
            needed="at least one value",
        )
    usual = (series.rv > 0) & (series.rv <= MAX_PLAUSIBLE_MEDIAN)  # false for NaN
    if np.count_nonzero(usual) == len(usual):
        return  # as nearly always: a median takes longer than everything else here
    finite = np.isfinite(series.rv)
    refuse_where(~finite, series, "non_finite_rv", "rv", "finite values")
    refuse_where(series.rv <= 0, series, "non_positive_rv", "rv", "values above zero")
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


def _check_order(series: DatedSeries) -> None:
    refuse_where(np.isnat(series.dates), series, "invalid_dates", "dates", "a date a value")
    steps = np.diff(series.dates).astype(np.int64)
    # A date repeated further away is out of order as well, and is reported as that.
    for wrong, code, needed in (
        (steps == 0, "duplicate_dates", "each date once"),
        (steps < 0, "unsorted_dates", "dates from the oldest to the newest"),
    ):
        refuse_where(np.concatenate([[False], wrong]), series, code, "dates", needed)


def _check_sessions(series: DatedSeries, calendar: Calendar, now: datetime | None) -> None:
    if now is not None:
        closed = calendar.last_closed_session(now)
        needed = f"sessions that had closed by {now:%Y-%m-%d %H:%M %Z}: up to {closed}"
        refuse_where(series.dates > closed, series, "future_dates", "dates", needed)
    needed = f"sessions of the calendar {calendar.name}"
    refuse_where(~calendar.is_session(series.dates), series, "not_a_session", "dates", needed)


def damage_of(bars: Bars) -> str | None:
    """What is wrong with bars that were validated once; None where nothing is.

    Their prices and their order: what can be told without a calendar and a clock.
    """
    return "; ".join(map(str, (*price_errors(bars), *order_errors(bars)))) or None
