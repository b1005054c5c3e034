r"""Many least-squares fits of one growing sample, from cumulated cross-products.

Each fit sees the oldest rows, as many as are known by then. The sums that its normal equations are
made of are running sums, so that a fit costs no more than a few small matrices, however long its
sample. Values are centred and scaled by the rows of the first fit, which all others see too: sums
of squares of values near one lose few digits, and what comes later changes nothing earlier.
"""

from typing import NamedTuple

import numpy as np

from training.models.linear.regression import Coefficients, Counts, Sample
from volatility.arrays import BoolArray, FloatArray

# Of a regressor's variance: how much the ones before it must leave unexplained. Below that,
# normal equations lose ten digits of sixteen.
_LEAST_OWN_SHARE = 1e-6
_NO_VARIANCE = 1e-20  # in squares of a unit: rounding, no more
_ROUNDING = 1e-12  # deviation, of a mean, of what does not move


class Solved(NamedTuple):
    """The fits, and which of them are to be trusted."""

    coefficients: Coefficients  # (fits, …); in logs and in levels, the variance of residuals
    sound: BoolArray  # (fits,) False where regressors cannot be told apart well enough


class _Sums(NamedTuple):
    """Means and sums of centred squares and products of each fit's rows, in deviations."""

    shift: FloatArray  # (k,) of regressors and, last, the target
    unit: FloatArray  # (k,) what a deviation is
    means: FloatArray  # (fits, k)
    products: FloatArray  # (fits, k, k)


def solve(sample: Sample, counts: Counts, penalty: float = 0.0) -> Solved:
    r"""Least squares, or ridge, on the first rows of a sample, for each of several counts of them.

    Parameters
    ----------
    sample : (n, regressors) and (n,).
    counts : (fits,) rows that each fit sees, ascending, the first at least 2.
    penalty : of ridge, 0 for least squares.

    Notes
    -----
    .. math:: \min_{\beta_0, \beta} \sum_i (y_i - \beta_0 - x_i' \beta)^2
              + \lambda n \sum_j s_j^2 \beta_j^2

    with the deviation :math:`s_j` of a regressor over the same n rows: the penalty does not depend
    on units. The residual variance is that of the n residuals, less one degree of freedom a
    coefficient.
    """
    sums = _sums(sample, counts)
    design, with_target = sums.products[:, :-1, :-1], sums.products[:, :-1, -1]
    squares = np.einsum("bii->bi", design)
    flat = squares <= _NO_VARIANCE * counts[:, None]
    roots = np.sqrt(np.where(flat, 1.0, squares))  # a deviation times the root of n
    correlations = design / (roots[:, :, None] * roots[:, None, :])
    # A penalty gives a regressor that never moves the coefficient 0.
    added = penalty + np.where(flat, 1.0, 0.0) if penalty else np.zeros(flat.shape)
    system = correlations + np.eye(design.shape[1]) * added[:, None, :]
    right = np.where(flat, 0.0, with_target / roots)
    sound = _told_apart(system)
    system[~sound] = np.eye(design.shape[1])
    scaled = np.where(flat, 0.0, np.linalg.solve(system, right[..., None])[..., 0] / roots)
    unexplained = (
        sums.products[:, -1, -1]
        - 2 * np.einsum("bi,bi->b", scaled, with_target)
        + np.einsum("bi,bij,bj->b", scaled, design, scaled)
    )
    return Solved(_in_units(scaled, unexplained, sums, counts), sound)


def _sums(sample: Sample, counts: Counts) -> _Sums:
    values = np.column_stack(sample)
    first = values[: counts[0]]
    shift, deviation = first.mean(axis=0), first.std(axis=0)
    level = np.where(shift == 0, 1.0, np.abs(shift))
    unit = np.where(deviation > _ROUNDING * level, deviation, level)
    scaled = (values[: counts[-1]] - shift) / unit
    rows = counts - 1
    totals = np.cumsum(scaled, axis=0)[rows]
    products = np.cumsum(scaled[:, :, None] * scaled[:, None, :], axis=0)[rows]
    means = totals / counts[:, None]
    return _Sums(shift, unit, means, products - totals[:, :, None] * means[:, None, :])


def _told_apart(system: FloatArray) -> BoolArray:
    """Which of (fits, k, k) matrices of correlations are well enough conditioned; (fits,)."""
    try:
        own = np.einsum("bii->bi", np.linalg.cholesky(system))
    except np.linalg.LinAlgError:  # numpy does not say of which
        return np.zeros(len(system), dtype=np.bool_)
    return np.asarray((np.square(own) > _LEAST_OWN_SHARE).all(axis=1))


def _in_units(
    scaled: FloatArray, unexplained: FloatArray, sums: _Sums, counts: Counts
) -> Coefficients:
    """Coefficients of the values as they came, from those of deviations."""
    slopes = scaled * sums.unit[-1] / sums.unit[:-1]
    means = sums.shift + sums.means * sums.unit
    intercept = means[:, -1] - np.einsum("bi,bi->b", slopes, means[:, :-1])
    degrees = np.maximum(counts - slopes.shape[1] - 1, 1)
    return Coefficients(slopes, intercept, unexplained * sums.unit[-1] ** 2 / degrees)
