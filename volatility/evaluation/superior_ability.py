"""Whether the best of many models beats a benchmark, or only the best of many chances.

Losses are (n,) arrays of the same dates in the same order; see `volatility.evaluation.losses`.
"""

import math
from collections.abc import Mapping

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import UnknownModel
from volatility.evaluation import fixed_b
from volatility.evaluation.losses import check_paired
from volatility.evaluation.many_models import (
    BOOTSTRAP_REPLICATIONS,
    BOOTSTRAP_SEED,
    Resampled,
    deviations_of,
    largest,
    resample,
    twins,
)


def superior_ability_pvalues(
    losses: Mapping[str, FloatArray],
    benchmarks: tuple[str, ...],
    *,
    horizon: int = 1,
    replications: int = BOOTSTRAP_REPLICATIONS,
    seed: int = BOOTSTRAP_SEED,
) -> Mapping[str, float]:
    r"""P-value of "no model is better than the benchmark", for each of several benchmarks.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.
    benchmarks : names of models in ``losses``; each is tested against all others.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.
    replications : bootstrap samples.
    seed : of the bootstrap.

    Returns
    -------
    By benchmark: small where the best of the others is better than luck among so many explains;
    1 where no other model has a lower mean loss.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates.
    UnknownModel : a benchmark is not in ``losses``.

    Notes
    -----
    The statistic is :math:`\max(0, \max_k \bar d_k / \hat\sigma_k)` with d the benchmark's loss
    less that of model k. Hansen's consistent p-value: models worse by more than
    :math:`\sqrt{2 \log \log n}` standard errors are taken to be as bad as they look, the others to
    be as good as the benchmark. The bootstrap is that of
    `volatility.evaluation.confidence_set.model_confidence_set`, with the same allowance for
    standard errors that are estimated. Models with the same losses count once.

    References
    ----------
    Hansen (2005), Journal of Business & Economic Statistics 23(4).
    """
    check_paired(losses)
    _check_known(losses, benchmarks)
    stands_for = twins(losses)
    distinct = {name: losses[name] for name in dict.fromkeys(stands_for.values())}
    nobs = len(next(iter(losses.values())))
    resampled = resample(distinct, horizon, replications, seed)
    places = {name: at for at, name in enumerate(distinct)}
    return {name: _pvalue(resampled, places[stands_for[name]], nobs) for name in benchmarks}


def _check_known(losses: Mapping[str, FloatArray], benchmarks: tuple[str, ...]) -> None:
    for name in benchmarks:
        if name not in losses:
            raise UnknownModel(
                f"the benchmark {name} is not among {', '.join(losses)}",
                field="benchmarks",
                found=name,
                needed=f"one of {', '.join(losses)}",
            )


def _pvalue(resampled: Resampled, benchmark: int, nobs: int) -> float:
    means, covariance, noise, share = resampled
    others = np.delete(np.arange(len(means)), benchmark)
    variances = np.diag(covariance)
    scale = deviations_of(
        variances[others] + variances[benchmark] - 2.0 * covariance[benchmark, others]
    )
    distances = (means[benchmark] - means[others]) / scale
    if not (distances > 0.0).any():
        return 1.0
    critical = fixed_b.normal_score(float(distances.max()), share)
    bad = distances <= -math.sqrt(2.0 * math.log(math.log(nobs)))
    # The benchmark's loss less theirs: of both signs alike, so that the noise may be turned round.
    draws = largest(
        [noise[at] for at in others], noise[benchmark], scale, np.where(bad, distances, 0.0)
    )
    return float(np.mean(draws >= critical))
