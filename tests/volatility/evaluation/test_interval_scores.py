"""How intervals have held, by hand: bounds that are the same on every date."""

import numpy as np
import pytest

from volatility.evaluation.interval_scores import (
    PROBABILITIES,
    IntervalScores,
    interval_scores,
    score_offsets,
)
from volatility.evaluation.intervals import MINIMUM, rolling_quantiles
from volatility.evaluation.losses import crps_loss, interval_loss

NOBS = 9
FORECAST = np.exp(-9 + 0.1 * np.arange(NOBS))  # the lowest three first
# Errors in logs: inside of both intervals, outside of the inner one, outside of both.
ERRORS = np.array([0.0, 1.5, 0.0, -1.5, 3.0, 0.0, 0.0, 0.0, -3.0])
RV = FORECAST * np.exp(ERRORS)
OFFSETS = np.tile([-1.0, 1.0, -2.0, 2.0, *np.linspace(-2, 2, 20)], (NOBS, 1))
ALL = np.ones(NOBS, dtype=np.bool_)


def test_probabilities_are_those_of_the_bounds_and_of_twenty_equal_parts() -> None:
    assert PROBABILITIES[:4] == pytest.approx((0.1, 0.9, 0.025, 0.975))
    assert PROBABILITIES[4:] == pytest.approx(np.arange(0.025, 1, 0.05))


def test_shares_by_hand() -> None:
    found = score_offsets(RV, FORECAST, ALL, OFFSETS)
    assert found.nobs == 9
    assert found.coverage == pytest.approx({0.8: 5 / 9, 0.95: 7 / 9})
    assert found.coverage_by_tercile[0.8] == pytest.approx((2 / 3, 1 / 3, 2 / 3))
    assert found.coverage_by_tercile[0.95] == pytest.approx((1.0, 2 / 3, 2 / 3))
    assert found.coverage_after_breaks == {}  # too short a series to have one
    log_rv, log_forecast = np.log(RV), np.log(FORECAST)
    for level, width in ((0.8, 1.0), (0.95, 2.0)):
        bounds = np.column_stack([log_forecast - width, log_forecast + width])
        assert found.loss_log[level] == pytest.approx(interval_loss(log_rv, bounds, level))
    quantiles = log_forecast[:, None] + OFFSETS[:, 4:]
    assert found.crps_log == pytest.approx(crps_loss(log_rv, quantiles))


def test_a_date_counts_that_is_scored_and_had_an_interval() -> None:
    offsets = OFFSETS.copy()
    offsets[:2] = np.nan
    scored = np.arange(NOBS) < 7
    found = score_offsets(RV, FORECAST, scored, offsets)
    rows = slice(2, 7)
    assert found == score_offsets(RV[rows], FORECAST[rows], ALL[rows], OFFSETS[rows])
    assert found.nobs == 5
    assert found.coverage[0.8] == pytest.approx(3 / 5)
    nothing = IntervalScores({}, {}, {}, {}, None, 0)
    assert score_offsets(RV, FORECAST, np.arange(NOBS) < 2, offsets) == nothing


def test_sessions_after_a_break_are_scored_by_themselves() -> None:
    """One step of log rv, from which on no interval holds."""
    rng = np.random.default_rng(2)
    log_rv = np.repeat([-9.0, -7.0], 100) + rng.normal(0, 0.01, 200)
    forecast = np.full(200, np.exp(-9.0))
    found = score_offsets(
        np.exp(log_rv), forecast, np.ones(200, np.bool_), np.tile(OFFSETS[0], (200, 1))
    )
    assert found.coverage[0.8] == 0.5
    assert found.coverage_after_breaks[0.8] < found.coverage[0.8]


def test_intervals_are_made_as_they_could_have_been_at_the_time() -> None:
    rng = np.random.default_rng(3)
    nobs = MINIMUM + 60
    forecast = np.full(nobs, 1e-4)
    rv = forecast * np.exp(rng.normal(size=nobs))
    scored = np.arange(nobs) >= MINIMUM + 20
    for horizon in (1, 5):
        offsets = rolling_quantiles(np.log(rv / forecast), PROBABILITIES, horizon)
        found = interval_scores(rv, forecast, scored, horizon)
        assert found.nobs == 40
        assert found == score_offsets(rv, forecast, scored, offsets)
