r"""How far from 0 a mean may be, in standard errors that are themselves estimated.

A kernel that reaches over a share b of the sample estimates the variance of a mean with an error
that does not vanish, and a ratio to it is not normal. Its limit depends on b alone and was
simulated: `fixed_b.json`, made by ``python -m benchmarks.evaluation_tables --fixed-b``.

References
----------
Kiefer & Vogelsang (2005), Econometric Theory 21(6).
"""

import json
import math
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray

_NORMAL = NormalDist()


class _Limit(NamedTuple):
    """Simulated quantiles of the ratio's absolute value."""

    shares: FloatArray  # (b,) of the sample that the kernel reaches over, from 0
    scores: FloatArray  # (z,) two-sided normal quantiles, from 0
    quantiles: FloatArray  # (b, z) the ratio's own quantiles of the same probabilities


def normal_score(statistic: float, share: float) -> float:
    """The normal quantile that is as improbable as a ratio.

    Parameters
    ----------
    statistic : mean over its estimated standard error.
    share : b, the kernel's bandwidth over the number of values; in (0, 1].

    Returns
    -------
    Of the statistic's sign, increasing in the statistic, nearer to 0. Beyond the last simulated
    quantile (p = 6e-5) the last ratio of the two holds on.
    """
    quantiles, scores = _quantiles(share), _limit().scores
    distance = abs(statistic)
    if distance > quantiles[-1]:
        score = distance * float(scores[-1] / quantiles[-1])
    else:
        score = float(np.interp(distance, quantiles, scores))
    return math.copysign(score, statistic)


def two_sided_pvalue(statistic: float, share: float) -> float:
    """Probability of a ratio at least as far from 0."""
    return math.erfc(abs(normal_score(statistic, share)) / math.sqrt(2.0))


def upper_tail(statistic: float, share: float) -> float:
    """Probability of a ratio of at least ``statistic``."""
    return 0.5 * math.erfc(normal_score(statistic, share) / math.sqrt(2.0))


def two_sided_quantile(level: float, share: float) -> float:
    """What a ratio's distance from 0 exceeds with probability ``level``, from 6e-5 to 1."""
    score = _NORMAL.inv_cdf(1.0 - level / 2.0)
    return float(np.interp(score, _limit().scores, _quantiles(share)))


def _quantiles(share: float) -> FloatArray:
    """Quantiles at one share of the sample: a straight line between simulated ones."""
    limit = _limit()
    upper = min(max(int(np.searchsorted(limit.shares, share)), 1), len(limit.shares) - 1)
    low, high = limit.shares[upper - 1], limit.shares[upper]
    weight = (share - low) / (high - low)
    between: FloatArray = (1 - weight) * limit.quantiles[upper - 1] + weight * limit.quantiles[
        upper
    ]
    return between


@cache
def _limit() -> _Limit:
    """The simulated table; where the kernel reaches over nothing, the ratio is normal."""
    content = json.loads(resources.files("volatility.evaluation").joinpath(TABLE).read_bytes())
    scores = np.array([0.0, *content["normal_scores"]])
    ratios = np.array(content["ratios"])  # (b, z) quantile over normal score
    quantiles = np.vstack([scores, np.hstack([np.zeros((len(ratios), 1)), ratios * scores[1:]])])
    return _Limit(np.array([0.0, *content["shares"]]), scores, quantiles)


TABLE = "fixed_b.json"
