"""A fractional model of log volatility against models of a few scales, by likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.bands import BandedSpectrum, banded_spectrum
from volatility.hurst.likelihood import Density, maximise
from volatility.hurst.noise import NoiseBounds
from volatility.hurst.spectra import EXPONENTS, Factors, Fractional, Har

# Logs of rates of mean reversion per session, and of variances in units of that of one-session
# changes. A factor that forgets in less than a third of a session is noise.
RATES = (np.log(5e-4), np.log(3.0))
VARIANCES = (np.log(1e-6), np.log(20.0))
LEAST_NOISE, MOST_NOISE = 1e-5, 0.6  # same unit; with noise of one half nothing else changes
START_NOISE = 0.1  # where it is not known
START_EXPONENTS, START_RATES = (0.06, 0.15, 0.3, 0.45), (0.1, 0.005)
FAST_RATES, SLOW_RATES, LONE_RATES = (1.0, 0.2), (0.05, 0.012, 0.003), (0.5, 0.05, 0.005)
HAR_STARTS = ((0.35, 0.35, 0.25), (0.6, 0.25, 0.1), (0.1, 0.4, 0.45))
HAR_LIMITS = ((-0.5, 1.5),) * 3

# How much likelier, in nats, the fractional model must be than each other. The values are chosen
# by simulation (python -m benchmarks.hurst_verdicts): processes that are not fractional, seen with
# the noise that is declared, pass in at most a tenth of samples. The others have a parameter more,
# which gives them about a nat; in short samples all models fit alike, and more is asked.
OVER_ONE_FACTOR = 2.0
OVER_OTHERS, SHORT_SAMPLE = -1.0, 900.0
# Without a limit to the noise two factors or a multifractal come as near as this by chance.
NOISE_UNKNOWN = 4.0
# The bounds of a measure's noise are given up when they cost more than the log of the number of
# sessions less this.
MISFIT_OFFSET = 4.3


@dataclass(frozen=True, slots=True)
class FractionalFit:
    """Fractional noise that reverts to a mean, observed with noise.

    Attributes
    ----------
    log_likelihood : in nats, up to a constant that all fits of a series share.
    hurst : exponent, at most 1/2.
    reversion : rate of mean reversion per session.
    variance : of one session's driving noise.
    noise_variance : of the measurement, in one value of log volatility.
    """

    log_likelihood: float
    hurst: float
    reversion: float
    variance: float
    noise_variance: float


@dataclass(frozen=True, slots=True)
class FactorsFit:
    """First-order autoregressions, one or two, observed with noise.

    Attributes
    ----------
    log_likelihood : in nats, up to a constant that all fits of a series share.
    reversion : rates of mean reversion per session, the fastest first.
    variance : of each factor's innovation.
    noise_variance : of the measurement, in one value of log volatility.
    """

    log_likelihood: float
    reversion: tuple[float, ...]
    variance: tuple[float, ...]
    noise_variance: float


@dataclass(frozen=True, slots=True)
class HarFit:
    """A heterogeneous autoregression of day, week and month, observed with noise.

    Attributes
    ----------
    log_likelihood : in nats, up to a constant that all fits of a series share.
    coefficients : of the day, of the week's mean and of the month's.
    variance : of the innovation.
    noise_variance : of the measurement, in one value of log volatility.
    """

    log_likelihood: float
    coefficients: tuple[float, ...]
    variance: float
    noise_variance: float


@dataclass(frozen=True, slots=True)
class ScaleComparison:
    """Four models of one series, all with measurement noise within the same bounds.

    Attributes
    ----------
    nobs : sessions.
    noise : bounds of the noise's variance: those that the measure implies, or none where it
        implies none, or where the data speak against them.
    fractional, one_factor, two_factors, har : the fits.
    declared_misfit : log likelihood that the measure's bounds cost the fractional model, against
        the best of it and two factors with noise of any size; 0 where there are none.
    """

    nobs: int
    noise: NoiseBounds
    fractional: FractionalFit
    one_factor: FactorsFit
    two_factors: FactorsFit
    har: HarFit
    declared_misfit: float

    @property
    def over_one_factor(self) -> float:
        """Log likelihood of the fractional model less that of one factor."""
        return self.fractional.log_likelihood - self.one_factor.log_likelihood

    @property
    def over_two_factors(self) -> float:
        """Log likelihood of the fractional model less that of two factors."""
        return self.fractional.log_likelihood - self.two_factors.log_likelihood

    @property
    def over_har(self) -> float:
        """Log likelihood of the fractional model less that of the HAR model."""
        return self.fractional.log_likelihood - self.har.log_likelihood

    @property
    def margin(self) -> float:
        """What `over_two_factors` and `over_har` must exceed for the fractional model to win."""
        if not self.noise.known:
            return NOISE_UNKNOWN
        return OVER_OTHERS + SHORT_SAMPLE / self.nobs

    @property
    def rejects_one_factor(self) -> bool:
        """Whether Brownian log volatility that reverts, seen with noise, is excluded."""
        return self.over_one_factor > OVER_ONE_FACTOR

    @property
    def fractional_wins(self) -> bool:
        """Whether the fractional model is the likeliest by the margins."""
        return self.rejects_one_factor and min(self.over_two_factors, self.over_har) > self.margin


def compare_scales(path: FloatArray, noise: NoiseBounds) -> ScaleComparison:
    """Fit the models to one path.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.
    noise : bounds of the measurement noise's variance, as the measure implies them.

    Notes
    -----
    A fractional model with noise of unknown size is nearly the spectrum of two factors with another
    noise: at H = 0.1 seen through Garman-Klass ranges the best two factors are 0.3 nats away in
    1,500 sessions and 1.9 in 5,000. With the noise known to within a quarter it is 1.8 and more;
    see ``docs/hurst.md``.

    References
    ----------
    Corsi (2009), Journal of Financial Econometrics 7(2), for the HAR model; Cox (1962), Journal of
    the Royal Statistical Society B 24(2), on families that are not nested.
    """
    fits = _Fits(path)
    unbounded = fits.with_noise(NoiseBounds())
    if not noise.known:
        return _comparison(len(path), NoiseBounds(), unbounded, 0.0)
    bounded = fits.with_noise(noise)
    best = max(unbounded.fractional.log_likelihood, unbounded.two_factors.log_likelihood)
    misfit = max(0.0, best - bounded.fractional.log_likelihood)
    if misfit > np.log(len(path)) - MISFIT_OFFSET:
        return _comparison(len(path), NoiseBounds(), unbounded, misfit)
    return _comparison(len(path), noise, bounded, misfit)


def _comparison(
    nobs: int, noise: NoiseBounds, fits: "_BoundedFits", misfit: float
) -> ScaleComparison:
    return ScaleComparison(
        nobs=nobs,
        noise=noise,
        fractional=fits.fractional,
        one_factor=fits.one_factor,
        two_factors=fits.two_factors,
        har=fits.har,
        declared_misfit=misfit,
    )


class _Fits:
    """The models of one path, in units of the variance of its one-session changes."""

    def __init__(self, path: FloatArray) -> None:
        observed = banded_spectrum(path)
        self.unit = float(np.mean(np.diff(path) ** 2))
        self.spectrum = BandedSpectrum(
            observed.power / self.unit, observed.weights, observed.cosine
        )
        self.fractional = Fractional(observed.cosine)
        self.factors = Factors(observed.cosine)
        self.har = Har(observed.cosine)

    def with_noise(self, noise: NoiseBounds) -> "_BoundedFits":
        """The same with bounds of the noise."""
        least = min(max(noise.least / self.unit, LEAST_NOISE), MOST_NOISE / 2)
        most = min(max(noise.most / self.unit, least * 1.0001), MOST_NOISE)
        start = np.sqrt(least * most) if noise.known else START_NOISE
        return _BoundedFits(self, (np.log(least), np.log(most)), float(np.log(start)))


class _BoundedFits:
    """Fits with noise between limits, each made when it is asked for."""

    def __init__(self, fits: _Fits, noise: tuple[float, float], start: float) -> None:
        self._fits = fits
        self._noise = noise
        self._start = start

    @cached_property
    def fractional(self) -> FractionalFit:
        starts = [
            (np.log(rate), np.log(0.7), hurst) for hurst in START_EXPONENTS for rate in START_RATES
        ]
        limits = (self._noise, RATES, VARIANCES, (EXPONENTS[0], EXPONENTS[-1]))
        best, value = self._maximise(self._fits.fractional, starts, limits)
        noise, rate, variance = np.exp(best[:3]).tolist()
        return FractionalFit(value, float(best[3]), rate, *self._in_units(variance, noise))

    @cached_property
    def one_factor(self) -> FactorsFit:
        return self._factors([(np.log(rate), np.log(0.3)) for rate in LONE_RATES])

    @cached_property
    def two_factors(self) -> FactorsFit:
        return self._factors(
            [
                (np.log(fast), np.log(0.3), np.log(slow), np.log(0.1))
                for fast in FAST_RATES
                for slow in SLOW_RATES
            ]
        )

    def _factors(self, starts: Sequence[Sequence[float]]) -> FactorsFit:
        count = len(starts[0]) // 2
        limits = (self._noise, *((RATES, VARIANCES) * count))
        best, value = self._maximise(self._fits.factors, starts, limits)
        order = np.argsort(-best[1::2])
        variances = np.exp(best[2::2][order]).tolist()
        return FactorsFit(
            log_likelihood=value,
            reversion=tuple(np.exp(best[1::2][order]).tolist()),
            variance=self._in_units(*variances),
            noise_variance=self._in_units(float(np.exp(best[0])))[0],
        )

    @cached_property
    def har(self) -> HarFit:
        starts = [(np.log(0.5), *coefficients) for coefficients in HAR_STARTS]
        limits = (self._noise, VARIANCES, *HAR_LIMITS)
        best, value = self._maximise(self._fits.har, starts, limits)
        noise, variance = np.exp(best[:2]).tolist()
        return HarFit(value, tuple(best[2:].tolist()), *self._in_units(variance, noise))

    def _maximise(
        self,
        density: Density,
        starts: Sequence[Sequence[float]],
        limits: Sequence[tuple[float, float]],
    ) -> tuple[FloatArray, float]:
        with_noise = np.array([(self._start, *start) for start in starts])
        return maximise(self._fits.spectrum, density, with_noise, np.array(limits))

    def _in_units(self, *variances: float) -> tuple[float, ...]:
        return tuple(variance * self._fits.unit for variance in variances)
