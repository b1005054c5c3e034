import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models_store.manifest import Manifest
from models_store.store import Store
from tests.training.simulated import make_training_set, small_config
from training.models.registry import recipes
from training.publishing import gate
from training.publishing.artifacts import to_files
from training.publishing.gate import forecasts_the_same, judge
from training.publishing.retrain import TrainedModels, publish, train
from volatility.evaluation.tracks import ForecastTrack

DATES = np.datetime64("2020-01-01") + np.arange(400)
RNG = np.random.default_rng(0)
RV = np.exp(-9 + 0.5 * RNG.standard_normal(400))


def track(forecast: np.ndarray, dates: np.ndarray = DATES) -> ForecastTrack:
    return ForecastTrack("har", dates - 1, dates, forecast, RV[-len(dates) :])


def noisy(deviation: float, seed: int) -> np.ndarray:
    return RV * np.exp(deviation * np.random.default_rng(seed).standard_normal(len(RV)))


def test_a_significantly_worse_version_is_held_back() -> None:
    judgement = judge(track(noisy(1.0, 1)), track(noisy(0.3, 2)))
    assert not judgement.promote
    assert "n = 400" in judgement.reason


def test_a_difference_that_is_certain_and_nil_holds_nothing_back() -> None:
    forecast = noisy(0.3, 1)
    shifted = forecast * np.where(forecast < RV, 1 - 1e-4, 1 + 1e-4)  # a little worse every day
    judgement = judge(track(shifted), track(forecast))
    assert judgement.reason.endswith("n = 400: less than 0.1% is negligible")
    assert judgement.promote


def test_a_better_version_is_promoted() -> None:
    assert judge(track(noisy(0.3, 1)), track(noisy(1.0, 2))).promote


def test_a_version_that_cannot_be_told_apart_is_promoted() -> None:
    assert judge(track(noisy(0.5, 1)), track(noisy(0.5, 2))).promote


def test_only_dates_of_both_count() -> None:
    worse_before = noisy(0.3, 1)
    worse_before[:300] *= 10
    assert judge(track(worse_before), track(noisy(0.5, 2)[300:], DATES[300:])).promote
    assert not judge(track(worse_before), track(noisy(0.5, 2))).promote


def test_both_are_scored_on_the_new_version_s_data() -> None:
    # The version in service was right about data that have since been corrected.
    corrected = track(RV * 1.0001)
    old = ForecastTrack("har", DATES - 1, DATES, RV[::-1].copy(), RV[::-1].copy())
    assert judge(corrected, old).promote


def test_versions_that_share_too_few_dates_cannot_be_compared() -> None:
    judgement = judge(track(noisy(1.0, 1)), track(noisy(0.3, 2)[-40:], DATES[-40:]))
    assert judgement.promote
    assert "only 40 dates" in judgement.reason


@pytest.mark.parametrize(("shared", "told"), [(49, "only 49 dates are shared"), (50, "n = 50")])
def test_fifty_dates_are_enough(shared: int, told: str) -> None:
    judgement = judge(track(noisy(1.0, 1)), track(noisy(0.3, 2)[-shared:], DATES[-shared:]))
    assert told in judgement.reason
    assert judgement.promote is (shared == 49)


def test_the_same_forecasts_are_told_as_such() -> None:
    forecast = noisy(0.3, 1)
    judgement = judge(track(forecast * (1 + 1e-14)), track(forecast))
    assert judgement == gate.Judgement(True, "the same forecasts as the version in service")


def judged(monkeypatch: pytest.MonkeyPatch, loss: float, pvalue: float) -> gate.Judgement:
    """The judgement of a loss against one of 1, of which a test would say so much."""
    horizons: list[int] = []

    def compared(new: np.ndarray, current: np.ndarray, horizon: int) -> SimpleNamespace:
        assert (new.mean(), current.mean()) == pytest.approx((loss, 1.0))
        horizons.append(horizon)
        return SimpleNamespace(pvalue_worse=pvalue)

    monkeypatch.setattr(gate, "diebold_mariano", compared)
    monkeypatch.setattr(gate, "qlike_losses", lambda _rv, forecast: forecast)
    new, current = (replace(track(np.full(400, it)), horizon=5) for it in (loss, 1.0))
    found = judge(new, current)
    assert horizons == [5]
    return found


NEGLIGIBLE = "n = 400: less than 0.1% is negligible"


@pytest.mark.parametrize(
    ("loss", "pvalue", "promote", "change", "end"),
    [
        (1.5, 0.05, True, "+50.0%", "p 0.050, n = 400"),
        (1.5, 0.0499, False, "+50.0%", "p 0.050, n = 400"),
        (0.5, 0.0, True, "-50.0%", f"p 0.000, {NEGLIGIBLE}"),
        (1.001, 0.01, True, "+0.1%", f"p 0.010, {NEGLIGIBLE}"),
        (1.0011, 0.01, False, "+0.1%", "p 0.010, n = 400"),
    ],
)
def test_both_bounds_of_what_is_held_back(
    monkeypatch: pytest.MonkeyPatch,
    loss: float,
    pvalue: float,
    promote: bool,
    change: str,
    end: str,
) -> None:
    reason = f"QLIKE {change} against the version in service, one-sided {end}"
    assert judged(monkeypatch, loss, pvalue) == gate.Judgement(promote, reason)


def test_what_of_a_manifest_moves_no_forecast() -> None:
    assert set(Manifest.model_fields) >= gate.SERVED
    assert set(Manifest.model_fields) - gate.SERVED == {
        *("asset", "model", "bar_interval", "training", "sources", "histories", "seed", "seeds"),
        *("code_version", "schema_version", "hyperparameters"),
        *("predictor", "learned"),  # by the forecasts that they make
    }


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1.0, 1 + 1e-10, True),
        (1.0, 1 + 1e-8, False),
        (0.0, 1e-300, False),
        (1.0, None, False),
        ("a", "a", True),
        ("a", "b", False),
        ((1.0, 2.0), (1.0, 2 + 1e-10), True),
        ((1.0,), (1.0, 2.0), False),
        ((), (), True),
        ({"a": {"b": 1.0}}, {"a": {"b": 1 + 1e-10}}, True),
        ({"a": {"b": 1.0}}, {"a": {"b": 1 + 1e-8}}, False),
        ({"a": 1.0}, {"b": 1.0}, False),
        ({"a": 1.0}, {"a": 1.0, "b": None}, False),
        ({"a": 1.0}, (1.0,), False),
    ],
)
def test_values_agree_to_nine_digits(one: object, other: object, same: bool) -> None:
    assert gate._agree(one, other) is same
    assert gate._agree(other, one) is same


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"a": np.ones(3)}, True),
        ({"a": np.full(3, 1 + 1e-10)}, True),
        ({"a": np.full(3, 1 + 1e-8)}, False),
        ({"a": np.ones((1, 3))}, False),
        ({"a": np.ones(3), "b": np.ones(3)}, False),
        ({"b": np.ones(3)}, False),
    ],
)
def test_arrays_are_the_same_by_name_shape_and_nine_digits(
    other: dict[str, np.ndarray], same: bool
) -> None:
    def packed(arrays: dict[str, np.ndarray]) -> bytes:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]  # numpy takes one more argument
        return buffer.getvalue()

    one = packed({"a": np.ones(3)})
    assert gate._same_arrays(one, packed(other)) is same
    assert gate._same_arrays(packed(other), one) is same


@pytest.fixture(scope="module")
def trained() -> TrainedModels:
    chosen = recipes(["har"], small_config())
    return train(chosen, make_training_set(), jobs=1)


@pytest.fixture
def store(tmp_path: Path, trained: TrainedModels) -> Store:
    publish(trained, Store(tmp_path), ["har"])
    return Store(tmp_path)


def files_of(trained: TrainedModels, move: float = 1.0) -> dict[str, bytes]:
    """HAR's files, with its walk-forward forecasts moved."""
    (fitted,) = [fitted for fitted in trained.fitted if fitted.recipe.name == "har"]
    track = trained.tracks["har"]
    moved = replace(track, forecast=track.forecast * move)
    return to_files(fitted, trained.data, {1: moved}, trained.parts)


def changed(files: dict[str, bytes], **fields: object) -> dict[str, bytes]:
    """The same with other fields in the manifest."""
    content = {**json.loads(files["manifest.json"]), **fields}
    return files | {"manifest.json": json.dumps(content).encode()}


@pytest.mark.parametrize(("move", "same"), [(1.0, True), (1 + 1e-14, True), (1 + 1e-6, False)])
def test_last_digits_are_no_other_forecast(
    move: float, same: bool, trained: TrainedModels, store: Store
) -> None:
    current = store.load("TARGET", "har")
    assert forecasts_the_same(files_of(trained, move), current, store) == same


def test_what_does_not_move_a_forecast_does_not_count(trained: TrainedModels, store: Store) -> None:
    files = changed(files_of(trained), code_version="2.0", seed=99)
    assert forecasts_the_same(files, store.load("TARGET", "har"), store)


@pytest.mark.parametrize(
    "fields",
    [
        {"clip": [1e-9, 1e-2]},
        {"mean_rv": 1e-4},
        {"measure": "parkinson"},
        {"horizons": [5]},
        {"minimum_sessions": 10},
        {"stand_in": "log_har"},
    ],
)
def test_what_moves_a_forecast_that_is_still_to_come_counts(
    fields: dict[str, object], trained: TrainedModels, store: Store
) -> None:
    files = changed(files_of(trained), **fields)
    assert not forecasts_the_same(files, store.load("TARGET", "har"), store)


def moved(field: str, part: dict[str, float], factor: float) -> dict[str, float]:
    return {**part, field: part[field] * factor}


@pytest.mark.parametrize(("factor", "same"), [(1 + 1e-14, True), (1 + 1e-6, False)])
@pytest.mark.parametrize("field", ["upper", "coverage_observed"])
def test_intervals_of_another_calibration_count(
    field: str, factor: float, same: bool, trained: TrainedModels, store: Store
) -> None:
    files = files_of(trained)
    first, *others = json.loads(files["manifest.json"])["intervals"]
    files = changed(files, intervals=[moved(field, first, factor), *others])
    assert forecasts_the_same(files, store.load("TARGET", "har"), store) == same
    files = changed(files, intervals=others)
    assert not forecasts_the_same(files, store.load("TARGET", "har"), store)


@pytest.mark.parametrize(("factor", "same"), [(1 + 1e-14, True), (1 + 1e-6, False)])
def test_another_evaluation_counts(
    factor: float, same: bool, trained: TrainedModels, store: Store
) -> None:
    files = files_of(trained)
    evaluation = json.loads(files["manifest.json"])["evaluation"]
    files = changed(files, evaluation=moved("qlike_loss", evaluation, factor))
    assert forecasts_the_same(files, store.load("TARGET", "har"), store) == same
    files = changed(files, evaluation={**evaluation, "refit_every": 5})
    assert not forecasts_the_same(files, store.load("TARGET", "har"), store)


def test_other_forecasts_of_the_reference_count(trained: TrainedModels, store: Store) -> None:
    files = files_of(trained)
    with np.load(io.BytesIO(files["reference.npz"])) as content:
        arrays = {name: content[name] for name in content.files}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{**arrays, "forecast": arrays["forecast"] * 1.01})
    files |= {"reference.npz": buffer.getvalue()}
    assert not forecasts_the_same(files, store.load("TARGET", "har"), store)
