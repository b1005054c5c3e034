r"""The heterogeneous autoregressive model of Corsi (2009), in levels and in logs.

.. math:: x_{t+1} = \beta_0 + \beta_d x_t + \beta_w \bar x_t^{(5)} + \beta_m \bar x_t^{(22)}
          + \varepsilon_{t+1}

with x the rv itself (``har``) or its logarithm (``log_har``), by ordinary least squares.
"""

from dataclasses import dataclass

import numpy as np

from models_store.predictors import LinearPredictor, Scale
from training.models.least_squares import Estimate, least_squares
from training.models.recipe import Fit, Hyperparameters, TrainingSet
from training.pairs import Pairs
from volatility.arrays import FloatArray
from volatility.regressors import trailing_means

LAGS = (1, 5, 22)  # a day, a week, a month of sessions
REGRESSORS = tuple(f"mean_{lag}" for lag in LAGS)


@dataclass(frozen=True)
class Har:
    """HAR by ordinary least squares."""

    name: str
    scale: Scale
    refit_every: int
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def lookback(self) -> int:
        """Sessions that the longest lag reaches back."""
        return max(LAGS)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The lags."""
        return {"lags": LAGS}

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate the four coefficients."""
        predictor, residuals = fit_har(data.pairs(self.lookback, self.columns), self.scale)
        degrees = len(residuals) - len(LAGS) - 1
        variance = float(residuals @ residuals / degrees) if self.scale == "logs" else 0.0
        return Fit(predictor, residual_variance=variance)


def har_least_squares(windows: FloatArray, targets: FloatArray) -> Estimate:
    """HAR by ordinary least squares, on whatever scale the values come.

    Parameters
    ----------
    windows : (n, lookback) values, the last column being the newest; 22 or more of them.
    targets : (n,) the value that follows each window.

    Returns
    -------
    Coefficients of the means over :data:`LAGS`, the intercept, and (n,) residuals.

    Raises
    ------
    HistoryTooShort : windows of fewer than 22 values.
    """
    return least_squares(trailing_means(windows, LAGS), targets)


def fit_har(pairs: Pairs, scale: Scale) -> tuple[LinearPredictor, FloatArray]:
    """Least-squares HAR and its (n,) residuals, on ``scale``."""
    move = np.log if scale == "logs" else np.asarray
    estimate = har_least_squares(move(pairs.windows["rv"]), move(pairs.targets))
    slopes = (float(value) for value in estimate.coefficients)
    predictor = LinearPredictor(
        scale=scale,
        coefficients=dict(zip(REGRESSORS, slopes, strict=True)),
        intercept=estimate.intercept,
    )
    return predictor, estimate.residuals


def har(refit_every: int) -> Har:
    """HAR in levels of rv."""
    return Har("har", "levels", refit_every)


def log_har(refit_every: int) -> Har:
    """HAR in logs of rv, moved to the mean by half the residual variance."""
    return Har("log_har", "logs", refit_every)
