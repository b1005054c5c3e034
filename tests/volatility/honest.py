"""Forecasts made by the book, from data up to the day before: the ground truth of timing tests."""

import numpy as np

from volatility.arrays import FloatArray
from volatility.filters import windows
from volatility.regressor_names import design_of

WARM_UP = 75  # the longest window: EWMA with decay 0.94


def horizon_means(rv: FloatArray, horizon: int) -> FloatArray:
    """What forecasts of ``horizon`` sessions are scored by: the mean from rv[WARM_UP:] on."""
    return windows(rv[WARM_UP:], horizon).mean(axis=-1)


def honest_forecasts(rv: FloatArray, horizon: int = 1) -> dict[str, FloatArray]:
    """Forecasts of :func:`horizon_means`, by model."""
    target = horizon_means(rv, horizon)
    history = windows(rv[:-horizon], WARM_UP)
    return {
        "last_value": history[:, -1].copy(),
        "moving_average": design_of(("mean_22",)).build({"rv": history})[:, 0],
        "ewma": design_of(("ewma_0.94",)).build({"rv": history})[:, 0],
        "har": np.maximum(_fitted(history, target), target.min()),
        "log_har": np.exp(_fitted(np.log(history), np.log(target))),
    }


def _fitted(history: FloatArray, target: FloatArray) -> FloatArray:
    """Fitted values of a HAR regression; the timing of their news is what matters here."""
    regressors = design_of(("mean_1", "mean_5", "mean_22")).build({"rv": history})
    design = np.column_stack([np.ones(len(target)), regressors])
    return design @ np.linalg.lstsq(design, target, rcond=None)[0]
