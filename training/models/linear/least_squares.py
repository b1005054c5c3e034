"""Linear models by least squares on named regressors; they differ by data alone."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.data.assets import TrainingSet
from training.models.linear.asset_regressors import regressors_of
from training.models.linear.cross_products import Solved, solve, solve_weighted
from training.models.linear.regression import Coefficients, Counts, Regression, Sample
from volatility.arrays import FloatArray

# Fitted values below the lowest hundredth of what was seen count as that: a value near zero, or
# below it, would take all the weight there is.
_FLOOR_QUANTILE = 0.01
_TOGETHER = 64  # fits with weights of their own: a matrix of (fits, n) that is no burden


class Estimate(NamedTuple):
    """A linear model and what it leaves unexplained."""

    coefficients: FloatArray  # (regressors,) in the order of the design matrix
    intercept: float
    residuals: FloatArray  # (n,)


@dataclass(frozen=True)
class LeastSquares(Regression):
    """A regression by least squares, plain, weighted or penalized.

    Attributes
    ----------
    relative : weigh each target by the inverse square of a first pass's fit, so that relative
        errors count; see :func:`relative_weights`.
    penalty : of ridge; see :func:`training.models.linear.cross_products.solve`.
    """

    relative: bool = False
    penalty: float = 0.0

    def coefficients(self, sample: Sample) -> Coefficients:
        """Those of one fit, and in logs the variance of its residuals."""
        if self.penalty:
            every = np.array([len(sample.targets)])
            return solve(sample, every, self.penalty).coefficients.at(0)
        estimate = self._estimate(sample)
        residuals = estimate.residuals
        degrees = max(len(residuals) - len(self.regressors) - 1, 1)
        variance = residuals @ residuals / degrees if self.scale == "logs" else 0.0
        return Coefficients(
            estimate.coefficients, np.asarray(estimate.intercept), np.asarray(variance)
        )

    def coefficients_each(self, sample: Sample, counts: Counts) -> Coefficients:
        """Those of one fit for each count of rows, from cross-products where they can be.

        Fits that cross-products do not tell precisely enough are made one by one.
        """
        found, sound = solve(sample, counts, self.penalty)
        if self.relative:
            found, sound = _weighted_each(sample, counts, Solved(found, sound))
        if self.scale == "levels":
            found = found._replace(residual_variance=np.zeros(len(counts)))
        for at in np.flatnonzero(~sound):
            alone = self.coefficients(sample.first(counts[at]))
            for part, value in zip(found, alone, strict=True):
                part[at] = value
        return found

    def estimate(self, data: TrainingSet) -> Estimate:
        """Coefficients and (n,) residuals, on :attr:`scale`, without a penalty."""
        return self._estimate(self.sample(regressors_of(data.target), data.horizon))

    def _estimate(self, sample: Sample) -> Estimate:
        design, targets = sample
        first = least_squares(design, targets)
        if not self.relative:
            return first
        return least_squares(design, targets, relative_weights(targets - first.residuals, targets))


def _weighted_each(sample: Sample, counts: Counts, first: Solved) -> Solved:
    """Second passes, with weights by the first."""
    parts = []
    for start in range(0, len(counts), _TOGETHER):
        those = slice(start, start + _TOGETHER)
        slopes, intercept, _ = first.coefficients.at(those)
        fitted = slopes @ sample.design.T + intercept[:, None]  # (fits, n)
        floors = np.array([_floor(sample.targets[:count]) for count in counts[those]])
        parts.append(solve_weighted(sample, counts[those], _weights(fitted, floors[:, None])))
    found, sound = zip(*parts, strict=True)
    together = Coefficients(*map(np.concatenate, zip(*found, strict=True)))
    return Solved(together, first.sound & np.concatenate(sound))


def least_squares(
    design: FloatArray, targets: FloatArray, weights: FloatArray | None = None
) -> Estimate:
    r"""Coefficients that minimize the sum of weighted squared residuals.

    Parameters
    ----------
    design : (n, regressors), without the constant.
    targets : (n,).
    weights : (n,) positive; None for equal ones.

    Returns
    -------
    The estimate. Regressors that the sample cannot tell apart (one that is always zero, say) get
    the solution of smallest norm, in units of their own size. What the sample can tell apart does
    not depend on units: a quarticity beside a constant is a rounding error to an algorithm that
    compares them.

    Notes
    -----
    .. math:: \min_{\beta_0, \beta} \sum_i w_i (y_i - \beta_0 - x_i' \beta)^2
    """
    with_constant = np.column_stack([np.ones(len(design)), design])
    left, right = with_constant, targets
    if weights is not None:
        roots = np.sqrt(weights)
        left, right = roots[:, None] * left, roots * right
    sizes = column_sizes(left)
    scaled = np.linalg.lstsq(left / sizes, right, rcond=None)[0]
    estimated = (scaled / sizes).astype(np.float64, copy=False)
    return Estimate(estimated[1:], float(estimated[0]), targets - with_constant @ estimated)


def column_sizes(rows: FloatArray) -> FloatArray:
    """(k,) Euclidean norms of the columns of (n, k) rows; 1 of a column of zeros."""
    norms = np.sqrt(np.einsum("nk,nk->k", rows, rows))
    return np.where(norms > 0, norms, 1.0)


def relative_weights(fitted: FloatArray, targets: FloatArray) -> FloatArray:
    r"""Weights under which errors count relative to what was expected.

    Parameters
    ----------
    fitted : (n,) rv by a first pass; may be negative.
    targets : (n,) rv.

    Returns
    -------
    (n,) positive weights.

    Notes
    -----
    .. math:: w_i = \max(\hat y_i, q)^{-2}

    with q the 1 % quantile of the targets. The deviation of rv is about proportional to its mean,
    so these are nearly the efficient weights.

    References
    ----------
    Patton & Sheppard (2015), Review of Economics and Statistics 97(3), and Clements & Preve (2021),
    Journal of Banking & Finance 133, who weigh HAR by a first pass too.
    """
    return _weights(fitted, _floor(targets))


def _floor(targets: FloatArray) -> float:
    return float(np.quantile(targets, _FLOOR_QUANTILE))


def _weights(fitted: FloatArray, floor: FloatArray | float) -> FloatArray:
    return np.asarray(np.maximum(fitted, floor) ** -2.0)
