"""Every estimator on one series, and a verdict with its reason."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.dfa import dfa
from volatility.hurst.estimate import HurstEstimate, check_path, without_estimate
from volatility.hurst.noise import log_volatility_noise
from volatility.hurst.overlap import autocorrelations, overlapping_window
from volatility.hurst.rescaled_range import rescaled_range
from volatility.hurst.robust import upper_bound
from volatility.hurst.variogram import variogram
from volatility.hurst.variogram_corrected import variogram_corrected
from volatility.hurst.wavelet import wavelet
from volatility.hurst.whittle import whittle
from volatility.measures import MEASURES

Verdict = Literal["rough", "not_rough", "artefact", "inconclusive"]

ENOUGH_NOBS = 250  # a year; with fewer sessions no verdict on roughness is given
BROWNIAN = 0.5
# An interval that reaches 1/2 and starts above this is taken for "not rough": what roughness may
# be left is small.
NOT_ROUGH_FROM = 0.4
PORTMANTEAU_LAGS = 20
PORTMANTEAU_CRITICAL = 37.566  # 99 % quantile of chi-squared with 20 degrees of freedom


@dataclass(frozen=True, slots=True)
class HurstReport:
    """All estimates of one series, and what they amount to.

    Attributes
    ----------
    nobs : sessions.
    measure : realized measure behind the series, None if undeclared.
    estimates : one for each estimator, with or without a number.
    hurst : the headline; None where no estimate can be trusted to describe volatility.
    headline_estimator : where `hurst` is from.
    upper_bound : largest exponent left when noise and mean reversion of unknown size are allowed
        for; 1 where these explain everything.
    verdict, reason : the conclusion, and a sentence why.
    warnings : what a reader should know before using the numbers.
    """

    nobs: int
    measure: str | None
    estimates: tuple[HurstEstimate, ...]
    hurst: float | None
    headline_estimator: str | None
    upper_bound: float
    verdict: Verdict
    reason: str
    warnings: tuple[str, ...]

    def estimate(self, estimator: str) -> HurstEstimate:
        """The estimate of one name."""
        return next(one for one in self.estimates if one.estimator == estimator)


def report(
    log_volatility: FloatArray,
    *,
    measure: str | None,
    intraday_nobs: int | None = None,
    level: float = 0.95,
) -> HurstReport:
    """Six estimates of the Hurst exponent of log volatility, and a verdict.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels: half of log rv, observed sessions
        in order.
    measure : realized measure that made it; None if it is not known.
    intraday_nobs : returns in a day, where the measure is made of them.
    level : nominal coverage of the intervals, in (0, 1).

    Returns
    -------
    Report. `rough` asks for much: every interval ends below 1/2, after noise of the declared size
    is taken out, and also when noise and mean reversion of any size are allowed for.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.
    UnknownMeasure : no realized measure has this name.
    UnsupportedLevel : level outside (0, 1).

    Notes
    -----
    The headline is the corrected variogram where the measure's noise is known and leaves
    something, else Whittle's estimate, the most precise on a path seen without error. All of it is
    about volatility averaged over the day. The average is smoother than volatility at an instant,
    whose H is lower: `rough` errs on the careful side in this respect.
    """
    path = check_path(log_volatility)
    estimates = (
        rescaled_range(path, level),
        dfa(path, level),
        variogram(path, level),
        wavelet(path, level),
        whittle(path, level),
        _corrected(path, measure, intraday_nobs, level),
    )
    evidence = _Evidence(
        path=path,
        measure=measure,
        intraday_nobs=intraday_nobs,
        estimates={one.estimator: one for one in estimates},
        window=overlapping_window(path),
        upper_bound=upper_bound(path, level),
    )
    verdict, reason = evidence.verdict()
    headline = evidence.headline() if evidence.describes_volatility else None
    return HurstReport(
        nobs=len(path),
        measure=measure,
        estimates=estimates,
        hurst=headline.hurst if headline else None,
        headline_estimator=headline.estimator if headline else None,
        upper_bound=evidence.upper_bound,
        verdict=verdict,
        reason=reason,
        warnings=tuple(evidence.warnings()),
    )


def _corrected(
    path: FloatArray, measure: str | None, intraday_nobs: int | None, level: float
) -> HurstEstimate:
    if measure is None:
        reason = "the measure is not declared, so its noise is not known"
        return without_estimate("variogram_corrected", level, reason)
    return variogram_corrected(path, measure, intraday_nobs, level)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a verdict is drawn from."""

    path: FloatArray
    measure: str | None
    intraday_nobs: int | None
    estimates: dict[str, HurstEstimate]
    window: int | None
    upper_bound: float

    @property
    def overlapping(self) -> bool:
        """Whether successive values share returns: declared, or found."""
        declared = self.measure is not None and MEASURES[self.measure].overlapping
        return declared or self.window is not None

    @property
    def noise_alone(self) -> bool:
        """Whether nothing is left beside noise: no memory, or all of it taken out."""
        return self._noise_leaves_nothing or not has_memory(self.path)

    @property
    def _noise_leaves_nothing(self) -> bool:
        if self.measure is None:
            return False
        noise = log_volatility_noise(self.measure, self.intraday_nobs)
        uncorrected = self.estimates["variogram_corrected"].hurst is None
        return noise.overwhelming or (noise.variance is not None and uncorrected)

    @property
    def describes_volatility(self) -> bool:
        """Whether any estimate is one of volatility, rather than of window or noise."""
        return not (self.overlapping or self.noise_alone)

    def headline(self) -> HurstEstimate:
        """The estimate to quote."""
        corrected = self.estimates["variogram_corrected"]
        return corrected if corrected.hurst is not None else self.estimates["whittle"]

    def verdict(self) -> tuple[Verdict, str]:
        """Conclusion and reason."""
        if self.overlapping:
            return "artefact", self._overlap_reason()
        if self.noise_alone:
            return "inconclusive", self._noise_reason()
        if len(self.path) < ENOUGH_NOBS:
            return "inconclusive", (
                f"{len(self.path)} sessions are too few; a verdict needs {ENOUGH_NOBS}"
            )
        return self._verdict_on_roughness()

    def _verdict_on_roughness(self) -> tuple[Verdict, str]:
        headline = _quoted(self.headline())
        lower, _ = _interval(self.headline())
        intervals = {name: _interval(one) for name, one in self.estimates.items() if one.interval}
        reaching = [name for name, (_, upper) in intervals.items() if upper >= BROWNIAN]
        if not reaching and self.upper_bound < BROWNIAN:
            return "rough", (
                f"{headline}{self._before_correction()}; noise of any size and mean reversion "
                f"leave H below {self.upper_bound:.2f}; every interval ends below 0.5"
            )
        if self.headline().estimator in reaching and lower > NOT_ROUGH_FROM:
            return "not_rough", f"{headline}: H = 0.5, Brownian log volatility, is not rejected"
        if not reaching:
            return "inconclusive", (
                f"{headline}{self._before_correction()}, but Brownian log volatility (H = 0.5) "
                "that reverts to its mean and is observed with noise fits as well"
            )
        return "inconclusive", (
            f"{headline}; the interval of {', '.join(reaching)} reaches 0.5, so that neither "
            "roughness nor its absence is established"
        )

    def _before_correction(self) -> str:
        if self.headline().estimator != "variogram_corrected":
            return ""
        return (
            f" once the noise of {self.measure} is taken out "
            f"({self.estimates['variogram'].hurst:.2f} before)"
        )

    def _overlap_reason(self) -> str:
        if self.window is None:
            return (
                f"{self.measure} is made from overlapping windows: successive values share all "
                "returns but one, which makes the path smooth whatever volatility does"
            )
        below = self._variogram_below_window()
        return (
            f"successive values share returns: increments {self.window} apart are correlated "
            f"as those of a rolling window of {self.window} are (-1/2), and H is {below:.2f} at "
            "lags below it because of the window, not of volatility"
        )

    def _variogram_below_window(self) -> float:
        window = self.window or 0
        change = self.path[window // 2 :] - self.path[: len(self.path) - window // 2]
        step = np.diff(self.path)
        ratio = np.mean(change**2) / np.mean(step**2)
        return float(np.log(ratio) / (2 * np.log(max(window // 2, 2))))

    def _noise_reason(self) -> str:
        if self._noise_leaves_nothing:
            return self.estimates["variogram_corrected"].reason or ""
        return (
            "the series is indistinguishable from measurement noise: its values are not "
            "correlated with those of the sessions before, and noise has H = 0"
        )

    def warnings(self) -> list[str]:
        """What a reader should know before using the numbers."""
        found = []
        corrected = self.estimates["variogram_corrected"]
        if corrected.hurst is None:
            found.append(
                f"measurement noise is not taken out ({corrected.reason}); it pulls every "
                "estimate towards 0"
            )
        elif self.describes_volatility:
            found.append(
                "the noise taken out is that of prices that are Brownian within the day, a floor: "
                "with more noise H of the daily series is higher"
            )
        if self.describes_volatility and _disagree(self.estimates):
            found.append(
                "intervals of the estimators that ignore noise do not overlap: the series is "
                "not fractional Brownian motion over all scales"
            )
        return found


def has_memory(path: FloatArray) -> bool:
    """Whether values depend on those before: the Ljung-Box test, at one percent.

    References
    ----------
    Ljung & Box (1978), Biometrika 65(2).
    """
    nobs = len(path)
    correlations = autocorrelations(path, PORTMANTEAU_LAGS)[1:]
    lags = np.arange(1, PORTMANTEAU_LAGS + 1)
    statistic = nobs * (nobs + 2) * float((correlations**2 / (nobs - lags)).sum())
    return statistic > PORTMANTEAU_CRITICAL


def _disagree(estimates: dict[str, HurstEstimate]) -> bool:
    """Whether two intervals that ignore noise have nothing in common."""
    intervals = [_interval(one) for name, one in estimates.items() if name != "variogram_corrected"]
    return max(lower for lower, _ in intervals) > min(upper for _, upper in intervals)


def _interval(estimate: HurstEstimate) -> tuple[float, float]:
    return estimate.interval or (0.0, 1.0)


def _quoted(estimate: HurstEstimate) -> str:
    lower, upper = _interval(estimate)
    return f"H is {estimate.hurst:.2f} [{lower:.2f}, {upper:.2f}] by {estimate.estimator}"
