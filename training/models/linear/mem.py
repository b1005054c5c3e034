r"""A multiplicative error model: the log of *mean* rv on the regressors of ``hexp``.

.. math:: RV_{t+1} e^{-s_{t+1}} = \mu_t \varepsilon_{t+1}, \quad
          \log \mu_t = \beta_0 + x_t' \beta, \quad E[\varepsilon_{t+1}] = 1

Estimated by the likelihood of a Gamma distribution, which minimizes QLIKE whatever the distribution
of the errors is:

.. math:: \min_{\beta_0, \beta} \sum_t \left( \frac{y_t}{\mu_t} + \log \mu_t \right)

The function is convex, so that Newton's method with halved steps ends in its minimum from wherever
it starts. What is modelled is the mean itself, so forecasts are not moved.

In it a target counts by its ratio to what was expected, and one flash crash of a hundred times that
as much as a hundred days: it would lift all forecasts of the years after it. So targets count as at
most six times what least squares in logs expect of them. Engle & Gallo (2006), Journal of
Econometrics 131(1-2).
"""

from dataclasses import dataclass

import numpy as np

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.hexp import on_exponential_means
from training.models.linear.least_squares import LeastSquares
from training.models.linear.regression import Coefficients, Counts, Regression, Sample
from volatility.arrays import FloatArray

CAP = 6.0  # fixed on the third quarter of 53 assets; see docs/decisions/0027
_MAX_STEPS = 1_000  # five are usual; a start in another world takes hundreds
_FLAT = 1e-10  # largest entry of the gradient of mean QLIKE at the minimum, in deviations
_MAX_MOVE = 2.0  # of any fitted log in one step
_SUFFICIENT = 1e-4  # of the decrease that the slope promises; Armijo (1966)
# Of a full step: a decrease that rounding hides in the mean, where Newton's steps are safe.
_NEARLY_THERE = 1e-12
# Added to the mean curvature, which is near 1, along each deviation: without it regressors that the
# sample cannot tell apart would have no step.
_RIDGE = 1e-10


@dataclass(frozen=True)
class GammaRegression(Regression):
    """A regression of the log of mean rv, by QLIKE. Its scale is "logs".

    Attributes
    ----------
    cap : how many times what was expected a target counts as at most.
    """

    cap: float = CAP

    def coefficients(self, sample: Sample) -> Coefficients:
        """Those of one fit; there is no variance to move the mean by."""
        return self.coefficients_each(sample, np.array([len(sample.targets)])).at(0)

    def coefficients_each(self, sample: Sample, counts: Counts) -> Coefficients:
        """Those of one fit for each count of rows, each from where the one before it ended."""
        first = self._first_pass.coefficients_each(sample, counts)
        start = np.append(first.intercept[0], first.slopes[0])
        found = []
        for at, count in enumerate(counts):
            known, expected = sample.first(count), first.at(at)
            log_mean = expected.intercept + known.design @ expected.slopes
            most = log_mean + 0.5 * expected.residual_variance + np.log(self.cap)
            targets = np.exp(np.minimum(known.targets, most))
            start = gamma_regression(known.design, targets, start)
            found.append(start)
        each = np.stack(found)
        return Coefficients(each[:, 1:], each[:, 0], np.zeros(len(counts)))

    @property
    def _first_pass(self) -> LeastSquares:
        return LeastSquares(self.name, self.regressors, "logs", self.refit_every)


def gamma_regression(design: FloatArray, targets: FloatArray, start: FloatArray) -> FloatArray:
    r"""Coefficients of a log-linear mean that minimize QLIKE.

    Parameters
    ----------
    design : (n, regressors), without the constant.
    targets : (n,) positive.
    start : (1 + regressors,) coefficients to start from.

    Returns
    -------
    (1 + regressors,) the intercept first.

    Notes
    -----
    With :math:`\eta_t = \beta_0 + x_t' \beta` the gradient of the mean is
    :math:`-\frac{1}{n} \sum_t x_t (y_t e^{-\eta_t} - 1)` and the Hessian
    :math:`\frac{1}{n} \sum_t x_t x_t' y_t e^{-\eta_t}`. A step that would move any
    :math:`\eta_t` by more than 2 is shortened, and halved until the mean falls by enough.
    """
    shift, unit = design.mean(axis=0), design.std(axis=0)
    unit = np.where(unit > 0, unit, 1.0)
    rows = np.column_stack([np.ones(len(design)), (design - shift) / unit])
    moved = np.concatenate([[start[0] + start[1:] @ shift], start[1:] * unit])
    # The best constant: from here on the mean of targets over fitted values is 1.
    moved[0] += np.log(np.mean(targets * np.exp(-rows @ moved)))
    found = _minimum(rows, targets, moved)
    slopes = found[1:] / unit
    return np.concatenate([[found[0] - slopes @ shift], slopes])


def _minimum(rows: FloatArray, targets: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Where mean QLIKE is lowest, by damped Newton steps; (k,)."""
    log_mean = rows @ coefficients
    ratios = targets * np.exp(-log_mean)
    for _ in range(_MAX_STEPS):
        downhill = rows.T @ (ratios - 1.0) / len(rows)
        if np.abs(downhill).max() < _FLAT:
            break
        curvature = (rows * ratios[:, None]).T @ rows / len(rows)
        step = np.linalg.solve(curvature + _RIDGE * np.eye(len(curvature)), downhill)
        move, promised = rows @ step, float(downhill @ step)
        share = min(1.0, _MAX_MOVE / np.abs(move).max())
        before = np.mean(ratios + log_mean)
        while True:
            tried = targets * np.exp(-(log_mean + share * move))
            fallen = before - np.mean(tried + log_mean + share * move)
            if promised < _NEARLY_THERE or fallen >= _SUFFICIENT * share * promised:
                break
            share /= 2
        coefficients, log_mean, ratios = coefficients + share * step, log_mean + share * move, tried
    return coefficients


def mem(config: Config) -> CalendarAdjusted:
    """Exponential means, leverage and the night, by QLIKE."""
    return on_exponential_means(
        GammaRegression, "mem", config, {"loss": "qlike", "target_cap": CAP}
    )
