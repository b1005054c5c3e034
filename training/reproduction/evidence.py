"""Tests that tables and conclusions share: one model against another, and seed against seed."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.protocol import Paired, Track
from volatility.evaluation import student_t
from volatility.evaluation.diebold_mariano import diebold_mariano

LOSSES = ("rmse", "mae")  # of the paper's four scores, those where less is better


@dataclass(frozen=True)
class AccuracyTest:
    """A test of equal accuracy, with the paper's sign: negative where the model is the worse."""

    statistic: float
    pvalue: float

    def favours_model(self, level: float) -> bool:
        """Whether the model is the better one, at a level."""
        return self.statistic > 0 and self.pvalue < level

    def favours_baseline(self, level: float) -> bool:
        """Whether the baseline is the better one, at a level."""
        return self.statistic < 0 and self.pvalue < level


def compare(model: Paired, baseline: Paired, protocol: ScoringProtocol) -> AccuracyTest:
    """Diebold-Mariano on squared errors, as the protocol has it.

    Under ``same protocol`` the variance has no autocovariances and the p-value is a normal one, as
    in the published code; else see :func:`volatility.evaluation.diebold_mariano.diebold_mariano`.
    """
    if protocol is ScoringProtocol.SAME:
        return _without_autocovariances(model, baseline)
    test = diebold_mariano(baseline.squared_errors, model.squared_errors)
    return AccuracyTest(test.statistic, test.pvalue)


def against_har(
    results: Results, model: str, protocol: ScoringProtocol
) -> tuple[AccuracyTest, ...]:
    """Every seed of a model against the HAR that it is compared with in the paper."""
    return against(results, results.on(protocol).baseline(model), model, protocol)


def against(
    results: Results, track: Track, model: str, protocol: ScoringProtocol
) -> tuple[AccuracyTest, ...]:
    """Every seed of a model against one forecast."""
    har = results.pair(track, protocol)
    return tuple(compare(pair, har, protocol) for pair in results.pairs(model, protocol))


def improvement(score: str, baseline: float, value: float) -> float:
    """How much better a score is, percent; positive is better."""
    change = value - baseline
    return 100 * (-change if score in LOSSES else change) / abs(baseline)


def seeds_pvalue(first: Sequence[float], second: Sequence[float]) -> float:
    r"""Whether two sets of seeds have the same mean score: Welch's t test, two-sided.

    Returns
    -------
    The p-value; NaN with fewer than two seeds on a side, without any spread, or where a score is
    NaN.

    References
    ----------
    Welch (1947), Biometrika 34(1-2).
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    one, other = (float(np.var(values, ddof=1)) / len(values) for values in (first, second))
    if not one + other > 0:  # also true of NaN
        return math.nan
    statistic = (statistics.fmean(first) - statistics.fmean(second)) / math.sqrt(one + other)
    degrees = (one + other) ** 2 / (one**2 / (len(first) - 1) + other**2 / (len(second) - 1))
    return student_t.two_sided_pvalue(statistic, degrees)


def _without_autocovariances(model: Paired, baseline: Paired) -> AccuracyTest:
    # By position: a model that looks further back than HAR has fewer forecasts.
    nobs = min(len(model), len(baseline))
    difference = baseline.squared_errors[:nobs] - model.squared_errors[:nobs]
    deviation = float(difference.std(ddof=1))
    if deviation == 0.0:
        return AccuracyTest(0.0, 1.0)
    statistic = float(difference.mean()) / deviation * math.sqrt(len(difference))
    return AccuracyTest(statistic, math.erfc(abs(statistic) / math.sqrt(2)))
