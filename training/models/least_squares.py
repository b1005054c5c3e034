"""Linear models by least squares on named regressors; they differ by data alone."""

from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray


class Estimate(NamedTuple):
    """A linear model and what it leaves unexplained."""

    coefficients: FloatArray  # (regressors,) in the order of the design matrix
    intercept: float
    residuals: FloatArray  # (n,)


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
    estimated, *_ = np.linalg.lstsq(left, right, rcond=None)
    return Estimate(estimated[1:], float(estimated[0]), targets - with_constant @ estimated)
