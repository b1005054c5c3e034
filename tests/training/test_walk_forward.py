from dataclasses import replace

import numpy as np
import pytest

from tests.training.data import asset_of, make_training_set, small_config
from training.models.recipe import TrainingSet
from training.models.registry import MODELS, recipes
from training.walk_forward import blocks, count_fits, join, walk_forward
from training.workers import worker_pool
from volatility.evaluation import ForecastTrack
from volatility.series import RealizedSeries

CHANGED_AFTER = 450  # sessions; inside the third network block and the walk-forward's middle


def tracks_of(data: TrainingSet) -> dict[str, ForecastTrack]:
    chosen = recipes(list(MODELS), small_config())
    forecasts = list(walk_forward(chosen, data, worker_pool(1)))
    assert len(forecasts) == count_fits(chosen, data)
    return {recipe.name: join(forecasts, recipe.name) for recipe in chosen}


def with_another_future(data: TrainingSet, cut: np.datetime64) -> TrainingSet:
    """The same up to ``cut`` and something else after it, in the target and in the source."""

    def change(series: RealizedSeries) -> RealizedSeries:
        assert series.dates is not None
        factor = np.where(series.dates > cut, 3.7, 1.0)
        return RealizedSeries(series.rv * factor, series.measure, series.dates)

    return replace(
        data,
        target=asset_of("TARGET", change(data.target.series)),
        sources={name: asset_of(name, change(s.series)) for name, s in data.sources.items()},
    )


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return make_training_set(nobs=600)


@pytest.fixture(scope="module")
def tracks(data: TrainingSet) -> dict[str, ForecastTrack]:
    return tracks_of(data)


def test_the_future_changes_no_forecast(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    assert data.target.series.dates is not None
    cut = data.target.series.dates[CHANGED_AFTER]
    changed = tracks_of(with_another_future(data, cut))
    for model, track in tracks.items():
        known = track.as_of <= cut
        assert known.sum() == CHANGED_AFTER - 298  # as of sessions 299 to 450
        assert np.array_equal(changed[model].forecast[known], track.forecast[known]), model
        assert not np.allclose(changed[model].forecast[~known], track.forecast[~known]), model


def test_every_model_forecasts_every_session_of_the_second_half(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    dates, rv = data.target.series.dates, data.target.series.rv
    assert dates is not None
    assert set(tracks) == set(MODELS)
    for track in tracks.values():
        assert np.array_equal(track.target_dates, dates[300:])
        assert np.array_equal(track.as_of, dates[299:-1])
        assert np.array_equal(track.rv, rv[300:])


def test_last_value_is_the_value_of_the_day_before(
    data: TrainingSet, tracks: dict[str, ForecastTrack]
) -> None:
    np.testing.assert_allclose(tracks["last_value"].forecast, data.target.series.rv[299:-1])


def test_fits_are_as_far_apart_as_configured(data: TrainingSet) -> None:
    assert data.target.series.dates is not None
    found = blocks(data, 150)
    assert [block.cut_off for block in found] == [data.target.series.dates[i] for i in (299, 449)]
    assert found[-1].last_target == data.target.series.dates[-1]


def test_a_source_is_cut_where_the_target_is(data: TrainingSet) -> None:
    assert data.target.series.dates is not None
    cut = data.target.series.dates[100]
    known = data.until(cut)
    for series in (known.target.series, known.sources["SOURCE"].series):
        assert series.dates is not None
        assert series.dates[-1] == cut
