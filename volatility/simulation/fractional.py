"""Fractional noise and motion of a known Hurst exponent, for tests and for the bias tables.

Every function takes its randomness from an explicit generator and draws many paths at once.
"""

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import InvalidInput

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
    check_size(nobs, paths)
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
    check_size(nobs, paths)
    if steps_per_day < 1:
        raise _invalid("steps_per_day", steps_per_day, "1 or more")
    if not mean_reversion >= 0:  # also true for NaN
        raise _invalid("mean_reversion", mean_reversion, "a speed of zero or more")
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


def _check_hurst(hurst: float) -> None:
    if not 0 < hurst < 1:
        raise _invalid("hurst", hurst, "a number in (0, 1)")


def check_size(nobs: int, paths: int) -> None:
    """Refuse to simulate nothing.

    Raises
    ------
    InvalidInput : ``nobs`` or ``paths`` below 1.
    """
    for field, found in (("nobs", nobs), ("paths", paths)):
        if found < 1:
            raise _invalid(field, found, "1 or more")


def _invalid(field: str, found: float, needed: str) -> InvalidInput:
    return InvalidInput(
        f"{field} is {found}; needed: {needed}", field=field, found=found, needed=needed
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
