"""Forecasts without estimation: last value, moving average and exponential average of ``rv``.

They stand beside every other model. A model that cannot beat them has learned nothing.
"""

from dataclasses import dataclass

from training.data.assets import TrainingSet
from training.models.recipe import Fit, Hyperparameters
from volatility.regressor_names import coefficients_of, design_of
from volatility.regressors import LinearPredictor

RISKMETRICS_DECAY = 0.94  # daily data; RiskMetrics Technical Document (1996), section 5.3


@dataclass(frozen=True)
class Benchmark:
    """Tomorrow's rv equals one regressor of past rv."""

    name: str
    regressor: str
    refit_every: int
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def lookback(self) -> int:
        """Sessions that the regressor reaches back."""
        return design_of((self.regressor,)).lookback

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The regressor is all there is."""
        return {"regressor": self.regressor}

    def fit(self, data: TrainingSet) -> Fit:  # noqa: ARG002 - the recipe interface
        """Nothing is estimated."""
        return Fit(
            LinearPredictor(scale="levels", coefficients=coefficients_of({self.regressor: 1.0}))
        )


def last_value(refit_every: int) -> Benchmark:
    """Nothing changes: tomorrow is like today."""
    return Benchmark("last_value", "mean_1", refit_every)


def moving_average(refit_every: int) -> Benchmark:
    """The mean of the last 22 sessions."""
    return Benchmark("moving_average", "mean_22", refit_every)


def ewma(refit_every: int) -> Benchmark:
    """The exponentially weighted mean with the decay of RiskMetrics."""
    return Benchmark("ewma", f"ewma_{RISKMETRICS_DECAY}", refit_every)
