"""Ridge regressions of many rows at several horizons."""

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray

AnyFloat = NDArray[np.float32] | NDArray[np.float64]


def pooled_ridge(regressors: AnyFloat, targets: AnyFloat, penalty: float) -> FloatArray:
    r"""Coefficients of every horizon, (1 + k, horizons), the intercepts first.

    Parameters
    ----------
    regressors : (n, k), standardized.
    targets : (n, horizons); NaN where there is none.
    penalty : of each squared slope, times the number of rows.

    Notes
    -----
    .. math:: \min_{\beta_0, \beta} \sum_i (y_i - \beta_0 - z_i' \beta)^2 + n \lambda \|\beta\|^2
    """
    design = np.column_stack([np.ones(len(regressors), np.float32), regressors])
    coefficients = np.empty((design.shape[1], targets.shape[1]))
    for horizon in range(targets.shape[1]):
        known = ~np.isnan(targets[:, horizon])
        own = design[known].astype(np.float64)
        squares = own.T @ own
        slopes = np.arange(1, len(squares))
        squares[slopes, slopes] += penalty * len(own)
        coefficients[:, horizon] = np.linalg.solve(squares, own.T @ targets[known, horizon])
    return coefficients
