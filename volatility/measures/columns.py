"""What else a session's bars tell besides its realized variance: regressors need it by name.

A column looks at its own session (and at the close before it), as a measure does, so later bars
change nothing earlier. Daily bars give the return, that of the night before where the market
closes, and how two measures of the range differ; intraday bars also tell losses from gains, how
precisely variance is measured, and what part of it came in jumps.
"""

from collections.abc import Callable, Iterable, Mapping
from statistics import NormalDist
from types import MappingProxyType

import numpy as np

from volatility.arrays import BoolArray, FloatArray
from volatility.measures.daily import garman_klass, parkinson
from volatility.measures.intraday import (
    bipower_variation,
    realized_quarticity,
    realized_semivariances,
    realized_variance,
    tripower_quarticity,
)
from volatility.measures.session_returns import SessionReturns

Column = Callable[[FloatArray], FloatArray]

JUMP_CONFIDENCE = 0.999  # the level of Andersen, Bollerslev & Diebold (2007)
_JUMP_QUANTILE = NormalDist().inv_cdf(JUMP_CONFIDENCE)
# mu_1^-4 + 2 mu_1^-2 - 5, mu_1 = E|Z|: asymptotic variance of (RV - BV) / sqrt(IQ / n).
_JUMP_VARIANCE = (np.pi / 2) ** 2 + np.pi - 5
_TRIPOWER_RETURNS = 3  # without three returns a day, the precision of its variance is not known


def session_return(sessions: FloatArray) -> FloatArray:
    r"""Log return of each session, from the previous close to its own.

    Parameters
    ----------
    sessions : (n, 5) previous close, open, high, low, close; the previous close is NaN where the
        session before has no bar.

    Returns
    -------
    (n,) decimal; from open to close where there is no previous close.

    Notes
    -----
    .. math:: r_t = \ln C_t - \ln C_{t-1}
    """
    previous_close, opens, _, _, close = sessions.T
    start = np.where(np.isnan(previous_close), opens, previous_close)
    return np.asarray(np.log(close) - np.log(start))


def overnight_return(sessions: FloatArray) -> FloatArray:
    r"""Log return of the night before each session.

    Parameters
    ----------
    sessions : (n, 5) previous close, open, high, low, close; the previous close is NaN where the
        session before has no bar.

    Returns
    -------
    (n,) decimal; 0 where there is no previous close, as in :func:`session_return`.

    Notes
    -----
    .. math:: r_t = \ln O_t - \ln C_{t-1}
    """
    previous_close, opens = sessions.T[:2]
    start = np.where(np.isnan(previous_close), opens, previous_close)
    return np.asarray(np.log(opens) - np.log(start))


def range_ratio(sessions: FloatArray) -> FloatArray:
    r"""Log of what the range alone says of each session's variance over what open and close add.

    Parameters
    ----------
    sessions : (n, 5) previous close, open, high, low, close.

    Returns
    -------
    (n,) log Parkinson less log Garman-Klass; 0 for a session in which the price does not move.

    Notes
    -----
    Between ln(0.361 / 0.5) where the session closes where it opened and ln(0.361 / 0.114) where it
    goes straight from its low to its high, or back.
    """
    _, opens, high, low, close = sessions.T
    moved = high > low
    of_range = parkinson(high[moved], low[moved])
    of_both = garman_klass(opens[moved], high[moved], low[moved], close[moved])
    ratio = np.zeros(len(sessions))
    ratio[moved] = np.log(of_range / of_both)
    return ratio


def intraday_return(returns: FloatArray) -> FloatArray:
    r"""Log return within each session: from midnight to midnight where the market never closes.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal.

    Returns
    -------
    (days,) decimal.

    Notes
    -----
    .. math:: r_t = \sum_{i=1}^{n} r_{t,i}
    """
    return np.asarray(np.ascontiguousarray(returns, dtype=np.float64).sum(axis=-1))


def negative_semivariance(returns: FloatArray) -> FloatArray:
    """Sum of each day's squared negative returns; see :func:`realized_semivariances`.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal.

    Returns
    -------
    (days,) decimal² per day.
    """
    return realized_semivariances(returns)[0]


def positive_semivariance(returns: FloatArray) -> FloatArray:
    """Sum of each day's squared positive returns; see :func:`realized_semivariances`.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal.

    Returns
    -------
    (days,) decimal² per day.
    """
    return realized_semivariances(returns)[1]


def jump(returns: FloatArray) -> FloatArray:
    r"""Part of each day's variance that bipower variation does not see.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, at least two a day.

    Returns
    -------
    (days,) decimal² per day, never negative.

    Notes
    -----
    .. math:: J_t = \max(RV_t - BV_t, 0)

    Noise as well as jumps: without a jump it is positive on more than half of all days (59 % at 24
    returns a day, 52 % at 288), and makes up 8 and 2 % of variance there, since bipower variation
    has a term less than realized variance.

    References
    ----------
    Andersen, Bollerslev & Diebold (2007), Review of Economics and Statistics 89(4).
    """
    return np.maximum(realized_variance(returns) - bipower_variation(returns), 0.0)


def jump_statistic(returns: FloatArray) -> FloatArray:
    r"""How many deviations each day's variance lies above what a continuous price would give.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, at least three a day.

    Returns
    -------
    (days,) standard normal for many returns without a jump; 0 for a day that does not move.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than three returns in a day.

    Notes
    -----
    .. math:: Z_t = \sqrt n\, \frac{(RV_t - BV_t) / RV_t}
              {\sqrt{(\mu_1^{-4} + 2 \mu_1^{-2} - 5) \max(1, TQ_t / BV_t^2)}}

    with tripower quarticity TQ and :math:`\mu_1 = E|Z| = \sqrt{2 / \pi}`. Where no two neighbouring
    returns differ from zero BV and TQ are zero, and their ratio counts as one. As in Andersen,
    Bollerslev & Diebold, and unlike Huang & Tauchen, BV and TQ are not corrected for the terms that
    their sums lack: without a jump 0.3 % of days exceed the 99.9 % quantile at 24 returns a day,
    0.2 % at 288.

    References
    ----------
    Huang & Tauchen (2005), Journal of Financial Econometrics 3(4); Andersen, Bollerslev & Diebold
    (2007), Review of Economics and Statistics 89(4).
    """
    variance, bipower = realized_variance(returns), bipower_variation(returns)
    quarticity = tripower_quarticity(returns)
    nobs = np.shape(returns)[1]
    relative = _ratio(variance - bipower, variance)
    deviation = np.sqrt(_JUMP_VARIANCE * np.maximum(1.0, _ratio(quarticity, np.square(bipower))))
    return np.asarray(np.sqrt(nobs) * relative / deviation)


def significant_jump(returns: FloatArray) -> FloatArray:
    r"""Part of each day's variance due to jumps, where a test finds one.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, at least two a day.

    Returns
    -------
    (days,) decimal² per day; zero on days without a significant jump, which all days of fewer than
    three returns are.

    Notes
    -----
    .. math:: 1\{Z_t > \Phi^{-1}(0.999)\}\, (RV_t - BV_t)

    with the ratio statistic of :func:`jump_statistic`.

    References
    ----------
    Andersen, Bollerslev & Diebold (2007), Review of Economics and Statistics 89(4).
    """
    excess = realized_variance(returns) - bipower_variation(returns)
    return np.where(_jumps(returns), excess, 0.0)


def continuous(returns: FloatArray) -> FloatArray:
    r"""Each day's variance less its significant jump.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, at least two a day.

    Returns
    -------
    (days,) decimal² per day; with :func:`significant_jump` it adds up to realized variance.

    Notes
    -----
    .. math:: 1\{Z_t \le \Phi^{-1}(0.999)\}\, RV_t + 1\{Z_t > \Phi^{-1}(0.999)\}\, BV_t

    References
    ----------
    Andersen, Bollerslev & Diebold (2007), Review of Economics and Statistics 89(4).
    """
    return np.where(_jumps(returns), bipower_variation(returns), realized_variance(returns))


def _jumps(returns: FloatArray) -> BoolArray:
    """Days on which a jump is significant; (days,)."""
    if np.shape(returns)[1] < _TRIPOWER_RETURNS:
        return np.zeros(len(returns), dtype=np.bool_)
    return np.asarray(jump_statistic(returns) > _JUMP_QUANTILE)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """Quotient, zero where the denominator is."""
    return np.divide(above, below, out=np.zeros(len(below)), where=below > 0)


OVERNIGHT = "overnight_return"
SEPARATOR = ":"  # after the name of the companion that a column is of

DAILY_COLUMNS: Mapping[str, Column] = MappingProxyType(
    {"return": session_return, OVERNIGHT: overnight_return, "range_ratio": range_ratio}
)

INTRADAY_COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "return": intraday_return,
        "negative_semivariance": negative_semivariance,
        "positive_semivariance": positive_semivariance,
        "bipower_variation": bipower_variation,
        "realized_quarticity": realized_quarticity,
        "jump": jump,
        "continuous": continuous,
        "significant_jump": significant_jump,
    }
)


def companion_of(column: str) -> str | None:
    """Whose column it is in the series of another; None for a column of the series' own bars."""
    return column.rpartition(SEPARATOR)[0] or None


def available(daily: bool, always_open: bool) -> tuple[str, ...]:
    """Columns that daily, or else intraday, bars give: no night of a market that never closes."""
    within = [name for name in (DAILY_COLUMNS if daily else INTRADAY_COLUMNS) if name != OVERNIGHT]
    return tuple(within) if always_open else (*within, OVERNIGHT)


def daily_columns(sessions: FloatArray, names: Iterable[str]) -> dict[str, FloatArray]:
    """Columns of (n, 5) sessions of daily bars by name; (n,) each."""
    return {name: DAILY_COLUMNS[name](sessions) for name in names}


def intraday_columns(sessions: SessionReturns, names: Iterable[str]) -> dict[str, FloatArray]:
    """Columns of sessions of shorter bars by name; (days,) each.

    The return of a market that closes has its night in it, as that of daily bars does.
    """
    columns: dict[str, FloatArray] = {}
    for name in names:
        if name == OVERNIGHT and sessions.nights is not None:
            columns[name] = sessions.nights
            continue
        columns[name] = sessions.map(INTRADAY_COLUMNS[name])
        if name == "return" and sessions.nights is not None:
            columns[name] = columns[name] + sessions.nights
    return columns
