"""How a model's intervals have held, each made of the errors known at the time."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from volatility.arrays import BoolArray, FloatArray
from volatility.evaluation.breaks import after_breaks
from volatility.evaluation.intervals import rolling_quantiles
from volatility.evaluation.losses import coverage_score, crps_loss, interval_loss

COVERAGE_LEVELS = (0.8, 0.95)
_TAILS = tuple(p for level in COVERAGE_LEVELS for p in ((1 - level) / 2, (1 + level) / 2))
_QUANTILES = 20  # behind the CRPS, at 0.025, 0.075, ..., 0.975: what 100 errors tell
_GRID = tuple((2 * k + 1) / (2 * _QUANTILES) for k in range(_QUANTILES))
PROBABILITIES = (*_TAILS, *_GRID)


class IntervalScores(NamedTuple):
    """Scores by level, and of the whole distribution.

    Attributes
    ----------
    loss_log : interval score of ``log_rv``.
    coverage : share of outcomes inside.
    coverage_by_tercile : the same for the lowest, middle and highest third of the forecasts.
    coverage_after_breaks : the same for the sessions after the largest breaks of ``log_rv``;
        empty where the series is too short to have one.
    crps_log : of ``log_rv``, from 20 quantiles; None without a scored forecast.
    nobs : forecasts scored.
    """

    loss_log: Mapping[float, float]
    coverage: Mapping[float, float]
    coverage_by_tercile: Mapping[float, tuple[float, float, float]]
    coverage_after_breaks: Mapping[float, float]
    crps_log: float | None
    nobs: int


def interval_scores(
    rv: FloatArray, forecast: FloatArray, scored: BoolArray, horizon: int
) -> IntervalScores:
    """Make every interval as it could have been made at the time, and score those asked for.

    Parameters
    ----------
    rv, forecast : (n,) outcomes and forecasts, by target date.
    scored : (n,) which of them count; the others are only calibrated on.
    horizon : sessions ahead.
    """
    since = int(np.argmax(scored))
    offsets = rolling_quantiles(np.log(rv / forecast), PROBABILITIES, horizon, since)
    return score_offsets(rv, forecast, scored, offsets)


def score_offsets(
    rv: FloatArray, forecast: FloatArray, scored: BoolArray, offsets: FloatArray
) -> IntervalScores:
    """Score intervals however they were made.

    Parameters
    ----------
    rv, forecast, scored : as in :func:`interval_scores`.
    offsets : (n, p) of the log forecast at `PROBABILITIES`; NaN where there was no interval.
    """
    known = scored & ~np.isnan(offsets[:, 0])
    if not known.any():
        return IntervalScores({}, {}, {}, {}, None, 0)
    log_rv, log_forecast = np.log(rv[known]), np.log(forecast[known])
    quantiles = log_forecast[:, None] + offsets[known]
    broken = after_breaks(np.log(rv), known)[known]
    bounds = {
        level: quantiles[:, 2 * at : 2 * at + 2]  # (known, 2)
        for at, level in enumerate(COVERAGE_LEVELS)
    }
    return IntervalScores(
        {level: interval_loss(log_rv, bound, level) for level, bound in bounds.items()},
        {level: coverage_score(log_rv, bound) for level, bound in bounds.items()},
        {level: _by_tercile(log_rv, log_forecast, bound) for level, bound in bounds.items()},
        {
            level: coverage_score(log_rv[broken], bound[broken])
            for level, bound in bounds.items()
            if broken.any()
        },
        crps_loss(log_rv, quantiles[:, len(_TAILS) :]),
        int(known.sum()),
    )


def _by_tercile(
    actual: FloatArray, forecast: FloatArray, bounds: FloatArray
) -> tuple[float, float, float]:
    """Coverage where the forecast was among the lowest, middle and highest third."""
    order = np.argsort(forecast, kind="stable")
    low, middle, high = (
        coverage_score(actual[third], bounds[third]) for third in np.array_split(order, 3)
    )
    return low, middle, high
