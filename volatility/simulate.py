"""Ground truth: processes whose parameters are known, for tests and for the bias tables.

Every function takes its randomness from an explicit generator and draws many paths at once.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from volatility.arrays import FloatArray
from volatility.columns import INTRADAY_COLUMNS
from volatility.errors import InvalidInput
from volatility.realized import realized_variance
from volatility.regressors import build, columns_of, lookback_of
from volatility.series import MAX_POSSIBLE_RV

# Round-off may leave an eigenvalue of a non-negative definite embedding at about -1e-15.
EIGENVALUE_TOLERANCE = 1e-10
# A mean-reverting path lives on a circle; e^-20 = 2e-9 of the past reaches round it.
MEMORY_TIMES_MEAN_REVERSION = 20.0


def fgn_autocovariance(hurst: float, nobs: int) -> FloatArray:
    r"""Autocovariance of fractional Gaussian noise with unit variance at lags 0 … nobs - 1.

    Parameters
    ----------
    hurst : Hurst exponent, in (0, 1).
    nobs : number of lags, at least 1.

    Returns
    -------
    (nobs,) autocovariances.

    Notes
    -----
    .. math:: \rho(k) = \tfrac12 \left(|k+1|^{2H} - 2|k|^{2H} + |k-1|^{2H}\right)

    References
    ----------
    Mandelbrot & Van Ness (1968), SIAM Review 10(4).
    """
    _check_hurst(hurst)
    powers = np.arange(nobs + 1, dtype=np.float64) ** (2 * hurst)
    autocovariance = np.ones(nobs)
    autocovariance[1:] = 0.5 * (powers[2:] - 2 * powers[1:-1] + powers[:-2])
    return autocovariance


def fractional_gaussian_noise(
    hurst: float, nobs: int, rng: np.random.Generator, paths: int = 1
) -> FloatArray:
    """Exact fractional Gaussian noise with unit variance, by circulant embedding.

    Parameters
    ----------
    hurst : Hurst exponent, in (0, 1).
    nobs : values in a path, at least 1.
    rng : source of randomness.
    paths : number of independent paths.

    Returns
    -------
    (paths, nobs) stationary Gaussian values; the covariance is exact, not asymptotic.

    Raises
    ------
    InvalidInput : hurst outside (0, 1), or nobs or paths below 1.

    References
    ----------
    Davies & Harte (1987), Biometrika 74(1); Wood & Chan (1994), Journal of Computational and
    Graphical Statistics 3(4); Dietrich & Newsam (1997), SIAM Journal on Scientific Computing
    18(4), whose eigenvalues are non-negative for this process at every H (Craigmile 2003,
    Journal of Time Series Analysis 24(5)).
    """
    _check_size(nobs, paths)
    eigenvalues = _embedding_eigenvalues(hurst, nobs)
    return _circulant_paths(eigenvalues, nobs, rng, paths)


def fractional_brownian_motion(
    hurst: float, nobs: int, rng: np.random.Generator, paths: int = 1
) -> FloatArray:
    """Exact fractional Brownian motion at times 1 … nobs, started from zero at time 0.

    Parameters
    ----------
    hurst : Hurst exponent, in (0, 1).
    nobs : values in a path, at least 1.
    rng : source of randomness.
    paths : number of independent paths.

    Returns
    -------
    (paths, nobs) path with ``Var(B_t) = t ** (2 * hurst)``.

    Raises
    ------
    InvalidInput : hurst outside (0, 1), or nobs or paths below 1.
    """
    return np.cumsum(fractional_gaussian_noise(hurst, nobs, rng, paths), axis=1)


def rough_log_volatility(
    hurst: float,
    nobs: int,
    rng: np.random.Generator,
    *,
    paths: int = 1,
    steps_per_day: int = 1,
    vol_of_vol: float = 0.3,
    mean_reversion: float = 0.0,
    mean_volatility: float = 0.01,
) -> FloatArray:
    r"""Log of daily volatility driven by fractional Brownian motion, on a grid within the day.

    Parameters
    ----------
    hurst : Hurst exponent, in (0, 1).
    nobs : days.
    rng : source of randomness.
    paths : number of independent paths.
    steps_per_day : grid points in a day.
    vol_of_vol : deviation of the driving noise over one day.
    mean_reversion : speed per day; 0 gives fractional Brownian motion started at the mean,
        a positive speed the stationary fractional Ornstein-Uhlenbeck process.
    mean_volatility : volatility per day that the log is centred on, decimal.

    Returns
    -------
    (paths, nobs * steps_per_day) log of volatility per day.

    Raises
    ------
    InvalidInput : hurst outside (0, 1), sizes below 1, or a negative speed.

    Notes
    -----
    .. math:: dX_t = -\alpha (X_t - m)\,dt + \nu\,dB^H_t

    The stationary process is the exponential filter of exact noise on the grid, applied on the
    embedding's circle, so that it needs no burn-in; its error is that of one grid step.

    References
    ----------
    Gatheral, Jaisson & Rosenbaum (2018), Quantitative Finance 18(6).
    """
    _check_size(nobs, paths)
    if steps_per_day < 1 or mean_reversion < 0:
        raise InvalidInput(
            f"steps_per_day is {steps_per_day} and mean_reversion {mean_reversion}",
            needed="at least one step a day and a speed of zero or more",
        )
    length = nobs * steps_per_day
    step_deviation = vol_of_vol * steps_per_day**-hurst
    speed = mean_reversion / steps_per_day
    if speed == 0.0:
        driver = fractional_brownian_motion(hurst, length, rng, paths)
    else:
        memory = int(np.ceil(MEMORY_TIMES_MEAN_REVERSION / speed))
        eigenvalues = _embedding_eigenvalues(hurst, length + memory)
        frequencies = 2 * np.pi * np.arange(len(eigenvalues)) / len(eigenvalues)
        gain = np.exp(-speed) / np.abs(1 - np.exp(-speed - 1j * frequencies)) ** 2
        driver = _circulant_paths(eigenvalues * gain, length, rng, paths)
    return np.asarray(np.log(mean_volatility) + step_deviation * driver)


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
    _check_size(nobs, paths)
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
    _check_size(nobs, 1)
    if steps_per_day < 1 or not 0 <= jump_share < 1 or not 0 < jump_probability <= 1:
        found = f"{steps_per_day} steps, share {jump_share}, probability {jump_probability}"
        raise InvalidInput(
            f"{found}; needed: at least one step a day, a share of jumps from 0 to below 1, and a "
            "probability of jumps above 0 and up to 1",
            code="invalid_size",
            field="jump_share",
            found=found,
        )
    names = tuple(coefficients)
    weights = np.array([*coefficients.values()])
    needed, lookback = columns_of(names), lookback_of(names)
    returns = np.empty((lookback + burn_in + nobs, steps_per_day))
    past = {name: np.empty(len(returns)) for name in ("rv", *needed)}
    for day in range(len(returns)):
        variance = mean_variance
        if day >= lookback:
            windows = {name: values[None, day - lookback : day] for name, values in past.items()}
            fitted = intercept + float(build(names, windows)[0] @ weights)
            variance = np.exp(fitted) if scale == "logs" else fitted
            _check_variance(variance, coefficients)
        today = np.sqrt((1 - jump_share) * variance / steps_per_day) * rng.standard_normal(
            steps_per_day
        )
        if rng.random() < jump_probability:
            size = np.sqrt(jump_share * variance / jump_probability)
            today[rng.integers(steps_per_day)] += rng.choice([-size, size])
        returns[day] = today
        rv = realized_variance(today[None, :])[0]
        past["rv"][day] = np.log(rv) if scale == "logs" else rv
        for name in needed:
            past[name][day] = INTRADAY_COLUMNS[name](today[None, :])[0]
    return returns[-nobs:]


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


def _check_hurst(hurst: float) -> None:
    if not 0 < hurst < 1:
        raise InvalidInput(
            f"hurst is {hurst}", field="hurst", found=hurst, needed="a number in (0, 1)"
        )


def _check_size(nobs: int, paths: int) -> None:
    if nobs < 1 or paths < 1:
        raise InvalidInput(
            f"nobs is {nobs} and paths {paths}", field="nobs", found=nobs, needed="1 or more"
        )


def _embedding_eigenvalues(hurst: float, nobs: int) -> FloatArray:
    """Eigenvalues of the smallest power-of-two circulant that holds the covariance of nobs."""
    half = 1 << (nobs - 1).bit_length()
    autocovariance = fgn_autocovariance(hurst, half + 1)
    row = np.concatenate([autocovariance, autocovariance[-2:0:-1]])
    eigenvalues = np.fft.fft(row).real
    if eigenvalues.min() < -EIGENVALUE_TOLERANCE:
        raise InvalidInput("the circulant embedding is not non-negative definite", field="hurst")
    return np.maximum(eigenvalues, 0.0)


def _circulant_paths(
    eigenvalues: FloatArray, nobs: int, rng: np.random.Generator, paths: int
) -> FloatArray:
    """Gaussian paths with these eigenvalues; each transform gives two independent ones."""
    pairs = (paths + 1) // 2
    size = len(eigenvalues)
    noise = rng.standard_normal((2, pairs, size))
    transformed = np.fft.fft(np.sqrt(eigenvalues / size) * (noise[0] + 1j * noise[1]), axis=1)
    both = np.concatenate([transformed.real[:, :nobs], transformed.imag[:, :nobs]])
    return both[:paths]
