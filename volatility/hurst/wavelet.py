"""Variance of wavelet coefficients of log volatility."""

from functools import lru_cache

import numpy as np
import pywt

from volatility.arrays import FloatArray
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import HurstEstimate, ScalingFit, check_path
from volatility.hurst.scaling import fit_scaling_law
from volatility.hurst.special import digamma, trigamma

WAVELET = "db4"  # four vanishing moments: indifferent to level, trend and slow curvature
MAX_LEVEL = 7
MINIMUM_COEFFICIENTS = 4  # of a level, for its mean square to be worth a point


def wavelet(log_volatility: FloatArray, level: float = 0.95) -> HurstEstimate:
    r"""Hurst exponent from the variance of wavelet coefficients, from fine to coarse.

    The path itself is decomposed, not its increments: a random walk's variances grow fourfold a
    level, :math:`H = 1/2`; white noise's are flat. For a series that is noise-like already, pass
    its cumulated sum.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels.
    level : nominal coverage of the interval, in (0, 1).

    Returns
    -------
    Estimate whose points are the variances at scales of :math:`2^j` sessions, finest first.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.

    Notes
    -----
    .. math:: \operatorname{Var} d_j \propto 2^{(2H + 1) j}, \qquad j = 1 \text{ the finest level}

    The law holds for coefficients of the continuous path. Those of a path sampled once a session
    depart from it at the fine levels, and by so much at small :math:`H` that the textbook slope
    gives negative exponents; white noise, the limit at :math:`H = 0`, gives -1/2. The expectation
    of each level is exact, :math:`-\sum_k a_j(k) k^{2H}` with the filter's autocorrelation
    :math:`a_j`, and the departure is taken out; see :func:`fit_scaling_law`. Coefficients that
    reach over an end of the sample are dropped rather than padded. The log of a mean of :math:`n_j`
    squares is biased by :math:`\psi(n_j / 2) - \log(n_j / 2)` and has variance
    :math:`\psi'(n_j / 2)`: the first is taken out, the second gives the weights.

    References
    ----------
    Abry & Veitch (1998), IEEE Transactions on Information Theory 44(1); Veitch & Abry (1999), the
    same 45(3).
    """
    path = check_path(log_volatility)
    return calibrated("wavelet", wavelet_fit(path), len(path), level)


def wavelet_fit(path: FloatArray) -> ScalingFit:
    """Line behind :func:`wavelet`, for a path that has been checked: (nobs,)."""
    details = interior_details(path)
    halves = np.array([len(detail) for detail in details]) / 2
    mean_squares = np.array([np.mean(detail**2) for detail in details])
    unbiased = mean_squares / np.exp(digamma(halves) - np.log(halves))
    coefficients = expectation_coefficients(len(details))
    log_lags = np.log(np.arange(1, coefficients.shape[1] + 1))

    def log_expected(hurst: float) -> FloatArray:
        return np.asarray(np.log(coefficients @ np.exp(2 * hurst * log_lags)))

    scales = np.exp2(np.arange(1.0, len(details) + 1))
    return fit_scaling_law(scales, unbiased, 1 / trigamma(halves), log_expected, law=(2.0, 1.0))


def interior_details(path: FloatArray) -> list[FloatArray]:
    """Detail coefficients of levels 1 (finest), 2, … that no end of the sample has touched.

    Parameters
    ----------
    path : (nobs,)

    Returns
    -------
    One array a level, as many levels as leave `MINIMUM_COEFFICIENTS`, at most `MAX_LEVEL`.
    """
    reach = pywt.Wavelet(WAVELET).dec_len - 2
    # A copy: the library refuses arrays that are read-only.
    approximation, first, last = np.array(path), 0, len(path) - 1
    details = []
    for _ in range(MAX_LEVEL):
        approximation, detail = pywt.dwt(approximation, WAVELET, mode="zero")
        # Coefficient k looks at values 2k - reach … 2k + 1.
        first, last = (first + reach + 1) // 2, (last - 1) // 2
        if last - first + 1 < MINIMUM_COEFFICIENTS:
            break
        details.append(np.asarray(detail[first : last + 1]))
    return details


@lru_cache(maxsize=MAX_LEVEL)
def expectation_coefficients(levels: int) -> FloatArray:
    """What each lag's variogram adds to the variance of each level's coefficients.

    Parameters
    ----------
    levels : how many, from the finest.

    Returns
    -------
    (levels, longest filter - 1): minus the autocorrelations of the levels' filters.
    """
    low, high = (np.array(taps) for taps in pywt.Wavelet(WAVELET).filter_bank[:2])
    smoothing = np.ones(1)
    filters = []
    for level in range(levels):
        spread = np.zeros(((len(low) - 1) << level) + 1)
        spread[:: 1 << level] = high
        filters.append(np.convolve(smoothing, spread))
        spread[:: 1 << level] = low
        smoothing = np.convolve(smoothing, spread)
    coefficients = np.zeros((levels, len(filters[-1]) - 1))
    for row, taps in enumerate(filters):
        coefficients[row, : len(taps) - 1] = -np.correlate(taps, taps, "full")[len(taps) :]
    return coefficients
