"""The models among which is the best one, at a level.

Losses are (n,) arrays of the same dates in the same order; see `volatility.evaluation.losses`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from volatility.arrays import FloatArray
from volatility.evaluation import fixed_b
from volatility.evaluation.losses import check_paired
from volatility.evaluation.many_models import (
    BOOTSTRAP_REPLICATIONS,
    BOOTSTRAP_SEED,
    Resampled,
    SinglePrecision,
    deviations_of,
    largest,
    resample,
    twins,
)

CONFIDENCE_LEVEL = 0.90


@dataclass(frozen=True, slots=True)
class ConfidenceSet:
    """The models among which is the best one, at a level.

    Attributes
    ----------
    included : names of the models in the set.
    pvalues : by name; a model is in the set when its p-value exceeds 1 - level.
    level : probability that the set holds the best model.
    """

    included: frozenset[str]
    pvalues: Mapping[str, float]
    level: float


def model_confidence_set(
    losses: Mapping[str, FloatArray],
    level: float = CONFIDENCE_LEVEL,
    *,
    horizon: int = 1,
    replications: int = BOOTSTRAP_REPLICATIONS,
    seed: int = BOOTSTRAP_SEED,
) -> ConfidenceSet:
    r"""The smallest set that holds the best model with probability ``level``.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.
    level : between 0 and 1.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.
    replications : bootstrap samples.
    seed : of the bootstrap. Equal inputs and seeds give equal sets.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates.

    Notes
    -----
    The statistic T-max: each model's mean loss less that of all that remain, in standard errors;
    the largest, against the bootstrap of `volatility.evaluation.many_models.resample`, after
    `volatility.evaluation.fixed_b.normal_score` has allowed for standard errors that are
    estimated. While equal accuracy is rejected, the model with the largest leaves. A model's
    p-value is the largest of the tests up to the one after which it left, and 1 for the last
    model. Models with the same losses count once, and share their p-value.

    References
    ----------
    Hansen, Lunde & Nason (2011), Econometrica 79(2).
    """
    check_paired(losses)
    stands_for = twins(losses)
    distinct = {name: losses[name] for name in dict.fromkeys(stands_for.values())}
    resampled = resample(distinct, horizon, replications, seed)
    own = dict(zip(distinct, _elimination_pvalues(resampled), strict=True))
    pvalues = {name: own[stands_for[name]] for name in losses}
    included = frozenset(name for name in losses if pvalues[name] > 1.0 - level)
    return ConfidenceSet(included=included, pvalues=pvalues, level=level)


def _elimination_pvalues(resampled: Resampled) -> list[float]:
    """P-value of each of k models."""
    means, covariance, noise, share = resampled
    remain = np.arange(len(means))
    pvalues = [1.0] * len(means)
    pvalue = 0.0
    while len(remain) > 1:
        left = covariance[np.ix_(remain, remain)]
        # The variance of x_i - mean(x): of both, less twice what they have in common.
        scale = deviations_of(np.diag(left) + left.mean() - 2.0 * left.mean(axis=0))
        distances = (means[remain] - means[remain].mean()) / scale
        worst = int(np.argmax(distances))
        critical = fixed_b.normal_score(float(distances[worst]), share)
        rows = [noise[at] for at in remain]  # one table of them would be a copy of megabytes
        extremes = largest(rows, _mean_of(rows), scale)
        pvalue = max(pvalue, float(np.mean(extremes >= critical)))
        pvalues[remain[worst]] = pvalue
        remain = np.delete(remain, worst)
    return pvalues


def _mean_of(rows: Sequence[SinglePrecision]) -> SinglePrecision:
    """Of two or more, element by element."""
    total = rows[0] + rows[1]
    for row in rows[2:]:
        total += row
    total /= len(rows)
    return total
