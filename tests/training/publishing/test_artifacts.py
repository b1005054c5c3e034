"""From data with columns to a served forecast, through every step between."""

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

from models_store.errors import ArtifactRefused
from models_store.manifest import Manifest
from models_store.shelf import Shelf
from models_store.store import Store
from tests.models_store.artifacts import opened
from tests.training.simulated import make_intraday_asset
from training.data.assets import TrainingSet
from training.evaluation.study import Study, parts_of
from training.evaluation.walk_forward import tracks_of, walk_forward
from training.evaluation.workers import worker_pool
from training.fitting_history import FittingHistory
from training.models.linear.har import REGRESSORS
from training.models.linear.least_squares import LeastSquares
from training.publishing.artifacts import (
    PROTOCOL,
    FittedModel,
    calibrate,
    fit_and_export,
    to_files,
)
from volatility.evaluation import losses
from volatility.evaluation.intervals import LEVELS, rolling_offsets
from volatility.evaluation.losses import qlike_loss
from volatility.evaluation.tracks import ForecastTrack

COLUMNS = ("negative_semivariance", "return")
RECIPE = LeastSquares(
    "leverage",
    (*REGRESSORS, "negative_mean_1:return", "mean_1:negative_semivariance"),
    "levels",
    refit_every=100,
    hyperparameters={},
)


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return TrainingSet(make_intraday_asset(), {}, seed=3)


@pytest.fixture(scope="module")
def fitted(data: TrainingSet) -> FittedModel:
    return fit_and_export(RECIPE, data)


def files_of(fitted: FittedModel, data: TrainingSet) -> dict[str, bytes]:
    study = Study(data, (fitted.recipe,))
    track = tracks_of(study, walk_forward([study], worker_pool(1)))[fitted.recipe.name]
    return to_files(fitted, data, {data.horizon: track}, parts_of(data))


def test_a_model_of_several_columns_serves_what_was_fitted(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.promote("TARGET", "leverage", store.publish(files_of(fitted, data)))
    model = opened(Shelf(store), "TARGET", "leverage")
    assert model.manifest.columns == COLUMNS
    series = data.target.series
    medians = [np.median(series.rv[at : at + 22]) for at in range(len(series) - 21)]
    assert model.manifest.rv_medians == (min(medians), max(medians))
    windows = {
        name: values[None, -22:] for name, values in {"rv": series.rv, **series.columns}.items()
    }
    (expected,) = fitted.fit.predictor.predict(windows).values
    assert model.forecast(series).rv == pytest.approx(expected, rel=1e-12)
    assert model.forecast(series.tail(22)) == model.forecast(series)


def test_a_manifest_says_what_was_fitted_on_what_and_how_it_did(
    fitted: FittedModel, data: TrainingSet
) -> None:
    found = Manifest.model_validate_json(files_of(fitted, data)["manifest.json"])
    target, parts, study = data.target, parts_of(data), Study(data, (RECIPE,))
    series, dates = target.series, target.series.dates
    assert found.training.model_dump() == {
        "asset": "TARGET",
        "source": target.source,
        "start": dates[0].item(),
        "end": dates[-1].item(),
        "nobs": len(dates),
        "missing_sessions": 0,
        "sha256": series.select(COLUMNS).sha256,
    }
    assert (found.asset, found.model, found.measure, found.calendar, found.scale) == (
        "TARGET",
        "leverage",
        series.measure,
        target.calendar_name,
        "levels",
    )
    assert (found.lookback, found.bar_interval, found.periods_per_year, found.horizons) == (
        22,
        target.bar_interval,
        target.calendar.periods_per_year,
        (1,),
    )
    assert (found.seed, found.seeds, found.code_version) == (3, (), version("roughcast"))
    assert (found.sources, found.companions, found.stand_in, found.by_horizon) == ((), (), None, {})
    rv = series.rv
    assert found.clip == (rv.min(), rv.max())
    assert found.mean_rv == pytest.approx(rv.mean())
    track = tracks_of(study, walk_forward([study], worker_pool(1)))["leverage"]
    scored = track.between(parts.test, dates[-1] + 1)
    told = found.evaluation
    assert (told.protocol, told.refit_every, told.nobs) == (PROTOCOL, 100, len(scored))
    assert (told.selection_start, told.test_start, told.test_end) == (
        parts.selection.item(),
        parts.test.item(),
        dates[-1].item(),
    )
    pairs = {
        scale: (scale(scored.rv), scale(scored.forecast)) for scale in (np.asarray, np.sqrt, np.log)
    }
    assert told.qlike_loss == pytest.approx(qlike_loss(*pairs[np.asarray]))
    assert told.rmse_volatility == pytest.approx(losses.rmse_loss(*pairs[np.sqrt]))
    assert told.mae_volatility == pytest.approx(losses.mae_loss(*pairs[np.sqrt]))
    assert told.r_squared_log == pytest.approx(losses.r_squared_score(*pairs[np.log]))
    assert told.correlation_log == pytest.approx(losses.correlation_score(*pairs[np.log]))


def test_the_digest_covers_the_columns_that_were_used_alone(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    version = store.publish(files_of(fitted, data))
    trained_on = store.verify("TARGET", "leverage", version).training
    series = data.target.series
    assert trained_on.sha256 == series.select(COLUMNS).sha256
    assert trained_on.sha256 not in {series.sha256, series.select(()).sha256}


def test_a_manifest_that_names_other_columns_than_the_model_needs_is_refused(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    wider = replace(RECIPE, regressors=(*RECIPE.regressors, "mean_1:jump"))
    files = files_of(replace(fitted, recipe=wider), data)
    with pytest.raises(ArtifactRefused, match=r"names the columns .*jump.*, but the model needs"):
        Store(tmp_path).publish(files)


def test_losses_by_phase_are_in_the_manifest(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    history = FittingHistory((0.5, 0.3, 0.2), (0.6, 0.4, 0.45), best_epoch=1)
    fit = replace(fitted.fit, histories={"training": history}, learned={"alpha": 0.25})
    store = Store(tmp_path)
    store.publish(files_of(replace(fitted, fits={1: fit}), data))
    manifest = store.verify("TARGET", "leverage", 1)
    assert manifest.histories["training"].validation_losses == (0.6, 0.4, 0.45)
    assert manifest.histories["training"].best_epoch == 1
    assert manifest.learned == {"alpha": 0.25}


def test_seeds_are_in_the_manifest_and_their_forecasts_beside_their_mean(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    study = Study(data, (fitted.recipe,))
    mean = tracks_of(study, walk_forward([study], worker_pool(1)))[fitted.recipe.name]
    track = replace(mean, by_seed={3: mean.forecast * 1.1, 4: mean.forecast})
    fit = replace(fitted.fit, by_seed={3: fitted.fit, 4: fitted.fit})
    store = Store(tmp_path)
    store.publish(to_files(replace(fitted, fits={1: fit}), data, {1: track}, parts_of(data)))
    loaded = store.load("TARGET", "leverage", 1)
    assert loaded.manifest.seeds == (3, 4)
    worse, same = loaded.manifest.evaluation.qlike_loss_by_seed
    assert same == loaded.manifest.evaluation.qlike_loss
    tested = mean.target_dates >= parts_of(data).test
    assert worse == qlike_loss(mean.rv[tested], 1.1 * mean.forecast[tested])
    assert list(loaded.track.by_seed) == [3, 4]
    for seed, forecast in track.by_seed.items():
        assert np.array_equal(loaded.track.by_seed[seed], forecast)


def test_a_model_without_seeds_says_so(
    fitted: FittedModel, data: TrainingSet, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    store.publish(files_of(fitted, data))
    loaded = store.load("TARGET", "leverage", 1)
    assert (loaded.manifest.seeds, loaded.track.by_seed) == ((), {})
    assert loaded.manifest.evaluation.qlike_loss_by_seed == ()


def test_several_sessions_ahead(data: TrainingSet, tmp_path: Path) -> None:
    ahead = replace(data, horizon=5)
    store = Store(tmp_path)
    store.promote(
        "TARGET", "leverage", store.publish(files_of(fit_and_export(RECIPE, ahead), ahead))
    )
    model = store.load("TARGET", "leverage")
    assert (model.manifest.horizons, model.track.horizon) == ((5,), 5)
    forecast = model.forecast(data.target.series, horizon=5)
    assert (forecast.horizon, str(forecast.target_date)) == (5, "2016-08-23")


def test_coverage_counts_no_interval_made_from_residuals_that_were_not_known() -> None:
    """Residuals of a horizon overlap: the newest of them have not ended when a forecast is made."""
    rng = np.random.default_rng(1)
    dates = np.datetime64("2020-01-01") + np.arange(300)
    rv = rng.lognormal(-9, 1, 300)
    track = ForecastTrack("m", dates - 1, dates, np.full(300, rv.mean()), rv)
    start = dates[21]
    near = calibrate(track, start)[0]
    far = calibrate(replace(track, horizon=11), start)[0]
    assert near.nobs - far.nobs == 10


@pytest.mark.parametrize("horizon", [1, 5])
def test_the_manifest_has_the_intervals_of_the_session_after_the_last(horizon: int) -> None:
    rng = np.random.default_rng(1)
    dates = np.datetime64("2020-01-01") + np.arange(700)
    rv = rng.lognormal(-9, 1, 700)
    track = ForecastTrack("m", dates - 1, dates, np.full(700, rv.mean()), rv, horizon)
    intervals = calibrate(track, dates[400])
    # All residuals are known at the end: of the horizon they are for, none is still to come.
    following = np.append(np.log(track.rv / track.forecast), np.zeros(horizon))
    expected = rolling_offsets(following, LEVELS, horizon)[-1]
    np.testing.assert_array_equal([[it.lower, it.upper] for it in intervals], expected)
    assert [it.level for it in intervals] == list(LEVELS)
