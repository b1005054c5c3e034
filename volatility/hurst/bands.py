"""The spectrum of increments, averaged over bands: what likelihoods are computed from."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray

TAPERS = 2  # sine tapers averaged; more protect better and resolve less
BAND_WIDTH, BAND_GROWTH = 2, 0.12  # ordinates: at least as many as tapers, then even in logs


@dataclass(frozen=True, slots=True)
class BandedSpectrum:
    """Spectrum of a path's increments in bands.

    Attributes
    ----------
    power, weights, cosine : (bands,) mean spectrum, number of ordinates, cosine of the frequency.
    """

    power: FloatArray
    weights: FloatArray
    cosine: FloatArray

    @property
    def frequencies(self) -> FloatArray:
        """Mean frequency of each band, in (0, pi): (bands,)."""
        return np.arccos(self.cosine)

    def log_likelihood(self, density: FloatArray) -> FloatArray:
        r"""Whittle's log likelihood of spectral densities: (...) from (..., bands).

        Notes
        -----
        .. math:: \ell = -\sum_b m_b \left(\log S_b + I_b / S_b\right)

        with :math:`m_b` ordinates in a band. Neighbours share data, since each ordinate is a mean
        over tapers, so that its units are nats in approximation only.
        """
        return np.asarray(-(np.log(density) + self.power / density) @ self.weights)


def banded_spectrum(path: FloatArray) -> BandedSpectrum:
    """Spectrum of the increments of a path, in bands that widen with the frequency.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.

    Notes
    -----
    Increments of a stationary series leak power to low frequencies, where there should be none,
    so the spectrum is estimated with tapers.

    References
    ----------
    Riedel & Sidorenko (1995), IEEE Transactions on Signal Processing 43(1).
    """
    frequencies, power = multitaper_spectrum(np.diff(path))
    edges = _band_edges(len(power))
    counts = np.diff(edges).astype(np.float64)
    return BandedSpectrum(
        power=np.add.reduceat(power, edges[:-1]) / counts,
        weights=counts,
        cosine=np.cos(np.add.reduceat(frequencies, edges[:-1]) / counts),
    )


def multitaper_spectrum(increments: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Frequencies above the tapers' resolution, and the spectrum estimated there: (m,), (m,)."""
    nobs = len(increments)
    phases = np.pi * np.outer(np.arange(1, TAPERS + 1), np.arange(1, nobs + 1)) / (nobs + 1)
    tapers = np.sqrt(2 / (nobs + 1)) * np.sin(phases)
    first = (TAPERS + 1) // 2
    transform = np.fft.rfft(tapers * (increments - increments.mean()))[:, first : (nobs + 1) // 2]
    frequencies = 2 * np.pi * np.arange(first, first + transform.shape[1]) / nobs
    return frequencies, np.mean(transform.real**2 + transform.imag**2, axis=0) / (2 * np.pi)


@lru_cache(maxsize=16)
def _band_edges(count: int) -> NDArray[np.int64]:
    """Starts of the bands, and the end."""
    edges = [0]
    while edges[-1] + BAND_WIDTH < count:
        edges.append(edges[-1] + max(BAND_WIDTH, round(edges[-1] * BAND_GROWTH)))
    edges[-1] = count
    return np.array(edges)
