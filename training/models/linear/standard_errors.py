r"""Standard errors of a regression whose errors are dependent and of changing size.

.. math:: \widehat V = \frac{n}{n - k} (X'X)^{-1} \Bigl(\Gamma_0 + \sum_{l=1}^{L}
          \bigl(1 - \tfrac{l}{L + 1}\bigr) (\Gamma_l + \Gamma_l') \Bigr) (X'X)^{-1}, \quad
          \Gamma_l = \sum_{t > l} x_t e_t e_{t-l} x_{t-l}'

Targets of several sessions overlap, so that errors are correlated over the horizon less one at
least; the lags are those that tests of forecasts are made with. With so many of them t is not
normal: its distribution is that of the tests, by the share of the sample that the kernel reaches
over.

References
----------
Newey & West (1987), Econometrica 55(3). Kiefer & Vogelsang (2005), Econometric Theory 21(6).
"""

from typing import NamedTuple

import numpy as np

from training.data.assets import TrainingSet
from training.models.calendar_adjusted import CalendarAdjusted, WithoutCalendar
from training.models.linear.asset_regressors import regressors_of
from training.models.linear.least_squares import LeastSquares, column_sizes, relative_weights
from training.models.recipe import Recipe
from volatility.arrays import FloatArray
from volatility.evaluation import fixed_b
from volatility.evaluation.long_run import bandwidth_for


class Precision(NamedTuple):
    """How well a regression fits, and how precise its coefficients are.

    Attributes
    ----------
    standard_errors : (1 + regressors,) the constant's first.
    t : (1 + regressors,) coefficients over their standard errors.
    pvalues : (1 + regressors,) of zero, two-sided; see :mod:`volatility.evaluation.fixed_b`.
    critical : standard errors to each side of a coefficient in an interval of 95 %.
    r_squared : in sample, by the weights of the fit.
    nobs : rows.
    lags : autocovariances that count.
    """

    standard_errors: FloatArray
    t: FloatArray
    pvalues: FloatArray
    critical: float
    r_squared: float
    nobs: int
    lags: int


def newey_west(rows: FloatArray, residuals: FloatArray, lags: int) -> FloatArray:
    """Covariance of coefficients of least squares.

    Parameters
    ----------
    rows : (n, k) regressors in order of time, the constant among them.
    residuals : (n,).
    lags : autocovariances that count, below n.

    Returns
    -------
    (k, k).
    """
    nobs, count = rows.shape
    sizes = column_sizes(rows)  # the inverse would leave out a column that is small beside others
    rows = rows / sizes
    scores = rows * residuals[:, None]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        product = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (product + product.T)
    bread = np.linalg.pinv(rows.T @ rows)
    covariance: FloatArray = bread @ middle @ bread * (nobs / (nobs - count))
    return covariance / np.outer(sizes, sizes)


def precision_of(recipe: Recipe, data: TrainingSet) -> Precision | None:
    """How precise a recipe's coefficients are on all of the data; None where it is not told.

    It is told of least squares, plain or weighted. A penalty, or a likelihood, makes other errors.

    Parameters
    ----------
    recipe : a linear model's, adapted to the data's columns.
    data : what it is fitted on.
    """
    target = data.target
    if isinstance(recipe, CalendarAdjusted):
        recipe, target = recipe.inner, WithoutCalendar.of(target).asset
    if not isinstance(recipe, LeastSquares) or recipe.penalty:
        return None
    design, targets = recipe.sample(regressors_of(target), data.horizon)
    estimate = recipe.estimate(TrainingSet(target, {}, data.seed, data.horizon))
    roots = np.ones(len(targets))
    if recipe.relative:
        first = LeastSquares(recipe.name, recipe.regressors, recipe.scale, recipe.refit_every)
        before = first.estimate(TrainingSet(target, {}, data.seed, data.horizon))
        roots = np.sqrt(relative_weights(targets - before.residuals, targets))
    rows = roots[:, None] * np.column_stack([np.ones(len(design)), design])
    residuals = roots * estimate.residuals
    bandwidth = bandwidth_for(len(rows), data.horizon)
    lags, share = bandwidth - 1, bandwidth / len(rows)
    errors = np.sqrt(np.diag(newey_west(rows, residuals, lags)))
    t = np.append(estimate.intercept, estimate.coefficients) / errors
    centre = np.average(targets, weights=roots**2)
    return Precision(
        standard_errors=errors,
        t=t,
        pvalues=np.array([fixed_b.two_sided_pvalue(it, share) for it in t]),
        critical=fixed_b.two_sided_quantile(0.05, share),
        r_squared=float(1 - residuals @ residuals / np.sum((roots * (targets - centre)) ** 2)),
        nobs=len(rows),
        lags=lags,
    )
