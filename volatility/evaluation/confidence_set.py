"""The models among which is the best one, at a level.

Losses are (n,) arrays of the same dates in the same order; see `volatility.evaluation.losses`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from volatility.arrays import FloatArray
from volatility.evaluation.losses import check_paired

CONFIDENCE_LEVEL = 0.90
BOOTSTRAP_REPLICATIONS = 2_000  # a p-value near 0.10 is known to 0.007
BOOTSTRAP_SEED = 2011  # the year of the paper; any fixed seed makes the set reproducible


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
    block_size: int | None = None,
    seed: int = BOOTSTRAP_SEED,
) -> ConfidenceSet:
    r"""The smallest set that holds the best model with probability ``level``.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.
    level : between 0 and 1.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.
    replications : bootstrap samples.
    block_size : mean length of a block, in dates; when None the integer part of :math:`\sqrt n`,
        and at least the horizon.
    seed : of the bootstrap. Equal inputs and seeds give equal sets.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates.

    Notes
    -----
    The range statistic: the largest standardized difference of mean losses between any two of
    the models that remain, against its stationary-bootstrap distribution; while equal accuracy
    is rejected, the model with the largest difference leaves. A model's p-value is the largest of
    the tests up to the one after which it left, and 1 for the last model.

    References
    ----------
    Hansen, Lunde & Nason (2011), Econometrica 79(2).
    Politis & Romano (1994), Journal of the American Statistical Association 89(428).
    """
    check_paired(losses)
    names = tuple(losses)
    table = np.column_stack([losses[name] for name in names])  # (n, models)
    means = table.mean(axis=0)
    block_size = block_size or max(math.isqrt(len(table)), horizon)
    deviations = _bootstrap_means(table - means, replications, block_size, seed)
    pvalues = dict(zip(names, _elimination_pvalues(means, deviations), strict=True))
    included = frozenset(name for name in names if pvalues[name] > 1.0 - level)
    return ConfidenceSet(included=included, pvalues=pvalues, level=level)


def _bootstrap_means(
    centred: FloatArray, replications: int, block_size: int, seed: int
) -> FloatArray:
    """Means of stationary-bootstrap samples of (n, models), as (replications, models).

    A sample is a run of blocks with uniform starts and geometric lengths, wrapped round the end,
    so its sum is a sum of differences of the cumulative sum: n / block_size look-ups, not n.
    """
    rng = np.random.default_rng(seed)
    nobs = len(centred)
    rate = 1.0 / block_size
    # Blocks to n dates are 1 + Binomial(n - 1, rate); ten standard deviations more is never short.
    blocks = math.ceil(1 + nobs * rate + 10 * math.sqrt(nobs * rate))
    ends = np.minimum(rng.geometric(rate, size=(replications, blocks)).cumsum(axis=1), nobs)
    ends[:, -1] = nobs
    lengths = np.diff(ends, axis=1, prepend=0)
    starts = rng.integers(nobs, size=(replications, blocks))
    cumulative = np.zeros((2 * nobs + 1, centred.shape[1]))
    np.cumsum(np.concatenate([centred, centred]), axis=0, out=cumulative[1:])
    sums = np.zeros((replications, centred.shape[1]))
    for first, last in zip(starts.T, (starts + lengths).T, strict=True):  # all at once take 60 MB
        sums += cumulative[last] - cumulative[first]
    return sums / nobs


def _elimination_pvalues(means: FloatArray, deviations: FloatArray) -> list[float]:
    """P-value of each of k models, from (k,) mean losses and (replications, k) of bootstrap."""
    differences = means[:, None] - means  # (k, k); the row's loss less the column's
    bootstrap = deviations[:, :, None] - deviations[:, None, :]  # (replications, k, k)
    scale = np.sqrt(np.mean(bootstrap**2, axis=0))
    # Models with equal losses differ by 0 with variance 0: a statistic of 0, not 0 / 0.
    scale = np.maximum(scale, np.finfo(np.float64).tiny)
    differences /= scale
    bootstrap /= scale
    pvalues = [1.0] * len(means)
    pvalue = 0.0
    for _ in range(len(means) - 1):
        worst_by = differences.max(axis=1)
        largest = bootstrap.max(axis=(1, 2))
        pvalue = max(pvalue, float(np.mean(largest >= worst_by.max())))
        worst = int(np.argmax(worst_by))
        pvalues[worst] = pvalue
        for values in (differences, bootstrap):  # it leaves: no maximum will see it again
            values[..., worst, :] = values[..., :, worst] = -np.inf
    return pvalues
