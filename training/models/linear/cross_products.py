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
    """Means and sums of centred squares and products of each fit's rows, in deviations.

    Fits stand last, so that what is done to all of them is done to contiguous numbers.
    """

    shift: FloatArray  # (k,) of regressors and, last, the target
    unit: FloatArray  # (k,) what a deviation is
    means: FloatArray  # (k, fits)
    products: list[FloatArray]  # (k - i, fits) of the i-th with itself and those behind it


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
    return _solved(_sums(sample, counts), counts, penalty)


def solve_weighted(sample: Sample, counts: Counts, weights: FloatArray) -> Solved:
    r"""Least squares on the first rows of a sample, each fit with weights of its own.

    Parameters
    ----------
    sample : (n, regressors) and (n,).
    counts : (fits,) rows that each fit sees, ascending, the first at least 2.
    weights : (fits, n) positive; those of rows that a fit does not see do not matter.

    Notes
    -----
    .. math:: \min_{\beta_0, \beta} \sum_i w_i (y_i - \beta_0 - x_i' \beta)^2
    """
    scaled, shift, unit = _in_deviations(sample, counts)
    seen = np.arange(scaled.shape[1]) < counts[:, None]
    own = np.where(seen, weights[:, : scaled.shape[1]], 0.0).T  # (n, fits)
    own *= counts / own.sum(axis=0)
    totals = scaled @ own
    means = totals / counts
    products = [
        (row * scaled[at:]) @ own - totals[at] * means[at:] for at, row in enumerate(scaled)
    ]
    return _solved(_Sums(shift, unit, means, products), counts, 0.0)


def _solved(sums: _Sums, counts: Counts, penalty: float) -> Solved:
    *own, total = (row[0].copy() for row in sums.products)
    squares = np.stack(own)
    flat = squares <= _NO_VARIANCE * counts
    roots = np.sqrt(np.where(flat, 1.0, squares))  # a deviation times the root of n
    # A penalty gives a regressor that never moves the coefficient 0.
    added = penalty + np.where(flat, 1.0, 0.0) if penalty else np.zeros(flat.shape)
    system = _system(sums.products, roots, flat, added)
    right = np.stack([row[-1] for row in system])
    found, pivots = _eliminated(system)
    sound = np.asarray((pivots > _LEAST_OWN_SHARE).all(axis=0))
    found = np.where(flat, 0.0, found)
    with np.errstate(invalid="ignore"):  # of fits that are not sound, which are solved alone
        unexplained = total - np.einsum("if,if->f", found, right + penalty * found)
    return Solved(_in_units(found / roots, unexplained, sums, counts), sound)


def _in_deviations(sample: Sample, counts: Counts) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(k, n) regressors and target of all rows that are seen, and shift and unit, (k,) each."""
    values = np.vstack([sample.design.T, sample.targets])[:, : counts[-1]]
    first = values[:, : counts[0]]
    shift, deviation = first.mean(axis=1), first.std(axis=1)
    level = np.where(shift == 0, 1.0, np.abs(shift))
    unit = np.where(deviation > _ROUNDING * level, deviation, level)
    return (values - shift[:, None]) / unit[:, None], shift, unit


def _sums(sample: Sample, counts: Counts) -> _Sums:
    scaled, shift, unit = _in_deviations(sample, counts)
    known, later = scaled[:, : counts[0]], scaled[:, counts[0] :]
    rows = counts - counts[0]  # of the later ones
    running = np.empty((len(scaled), later.shape[1] + 1))
    running[:, 0], running[:, 1:] = known.sum(axis=1), later
    totals = np.cumsum(running, axis=1, out=running)[:, rows]
    means = totals / counts
    # One piece of memory, the upper triangle of which is used: rows of their own would be given
    # back to the system, and fetched from it anew, at every call.
    square = np.empty((len(scaled), len(scaled), len(rows)))
    products = [square[at, at:] for at in range(len(scaled))]
    for at, (row, found) in enumerate(zip(later, products, strict=True)):
        part = running[at:]
        part[:, 0] = known[at:] @ known[at]
        np.multiply(row, later[at:], out=part[:, 1:])
        np.take(np.cumsum(part, axis=1, out=part), rows, axis=1, out=found, mode="clip")
        np.subtract(found, totals[at] * means[at:], out=found)
    return _Sums(shift, unit, means, products)


def _system(
    products: list[FloatArray], roots: FloatArray, flat: BoolArray, added: FloatArray
) -> list[FloatArray]:
    """Correlations of regressors, with what is added to each with itself; and with the target.

    In place of the products; without the row of the target.
    """
    units = 1.0 / roots
    for at, row in enumerate(products[:-1]):
        row[:-1] *= units[at] * units[at:]
        row[-1] = np.where(flat[at], 0.0, row[-1] * units[at])
        row[0] += added[at]
    return products[:-1]


def _eliminated(system: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Gauss's elimination, which overwrites the system: (k, fits) solutions and pivots.

    A pivot is what of a regressor's variance those before it leave. Without one there is no
    solution, but NaN.
    """
    pivots = np.empty((len(system), system[0].shape[1]))
    found = np.empty_like(pivots)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for at, row in enumerate(system):
            pivots[at] = row[0]
            shares = row * (1.0 / pivots[at])
            for behind, below in enumerate(system[at + 1 :], 1):
                np.subtract(below, shares[behind] * row[behind:], out=below)
        for at in reversed(range(len(system))):
            rest = np.einsum("if,if->f", system[at][1:-1], found[at + 1 :])
            found[at] = (system[at][-1] - rest) / pivots[at]
    return found, pivots


def _in_units(
    scaled: FloatArray, unexplained: FloatArray, sums: _Sums, counts: Counts
) -> Coefficients:
    """Coefficients of the values as they came, from those of deviations."""
    slopes = scaled * (sums.unit[-1] / sums.unit[:-1, None])
    means = sums.shift[:, None] + sums.means * sums.unit[:, None]
    intercept = means[-1] - np.einsum("if,if->f", slopes, means[:-1])
    degrees = np.maximum(counts - len(slopes) - 1, 1)
    return Coefficients(slopes.T, intercept, unexplained * sums.unit[-1] ** 2 / degrees)
