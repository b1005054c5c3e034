"""Whittle's likelihood of the increments of log volatility."""

from functools import lru_cache

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import HurstEstimate, ScalingFit, check_path
from volatility.hurst.scaling import find_zero, r_squared, scaling_points

HURST_BOUNDS = (1e-3, 0.999)
DIFFERENCE = 1e-4  # step of the likelihood's numerical derivative
BANDS = 14  # of frequencies, for the points that are shown
DIRECT_TERMS = 4  # of the spectral sum; the rest is integrated, to a relative 1e-7


def whittle(log_volatility: FloatArray, level: float = 0.95) -> HurstEstimate:
    r"""Hurst exponent by maximum likelihood in the frequency domain.

    The likelihood is one of **increments**, which are taken of the path that is given. For a
    series that is noise-like already, pass its cumulated sum.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are the periodogram's means over bands of periods, in sessions.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.

    Notes
    -----
    With the periodogram :math:`I` and the exact spectral density of fractional Gaussian noise
    :math:`g_H`, scale profiled out,

    .. math:: \hat H = \arg\min_H \; m \log\Big(\frac1m \sum_j \frac{I(\lambda_j)}{g_H(\lambda_j)}
        \Big) + \sum_j \log g_H(\lambda_j)

    It is efficient: no other estimator here has a smaller error on fractional Brownian motion. It
    is also the one that measurement noise misleads most, since it listens to all frequencies.

    References
    ----------
    Whittle (1953), Arkiv för Matematik 2; Fox & Taqqu (1986), Annals of Statistics 14(2); Beran
    (1994), Statistics for Long-Memory Processes, section 6.1.
    """
    path = check_path(log_volatility)
    return calibrated("whittle", whittle_fit(path), len(path), level)


def whittle_fit(path: FloatArray) -> ScalingFit:
    """Likelihood's maximum behind :func:`whittle`, for a path that has been checked: (nobs,)."""
    frequencies, power = periodogram(np.diff(path))
    spectrum = FgnSpectrum(frequencies)

    def objective(hurst: float) -> float:
        density = spectrum(hurst)
        return float(len(power) * np.log(np.mean(power / density)) + np.log(density).sum())

    def descent(hurst: float) -> float:
        return objective(hurst - DIFFERENCE / 2) - objective(hurst + DIFFERENCE / 2)

    lower, upper = HURST_BOUNDS
    hurst = find_zero(descent, lower + DIFFERENCE, upper - DIFFERENCE)
    return _banded(frequencies, power, spectrum(hurst), hurst)


def periodogram(increments: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Frequencies in (0, pi) and the periodogram there, the mean being irrelevant: (m,), (m,)."""
    nobs = len(increments)
    transform = np.fft.rfft(increments)[1 : (nobs + 1) // 2]
    frequencies = 2 * np.pi * np.arange(1, len(transform) + 1) / nobs
    return frequencies, (transform.real**2 + transform.imag**2) / (2 * np.pi * nobs)


class FgnSpectrum:
    r"""Spectral density of fractional Gaussian noise at fixed frequencies, up to a constant.

    Parameters
    ----------
    frequencies : (m,) in (0, pi].

    Notes
    -----
    .. math:: g_H(\lambda) = 2 (1 - \cos\lambda) \sum_{k \in \mathbb Z} |\lambda + 2\pi k|^{-2H-1}

    The sum is two Hurwitz zeta functions, each a few terms and the Euler-Maclaurin remainder.
    """

    def __init__(self, frequencies: FloatArray) -> None:
        below = frequencies / (2 * np.pi)
        offsets = np.stack([below, 1 - below])
        self._gain = 2 * (1 - np.cos(frequencies))
        self._log_terms = np.log(offsets + np.arange(DIRECT_TERMS)[:, None, None])
        self._tail = offsets + DIRECT_TERMS

    def __call__(self, hurst: float) -> FloatArray:
        """Density at the frequencies: (m,)."""
        s = 2 * hurst + 1
        inverse = 1 / self._tail
        remainder = np.exp(-s * np.log(self._tail)) * (
            self._tail / (s - 1)
            + 1 / 2
            + inverse * s / 12 * (1 - inverse**2 * (s + 1) * (s + 2) / 60)
        )
        direct = np.exp(-s * self._log_terms).sum(axis=(0, 1))
        return np.asarray(self._gain * (direct + remainder.sum(axis=0)))


@lru_cache(maxsize=16)
def band_edges(count: int) -> tuple[int, ...]:
    """Starts of bands that are about equally wide in logs, lowest frequency first, and the end."""
    return tuple(np.unique(np.round(np.geomspace(1, count + 1, BANDS + 1)).astype(int) - 1))


def _banded(
    frequencies: FloatArray, power: FloatArray, density: FloatArray, hurst: float
) -> ScalingFit:
    """The fitted spectrum against the periodogram, both averaged over bands, finest first."""
    edges = np.array(band_edges(len(power)))
    counts = np.diff(edges)
    centre, value, fitted = (
        (np.add.reduceat(values, edges[:-1]) / counts)[::-1]
        for values in (frequencies, power, density * np.mean(power / density))
    )
    periods = 2 * np.pi / centre
    slope = 2 * hurst - 1
    intercept = float(np.log(fitted[-1]) - slope * np.log(periods[-1]))
    line = intercept + slope * np.log(periods)
    corrected = np.log(value) - np.log(fitted) + line
    weights = counts[::-1] / counts.sum()
    return ScalingFit(
        hurst=hurst,
        slope=slope,
        intercept=intercept,
        r_squared=r_squared(corrected, line, weights),
        points=scaling_points(periods, value, np.exp(corrected)),
    )
