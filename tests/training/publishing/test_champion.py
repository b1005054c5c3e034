"""The champion is chosen before the test part, and the test part has no say."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models_store.store import Store
from tests.training.simulated import make_training_set, small_config
from training.models.registry import recipes
from training.publishing import champion as champion_module
from training.publishing.champion import name_champion
from training.publishing.retrain import TrainedModels, publish, train

NOBS = 602


@pytest.fixture(scope="module")
def trained() -> TrainedModels:
    return train(recipes(["ewma"], small_config()), make_training_set(NOBS), jobs=1)


def with_best(trained: TrainedModels, best: str, part: slice) -> TrainedModels:
    """The same with forecasts in a part of them three times too high, save those of one model."""
    tracks = dict(trained.tracks)
    for model, track in trained.tracks.items():
        forecast = track.forecast.copy()
        forecast[part] *= 1 if model == best else 3
        tracks[model] = replace(track, forecast=forecast)
    return replace(trained, tracks=tracks)


def selection(trained: TrainedModels) -> int:
    """How many of the forecasts are of the selection part; they come first."""
    return len(trained.parts.of_selection(trained.tracks["har"]))


@pytest.mark.parametrize(
    ("before", "after", "champion"), [("last_value", "ewma", "last_value"), ("ewma", "har", "ewma")]
)
def test_what_was_best_before_the_test_part_is_champion(
    before: str, after: str, champion: str, trained: TrainedModels, tmp_path: Path
) -> None:
    count = selection(trained)
    changed = with_best(trained, before, slice(0, count))
    changed = with_best(changed, after, slice(count, None))
    store = Store(tmp_path)
    result = publish(changed, store, ["ewma", "last_value", "har"])
    assert result.comparison.rows[0].model == after
    assert result.champion == champion


def test_the_test_part_changes_no_champion(trained: TrainedModels, tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(trained, store, [])
    chosen = store.champion("TARGET")
    for model in trained.tracks:
        changed = with_best(trained, model, slice(selection(trained), None))
        other = Store(tmp_path / model)
        assert publish(changed, other, []).champion == chosen


def test_a_store_without_models_has_no_champion(trained: TrainedModels, tmp_path: Path) -> None:
    store = Store(tmp_path)
    name_champion("TARGET", trained.parts, store)
    assert store.champion("TARGET") is None


@pytest.mark.parametrize(
    ("difference", "pvalue", "better"),
    [(-0.1, 0.049, True), (-0.1, 0.05, False), (0.1, 0.001, False), (0.0, 0.001, False)],
)
def test_better_is_what_is_so_by_more_than_chance(
    difference: float, pvalue: float, better: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def compared(*given: object) -> SimpleNamespace:
        asked.append(given)
        return SimpleNamespace(mean_difference=difference, pvalue=pvalue)

    monkeypatch.setattr(champion_module, "diebold_mariano", compared)
    losses, others = np.zeros(2), np.ones(2)
    assert champion_module._better(losses, others, 5) == better
    [(first, second, horizon)] = asked
    assert first is losses
    assert second is others
    assert horizon == 5


def as_good_as_each_other(models: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Losses of a combination, and of others that are as good, each with luck of its own."""
    common = rng.exponential(size=625)
    names = ["combination", *(f"model_{number}" for number in range(models))]
    return {name: common + 0.3 * rng.standard_normal(625) for name in names}


def test_the_best_of_many_equals_beats_nobody_more_often_than_chance() -> None:
    rng = np.random.default_rng(4)
    alone = beaten = 0
    for _ in range(60):
        losses = as_good_as_each_other(20, rng)
        best = min(losses, key=lambda model: float(losses[model].mean()))
        alone += champion_module._better(losses[best], losses["combination"], 1)
        beaten += champion_module._is_beaten("combination", best, losses, 1)
    assert alone >= 9  # by Diebold-Mariano, as if it were the only one
    assert beaten <= 5


def test_who_is_better_beats_the_combination_among_many_too() -> None:
    losses = as_good_as_each_other(20, np.random.default_rng(5))
    losses["better"] = losses["combination"] - 0.2 * np.random.default_rng(6).exponential(size=625)
    assert champion_module._is_beaten("combination", "better", losses, 1)
    assert not champion_module._is_beaten("better", "better", losses, 1)


def test_many_are_compared_over_the_horizon_that_they_forecast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def tested(*given: object, **options: object) -> dict[str, float]:
        asked.append((given, options))
        return {"combination": 0.05 - 1e-9 * len(asked)}

    monkeypatch.setattr(champion_module, "superior_ability_pvalues", tested)
    monkeypatch.setattr(champion_module, "_better", lambda *_: True)
    losses = {"combination": np.ones(2), "har": np.zeros(2)}
    assert champion_module._is_beaten("combination", "har", losses, 5)
    assert asked == [((losses, ("combination",)), {"horizon": 5})]
    asked.clear()
    monkeypatch.setattr(
        champion_module, "superior_ability_pvalues", lambda *_, **__: {"combination": 0.05}
    )
    assert not champion_module._is_beaten("combination", "har", losses, 5)
