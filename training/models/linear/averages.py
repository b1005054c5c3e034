"""Averages of past rv, without estimation: its last value, a moving and an exponential average."""

from dataclasses import dataclass

import numpy as np

from training.config import Config
from training.data.assets import TrainingSet
from training.models.linear.asset_regressors import regressors_of
from training.models.linear.at_once import Predicted, Schedule
from training.models.recipe import Fit, Hyperparameters
from volatility.regressor_names import coefficients_of, design_of
from volatility.regressors import LinearPredictor

RISKMETRICS_DECAY = 0.94  # daily data; RiskMetrics Technical Document (1996), section 5.3


@dataclass(frozen=True)
class Average:
    """The forecast of rv is one regressor of past rv, at every horizon."""

    name: str
    regressor: str
    refit_every: int
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    compared_with: str | None = None

    @property
    def lookback(self) -> int:
        """Sessions that the regressor reaches back."""
        return design_of((self.regressor,)).lookback

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Name of the regressor."""
        return {"regressor": self.regressor}

    def fit(self, data: TrainingSet) -> Fit:  # noqa: ARG002 - the recipe interface
        """Coefficient 1 and intercept 0; nothing is estimated from ``data``."""
        return Fit(
            LinearPredictor(scale="levels", coefficients=coefficients_of({self.regressor: 1.0}))
        )

    def predict_at_once(self, data: TrainingSet, schedule: Schedule) -> Predicted:
        """The average of each row; no fit differs from another."""
        windows = regressors_of(data.target).windows("levels")
        (values,) = windows.design((self.regressor,), schedule.pairs)
        return Predicted(values, np.zeros(len(values)), "levels")


def last_value(config: Config) -> Average:
    """The rv of the last session."""
    return Average("last_value", "mean_1", config.walk_forward.linear_refit_every)


def moving_average(config: Config) -> Average:
    """The mean rv of the last 22 sessions."""
    return Average("moving_average", "mean_22", config.walk_forward.linear_refit_every)


def ewma(config: Config) -> Average:
    """The exponentially weighted mean of rv, with the decay of RiskMetrics."""
    return Average("ewma", f"ewma_{RISKMETRICS_DECAY}", config.walk_forward.linear_refit_every)
