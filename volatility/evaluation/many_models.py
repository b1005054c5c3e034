"""What tests of many models at once share: one resampling of the mean losses of all of them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.evaluation.long_run import bandwidth_for, long_run_covariance
from volatility.evaluation.losses import check_paired

BOOTSTRAP_REPLICATIONS = 120_000  # a p-value of 0.5 is known to 0.0014, one of 0.1 to 0.0009
BOOTSTRAP_SEED = 2011  # the year of the paper; any fixed seed makes results reproducible
# Of losses. Forecasts that agree to 1e-9 have losses that agree to a few times that.
SAME = 1e-8
SinglePrecision = NDArray[np.float32]  # enough for draws, and twice as fast
_TINY = float(np.finfo(np.float32).tiny)  # a scale that divides 0 by no zero


class Resampled(NamedTuple):
    """Mean losses of k models, and how far they might have been from the true ones.

    Attributes
    ----------
    means : (k,) mean losses, less the mean of all of them.
    covariance : (k, k) of the means.
    noise : (k, replications) draws of means less true means.
    share : the kernel's bandwidth over the sample, see `volatility.evaluation.fixed_b`.
    """

    means: FloatArray
    covariance: FloatArray
    noise: SinglePrecision
    share: float


def twins(losses: Mapping[str, FloatArray]) -> Mapping[str, str]:
    """Which model stands for each: the first whose losses are the same on all dates.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.

    Returns
    -------
    By model, itself or an earlier one.
    """
    found: dict[str, str] = {}
    for name, values in losses.items():
        scale = SAME * (np.abs(values) + np.abs(values).mean())
        firsts = dict.fromkeys(found.values())
        same = (it for it in firsts if (np.abs(values - losses[it]) <= scale).all())
        found[name] = next(same, name)
    return found


def resample(
    losses: Mapping[str, FloatArray], horizon: int, replications: int, seed: int
) -> Resampled:
    r"""Draw mean losses as the dependent wild bootstrap does.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.
    replications : draws.
    seed : equal inputs and seeds give equal draws.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates.

    Notes
    -----
    Each date's losses, less their means, are multiplied by a normal variable that is correlated
    with that of other dates as the kernel says. Given the losses, the means so made are normal with
    the covariance of `volatility.evaluation.long_run.long_run_covariance`; they are drawn from it
    directly, which takes the same time whatever the number of dates.

    References
    ----------
    Shao (2010), Journal of the American Statistical Association 105(489).
    """
    check_paired(losses)
    table = np.column_stack(list(losses.values()))  # (n, k)
    table = table - table.mean(axis=1, keepdims=True)  # what is common to all tells nothing
    bandwidth = bandwidth_for(len(table), horizon)
    covariance = long_run_covariance(table, bandwidth) / len(table)
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))).astype(np.float32)
    noise = root @ _normal(len(covariance), replications, seed)
    return Resampled(table.mean(axis=0), covariance, noise, bandwidth / (len(table) - 1))


@lru_cache(maxsize=1)  # the tests of one asset take the same
def _normal(models: int, replications: int, seed: int) -> SinglePrecision:
    return np.random.default_rng(seed).standard_normal((models, replications), dtype=np.float32)


def deviations_of(variances: FloatArray) -> FloatArray:
    """Square roots that a difference may be divided by: equal losses differ by 0, not by 0 / 0."""
    return np.maximum(np.sqrt(np.maximum(variances, 0.0)), _TINY)


def largest(
    noise: Sequence[SinglePrecision],
    less: SinglePrecision,
    scale: FloatArray,
    more: FloatArray | None = None,
) -> SinglePrecision:
    """The largest over models of (noise - less) / scale + more, in each draw.

    Parameters
    ----------
    noise : (k,) rows of (replications,) draws.
    less : (replications,) what is taken from each model's.
    scale, more : (k,) what it is divided by, and what is added then, if anything.

    Returns
    -------
    (replications,) largest values.
    """
    # Model by model, in buffers that stay in the processor's cache: a table of all would not.
    found = np.full(len(less), -np.inf, dtype=np.float32)
    buffer = np.empty_like(found)
    for at, (row, divisor) in enumerate(zip(noise, scale, strict=True)):
        np.subtract(row, less, out=buffer)
        buffer *= np.float32(1.0 / divisor)
        if more is not None:
            buffer += np.float32(more[at])
        np.maximum(found, buffer, out=found)
    return found
