"""Whether one forecast is better than another, or luckier.

Losses are (n,) arrays of the same dates in the same order; see `volatility.evaluation.losses`.
"""

import math
from dataclasses import dataclass

from volatility.arrays import FloatArray
from volatility.errors import TooFewObservations
from volatility.evaluation import fixed_b
from volatility.evaluation.long_run import bandwidth_for, long_run_covariance
from volatility.evaluation.losses import check_paired


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """A test of equal accuracy.

    Attributes
    ----------
    statistic : mean loss difference in standard errors; negative favours the model.
    pvalue : two-sided, of equal accuracy.
    pvalue_worse : one-sided; small when the model is significantly worse than the baseline.
    mean_difference : mean loss of the model less that of the baseline.
    nobs : number of dates.
    standard_error : of mean_difference.
    bandwidth : of the kernel in the variance of the mean, in dates.
    """

    statistic: float
    pvalue: float
    pvalue_worse: float
    mean_difference: float
    nobs: int
    standard_error: float
    bandwidth: int

    @property
    def share(self) -> float:
        """The bandwidth over the number of values that the kernel was applied to."""
        return self.bandwidth / (self.nobs - 1)

    def margin(self, level: float) -> float:
        """Half the width of the interval that holds the true difference with probability level."""
        return self.standard_error * fixed_b.two_sided_quantile(1.0 - level, self.share)


def diebold_mariano(
    losses: FloatArray, baseline_losses: FloatArray, horizon: int = 1
) -> DieboldMariano:
    r"""Test whether two forecasts are equally accurate.

    Parameters
    ----------
    losses, baseline_losses : (n,) losses of the same dates.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.

    Raises
    ------
    InvalidSeries : of unequal length, or with a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates, or no more than the horizon.

    Notes
    -----
    The variance of the mean difference is `volatility.evaluation.long_run.long_run_covariance`
    over the bandwidth :math:`\max(\lceil 1.3 \sqrt n \rceil, 3h - 2)`; the statistic is compared
    with the distribution that a ratio to it has at that bandwidth, which takes the place of
    Student's t and of corrections for small samples. Of equally accurate forecasts a test at 5 %
    rejects what docs/evaluation.md tabulates. Two forecasts with equal losses on every date have
    statistic 0 and p-value 1.

    References
    ----------
    Diebold & Mariano (1995), Journal of Business & Economic Statistics 13(3).
    Kiefer & Vogelsang (2005), Econometric Theory 21(6).
    Lazarus, Lewis, Stock & Watson (2018), Journal of Business & Economic Statistics 36(4).
    """
    check_paired({"losses": losses, "baseline_losses": baseline_losses})
    difference = losses - baseline_losses
    nobs = len(difference)
    _check_overlap(nobs, horizon)
    bandwidth = bandwidth_for(nobs, horizon)
    mean = float(difference.mean())
    variance = float(long_run_covariance(difference[:, None], bandwidth)[0, 0])
    standard_error = math.sqrt(max(variance, 0.0) / nobs)
    statistic = _ratio(mean, standard_error)
    share = bandwidth / (nobs - 1)
    return DieboldMariano(
        statistic=statistic,
        pvalue=fixed_b.two_sided_pvalue(statistic, share),
        pvalue_worse=fixed_b.upper_tail(statistic, share),
        mean_difference=mean,
        nobs=nobs,
        standard_error=standard_error,
        bandwidth=bandwidth,
    )


def _check_overlap(nobs: int, horizon: int) -> None:
    if nobs <= horizon:
        raise TooFewObservations(
            f"{nobs} forecasts {horizon} sessions ahead all overlap; more are needed",
            field="losses",
            found=nobs,
            needed=f"more than {horizon}",
        )


def _ratio(mean: float, standard_error: float) -> float:
    if standard_error > 0.0:
        return mean / standard_error
    return math.copysign(math.inf, mean) if mean else 0.0
