r"""Spectral densities of log volatility as it is observed: noise, and what volatility does.

The spectrum of the increments is

.. math:: S(\lambda) = |1 - e^{i\lambda}|^2
    \Big(\frac{\sigma^2}{2\pi} + \sum_k \frac{v_k\, d(\lambda)}{|a_k(e^{i\lambda})|^2}\Big)

with white drivers, :math:`d = 1 / 2\pi`, or fractional Gaussian noise, :math:`d = g_H`. Each model
takes rows of parameters and gives densities and the slopes of their logs: it is a
:data:`volatility.hurst.likelihood.Density`.
"""

from math import gamma, pi, sin

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.whittle import FgnSpectrum

EXPONENTS = np.append(np.arange(0.01, 0.5, 0.02), 0.5)  # between them logs are interpolated
WEEK, MONTH = 5, 22  # sessions, the lags of a HAR model


class Factors:
    """Spectral density of factors that revert at their own rates, and noise.

    Parameters are logs: of the noise, then of the rate and the innovation variance of each factor.
    """

    def __init__(self, cosine: FloatArray) -> None:
        self._cosine = cosine
        self._white = (1 - cosine) / pi

    def __call__(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Density and the slopes of its log."""
        gain, gain_slope = reversion(parameters[:, 1::2], self._cosine)
        factors = np.exp(parameters[:, 2::2])[..., None] * self._white * gain
        noise = np.exp(parameters[:, :1]) * self._white
        density = noise + factors.sum(axis=1)
        slopes = np.empty((*parameters.shape, len(self._cosine)))
        slopes[:, 0] = noise / density
        slopes[:, 2::2] = factors / density[:, None]
        slopes[:, 1::2] = slopes[:, 2::2] * gain_slope
        return density, slopes


class Fractional:
    """Spectral density of fractional noise that reverts, and noise.

    Parameters are logs of the noise, of the rate and of the variance of the driver, and the
    exponent.
    """

    def __init__(self, cosine: FloatArray) -> None:
        self._cosine = cosine
        self._white = (1 - cosine) / pi
        spectrum = FgnSpectrum(np.arccos(cosine))
        unit = [
            (2 * pi) ** (-2 * h - 2) * sin(pi * h) * gamma(2 * h + 1) for h in EXPONENTS.tolist()
        ]
        drivers = np.stack([spectrum(h) for h in EXPONENTS.tolist()]) * np.array(unit)[:, None]
        self._log_driver = np.log(drivers)
        self._driver_slope = np.diff(self._log_driver, axis=0) / np.diff(EXPONENTS)[:, None]

    def __call__(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Density and the slopes of its log."""
        exponent = parameters[:, 3]
        below = np.clip(np.searchsorted(EXPONENTS, exponent) - 1, 0, len(EXPONENTS) - 2)
        driver_slope = self._driver_slope[below]
        driver = self._log_driver[below] + (exponent - EXPONENTS[below])[:, None] * driver_slope
        gain, gain_slope = reversion(parameters[:, 1], self._cosine)
        volatility = np.exp(parameters[:, 2:3] + driver) * 2 * (1 - self._cosine) * gain
        noise = np.exp(parameters[:, :1]) * self._white
        density = noise + volatility
        share = volatility / density
        slopes = (noise / density, share * gain_slope, share, share * driver_slope)
        return density, np.stack(slopes, axis=1)


class Har:
    """Spectral density of a heterogeneous autoregression, and noise.

    Parameters are logs of the noise and of the innovation variance, and three coefficients.
    """

    def __init__(self, cosine: FloatArray) -> None:
        self._white = (1 - cosine) / pi
        lags = np.exp(-1j * np.outer(np.arange(1, MONTH + 1), np.arccos(cosine)))
        self._means = np.stack([lags[0], lags[:WEEK].mean(axis=0), lags.mean(axis=0)])

    def __call__(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Density and the slopes of its log."""
        polynomial = 1 - parameters[:, 2:] @ self._means
        modulus = np.maximum(polynomial.real**2 + polynomial.imag**2, 1e-12)
        volatility = np.exp(parameters[:, 1:2]) * self._white / modulus
        noise = np.exp(parameters[:, :1]) * self._white
        density = noise + volatility
        slopes = np.empty((*parameters.shape, len(self._white)))
        slopes[:, 0] = noise / density
        slopes[:, 1] = volatility / density
        pull = 2 * (polynomial.conj()[:, None] * self._means).real / modulus[:, None]
        slopes[:, 2:] = pull * slopes[:, 1:2]
        return density, slopes


def reversion(log_rates: FloatArray, cosine: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What reverting to a mean does to a driver's spectrum: (..., bands) from (...).

    Returns
    -------
    The gain, and the slope of its log with respect to the log of the rate.
    """
    rates = np.exp(log_rates)[..., None]
    decay = np.exp(-rates)
    gain = 1 / (1 - 2 * decay * cosine + decay**2)
    return gain, 2 * (decay - cosine) * gain * rates * decay
