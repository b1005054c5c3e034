"""Models made of others: an asset's own regressions and the model for every asset."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_store.predictors import combination as kind
from models_store.store import Store
from models_store.universal.store import UniversalStore
from tests.simulated_panel import simulated_asset
from tests.training.simulated import small_config
from tests.universal import universal_files
from training.data.assets import TrainingSet
from training.evaluation.study import Study, obstacle, parts_of
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.combined.combination import Combination
from training.models.linear.har import har, log_har
from training.models.linear.hexp import hexp
from training.models.pooled.universal import Universal
from training.models.recipe import adapted, members_of
from training.publishing.artifacts import fit_and_export, to_files
from volatility.calendars import get_calendar

CONFIG = small_config()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    for files in universal_files():
        UniversalStore(root).publish(files)
    return root


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return TrainingSet(simulated_asset("NEW", "stock", "XNYS", 900, seed=11), {}, 1)


def combined(store: Path, data: TrainingSet) -> Combination:
    members = (hexp(CONFIG), log_har(CONFIG), Universal(22, store))
    recipe = adapted(Combination("combination", members), data.target.series.columns)
    assert isinstance(recipe, Combination)
    return recipe


def test_its_forecast_is_the_mean_of_logs(store: Path, data: TrainingSet) -> None:
    recipe = combined(store, data)
    assert members_of(recipe) == ("hexp", "log_har", "universal")
    fit = recipe.fit(data)
    windows = data.pairs(recipe.lookback, recipe.columns).windows
    said = fit.predictor.predict(windows)
    each = [said.diagnostics[f"rv_{name}"][:, 0] for name in members_of(recipe)]
    np.testing.assert_allclose(said.values, np.log(each).mean(axis=0), atol=1e-12)
    assert fit.residual_variance == 0


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_walk_forward_is_made_of_its_members(
    store: Path, data: TrainingSet, horizon: int
) -> None:
    recipe = combined(store, data)
    at = replace(data, horizon=horizon)
    together = Study(at, (*recipe.members, recipe))
    alone = Study(at, (recipe,))
    [made], [fitted] = (
        forecast_studies([study], worker_pool(1), lambda _: None) for study in (together, alone)
    )
    one, other = made["combination"], fitted["combination"]
    np.testing.assert_array_equal(one.target_dates, other.target_dates)
    np.testing.assert_allclose(one.forecast, other.forecast, rtol=1e-8)


def test_an_artifact_says_the_same_when_it_is_opened(
    store: Path, data: TrainingSet, tmp_path: Path
) -> None:
    recipe = combined(store, data)
    fitted = fit_and_export(recipe, data, (5,))
    tracks = {}
    for horizon in (1, 5):
        study = Study(replace(data, horizon=horizon), (*recipe.members, recipe))
        [made] = forecast_studies([study], worker_pool(1), lambda _: None)
        tracks[horizon] = made["combination"]
    files = to_files(fitted, data, tracks, parts_of(data))
    again = to_files(fitted, data, tracks, parts_of(data))
    assert files == again  # the archive of its members has no clock in it
    published = Store(tmp_path)
    version = published.publish(files)
    model = published.load("NEW", "combination", version)
    assert model.required_sessions == 250
    for horizon in (1, 5):
        fit = fitted.fits[horizon]
        said = model.forecast(data.target.series, horizon=horizon)
        windows = {name: values[-1:] for name, values in _windows_at_the_end(data, recipe).items()}
        assert np.log(said.rv) == pytest.approx(fit.predictor.predict(windows).values[0], abs=1e-5)
        assert set(said.diagnostics) == {"rv_hexp", "rv_log_har", "rv_universal"}


def _windows_at_the_end(data: TrainingSet, recipe: Combination) -> dict[str, np.ndarray]:
    series = data.target.series
    names = ("rv", *recipe.columns, "day")
    values = {name: series.rv if name == "rv" else series.column(name) for name in names}
    return {name: it[-recipe.lookback :][None, :] for name, it in values.items()}


def test_a_fit_takes_the_newest_version_that_knew_nothing_later(
    store: Path, data: TrainingSet
) -> None:
    recipe = Universal(22, store)
    early = data.until(np.datetime64("2019-12-31"))
    late = data
    ends = [
        UniversalStore(store).load(version).manifest.training_end
        for version in UniversalStore(store).versions()
    ]
    assert np.datetime64(ends[0]) < np.datetime64("2019-12-31") < np.datetime64(ends[1])
    one, other = (recipe.fit(it).predictor for it in (early, late))
    assert one.graph.content != other.graph.content  # type: ignore[attr-defined]


def test_an_asset_that_ends_before_the_first_version_has_an_obstacle(store: Path) -> None:
    old = simulated_asset("OLD", "stock", "XNYS", 900, seed=1)
    shift = np.timedelta64(7 * 52 * 15, "D")  # the same weekdays, fifteen years before
    days = old.series.dates - shift
    known = get_calendar("XNYS").is_session(days)
    series = replace(old.series.part(known), dates=days[known])
    found = obstacle(Universal(22, store), replace(old, series=series))
    assert found is not None
    assert "first fitted on 2019-06-28" in found
    assert obstacle(Combination("c", (har(CONFIG), Universal(22, store))), old) is None


def test_without_a_published_model_there_is_an_obstacle(tmp_path: Path, data: TrainingSet) -> None:
    found = obstacle(Universal(22, tmp_path), data.target)
    assert found is not None
    assert found.startswith("no model for every asset is published")


def test_archives_are_opened_without_leaving_anything(store: Path, data: TrainingSet) -> None:
    recipe = combined(store, data)
    predictors = {1: recipe.fit(data).predictor}
    spec = kind.describe(predictors)  # type: ignore[arg-type]
    assert [it.model for it in spec.members] == ["hexp", "log_har", "universal"]
    assert spec.members[0].calendar == "XNYS"
    assert spec.members[2].calendar_effects is None
