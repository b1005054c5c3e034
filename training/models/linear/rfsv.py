r"""The rough-volatility predictor of Gatheral, Jaisson & Rosenbaum (2018).

If log volatility is a fractional Brownian motion of Hurst exponent H below one half, its forecast
is a weighted mean of its past,

.. math:: E[\log RV_{t+h} \mid \mathcal F_t] = \sum_{i=0}^{N-1} w_i(H, h) \log RV_{t-i}

with the weights of :func:`volatility.filters.rough_kernel`. One number is estimated, H, by the
variogram of log volatility over lags 1 to 20 on the fitting sample. Measurement noise lowers it,
and should: the weights are those of what is measured. Quantitative Finance 18(6).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from training.config import Config
from training.data.assets import TrainingSet
from training.models.linear.asset_regressors import regressors_of
from training.models.linear.at_once import Predicted, Schedule, counts_known
from training.models.recipe import Fit, Hyperparameters
from volatility.filters import rough_kernel, windows
from volatility.hurst.estimate import ScalingFit, check_path
from volatility.hurst.variogram import (
    fit_power_law,
    running_mean_squared_differences,
    variogram_fit,
)
from volatility.regressors import Design, LinearPredictor, RoughForecast, on_scale
from volatility.series import DatedSeries, RealizedSeries

WINDOW = 100  # sessions; before them lies 3 % of the weight at H = 0.1
HURST_RANGE = (0.01, 0.49)  # inside where the predictor is defined


@dataclass(frozen=True)
class Rfsv:
    """Forecast of a fractional Brownian motion with the exponent of the sample."""

    refit_every: int
    name: str = "rfsv"
    lookback: int = WINDOW
    columns: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    compared_with: str | None = None

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Sessions of the window."""
        return {"window": self.lookback}

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate the Hurst exponent, then the mean and variance of the errors it leaves.

        Over several sessions the forecast is the mean of those of each. The mean error, nearly zero
        one session ahead, makes up for the log of a mean being above the mean of logs.

        Raises
        ------
        HistoryTooShort, ConstantSeries : log volatility has no Hurst exponent.
        """
        hurst = hurst_exponent(data.target.series)
        ahead = range(1, data.horizon + 1)
        regressors = [RoughForecast(hurst, self.lookback, sessions) for sessions in ahead]
        pairs = data.pairs(self.lookback)
        forecasts = Design(tuple(regressors)).build(on_scale(pairs.windows, "logs")).mean(axis=1)
        errors = np.log(pairs.targets) - forecasts
        predictor = LinearPredictor(
            scale="logs",
            coefficients=dict.fromkeys(regressors, 1 / data.horizon),
            intercept=float(errors.mean()),
        )
        return Fit(predictor, float(errors.var(ddof=1)), learned={"hurst": hurst})

    def predict_at_once(self, data: TrainingSet, schedule: Schedule) -> Predicted:
        """As the fits of a walk-forward, on windows that all of them share."""
        asset, horizon = data.target, data.horizon
        learned = regressors_of(asset).rows(self.lookback, horizon)
        counts = counts_known(asset, learned, horizon, schedule.known)
        log_targets = np.log(learned.targets)
        log_rv = windows(asset.series.log_rv, self.lookback)
        of_learned, of_rows = (
            np.searchsorted(asset.series.dates, it.as_of) - (self.lookback - 1)
            for it in (learned, schedule.pairs)
        )
        kernels = [
            rough_kernel(hurst, self.lookback, 1 + np.arange(horizon)).mean(axis=0)
            for hurst in _exponents(asset.series, tuple(schedule.known.tolist()))
        ]
        values, variance = np.empty(len(of_rows)), np.empty(len(of_rows))
        for fit, (kernel, count) in enumerate(zip(kernels, counts, strict=True)):
            own = schedule.fit_of == fit
            forecasts = log_rv @ kernel
            errors = (log_targets - forecasts[of_learned])[:count]
            values[own] = forecasts[of_rows[own]] + errors.mean()
            variance[own] = errors.var(ddof=1)
        return Predicted(values, variance, "logs")


def hurst_exponent(series: RealizedSeries) -> float:
    """Exponent of log volatility by the variogram, inside :data:`HURST_RANGE`."""
    return _inside(variogram_fit(check_path(np.log(series.volatility))))


@lru_cache(maxsize=4)  # a walk-forward's fits, which horizons share
def _exponents(series: DatedSeries, known: tuple[int, ...]) -> list[float]:
    """:func:`hurst_exponent` of so many oldest sessions each, ascending, up to rounding."""
    path = np.log(series.volatility)
    check_path(path[: known[0]])
    found = running_mean_squared_differences(path, np.array(known))
    return [_inside(fit_power_law(values, noise=0.0)) for values in found]


def _inside(fit: ScalingFit) -> float:
    low, high = HURST_RANGE
    return min(max(fit.hurst, low), high)


def rfsv(config: Config) -> Rfsv:
    """The rough-volatility predictor, from the last 100 sessions."""
    return Rfsv(config.walk_forward.linear_refit_every)
