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
