"""The estimators of Table 1 as the published code has them, on log volatility in levels.

They are kept as they were found, to show what they give; :mod:`volatility.hurst` has the project's
own, which look at increments, correct for finite samples and know their errors.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pywt

from volatility.arrays import FloatArray
from volatility.hurst.scaling import fit_line
from volatility.hurst.variogram import mean_squared_differences

WAVELET, LEVELS = "db4", 7  # section 3.1
SMALLEST_WINDOW = 10
LARGEST_SHARE = 4  # windows up to a quarter of the sample
RANGE_WINDOWS, FLUCTUATION_WINDOWS = 20, 25
PUBLISHED_LAGS = 99
SHORT_LAGS = 30


class Line(NamedTuple):
    """A straight line through logs."""

    slope: float
    intercept: float
    r_squared: float


@dataclass(frozen=True)
class WaveletScaling:
    """Variances of wavelet coefficients.

    Attributes
    ----------
    log_variances : (levels,) to base 2, the finest level first.
    """

    log_variances: FloatArray

    @property
    def levels(self) -> FloatArray:
        """Numbers of the levels; level j has a scale of 2^j values."""
        return np.arange(1.0, len(self.log_variances) + 1)

    @property
    def line(self) -> Line:
        """Level 1 is the finest, as equation (1) of the method needs it."""
        return _line(self.levels, self.log_variances)

    @property
    def published_line(self) -> Line:
        """Level 1 is the coarsest, as the published code numbers them."""
        return _line(self.levels, self.log_variances[::-1])


def wavelet_scaling(log_volatility: FloatArray) -> WaveletScaling:
    """Decompose by db4 on seven levels, or as many as the sample has, both ends mirrored."""
    levels = min(LEVELS, pywt.dwt_max_level(len(log_volatility), WAVELET))
    # A copy: the library refuses arrays that are read-only. It lists the coarsest details first.
    _, *details = pywt.wavedec(np.array(log_volatility), WAVELET, level=levels)
    return WaveletScaling(np.log2([np.var(detail) for detail in reversed(details)]))


def wavelet_hurst(slope: float) -> float:
    """The exponent that section 3.1 reads from a slope, 2H + 1."""
    return (slope - 1) / 2


def plain_variogram(log_volatility: FloatArray, lags: int = PUBLISHED_LAGS) -> float:
    """Half the slope of the variogram at lags 1 … ``lags``, all with the same weight."""
    values = mean_squared_differences(log_volatility, lags)
    return _line(np.log(np.arange(1.0, lags + 1)), np.log(values)).slope / 2


def plain_rescaled_range(log_volatility: FloatArray) -> float:
    """Slope of the rescaled range of the levels themselves."""
    sizes = _sizes(len(log_volatility), RANGE_WINDOWS)
    ranges = [_mean_rescaled_range(log_volatility, size) for size in sizes]
    return _line(np.log(sizes), np.log(ranges)).slope


def plain_dfa(log_volatility: FloatArray) -> float:
    """Slope of the fluctuations of the cumulated levels: 1 + H where the levels have H."""
    profile = np.cumsum(log_volatility - log_volatility.mean())
    sizes = _sizes(len(profile), FLUCTUATION_WINDOWS)
    fluctuations = [_fluctuation(profile, size) for size in sizes]
    return _line(np.log(sizes), np.log(fluctuations)).slope


def _mean_rescaled_range(values: FloatArray, size: int) -> float:
    # The published loop ends before a window that would reach the very end.
    windows = values[: (len(values) - 1) // size * size].reshape(-1, size)
    deviations = windows - windows.mean(axis=1, keepdims=True)
    ranges = np.ptp(np.cumsum(deviations, axis=1), axis=1)
    return float(np.mean(ranges / windows.std(axis=1, ddof=1)))


def _fluctuation(profile: FloatArray, size: int) -> float:
    windows = profile[: len(profile) // size * size].reshape(-1, size)
    time = np.arange(size) - (size - 1) / 2
    centred = windows - windows.mean(axis=1, keepdims=True)
    slopes = centred @ time / (time @ time)
    return float(np.sqrt(np.mean(np.square(centred - slopes[:, None] * time))))


def _sizes(nobs: int, count: int) -> list[int]:
    """Window lengths, equally far apart in logs, as integers."""
    smallest, largest = np.log10([SMALLEST_WINDOW, nobs // LARGEST_SHARE]).tolist()
    sizes = np.logspace(smallest, largest, count).astype(np.int64)
    return [int(size) for size in np.unique(sizes)]


def _line(x: FloatArray, y: FloatArray) -> Line:
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return Line(*fit_line(x, y, np.ones(len(x))))
