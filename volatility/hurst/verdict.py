"""What the estimates of one series amount to: a verdict with its reason, and warnings."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst.estimate import HurstEstimate
from volatility.hurst.noise import log_volatility_noise
from volatility.hurst.overlap import autocorrelations
from volatility.hurst.scales import ScaleComparison
from volatility.measures import MEASURES

Verdict = Literal["rough", "not_rough", "several_scales", "artefact", "inconclusive"]

ENOUGH_NOBS = 250  # a year; with fewer sessions no verdict on roughness is given
BROWNIAN = 0.5
# An interval that reaches 1/2 and starts above this is taken for "not rough": what roughness may
# be left is small.
NOT_ROUGH_FROM = 0.4
PLAINLY = 4.0  # nats by which two factors are likelier, whatever the estimators say
PORTMANTEAU_LAGS = 20
PORTMANTEAU_CRITICAL = 37.566  # 99 % quantile of chi-squared with 20 degrees of freedom


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a verdict is drawn from."""

    path: FloatArray
    measure: str | None
    intraday_nobs: int | None
    estimates: dict[str, HurstEstimate]
    window: int | None
    decay: float | None
    weekly_cycle: int | None
    upper_bound: float
    comparison: ScaleComparison

    @property
    def overlapping(self) -> bool:
        """Whether successive values share returns: declared, or found."""
        declared = self.measure is not None and MEASURES[self.measure].overlapping
        return declared or self.window is not None or self.decay is not None

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
        reaching = [
            name for name, one in self.estimates.items() if one.interval and one.interval[1] >= 0.5
        ]
        if self.headline().estimator in reaching and lower > NOT_ROUGH_FROM:
            return "not_rough", f"{headline}: {_against_brownian(lower)}"
        if self.comparison.over_two_factors < -PLAINLY or (
            not reaching and self.comparison.rejects_one_factor
        ):
            return self._verdict_on_scales()
        if not reaching:
            return "inconclusive", (
                f"{headline}{self._before_correction()}, but Brownian log volatility (H = 0.5) "
                "that reverts to its mean and is observed with noise fits as well"
            )
        return "inconclusive", (
            f"{headline}; the interval of {', '.join(reaching)} reaches 0.5, so that neither "
            "roughness nor its absence is established"
        )

    def _verdict_on_scales(self) -> tuple[Verdict, str]:
        headline = f"{_quoted(self.headline())}{self._before_correction()}"
        if not self.comparison.fractional_wins:
            return "several_scales", f"{headline}, but {_rival(self.comparison)}"
        if self.weekly_cycle is not None:
            return "inconclusive", (
                f"{headline}, but the series repeats itself every {self.weekly_cycle} sessions, "
                "and a weekly cycle looks like roughness; give the sessions' dates and calendar, "
                "so that it can be taken out"
            )
        noise, over = self.comparison.noise, self.comparison
        seen = (
            f"noise of a deviation of {np.sqrt(noise.least):.3f} to {np.sqrt(noise.most):.3f}"
            if noise.known
            else "noise of any size"
        )
        return "rough", (
            f"{headline}; every interval ends below 0.5, and seen with {seen} the log likelihood "
            f"of a fractional model is {over.over_two_factors:+.1f} nats from that of two factors "
            f"and {over.over_har:+.1f} from that of a HAR model, which have a parameter more "
            f"(above {over.margin:+.1f} is asked)"
        )

    def _before_correction(self) -> str:
        if self.headline().estimator != "variogram_corrected":
            return ""
        return (
            f" once the noise of {self.measure} is taken out "
            f"({self.estimates['variogram'].hurst:.2f} before)"
        )

    def _overlap_reason(self) -> str:
        if self.decay is not None:
            return (
                "the path rises without limit and falls no faster than a weight of "
                f"{self.decay:.3f} on the past lets it: it is an exponential average, or a process "
                "that can fall no faster than a fixed rate, and either is smooth because of that"
            )
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
        if self.describes_volatility and self.weekly_cycle is not None:
            found.append(
                f"the series repeats itself every {self.weekly_cycle} sessions; the cycle pulls "
                "every estimate towards 0"
            )
        if self.describes_volatility and self.upper_bound >= BROWNIAN:
            found.append(
                "with noise of any size and mean reversion H = 0.5 is not excluded: whatever is "
                "concluded rests on the noise of the measure"
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


def _against_brownian(lower: float) -> str:
    """What an interval that reaches above 1/2 says of it."""
    if lower > BROWNIAN:
        return "log volatility is smoother than Brownian (H = 0.5), which is rejected"
    return "H = 0.5, Brownian log volatility, is not rejected"


def _rival(comparison: ScaleComparison) -> str:
    """Why the fractional model does not win."""
    over_two, over_har = comparison.over_two_factors, comparison.over_har
    fast, slow = (np.log(2) / rate for rate in comparison.two_factors.reversion)
    factors = f"two factors with half-lives of {fast:.1f} and {slow:.0f} sessions"
    if min(over_two, over_har) < -PLAINLY:
        likelier = factors if over_two < over_har else "a HAR model of day, week and month"
        by = -min(over_two, over_har)
        return f"a fractional model is less likely than {likelier} by {by:.1f} nats"
    return (
        f"{factors} or a HAR model cannot be told from it{_noise_known(comparison)}: the log "
        f"likelihood of a fractional model is {over_two:+.1f} and {over_har:+.1f} nats from "
        f"theirs, and above {comparison.margin:+.1f} is asked"
    )


def _noise_known(comparison: ScaleComparison) -> str:
    if comparison.noise.known:
        return ""
    if comparison.declared_misfit > 0:
        return " with noise of any size, and the size that the measure should have does not fit"
    return " while the size of the noise is not known"
