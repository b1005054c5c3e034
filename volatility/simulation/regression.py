"""Realized variance that follows a HAR or another regression with known coefficients.

Randomness comes from an explicit generator.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import InvalidInput
from volatility.measures.columns import INTRADAY_COLUMNS
from volatility.measures.intraday import realized_variance
from volatility.plausibility import MAX_POSSIBLE_RV
from volatility.regressor_names import design_of
from volatility.simulation.fractional import check_size


def intraday_returns(
    log_volatility: FloatArray, steps_per_day: int, rng: np.random.Generator
) -> FloatArray:
    """Gaussian returns of each grid step, given the log of volatility per day on that grid.

    Parameters
    ----------
    log_volatility : (paths, days * steps_per_day) log of volatility per day.
    steps_per_day : returns in a day.
    rng : source of randomness, independent of the volatility (no leverage).

    Returns
    -------
    (paths, days, steps_per_day) log returns, decimal; the sum of a day's squares is its
    realized variance.
    """
    deviation = np.exp(log_volatility) / np.sqrt(steps_per_day)
    returns = deviation * rng.standard_normal(deviation.shape)
    return np.asarray(returns.reshape(len(returns), -1, steps_per_day))


def har_process(
    coefficients: Sequence[float],
    nobs: int,
    rng: np.random.Generator,
    *,
    lags: Sequence[int] = (1, 5, 22),
    residual_std: float = 0.5,
    scale: Literal["levels", "logs"] = "levels",
    paths: int = 1,
    burn_in: int = 1_000,
) -> FloatArray:
    r"""Realized variance that follows a heterogeneous autoregression with known coefficients.

    Parameters
    ----------
    coefficients : the constant, then one coefficient for each of `lags`.
    nobs : days.
    rng : source of randomness.
    lags : lengths of the trailing means, in days.
    residual_std : deviation of the residual: of log rv in logs; relative to the conditional
        mean in levels, where the error multiplies so that rv stays positive.
    scale : whether the autoregression is one of rv or of log rv.
    paths : number of independent paths.
    burn_in : days simulated and dropped first.

    Returns
    -------
    (paths, nobs) realized variance per day.

    Raises
    ------
    InvalidInput : a wrong number of coefficients, or coefficients that are not stationary.

    Notes
    -----
    .. math:: y_{t+1} = \beta_0 + \sum_j \beta_j\,\bar y_t^{(\ell_j)} + \varepsilon_{t+1}

    In levels the error is the conditional mean times a Gamma variable less one: mean zero given
    the past, so that least squares is consistent.

    References
    ----------
    Corsi (2009), Journal of Financial Econometrics 7(2); Engle & Gallo (2006), Journal of
    Econometrics 131(1-2) for the multiplicative error.
    """
    check_size(nobs, paths)
    weights = _autoregressive_weights(coefficients, lags)
    constant, persistence = coefficients[0], weights.sum()
    order = len(weights)
    values = np.empty((paths, order + burn_in + nobs))
    values[:, :order] = constant / (1 - persistence)
    shape = (paths, burn_in + nobs)
    if scale == "logs":
        residuals = residual_std * rng.standard_normal(shape)
    else:
        residuals = rng.gamma(residual_std**-2, residual_std**2, shape)
    for day in range(burn_in + nobs):
        mean = constant + values[:, day : day + order] @ weights
        residual = residuals[:, day]
        values[:, day + order] = mean + residual if scale == "logs" else mean * residual
    kept = values[:, -nobs:]
    return np.exp(kept) if scale == "logs" else kept


def regression_process(
    coefficients: Mapping[str, float],
    intercept: float,
    nobs: int,
    rng: np.random.Generator,
    *,
    steps_per_day: int = 24,
    scale: Literal["levels", "logs"] = "levels",
    jump_share: float = 0.0,
    jump_probability: float = 0.1,
    mean_variance: float = 1e-4,
    burn_in: int = 250,
) -> FloatArray:
    r"""Intraday returns of days whose variance follows a regression with known coefficients.

    Parameters
    ----------
    coefficients : by regressor; see :mod:`volatility.regressors`.
    intercept : the constant.
    nobs : days.
    rng : source of randomness.
    steps_per_day : returns in a day.
    scale : whether the variance or its logarithm is regressed, on regressors of the same.
    jump_share : share of the mean variance that comes in jumps, below 1.
    jump_probability : of a jump on a day.
    mean_variance : of the days before the regression has a window to look at.
    burn_in : days simulated and dropped first.

    Returns
    -------
    (nobs, steps_per_day) log returns, decimal.

    Raises
    ------
    InvalidInput : sizes below 1, or coefficients that lead to a variance that is negative or that
        no prices have.

    Notes
    -----
    The regressors are those of the realized variance and of the other columns that the returns
    themselves give, as a model sees them. Given the past, of which the regression says
    :math:`v_t`,

    .. math:: r_{t,i} = \sqrt{(1 - s) v_t / n}\, z_{t,i} + 1\{i = \iota_t\} q_t \sqrt{s v_t / p}

    with normal z, a time :math:`\iota_t` of the day, and :math:`q_t` a sign with probability p and
    otherwise zero. So the mean of realized variance is :math:`v_t`, and that of its logarithm
    :math:`\log v_t` and a constant: least squares on either scale is consistent but for the
    intercept in logs.
    """
    check_size(nobs, 1)
    _check_jumps(steps_per_day, jump_share, jump_probability)
    weights = np.array([*coefficients.values()])
    design = design_of(tuple(coefficients))
    needed, lookback = design.columns, design.lookback
    returns = np.empty((lookback + burn_in + nobs, steps_per_day))
    past = {name: np.empty(len(returns)) for name in ("rv", *needed)}
    for day in range(len(returns)):
        variance = mean_variance
        if day >= lookback:
            windows = {name: values[None, day - lookback : day] for name, values in past.items()}
            fitted = intercept + float(design.build(windows)[0] @ weights)
            variance = np.exp(fitted) if scale == "logs" else fitted
            _check_variance(variance, coefficients)
        today = _day_of_returns(variance, steps_per_day, jump_share, jump_probability, rng)
        returns[day] = today
        rv = realized_variance(today[None, :])[0]
        past["rv"][day] = np.log(rv) if scale == "logs" else rv
        for name in needed:
            past[name][day] = INTRADAY_COLUMNS[name](today[None, :])[0]
    return returns[-nobs:]


def _day_of_returns(
    variance: float,
    steps: int,
    jump_share: float,
    jump_probability: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Returns of one day, (steps,), as in :func:`regression_process`."""
    returns = np.sqrt((1 - jump_share) * variance / steps) * rng.standard_normal(steps)
    if rng.random() < jump_probability:
        size = np.sqrt(jump_share * variance / jump_probability)
        returns[rng.integers(steps)] += rng.choice([-size, size])
    return np.asarray(returns)


def _check_jumps(steps: int, share: float, probability: float) -> None:
    for field, found, fits, needed in (
        ("steps_per_day", steps, steps >= 1, "1 or more"),
        ("jump_share", share, 0 <= share < 1, "a share from 0 to below 1"),
        ("jump_probability", probability, 0 < probability <= 1, "above 0 and up to 1"),
    ):
        if not fits:
            raise InvalidInput(
                f"{field} is {found}; needed: {needed}",
                code="invalid_size",
                field=field,
                found=found,
                needed=needed,
            )


def _check_variance(variance: float, coefficients: Mapping[str, float]) -> None:
    if not 0 < variance < MAX_POSSIBLE_RV:
        raise InvalidInput(
            f"the coefficients lead to a variance of {variance:.3g}",
            field="coefficients",
            found=dict(coefficients),
            needed=f"coefficients under which variance stays above 0 and below {MAX_POSSIBLE_RV:g}",
        )


def _autoregressive_weights(coefficients: Sequence[float], lags: Sequence[int]) -> FloatArray:
    """Weights on the last max(lags) values, oldest first."""
    if len(coefficients) != len(lags) + 1:
        raise InvalidInput(
            f"{len(coefficients)} coefficients for {len(lags)} lags",
            field="coefficients",
            found=len(coefficients),
            needed=f"a constant and one coefficient a lag: {len(lags) + 1}",
        )
    weights = np.zeros(max(lags))
    for lag, coefficient in zip(lags, coefficients[1:], strict=True):
        weights[-lag:] += coefficient / lag
    if np.abs(weights).sum() >= 1:
        raise InvalidInput(
            "the coefficients are not those of a stationary process",
            field="coefficients",
            found=list(coefficients),
            needed="autoregressive weights whose absolute values sum to less than 1",
        )
    return weights
