"""How the intervals of a panel's models held."""

import numpy as np
import pytest

from training.evaluation.panel.interval_table import interval_table, panel_intervals
from training.evaluation.panel.walk_forward import TrackKey
from volatility.evaluation.interval_scores import interval_scores
from volatility.evaluation.tracks import ForecastTrack


def track(errors, scale=1.0):
    """Forecasts of one, with given log residuals, from 2018 on."""
    dates = np.datetime64("2018-01-01") + np.arange(len(errors) + 1)
    forecast = np.exp(0.1 * np.arange(len(errors)) % 1.0)
    rv = forecast * np.exp(scale * errors)
    return ForecastTrack("m", dates[:-1], dates[1:], forecast, rv, 1)


def test_calm_errors_are_covered_as_often_as_is_said():
    rng = np.random.default_rng(1)
    tracks = {TrackKey(f"A{k}", "m", 1): track(rng.normal(size=900)) for k in range(6)}
    [row] = panel_intervals(tracks)
    assert (row.model, row.horizon, row.assets) == ("m", 1, 6)
    assert row.coverage_80 == pytest.approx(0.8, abs=0.02)
    assert row.coverage_95 == pytest.approx(0.95, abs=0.015)
    assert row.low_80 == pytest.approx(0.8, abs=0.04)
    low, high = row.years_80
    assert low < row.coverage_80 < high
    # A normal variable's CRPS is 1/sqrt(pi); twenty quantiles and errors of 500 miss it a little.
    assert row.crps == pytest.approx(1 / np.sqrt(np.pi), rel=0.05)


def test_errors_that_grow_are_missed_after_they_do():
    rng = np.random.default_rng(2)
    errors = np.concatenate([rng.normal(size=600), 9 + rng.normal(size=60), rng.normal(size=340)])
    [row] = panel_intervals({TrackKey("A", "m", 1): track(errors)})
    assert row.coverage_80 > 0.75
    assert row.breaks_80 < row.coverage_80 - 0.03


def test_worse_forecasts_score_worse():
    errors = np.random.default_rng(3).normal(size=500)
    rows = panel_intervals(
        {TrackKey("A", name, 1): track(errors, size) for name, size in (("a", 1.0), ("b", 2.0))}
    )
    good, bad = rows
    assert (good.model, bad.model) == ("a", "b")
    assert bad.crps > good.crps
    assert bad.loss_80 > good.loss_80
    assert interval_table([bad, good])[2].startswith("| `a` |")


def test_a_model_without_an_interval_has_no_row():
    errors = np.random.default_rng(4).normal(size=100)
    assert panel_intervals({TrackKey("A", "m", 1): track(errors)}) == []


def test_a_year_of_few_sessions_is_not_told():
    errors = np.random.default_rng(5).normal(size=150)  # 50 intervals
    [row] = panel_intervals({TrackKey("A", "m", 1): track(errors)})
    assert row.years_80 is None
    assert "| – |" in interval_table([row])[2]


@pytest.mark.parametrize(("nobs", "is_told"), [(199, False), (200, True)])
def test_a_year_of_a_hundred_intervals_is_told(nobs, is_told):
    """The first hundred errors calibrate only; all days are of 2018."""
    errors = np.random.default_rng(6).normal(size=nobs)
    [row] = panel_intervals({TrackKey("A", "m", 1): track(errors)})
    assert (row.years_80 is not None) is is_told


def test_thirds_are_of_the_forecasts_lowest_to_highest():
    """Errors are large where forecasts are high, so that intervals miss them there."""
    rng = np.random.default_rng(7)
    dates = np.datetime64("2018-01-01") + np.arange(901)
    forecast = np.exp(np.tile([-1.0, 0.0, 1.0], 300))
    rv = forecast * np.exp(np.tile([0.1, 1.0, 4.0], 300) * rng.normal(size=900))
    [row] = panel_intervals(
        {TrackKey("A", "m", 1): ForecastTrack("m", dates[:-1], dates[1:], forecast, rv, 1)}
    )
    assert row.low_80 > 0.99
    assert row.high_80 < 0.7


def test_every_number_is_a_mean_over_assets():
    """Of one that is told by year and breaks, and one that is too short for that."""
    rng = np.random.default_rng(8)
    tracks = [track(rng.normal(size=900)), track(rng.normal(size=120), 2.0)]
    [row] = panel_intervals({TrackKey(f"A{k}", "m", 5): it for k, it in enumerate(tracks)})
    one, two = (
        interval_scores(it.rv, it.forecast, np.ones(len(it), bool), it.horizon) for it in tracks
    )
    mean = {
        "coverage_80": [it.coverage[0.8] for it in (one, two)],
        "coverage_95": [it.coverage[0.95] for it in (one, two)],
        "low_80": [it.coverage_by_tercile[0.8][0] for it in (one, two)],
        "high_80": [it.coverage_by_tercile[0.8][2] for it in (one, two)],
        "loss_80": [it.loss_log[0.8] for it in (one, two)],
        "loss_95": [it.loss_log[0.95] for it in (one, two)],
        "crps": [it.crps_log for it in (one, two)],
        "breaks_80": [
            it.coverage_after_breaks[0.8] for it in (one, two) if it.coverage_after_breaks
        ],
    }
    assert (row.model, row.horizon, row.assets) == ("m", 5, 2)
    assert {name: getattr(row, name) for name in mean} == {
        name: pytest.approx(np.mean(values)) for name, values in mean.items()
    }
