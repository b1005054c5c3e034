r"""The heterogeneous autoregressive model of Corsi (2009), in levels and in logs.

.. math:: x_{t+1} = \beta_0 + \beta_d x_t + \beta_w \bar x_t^{(5)} + \beta_m \bar x_t^{(22)}
          + \varepsilon_{t+1}

with x the rv itself (``har``) or its logarithm (``log_har``), by ordinary least squares.
"""

from dataclasses import dataclass

import numpy as np

from models_store.predictors import LinearPredictor, Scale
from training.models.recipe import Fit, Hyperparameters, TrainingSet
from training.pairs import Pairs
from volatility.regressors import build

LAGS = (1, 5, 22)  # a day, a week, a month of sessions
REGRESSORS = tuple(f"mean_{lag}" for lag in LAGS)


@dataclass(frozen=True)
class Har:
    """HAR by ordinary least squares."""

    name: str
    scale: Scale
    refit_every: int
    sources: tuple[str, ...] = ()

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
        predictor, residuals = fit_har(data.target.pairs(self.lookback), self.scale)
        degrees = len(residuals) - len(LAGS) - 1
        variance = float(residuals @ residuals / degrees) if self.scale == "logs" else 0.0
        return Fit(predictor, residual_variance=variance)


def fit_har(pairs: Pairs, scale: Scale) -> tuple[LinearPredictor, np.ndarray]:
    """Least-squares HAR and its (n,) residuals, on ``scale``."""
    move = np.log if scale == "logs" else np.asarray
    design = build(REGRESSORS, move(pairs.windows))  # (n, 3)
    design = np.column_stack([np.ones(len(design)), design])
    targets = move(pairs.targets)
    estimated, *_ = np.linalg.lstsq(design, targets, rcond=None)
    intercept, *slopes = (float(value) for value in estimated)
    predictor = LinearPredictor(
        scale=scale,
        coefficients=dict(zip(REGRESSORS, slopes, strict=True)),
        intercept=intercept,
    )
    return predictor, targets - design @ estimated


def har(refit_every: int) -> Har:
    """HAR in levels of rv."""
    return Har("har", "levels", refit_every)


def log_har(refit_every: int) -> Har:
    """HAR in logs of rv, moved to the mean by half the residual variance."""
    return Har("log_har", "logs", refit_every)
