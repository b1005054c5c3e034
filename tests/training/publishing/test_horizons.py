"""A retrain makes one artifact of the fits at every horizon."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models_store.store import Store
from tests.training.simulated import (
    SMALL_CONFIG,
    asset_of,
    make_asset,
    make_intraday_asset,
    small_config,
    write_bars,
)
from training import cli
from training.data.assets import TrainingSet
from training.evaluation.run import evaluate
from training.evaluation.study import Study
from training.evaluation.walk_forward import blocks
from training.models.linear.har import har
from training.models.neural.lstm import Lstm
from training.models.recipe import Fit, Recipe
from training.models.registry import recipes
from training.networks.fitting import Split
from training.publishing.artifacts import fit_and_export
from training.publishing.retrain import count_all_fits, long_enough_for, publish, train
from volatility.arrays import FloatArray
from volatility.regressors import LinearPredictor
from volatility.series import DatedSeries
from volatility.simulation.regression import har_process

MODELS = ["har", "lhar", "gjr", "rfsv", "ewma", "calendar_log_har"]
FURTHER = (5, 10)


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return TrainingSet(make_intraday_asset(), {}, seed=7)


@pytest.fixture(scope="module")
def store(data: TrainingSet, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    chosen = recipes(MODELS, small_config())
    fits: list[Recipe] = []
    trained = train(chosen, data, 1, fits.append, FURTHER)
    assert len(fits) == count_all_fits(Study(data, tuple(chosen)), FURTHER).total()
    publish(trained, store, MODELS)
    return store


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("horizon", [1, *FURTHER])
def test_each_horizon_is_what_a_fit_at_that_horizon_says(
    store: Store, data: TrainingSet, name: str, horizon: int
) -> None:
    model = store.load("TARGET", name)
    assert model.manifest.horizons == (1, *FURTHER)
    ahead = replace(data, horizon=horizon)
    (recipe,) = [it for it in recipes([name], small_config()) if it.name == name]
    fit = recipe.fit(ahead)
    windows = {it: rows[-64:] for it, rows in data.pairs(200, recipe.columns).windows.items()}
    own = {it: rows[:, -recipe.lookback :] for it, rows in windows.items()}
    assert np.array_equal(
        model.predictors[horizon].predict(own).values, fit.predictor.predict(own).values
    )
    known = model.manifest.at(horizon)
    assert known.residual_variance == fit.residual_variance
    assert known.learned == fit.learned
    seen = ahead.pairs(1).targets
    if horizon > 1:  # a mean of days varies less than a day
        assert known.clip == (seen.min(), seen.max())
    assert model.forecast(data.target.series, horizon=horizon).rv > 0


def test_evaluation_and_intervals_are_those_of_an_evaluation_at_that_horizon(
    store: Store, data: TrainingSet
) -> None:
    study = Study(replace(data, horizon=5), tuple(recipes(["har"], small_config())))
    (result,) = evaluate([study], jobs=1)
    model = store.load("TARGET", "har")
    assert np.array_equal(model.tracks[5].forecast, result.tracks["har"].forecast)
    (row,) = [row for row in result.comparisons["test"].rows if row.model == "har"]
    known = model.manifest.at(5)
    assert known.evaluation.qlike_loss == pytest.approx(row.qlike_loss, rel=1e-12)
    assert known.evaluation.nobs == result.comparisons["test"].nobs
    (covered,) = [it for it in known.intervals if it.level == 0.8]
    assert covered.coverage_observed == pytest.approx(row.coverage[0.8])
    assert covered.lower != model.manifest.intervals[3].lower


def test_the_same_data_at_another_horizon_more_are_another_version(
    store: Store, data: TrainingSet
) -> None:
    chosen = recipes(["har"], small_config())
    again = publish(train(chosen, data, 1, further=FURTHER), store, ["har"])
    assert {it.model: it.note for it in again.outcomes}["har"] == "unchanged"
    fewer = publish(train(chosen, data, 1, further=(5,)), store, ["har"])
    (outcome,) = [it for it in fewer.outcomes if it.model == "har"]
    assert (outcome.version, outcome.serves) == (2, True)
    assert "the same forecasts" in outcome.note  # judged one session ahead
    assert store.load("TARGET", "har").manifest.horizons == (1, 5)


def test_a_known_har_is_forecast_five_sessions_ahead() -> None:
    """In levels the mean of five sessions is what the process gives when iterated."""
    truth = (1e-5, 0.35, 0.35, 0.2)
    rv = har_process(truth, 20_000, np.random.default_rng(3), residual_std=0.3)[0]
    dates = np.datetime64("1970-01-01") + np.arange(len(rv))
    asset = asset_of("TARGET", DatedSeries(rv, "garman_klass", dates))
    data = TrainingSet(asset, {}, seed=7)
    fitted = fit_and_export(har(small_config()), data, (5,))
    windows = data.pairs(22).windows["rv"][-2_000:]
    expected = _iterated(windows, truth, 5)
    predictor = fitted.fits[5].predictor
    assert isinstance(predictor, LinearPredictor)
    found = predictor.predict({"rv": windows}).values
    errors = found / expected - 1
    assert abs(errors.mean()) < 0.01
    assert errors.std() < 0.02
    # The next session's forecast is another thing: it varies more.
    assert fitted.fits[1].predictor.predict({"rv": windows}).values.std() > 1.1 * found.std()


def _iterated(windows: FloatArray, truth: tuple[float, ...], horizon: int) -> FloatArray:
    path = windows
    constant, *weights = truth
    for _ in range(horizon):
        means = [path[:, -lag:].mean(axis=1) for lag in (1, 5, 22)]
        ahead = constant + sum(weight * mean for weight, mean in zip(weights, means, strict=True))
        path = np.column_stack([path, ahead])
    return path[:, -horizon:].mean(axis=1)


def test_a_network_is_trained_once_for_all_horizons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, store = TrainingSet(make_asset(nobs=700), {}, seed=7), Store(tmp_path)
    trainings: list[int] = []
    chosen = recipes(["lstm"], small_config())
    train_once = Lstm.train

    def counted(recipe: Lstm, target: Split, sources: Mapping[str, Split], seed: int) -> Fit:
        trainings.append(len(target.training))
        return train_once(recipe, target, sources, seed)

    monkeypatch.setattr(Lstm, "train", counted)
    trained = train(chosen, data, 1, further=FURTHER)
    every, seeds = small_config().walk_forward.network_refit_every, small_config().seeds
    assert len(trainings) == seeds * (len(blocks(data, every)) + 1)
    publish(trained, store, ["lstm"])
    model = store.load("TARGET", "lstm")
    assert model.manifest.horizons == (1, *FURTHER)
    said = [model.forecast(data.target.series, horizon=it) for it in model.manifest.horizons]
    assert len({it.rv for it in said}) == len(said)
    assert set(model.manifest.at(5).learned) == {"intercept", "slope"}


def test_a_horizon_that_a_history_is_too_short_for_is_left_out_and_said() -> None:
    data = TrainingSet(make_asset(nobs=500), {}, seed=7)
    kept, too_long = long_enough_for(data, (5, 60, 150))
    assert kept == (5, 60)
    assert list(too_long) == [150]
    assert "of TARGET's 500" in too_long[150]


def test_the_command_makes_the_horizons_asked_for(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    (tmp_path / "s").mkdir()  # an empty store: the shipped models are not needed here
    common = ["retrain", "--asset", "MINE", "--bars", str(bars), "--calendar", "24/7"]
    common += ["--config", str(SMALL_CONFIG), "--store", str(tmp_path / "s"), "--jobs", "1"]
    assert cli.main([*common, "--models", "ewma", "--horizons", "22", "1"]) == 0
    assert Store(tmp_path / "s").load("MINE", "ewma").manifest.horizons == (1, 22)
    assert cli.main([*common, "--models", "ewma", "--horizons", "22"]) == 2


def test_a_model_without_companions_enough_for_a_horizon_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars, beside = write_bars(tmp_path / "mine.csv"), write_bars(tmp_path / "beside.csv", seed=3)
    frame = pd.read_csv(beside)
    frame.drop([*range(300, 395), *range(503, 600)]).to_csv(beside, index=False)
    given = ["--asset", "MINE", "--bars", str(bars), "--calendar", "24/7"]
    given += ["--companion", f"BESIDE={beside}", "--config", str(SMALL_CONFIG), "--jobs", "1"]
    models = ["--models", "har", "hexp_companions", "--horizons", "1", "22"]
    (tmp_path / "store").mkdir()  # an empty store: the shipped models are not needed here
    store = ["--store", str(tmp_path / "store")]
    assert cli.main(["retrain", *given, *models, *store]) == 0
    assert "without hexp_companions: BESIDE is known before only 1" in capsys.readouterr().out
    published = Store(tmp_path / "store").models("MINE")
    assert "har" in published
    assert "hexp_companions" not in published
