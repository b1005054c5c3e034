"""Log volatility that is not fractional but looks so: a few scales, or a cascade of them.

Every function takes its randomness from an explicit generator and draws many paths at once.
"""

from collections.abc import Sequence

import numpy as np

from volatility.arrays import FloatArray
from volatility.simulation.fractional import check_size

MONTH = 22
HAR_BURN_IN = 1_000  # sessions; the slowest root of a persistent HAR forgets within some hundred


def autoregression(decay: float, nobs: int, rng: np.random.Generator, paths: int = 1) -> FloatArray:
    """Stationary first-order autoregression of unit variance.

    Parameters
    ----------
    decay : correlation of neighbours, in (-1, 1).
    nobs : values in a path, at least 1.
    rng : source of randomness.
    paths : number of independent paths.

    Returns
    -------
    (paths, nobs)

    Raises
    ------
    InvalidInput : nobs or paths below 1.
    """
    check_size(nobs, paths)
    path = rng.standard_normal((paths, nobs))
    path[:, 1:] *= np.sqrt(1 - decay**2)
    for time in range(1, nobs):
        path[:, time] += decay * path[:, time - 1]
    return path


def heterogeneous_autoregression(
    coefficients: Sequence[float], nobs: int, rng: np.random.Generator, paths: int = 1
) -> FloatArray:
    """HAR process with innovations of unit variance, after a burn-in.

    Parameters
    ----------
    coefficients : of yesterday's value, of the mean of five sessions and of that of twenty-two.
    nobs, rng, paths : as in :func:`autoregression`.

    Returns
    -------
    (paths, nobs)

    Raises
    ------
    InvalidInput : nobs or paths below 1.

    References
    ----------
    Corsi (2009), Journal of Financial Econometrics 7(2).
    """
    check_size(nobs, paths)
    day, week, month = coefficients
    weights = np.full(MONTH, month / MONTH)
    weights[:5] += week / 5
    weights[0] += day
    newest_last = weights[::-1]
    path = rng.standard_normal((paths, nobs + HAR_BURN_IN))
    for time in range(MONTH, path.shape[1]):
        path[:, time] += path[:, time - MONTH : time] @ newest_last
    return path[:, HAR_BURN_IN:]


def log_correlated(
    nobs: int,
    rng: np.random.Generator,
    *,
    paths: int = 1,
    intermittency: float = 0.06,
    integral_scale: int = 1_000,
) -> FloatArray:
    r"""Log volatility of a multifractal random walk.

    Parameters
    ----------
    nobs, rng, paths : as in :func:`autoregression`.
    intermittency : :math:`\lambda^2`.
    integral_scale : sessions T beyond which nothing is correlated.

    Returns
    -------
    (paths, nobs) Gaussian, with covariance :math:`\lambda^2 \log^+ (T / (|\tau| + 1))`.

    Raises
    ------
    InvalidInput : nobs or paths below 1.

    Notes
    -----
    Drawn on a circle that holds path and integral scale twice; eigenvalues that come out negative
    there, which are tiny, are set to zero.

    References
    ----------
    Bacry, Delour & Muzy (2001), Physical Review E 64(2).
    """
    check_size(nobs, paths)
    half = 1 << (2 * max(nobs, integral_scale) - 1).bit_length()
    lags = np.arange(half + 1)
    covariance = intermittency * np.maximum(np.log(integral_scale / (lags + 1.0)), 0.0)
    circle = np.concatenate([covariance, covariance[-2:0:-1]])
    gain = np.sqrt(np.maximum(np.fft.fft(circle).real, 0.0) / len(circle))
    noise = rng.standard_normal((2, paths, len(circle)))
    return np.asarray(np.fft.fft(gain * (noise[0] + 1j * noise[1]), axis=1).real[:, :nobs])


def markov_switching(
    nobs: int,
    rng: np.random.Generator,
    *,
    paths: int = 1,
    components: int = 8,
    multiplier: float = 1.4,
    fastest: float = 0.5,
    spacing: float = 3.0,
) -> FloatArray:
    r"""Log volatility of a binomial Markov-switching multifractal.

    Parameters
    ----------
    nobs, rng, paths : as in :func:`autoregression`.
    components : factors of the variance.
    multiplier : a factor is this or 2 less this, with equal odds.
    fastest : probability that the fastest factor is drawn anew in a session.
    spacing : how much rarer each next one is.

    Returns
    -------
    (paths, nobs) half the sum of the factors' logs.

    Raises
    ------
    InvalidInput : nobs or paths below 1.

    References
    ----------
    Calvet & Fisher (2004), Journal of Financial Econometrics 2(1).
    """
    check_size(nobs, paths)
    path = np.zeros((paths, nobs))
    for component in range(components):
        drawn = rng.random((paths, nobs)) < 1 - (1 - fastest) ** spacing**-component
        drawn[:, 0] = True
        value = np.where(rng.random((paths, nobs)) < 0.5, multiplier, 2 - multiplier)
        newest = np.maximum.accumulate(np.where(drawn, np.arange(nobs), 0), axis=1)
        path += 0.5 * np.log(np.take_along_axis(value, newest, axis=1))
    return path


def exponential_average(values: FloatArray, decay: float) -> FloatArray:
    """Exponentially weighted mean along the last axis, started at the first value.

    Parameters
    ----------
    values : (paths, nobs)
    decay : weight of the past, in (0, 1).

    Returns
    -------
    (paths, nobs)
    """
    averages = np.array(values, dtype=np.float64)
    for time in range(1, averages.shape[-1]):
        averages[..., time] = decay * averages[..., time - 1] + (1 - decay) * values[..., time]
    return averages
