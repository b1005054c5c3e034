"""Intervals follow outcomes: of the walk-forward up to the fit, of the history after it."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from models_store.calibration import (
    Calibration,
    Multipliers,
    pooled_calibration,
    scaled_calibration,
)
from models_store.forecast import ForecastInput
from models_store.runtime import LoadedModel
from models_store.store import Store
from tests.models_store.artifacts import make_files, make_network_files, make_series
from volatility.errors import UnsupportedQuantile
from volatility.evaluation.intervals import (
    LEVELS,
    MINIMUM,
    WINDOW,
    conformal_offsets,
    ordered_offsets,
    rolling_offsets,
)
from volatility.evaluation.pooled_errors import pool_errors
from volatility.series import DatedSeries, RealizedSeries

LOOKBACK = 22
TRAINED = 400  # sessions of the test artifact; its walk-forward forecasts all but the first 22


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return published(tmp_path_factory.mktemp("store"), make_files())


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return published(tmp_path_factory.mktemp("store"), make_network_files(model="har"))


def published(folder: Path, files: dict[str, bytes]) -> LoadedModel:
    store = Store(folder)
    store.promote("TEST", "har", store.publish(files))
    return store.load("TEST", "har")


def grown(nobs: int, scale: float = 1.0) -> DatedSeries:
    """The training series and ``nobs`` sessions after it, ``scale`` times as volatile."""
    before = make_series()
    after = make_series(TRAINED + nobs, seed=5)
    rv = np.concatenate([before.rv, scale * after.rv[TRAINED:]])
    return DatedSeries(rv, before.measure, after.dates)


def offsets(calibration: Calibration, level: float) -> tuple[float, float]:
    lower, upper, *_ = calibration.multipliers[level]
    return float(np.log(lower)), float(np.log(upper))


def record(model: LoadedModel) -> np.ndarray:
    return np.log(model.track.rv / model.track.forecast)


def test_without_an_outcome_since_the_fit_it_is_what_the_manifest_says(model: LoadedModel) -> None:
    for history in (make_series(), make_series().tail(LOOKBACK)):
        calibration = model.calibrate(history)
        for interval in model.manifest.intervals:
            found = offsets(calibration, interval.level)
            assert found == pytest.approx((interval.lower, interval.upper))
        assert calibration.from_history == 0
        assert calibration.through == date(2021, 2, 3)


@pytest.mark.parametrize("back", [1, 20, 150])
def test_a_replay_has_the_interval_that_the_evaluation_gave_that_day(
    model: LoadedModel, back: int
) -> None:
    dates = make_series().dates
    calibration = model.calibrate(make_series().until(dates[-1 - back]))
    at = len(model.track) - back  # the session after that day
    for level in (0.8, 0.95):
        expected = rolling_offsets(record(model), (level,))[at, 0]
        assert calibration.multipliers[level] == Multipliers.of(tuple(expected))
    assert calibration.from_history == 0
    assert calibration.through == dates[-1 - back].item()


def test_errors_of_several_sessions_are_known_when_the_last_has_closed(model: LoadedModel) -> None:
    dates = make_series().dates
    weekly = replace(model, tracks={1: replace(model.track, horizon=5)})
    calibration = weekly.calibrate(make_series().until(dates[-21]))
    expected = rolling_offsets(record(model), (0.8,), horizon=5)[len(model.track) - 20, 0]
    assert calibration.multipliers[0.8] == Multipliers.of(tuple(expected))


@pytest.mark.parametrize("count", [1, 30, 249, 500, 600])
def test_outcomes_since_the_fit_take_the_place_of_the_oldest(
    model: LoadedModel, count: int
) -> None:
    history = grown(count)
    rows = [history.rv[at - LOOKBACK : at] for at in range(TRAINED, TRAINED + count)]
    forecasts = model.predict_rv({"rv": np.array(rows)}).rv
    own = np.log(history.rv[TRAINED:] / forecasts)[-WINDOW:]
    following = np.concatenate([record(model), own, [0.0]])  # the next date's own does not count
    calibration = model.calibrate(history)
    for level in (0.8, 0.95):
        expected = rolling_offsets(following, (level,))[-1, 0]
        assert offsets(calibration, level) == pytest.approx(tuple(expected), rel=1e-9)
    assert calibration.nobs == min(len(following) - 1, WINDOW)
    assert calibration.from_history == min(count, WINDOW)
    assert calibration.through == history.dates[-1].item()


def test_a_part_of_the_history_tells_the_same(model: LoadedModel) -> None:
    history = grown(60)
    assert model.calibrate(history.tail(60 + LOOKBACK)) == model.calibrate(history)
    assert model.calibrate(history.tail(60)).from_history == 60 - LOOKBACK


def test_a_session_after_a_gap_is_not_an_outcome(model: LoadedModel) -> None:
    history = grown(30)
    gap = np.ones(len(history), dtype=bool)
    gap[TRAINED + 10] = False
    assert model.calibrate(history.part(gap)).from_history == 28


def test_intervals_widen_when_the_market_does(model: LoadedModel) -> None:
    calm, wild = grown(200), grown(200)
    rv = wild.rv.copy()
    rv[TRAINED::2] *= 8
    wild = DatedSeries(rv, wild.measure, wild.dates)
    asked = [
        ForecastInput(calm.tail(LOOKBACK), calibration=model.calibrate(it)) for it in (calm, wild)
    ]
    (narrow, *_), (wide, *_) = (it.intervals for it in model.forecast_batch(asked))
    assert wide.rv[1] / wide.rv[0] > 1.5 * narrow.rv[1] / narrow.rv[0]


def test_a_history_without_dates_may_be_what_was_fitted_on_and_is_not_counted(
    model: LoadedModel,
) -> None:
    rv = make_series(500, seed=9).rv
    assert model.calibrate(RealizedSeries(rv, "garman_klass")) == model.calibrate(make_series())


def test_a_history_before_the_record_is_told_by_all_of_it(model: LoadedModel) -> None:
    early = make_series().until(np.datetime64("2020-03-01"))
    assert model.calibrate(early) == model.calibrate(make_series())
    (warning,) = model.forecast(early).warnings
    assert warning.startswith("intervals are made of errors up to 2021-02-03, after 2020-03-01")
    assert model.forecast(make_series()).warnings == ()


def test_a_network_forecasts_its_past_only_when_it_is_told_to(network: LoadedModel) -> None:
    history = grown(30)
    assert network.calibrate(history).from_history == 30
    assert network.forecast(history).calibration.from_history == 0


def test_a_history_too_short_for_one_outcome_adds_none(model: LoadedModel) -> None:
    history = grown(LOOKBACK).tail(LOOKBACK)
    assert model.calibrate(history).from_history == 0
    assert model.forecast(history).calibration == model.calibrate(make_series())


def test_quantiles_agree_with_intervals(model: LoadedModel) -> None:
    calibration = model.calibrate(grown(60))
    lower, upper, *_ = calibration.multipliers[0.8]
    low, middle, high = calibration.quantiles((0.1, 0.5, 0.9))
    assert (low, high) == (lower, upper)
    assert low < middle < high


@pytest.mark.parametrize(
    ("horizon", "nobs", "said"),
    [
        # The lowest order statistic stands at (1 + (o - 1) / 2) / (n + o), o = (h + 1) / 2.
        (1, 100, "no interval beyond 0.980, which is given for 0.99"),  # 1 / 101
        (1, 199, None),  # 1 / 200, just within
        (1, 198, "no interval beyond 0.990, which is given for 0.99"),
        (22, 500, "no interval beyond 0.976, which is given for 0.98 and 0.99"),  # 6.25 / 511.5
    ],
)
def test_an_interval_that_errors_do_not_tell_is_said_to_be_none(
    horizon: int, nobs: int, said: str | None
) -> None:
    errors = np.sort(np.random.default_rng(3).standard_normal(nobs))
    found = Calibration.of(
        errors, 1.0, LEVELS, nobs=nobs, from_history=0, through=date(2021, 3, 4), horizon=horizon
    )
    assert found.warnings((0.99, 0.5, 0.98, 0.99)) == ([f"past errors tell {said}"] if said else [])
    assert found.warnings((0.8, 0.95)) == []
    widest = found.widest_level
    within = found.quantiles([(1 - widest) / 2, (1 + widest) / 2])
    if said:
        assert within == list(found.multipliers[0.99][:2])


def test_a_forecast_says_which_intervals_are_not_wider(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ForecastInput(grown(60), (0.95, 0.8))
    (before,) = model.forecast_batch([asked])
    monkeypatch.setattr(Calibration, "warnings", lambda _, levels: [f"of {levels}"])
    (after,) = model.forecast_batch([asked])
    assert after.warnings == (*before.warnings, "of (0.95, 0.8)")


def test_a_forecast_has_the_quantiles_asked_for(model: LoadedModel) -> None:
    history = grown(60)
    given = ForecastInput(history, (0.8,), quantiles=(0.1, 0.9))
    (asked,) = model.forecast_batch([given])
    (interval,) = asked.intervals
    assert tuple(it.rv for it in asked.quantiles) == interval.rv
    assert tuple(it.volatility_annualized for it in asked.quantiles) == (
        interval.volatility_annualized
    )
    assert model.forecast(history).quantiles == ()
    with pytest.raises(UnsupportedQuantile, match=r"438 past forecast errors .* at 0\.001"):
        model.check(given._replace(quantiles=(0.5, 0.001)))


def test_without_errors_of_its_own_an_asset_has_those_of_its_class() -> None:
    rng = np.random.default_rng(4)
    pooled = pool_errors([0.5 * rng.standard_normal(300) for _ in range(5)])
    through = date(2021, 3, 4)
    alone = pooled_calibration(pooled, np.empty(0), through)
    assert alone.scale == np.sqrt(pooled.size)
    assert (alone.nobs, alone.from_history, alone.through) == (1500, 0, through)
    assert list(alone.multipliers) == list(LEVELS)
    assert offsets(alone, 0.8) == pytest.approx((-0.64, 0.64), abs=0.05)
    wild = pooled_calibration(pooled, 1.5 * rng.standard_normal(MINIMUM - 1), through)
    assert wild.from_history == MINIMUM - 1
    assert wild.multipliers[0.8].upper > 1.2 * alone.multipliers[0.8].upper
    np.testing.assert_array_equal(wild.ordered, alone.ordered)
    month = pooled_calibration(pooled, np.empty(0), through, horizon=22)
    bounds = month.multipliers[0.8]
    assert month.quantiles((0.1, 0.9)) == [bounds.lower, bounds.upper]
    ranks = pooled.rank_horizon(22)
    expected = ordered_offsets(month.scale * month.ordered, 0.8, ranks)
    assert offsets(month, 0.8) == pytest.approx(expected)


def test_errors_of_ones_own_are_scaled_by_what_was_known_before_the_first() -> None:
    residuals = np.random.default_rng(4).normal(0, 0.4, MINIMUM)
    for start in (0.04, 0.9):
        size, errors = start, []
        for it in residuals:  # at a memory of 44 sessions
            errors.append(it / size**0.5)
            size += (abs(it) - size) / 45
        found = scaled_calibration(residuals, date(2020, 1, 3), 1, start)
        lower, upper = conformal_offsets(np.sort(errors), 0.8)
        expected = (size**0.5 * lower, size**0.5 * upper)
        assert offsets(found, 0.8) == pytest.approx(expected, rel=1e-9)
