"""How large H could be if log volatility also reverts to a mean and carries unknown noise."""

from dataclasses import dataclass

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.bands import BandedSpectrum, banded_spectrum
from volatility.hurst.calibration import normal_quantile
from volatility.hurst.whittle import FgnSpectrum

EXPONENTS = np.array(
    [0.01, 0.03, 0.06, 0.09, 0.12, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6]
)
# Where the search starts from, and what it may not leave: log odds of the noise's share in the
# variance of one-session changes, and log rate of mean reversion per session.
START_LOG_ODDS = np.linspace(-4.0, 8.0, 10)
START_LOG_RATES = -np.log([2.0, 6, 20, 60, 200, 1_000])
LIMITS = np.array([[-12.0, 12.0], [-14.0, 1.0]])
ITERATIONS = 6
DIFFERENCE = 1e-4  # step of numerical derivatives


def upper_bound(path: FloatArray, level: float = 0.95) -> float:
    r"""Largest exponent that noise and mean reversion of unknown size cannot be told from.

    Noise flattens the variogram at short lags and mean reversion at long ones. Both make a smooth
    path look rough, and the correction for a measure's noise is a floor. So before a path is
    called rough, both are left free, and the likelihood is asked which exponents remain.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.
    level : nominal coverage of the interval whose upper end is returned, in (0, 1).

    Returns
    -------
    Upper end of the profile-likelihood interval of H; 1 where it does not end below 0.6.

    Notes
    -----
    The spectrum of the increments is that of a sampled first-order autoregression driven by
    fractional Gaussian noise, and of white noise in the levels:

    .. math:: S(\lambda) \propto |1 - e^{i\lambda}|^2 \left(
        \frac{(1 - u)\, g_H(\lambda)}{|1 - \varphi e^{i\lambda}|^2} + u \right)

    Its Whittle likelihood is maximised over :math:`u` and :math:`\varphi` at each exponent.
    :math:`H = 1/2` is the classical one-factor model observed with error.

    Exponents above 0.6 are not asked about: with fast mean reversion they are long-memory
    processes, which seen once a session have the spectrum of rough ones. Nor are two factors with
    different speeds, which over a month or two cannot be told from roughness.

    References
    ----------
    Fukasawa, Takabatake & Westphal (2022), Mathematical Finance 32(4).
    """
    profile = _Model(banded_spectrum(path)).profile()
    return _last_crossing(profile, normal_quantile(level))


@dataclass(frozen=True, slots=True)
class _Model:
    """Likelihood of all exponents at once; parameters are (exponents, 2), see `LIMITS`."""

    seen: BandedSpectrum

    def profile(self) -> FloatArray:
        """Twice the least negative log likelihood at each exponent: (exponents,)."""
        driver = self._drivers()
        parameters = self._start(driver)
        damping = np.full(len(EXPONENTS), 1.0)
        log_density = self._log_density(driver, parameters)
        deviance = self._deviance(log_density)
        for _ in range(ITERATIONS):
            step = self._scoring_step(driver, parameters, log_density, damping)
            proposal = np.clip(parameters + step, LIMITS[:, 0], LIMITS[:, 1])
            proposed = self._log_density(driver, proposal)
            better = self._deviance(proposed) < deviance
            parameters = np.where(better[:, None], proposal, parameters)
            log_density = np.where(better[:, None], proposed, log_density)
            deviance = self._deviance(log_density)
            damping *= np.where(better, 0.2, 8.0)
        return deviance

    def _drivers(self) -> FloatArray:
        """Spectra of fractional Gaussian noise times that of a difference: (exponents, bands)."""
        spectrum = FgnSpectrum(self.seen.frequencies)
        return np.stack([spectrum(exponent) for exponent in EXPONENTS]) * (1 - self.seen.cosine)

    def _start(self, driver: FloatArray) -> FloatArray:
        """Best parameters of a coarse grid."""
        grid = np.stack(np.meshgrid(START_LOG_ODDS, START_LOG_RATES), axis=-1).reshape(-1, 2)
        log_density = self._log_density(driver[:, None], grid)
        return np.asarray(grid[self._deviance(log_density).argmin(axis=1)])

    def _log_density(self, driver: FloatArray, parameters: FloatArray) -> FloatArray:
        """Log spectrum up to a constant: (..., bands) from (..., bands) and (..., 2)."""
        decay = np.exp(-np.exp(parameters[..., 1:]))
        signal = driver / (1 - 2 * decay * self.seen.cosine + decay**2)
        noise = 1 - self.seen.cosine
        odds = np.exp(parameters[..., :1]) * (signal @ self.seen.weights)[..., None]
        return np.asarray(np.log(signal + odds / (noise @ self.seen.weights) * noise))

    def _deviance(self, log_density: FloatArray) -> FloatArray:
        total = self.seen.weights.sum()
        scale = (self.seen.power * np.exp(-log_density)) @ self.seen.weights / total
        return np.asarray(2 * (total * np.log(scale) + log_density @ self.seen.weights))

    def _scoring_step(
        self,
        driver: FloatArray,
        parameters: FloatArray,
        log_density: FloatArray,
        damping: FloatArray,
    ) -> FloatArray:
        """Fisher scoring with Levenberg's damping, the scale profiled out: (exponents, 2)."""
        total = self.seen.weights.sum()
        ratio = self.seen.power * np.exp(-log_density)
        residual = ratio / (ratio @ self.seen.weights / total)[:, None] - 1
        shifted = (parameters + DIFFERENCE * unit for unit in np.eye(2))
        slopes = np.stack([self._log_density(driver, p) - log_density for p in shifted], axis=1)
        slopes = slopes / DIFFERENCE
        slopes = slopes - (slopes @ self.seen.weights / total)[..., None]
        weighted = slopes * self.seen.weights
        information = weighted @ slopes.transpose(0, 2, 1) + damping[:, None, None] * np.eye(2)
        score = weighted @ residual[..., None]
        return np.asarray(np.linalg.solve(information, score)[..., 0])


def _last_crossing(profile: FloatArray, quantile: float) -> float:
    """Largest exponent within the quantile; the root of the excess is nearly linear between."""
    distance = np.sqrt(profile - profile.min())
    last = int(np.flatnonzero(distance <= quantile)[-1])
    if last == len(distance) - 1:
        return 1.0
    step = (quantile - distance[last]) / (distance[last + 1] - distance[last])
    return float(EXPONENTS[last] + step * (EXPONENTS[last + 1] - EXPONENTS[last]))
