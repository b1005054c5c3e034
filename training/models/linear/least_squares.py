"""Linear models by least squares on named regressors; they differ by data alone."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from training.data.assets import TrainingSet
from training.models.recipe import Fit, Hyperparameters
from volatility.arrays import FloatArray, Scale
from volatility.pairs import Pairs
from volatility.regressor_names import coefficients_of, design_of
from volatility.regressors import LinearPredictor, on_scale

# Fitted values below the lowest hundredth of what was seen count as that: a value near zero, or
# below it, would take all the weight there is.
_FLOOR_QUANTILE = 0.01


class Estimate(NamedTuple):
    """A linear model and what it leaves unexplained."""

    coefficients: FloatArray  # (regressors,) in the order of the design matrix
    intercept: float
    residuals: FloatArray  # (n,)


@dataclass(frozen=True)
class LeastSquares:
    """Rv, or its logarithm, on named regressors.

    Attributes
    ----------
    name : the model's name in the store.
    regressors : see :mod:`volatility.regressor_names`.
    scale : whether rv or its logarithm is regressed, on regressors of the same.
    refit_every : sessions between two fits in a walk-forward evaluation.
    relative : weigh each target by the inverse square of a first pass's fit, so that relative
        errors count; see :func:`relative_weights`.
    hyperparameters : what else was chosen.
    """

    name: str
    regressors: tuple[str, ...]
    scale: Scale
    refit_every: int
    relative: bool = False
    hyperparameters: Hyperparameters = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    compared_with: str | None = None

    @property
    def lookback(self) -> int:
        """Sessions that the longest regressor reaches back."""
        return design_of(self.regressors).lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """What the regressors are made of besides rv."""
        return design_of(self.regressors).columns

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate the coefficients and, in logs, the variance of the residuals."""
        estimate = self.estimate(data.pairs(self.lookback, self.columns))
        slopes = dict(zip(self.regressors, estimate.coefficients.tolist(), strict=True))
        predictor = LinearPredictor(
            scale=self.scale,
            coefficients=coefficients_of(slopes),
            intercept=estimate.intercept,
        )
        degrees = len(estimate.residuals) - len(self.regressors) - 1
        squares = float(estimate.residuals @ estimate.residuals)
        return Fit(predictor, squares / degrees if self.scale == "logs" else 0.0)

    def estimate(self, pairs: Pairs) -> Estimate:
        """Coefficients and (n,) residuals, on :attr:`scale`."""
        design = design_of(self.regressors).build(on_scale(pairs.windows, self.scale))
        targets = np.log(pairs.targets) if self.scale == "logs" else pairs.targets
        first = least_squares(design, targets)
        if not self.relative:
            return first
        return least_squares(design, targets, relative_weights(targets - first.residuals, targets))


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
    the solution of smallest norm.

    Notes
    -----
    .. math:: \min_{\beta_0, \beta} \sum_i w_i (y_i - \beta_0 - x_i' \beta)^2
    """
    with_constant = np.column_stack([np.ones(len(design)), design])
    left, right = with_constant, targets
    if weights is not None:
        roots = np.sqrt(weights)
        left, right = roots[:, None] * left, roots * right
    estimated = np.linalg.lstsq(left, right, rcond=None)[0].astype(np.float64, copy=False)
    return Estimate(estimated[1:], float(estimated[0]), targets - with_constant @ estimated)


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
    floor = float(np.quantile(targets, _FLOOR_QUANTILE))
    return np.asarray(np.maximum(fitted, floor) ** -2.0)
