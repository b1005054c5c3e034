"""Daily realized measures: what happened to the variance of a day's log returns.

Every measure is a variance per day in decimal², not annualized, except :func:`rolling_std`, which
is the annualized volatility of the paper. A measure of one day looks at that day alone (and at the
close before it), so later bars change nothing earlier.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.bars import DAILY, Bars, Finding
from volatility.calendars import ALWAYS_OPEN, Calendar
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    InvalidInput,
    TooFewObservations,
    UnknownMeasure,
)
from volatility.series import RealizedSeries

# 1 / (E|Z|)² with Z ~ N(0, 1), and E[range²] of a driftless Brownian motion of unit variance.
_BIPOWER_SCALE = np.pi / 2
_PARKINSON_SCALE = 4 * np.log(2)
_GARMAN_KLASS_WEIGHT = 2 * np.log(2) - 1
# 1 / (E|Z|^(4/3))³.
_TRIPOWER_SCALE = (2 ** (2 / 3) * math.gamma(7 / 6) / math.gamma(1 / 2)) ** -3
# Andersen, Dobrev & Schaumburg (2012): 1 / E[median(|Z1|, |Z2|, |Z3|)²].
_MED_RV_SCALE = np.pi / (6 - 4 * np.sqrt(3) + np.pi)
# Barndorff-Nielsen, Hansen, Lunde & Shephard (2009): c* = (12² / 0.269)^(1/5).
_PARZEN_CONSTANT = 3.5134
# The same paper takes its sparse variance from 20-minute returns of a 6.5-hour day.
_SPARSE_RETURNS = 20

ROLLING_STD_SESSIONS = 22  # a month, the paper's window for daily returns


def realized_variance(returns: FloatArray) -> FloatArray:
    r"""Sum of each day's squared returns.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal (0.01 is 1 %).

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RV_t = \sum_{i=1}^{n} r_{t,i}^2

    Added up from the two semivariances, so that they always add up to it exactly.

    References
    ----------
    Andersen & Bollerslev (1998), International Economic Review 39(4).
    """
    negative, positive = realized_semivariances(returns)
    return negative + positive


def realized_semivariances(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Sums of each day's squared negative and squared positive returns.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal.

    Returns
    -------
    Negative and positive semivariance, (days,) each, decimal² per day; together
    :func:`realized_variance`, exactly.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RS_t^- = \sum_i r_{t,i}^2 1\{r_{t,i} < 0\}, \quad
              RS_t^+ = \sum_i r_{t,i}^2 1\{r_{t,i} > 0\}

    References
    ----------
    Barndorff-Nielsen, Kinnebrock & Shephard (2010), in Volatility and Time Series Econometrics.
    """
    checked = _checked(returns, 1, "realized variance")
    negative = np.square(np.minimum(checked, 0.0)).sum(axis=-1)
    positive = np.square(np.maximum(checked, 0.0)).sum(axis=-1)
    return negative, positive


def bipower_variation(returns: FloatArray) -> FloatArray:
    r"""Jump-robust estimate of each day's integrated variance.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than two returns in a day.

    Notes
    -----
    .. math:: BPV_t = \frac{\pi}{2} \sum_{i=2}^{n} |r_{t,i}|\,|r_{t,i-1}|

    Biased down by O(1/n), since the sum has n - 1 terms; not corrected here.

    References
    ----------
    Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2(1).
    """
    sizes = np.abs(_checked(returns, 2, "bipower variation"))
    products = np.ascontiguousarray(sizes[:, 1:] * sizes[:, :-1])
    return np.asarray(_BIPOWER_SCALE * products.sum(axis=-1))


def med_rv(returns: FloatArray) -> FloatArray:
    r"""Jump-robust estimate of each day's integrated variance, from medians of three returns.

    Less disturbed than bipower variation by a zero return or by a jump beside a large return.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than three returns in a day.

    Notes
    -----
    .. math:: MedRV_t = \frac{\pi}{6 - 4\sqrt 3 + \pi} \frac{n}{n-2} \sum_{i=2}^{n-1}
              \mathrm{med}(|r_{t,i-1}|, |r_{t,i}|, |r_{t,i+1}|)^2

    References
    ----------
    Andersen, Dobrev & Schaumburg (2012), Journal of Econometrics 169(1).
    """
    sizes = np.abs(_checked(returns, 3, "medRV"))
    nobs = sizes.shape[1]
    left, middle, right = sizes[:, :-2], sizes[:, 1:-1], sizes[:, 2:]
    medians = np.maximum(
        np.minimum(left, middle), np.minimum(np.maximum(left, middle), right)
    )  # of three, without sorting
    return np.asarray(_MED_RV_SCALE * nobs / (nobs - 2) * np.square(medians).sum(axis=-1))


def realized_quarticity(returns: FloatArray) -> FloatArray:
    r"""Estimate of each day's integrated quarticity, which the error of realized variance follows.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) decimal⁴ per day.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RQ_t = \frac{n}{3} \sum_{i=1}^{n} r_{t,i}^4

    The error of realized variance has variance 2 RQ / n.

    References
    ----------
    Barndorff-Nielsen & Shephard (2002), Journal of the Royal Statistical Society B 64(2).
    """
    checked = _checked(returns, 1, "realized quarticity")
    return np.asarray(checked.shape[1] / 3 * np.square(np.square(checked)).sum(axis=-1))


def tripower_quarticity(returns: FloatArray) -> FloatArray:
    r"""Estimate of each day's integrated quarticity that jumps do not disturb.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) decimal⁴ per day.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than three returns in a day.

    Notes
    -----
    .. math:: TQ_t = n\, \mu_{4/3}^{-3} \sum_{i=3}^{n}
              |r_{t,i}|^{4/3}\, |r_{t,i-1}|^{4/3}\, |r_{t,i-2}|^{4/3}, \quad
              \mu_{4/3} = E|Z|^{4/3} = 2^{2/3}\, \Gamma(7/6) / \Gamma(1/2)

    Biased down by O(1/n), since the sum has n - 2 terms; not corrected here.

    References
    ----------
    Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2(1); Andersen,
    Bollerslev & Diebold (2007), Review of Economics and Statistics 89(4).
    """
    powers = np.abs(_checked(returns, 3, "tripower quarticity")) ** (4 / 3)
    products = np.ascontiguousarray(powers[:, 2:] * powers[:, 1:-1] * powers[:, :-2])
    return np.asarray(_TRIPOWER_SCALE * powers.shape[1] * products.sum(axis=-1))


def realized_kernel(returns: FloatArray, bandwidth: int | None = None) -> FloatArray:
    r"""Estimate of each day's integrated variance that market microstructure noise does not bias.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.
    bandwidth : autocovariances used; by default each day's own, see Notes.

    Returns
    -------
    (days,) variance per day, decimal², not annualized, never negative.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix; ``invalid_bandwidth``, not between 0
        and one less than the number of returns.
    TooFewObservations : fewer than two returns in a day.

    Notes
    -----
    With the Parzen kernel k,

    .. math:: K_t = \gamma_0 + 2 \sum_{h=1}^{H} k\!\left(\tfrac{h}{H+1}\right) \gamma_h, \quad
              \gamma_h = \sum_{i=h+1}^{n} r_{t,i} r_{t,i-h}

    and the bandwidth

    .. math:: H = \lceil 3.5134\, \xi^{4/5} n^{3/5} \rceil, \quad
              \xi^2 = \frac{RV_t / 2n}{RV_t^{sparse}}

    where the sparse variance averages all subsamples of about 20 returns a day. At most n - 1.
    The ends are not jittered, which the original does to tick data.

    References
    ----------
    Barndorff-Nielsen, Hansen, Lunde & Shephard (2009), Econometrics Journal 12(3).
    """
    checked = _checked(returns, 2, "the realized kernel")
    nobs = checked.shape[1]
    if bandwidth is not None and not 0 <= bandwidth < nobs:
        raise InvalidInput(
            f"bandwidth {bandwidth} with {nobs} returns a day; needed: 0 to {nobs - 1}",
            code="invalid_bandwidth",
            field="bandwidth",
            found=bandwidth,
            needed=f"0 to {nobs - 1}",
        )
    widths = _bandwidths(checked) if bandwidth is None else np.full(len(checked), bandwidth)
    kernel = np.square(checked).sum(axis=-1)
    for lag in range(1, int(widths.max(initial=0)) + 1):
        products = np.ascontiguousarray(checked[:, lag:] * checked[:, :-lag])
        kernel += 2 * _parzen(lag / (widths + 1.0)) * products.sum(axis=-1)
    # The Parzen kernel is positive definite; below zero is rounding.
    return np.asarray(np.maximum(kernel, 0.0))


def parkinson(high: FloatArray, low: FloatArray) -> FloatArray:
    r"""Variance of each session from its range.

    Parameters
    ----------
    high, low : (n,) prices.

    Returns
    -------
    (n,) decimal² per day, of the trading session; zero where the range is.

    Raises
    ------
    InvalidInput : ``non_positive_price``, a price that is not above zero and finite.

    Notes
    -----
    .. math:: \frac{(\ln H_t / L_t)^2}{4 \ln 2}

    For a driftless Brownian motion unbiased, and 5 times as efficient as the squared return.

    References
    ----------
    Parkinson (1980), Journal of Business 53(1).
    """
    return np.asarray(np.square(_log(high) - _log(low)) / _PARKINSON_SCALE)


def garman_klass(
    open: FloatArray,  # noqa: A002 (the name of the price)
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
) -> FloatArray:
    r"""Variance of each session from its range and its open-to-close return.

    Parameters
    ----------
    open, high, low, close : (n,) prices.

    Returns
    -------
    (n,) decimal² per day, of the trading session; zero where the range is, and only there.

    Raises
    ------
    InvalidInput : ``non_positive_price``, a price that is not above zero and finite.

    Notes
    -----
    .. math:: \tfrac{1}{2} (\ln H_t / L_t)^2 - (2 \ln 2 - 1) (\ln C_t / O_t)^2

    For a driftless Brownian motion unbiased, and 7.4 times as efficient as the squared return.
    An open copied from the previous close makes it unsafe.

    References
    ----------
    Garman & Klass (1980), Journal of Business 53(1).
    """
    spread = _log(high) - _log(low)
    drift = _log(close) - _log(open)
    return np.asarray(0.5 * np.square(spread) - _GARMAN_KLASS_WEIGHT * np.square(drift))


def rogers_satchell(
    open: FloatArray,  # noqa: A002 (the name of the price)
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
) -> FloatArray:
    r"""Variance of each session from its prices, whatever its drift.

    Parameters
    ----------
    open, high, low, close : (n,) prices.

    Returns
    -------
    (n,) decimal² per day, of the trading session; zero also where a session opens at one end of
    its range and closes at the other.

    Raises
    ------
    InvalidInput : ``non_positive_price``, a price that is not above zero and finite.

    Notes
    -----
    .. math:: \ln\frac{H_t}{C_t} \ln\frac{H_t}{O_t} + \ln\frac{L_t}{C_t} \ln\frac{L_t}{O_t}

    References
    ----------
    Rogers & Satchell (1991), Annals of Applied Probability 1(4).
    """
    start, top, bottom, end = _log(open), _log(high), _log(low), _log(close)
    return np.asarray((top - end) * (top - start) + (bottom - end) * (bottom - start))


def squared_return(returns: FloatArray) -> FloatArray:
    """Variance of each session from its return alone: unbiased without drift, and very noisy.

    Parameters
    ----------
    returns : (n,) close-to-close log returns, decimal.

    Returns
    -------
    (n,) decimal² per day; NaN where the return is.
    """
    return np.square(np.asarray(returns, dtype=np.float64))


def rolling_std(returns: FloatArray, window: int, periods_per_year: float) -> FloatArray:
    r"""Annualized standard deviation of the last returns: the measure of the paper.

    Successive values share all returns but one. That alone makes them smooth, whatever the
    process: see the verdict ``artefact`` of the Hurst report.

    Parameters
    ----------
    returns : (n,) log returns, decimal.
    window : returns a value; 24 hourly or 22 daily ones in the paper.
    periods_per_year : returns a year; 8,760 hourly or 252 daily ones in the paper.

    Returns
    -------
    (n - window + 1,) volatility, decimal per year, its first value at return ``window - 1``; NaN
    where the window holds a NaN.

    Raises
    ------
    HistoryTooShort : fewer returns than a window.
    TooFewObservations : a window of fewer than two returns.

    Notes
    -----
    .. math:: \sqrt{\frac{P}{w - 1} \sum_{i=0}^{w-1} (r_{t-i} - \bar r_t)^2}
    """
    if window < 2:
        raise TooFewObservations(
            f"a standard deviation over {window} returns is not defined; needed: at least 2",
            field="window",
            found=window,
            needed="at least 2",
        )
    if len(returns) < window:
        raise HistoryTooShort(
            f"a rolling standard deviation over {window} returns needs as many; got {len(returns)}",
            field="returns",
            found=len(returns),
            needed=f"at least {window} returns",
        )
    view = np.lib.stride_tricks.sliding_window_view(np.asarray(returns, np.float64), window)
    deviations = np.ascontiguousarray(view).std(axis=-1, ddof=1)
    return np.asarray(deviations * np.sqrt(periods_per_year))


@dataclass(frozen=True, slots=True)
class Measure:
    """A realized measure by name.

    Parameters
    ----------
    name : as in a manifest, a request or an answer.
    bars : what it is computed from.
    overlapping : whether successive values share returns.
    function : for daily bars from (n, 5) previous close, open, high, low and close, where the
        previous close is NaN if the session before has no bar; for intraday bars from (days,
        intraday) log returns. Gives (n,) or (days,) rv, NaN where it is undefined.
    """

    name: str
    bars: Literal["daily", "intraday"]
    overlapping: bool
    function: Callable[[FloatArray], FloatArray]


def _parkinson(sessions: FloatArray) -> FloatArray:
    _, _, high, low, _ = sessions.T
    return parkinson(high, low)


def _garman_klass(sessions: FloatArray) -> FloatArray:
    return garman_klass(*sessions.T[1:])


def _rogers_satchell(sessions: FloatArray) -> FloatArray:
    return rogers_satchell(*sessions.T[1:])


def _squared_return(sessions: FloatArray) -> FloatArray:
    return squared_return(_close_to_close(sessions))


def _rolling_variance(sessions: FloatArray) -> FloatArray:
    returns = _close_to_close(sessions)
    rv = np.full(len(returns), np.nan)
    if len(returns) >= ROLLING_STD_SESSIONS:
        deviations = rolling_std(returns, ROLLING_STD_SESSIONS, periods_per_year=1)
        rv[ROLLING_STD_SESSIONS - 1 :] = np.square(deviations)
    return rv


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure("realized_variance", "intraday", False, realized_variance),
            Measure("bipower_variation", "intraday", False, bipower_variation),
            Measure("med_rv", "intraday", False, med_rv),
            Measure("realized_kernel", "intraday", False, realized_kernel),
            Measure("parkinson", "daily", False, _parkinson),
            Measure("garman_klass", "daily", False, _garman_klass),
            Measure("rogers_satchell", "daily", False, _rogers_satchell),
            Measure("squared_return", "daily", False, _squared_return),
            Measure("rolling_std", "daily", True, _rolling_variance),
        )
    }
)


def get_measure(name: str) -> Measure:
    """Measure by name.

    Raises
    ------
    UnknownMeasure : there is none of that name.
    """
    if name not in MEASURES:
        raise UnknownMeasure(
            f"there is no measure {name!r}; needed: one of {', '.join(MEASURES)}",
            field="measure",
            found=name,
            needed=f"one of {', '.join(MEASURES)}",
        )
    return MEASURES[name]


def daily_series(
    bars: Bars, measure: str, calendar: Calendar, columns: Collection[str] = ()
) -> tuple[RealizedSeries, tuple[Finding, ...]]:
    """Daily rv of bars, and what else is wanted of each session.

    Sessions without a value are left out, never filled. From intraday bars only complete days are
    measured: those with every close of the day and the close just before it.

    Parameters
    ----------
    bars : such as :func:`volatility.bars.validate` accepts.
    measure : a name of :data:`MEASURES`.
    calendar : the sessions of the bars.
    columns : names of :mod:`volatility.columns` to measure beside rv.

    Returns
    -------
    The series, and warnings: ``incomplete_sessions``, days without all their intraday bars;
    ``undefined_measure``, sessions whose measure is zero or not defined.

    Raises
    ------
    UnknownMeasure : there is none of that name.
    InvalidInput : ``wrong_interval``, the measure needs bars of another kind;
        ``unsupported_calendar``, intraday bars of a market that closes; ``unknown_column``, one
        that such bars do not give.
    HistoryTooShort : no session is complete, or has before it what the measure looks back on.
    ConstantPrices : the measure is zero in every session that has one.
    OutsideCalendar : a date that the calendar does not cover.
    """
    chosen = get_measure(measure)
    _check_kind(bars, chosen, calendar)
    if bars.is_daily:
        sessions, dates = _daily_sessions(bars, calendar)
        findings: tuple[Finding, ...] = ()
    else:
        sessions, dates, findings = _intraday_sessions(bars)
    rv = chosen.function(sessions)
    _check_moves(bars, dates, rv, measure)
    defined = rv > 0  # false for NaN
    beside = _columns(sessions[defined], bars.is_daily, columns) if columns else {}
    series = RealizedSeries(rv[defined], measure, dates[defined], beside)
    return series, (*findings, *_undefined(dates, rv, defined, measure))


def _columns(sessions: FloatArray, daily: bool, names: Collection[str]) -> dict[str, FloatArray]:
    from volatility import columns  # which are made from the measures above

    known = columns.DAILY_COLUMNS if daily else columns.INTRADAY_COLUMNS
    unknown = [name for name in names if name not in known]
    if unknown:
        kind = "daily" if daily else "intraday"
        raise InvalidInput(
            f"{kind} bars give no column {unknown[0]!r}; needed: one of {', '.join(known)}",
            code="unknown_column",
            field="columns",
            found=unknown[0],
            needed=f"one of {', '.join(known)}",
        )
    return {name: known[name](sessions) for name in names}


def _check_kind(bars: Bars, measure: Measure, calendar: Calendar) -> None:
    if bars.is_daily != (measure.bars == "daily"):
        raise InvalidInput(
            f"{measure.name} needs {measure.bars} bars; got bars of {bars.interval} seconds",
            code="wrong_interval",
            field="bars",
            found=bars.interval,
            needed=f"{measure.bars} bars",
        )
    if not bars.is_daily and calendar.name != ALWAYS_OPEN:
        raise InvalidInput(
            f"intraday bars are measured over whole UTC days, and {calendar.name} closes between "
            f"sessions; needed: daily bars, or the calendar {ALWAYS_OPEN}",
            code="unsupported_calendar",
            field="calendar",
            found=calendar.name,
            needed=f"daily bars, or the calendar {ALWAYS_OPEN}",
        )


def _check_moves(bars: Bars, dates: DateArray, rv: FloatArray, measure: str) -> None:
    measured = np.isfinite(rv)
    if not measured.any():
        needed = "complete sessions, and before them those that the measure looks back on"
        raise HistoryTooShort(
            f"{measure} is defined in none of the {len(rv)} complete sessions of {len(bars)} bars; "
            f"needed: {needed}",
            field="bars",
            found=len(bars),
            needed=needed,
        )
    if not (rv > 0).any():
        raise ConstantPrices(
            f"{measure} is zero in all {np.count_nonzero(measured)} sessions from {dates[0]} to "
            f"{dates[-1]}; needed: prices that move in at least one session",
            field="bars",
            found=len(bars),
            needed="prices that move",
        )


def _daily_sessions(bars: Bars, calendar: Calendar) -> tuple[FloatArray, DateArray]:
    """Columns of previous close, open, high, low, close; (n, 5), and (n,) dates."""
    dates = bars.dates
    previous_close = np.full(len(bars), np.nan)
    if len(bars) > 1:
        sessions = calendar.sessions(dates[0], dates[-1])
        places = np.searchsorted(sessions, dates)
        adjacent = np.diff(places) == 1
        previous_close[1:][adjacent] = bars.close[:-1][adjacent]
    columns = [previous_close, bars.open, bars.high, bars.low, bars.close]
    return np.stack(columns, axis=-1), dates


def _intraday_sessions(bars: Bars) -> tuple[FloatArray, DateArray, tuple[Finding, ...]]:
    """Returns of complete UTC days, (days, intraday), their dates, and what was left out."""
    per_day = DAILY // bars.interval
    returns = np.diff(np.log(bars.close))
    seconds = bars.timestamps.astype(np.int64)
    # A return belongs to the day of the bar at whose close it ends.
    usable = (np.diff(seconds) == bars.interval) & (seconds[1:] % bars.interval == 0)
    held, counts = np.unique(bars.dates[1:][usable], return_counts=True)
    complete = held[counts == per_day]
    chosen = usable & np.isin(bars.dates[1:], complete)
    incomplete = np.setdiff1d(bars.dates, complete)
    return returns[chosen].reshape(-1, per_day), complete, _incomplete(incomplete, per_day)


def _incomplete(dates: DateArray, per_day: int) -> tuple[Finding, ...]:
    if not len(dates):
        return ()
    return (
        Finding(
            "incomplete_sessions",
            "warning",
            "bars",
            f"{dates[0]} lacks some of its bars and is left out",
            f"{per_day} bars a UTC day, and the bar before midnight",
            None,
            len(dates),
        ),
    )


def _undefined(
    dates: DateArray, rv: FloatArray, defined: BoolArray, measure: str
) -> tuple[Finding, ...]:
    count = int(np.count_nonzero(~defined))
    if not count:
        return ()
    index = int(np.argmin(defined))
    found = "not defined" if np.isnan(rv[index]) else "zero"
    return (
        Finding(
            "undefined_measure",
            "warning",
            measure,
            f"{found} on {dates[index]}, which is left out",
            "a session in which the price moves, and what comes before it where the measure "
            "looks back",
            index,
            count,
        ),
    )


def _close_to_close(sessions: FloatArray) -> FloatArray:
    """Log returns of (n, 5) sessions; NaN where the session before has no bar."""
    return np.log(sessions[:, 4]) - np.log(sessions[:, 0])


def _checked(returns: FloatArray, minimum: int, what: str) -> FloatArray:
    """Returns as a C-contiguous matrix, so that each row is added in one order."""
    matrix = np.ascontiguousarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        found = "values that are not finite" if matrix.ndim == 2 else f"shape {matrix.shape}"
        raise InvalidInput(
            f"{what}: found {found}; needed: a (days, intraday) matrix of finite returns",
            code="invalid_returns",
            field="returns",
            found=found,
            needed="a (days, intraday) matrix of finite returns",
        )
    if matrix.shape[1] < minimum:
        raise TooFewObservations(
            f"{what} needs at least {minimum} returns a day; got {matrix.shape[1]}",
            field="returns",
            found=matrix.shape[1],
            needed=f"at least {minimum} returns a day",
        )
    return matrix


def _log(price: FloatArray) -> FloatArray:
    prices = np.asarray(price, dtype=np.float64)
    acceptable = np.isfinite(prices) & (prices > 0)
    if not acceptable.all():
        index = int(np.argmin(acceptable))
        raise InvalidInput(
            f"price {prices[index]} at position {index}; needed: finite prices above zero",
            code="non_positive_price",
            field="price",
            found=float(prices[index]),
            needed="finite prices above zero",
        )
    return np.asarray(np.log(prices))


def _parzen(x: FloatArray) -> FloatArray:
    """Parzen's weight for x of 0 and more."""
    inner = 1 - 6 * np.square(x) + 6 * x**3
    outer = 2 * (1 - np.minimum(x, 1.0)) ** 3
    return np.where(x <= 0.5, inner, outer)


def _bandwidths(returns: FloatArray) -> FloatArray:
    """Each day's bandwidth for the realized kernel; (days,)."""
    nobs = returns.shape[1]
    skip = max(1, round(nobs / _SPARSE_RETURNS))
    prices = np.cumsum(np.pad(returns, ((0, 0), (1, 0))), axis=-1)
    sparse_returns = np.ascontiguousarray(prices[:, skip:] - prices[:, :-skip])
    # Every subsample at once: each of the nobs - skip + 1 overlapping returns covers skip steps.
    sparse = np.square(sparse_returns).sum(axis=-1) / skip * nobs / (nobs - skip + 1)
    noise = np.square(returns).sum(axis=-1) / (2 * nobs)
    # A day without sparse variation is all noise, and takes every autocovariance.
    ratio = np.divide(noise, sparse, out=np.full(len(returns), np.inf), where=sparse > 0)
    ratio[noise == 0] = 0.0
    widths = np.ceil(_PARZEN_CONSTANT * ratio**0.4 * nobs**0.6)
    return np.asarray(np.minimum(widths, nobs - 1))
