"""A retrain publishes what is sound, and says what it left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models_store.store import Store
from tests.training.simulated import make_asset, small_config
from training.data.assets import TrainingSet
from training.models.registry import recipes
from training.publishing.retrain import publish, train


def test_a_model_a_day_late_is_left_out_and_the_others_are_published(tmp_path: Path) -> None:
    data = TrainingSet(make_asset(nobs=900), {}, seed=7)
    trained = train(recipes(["har"], small_config()), data, jobs=1)
    late = trained.tracks["last_value"]
    late = replace(late, forecast=np.roll(late.forecast, 1))
    trained = replace(trained, tracks=trained.tracks | {"last_value": late})
    store = Store(tmp_path)
    result = publish(trained, store, {"har", "log_har", "last_value"})
    outcomes = {outcome.model: outcome for outcome in result.outcomes}
    sound = {"har", "log_har", "calendar_log_har"}
    assert set(store.models(data.target.asset)) == sound
    assert result.refused  # exit status 1
    assert outcomes["last_value"].refused
    assert outcomes["last_value"].version is None
    assert outcomes["last_value"].note.startswith("last_value follows the news of 2 sessions")
    assert {row.model for row in result.comparison.rows} == sound
    assert outcomes["har"].serves
    assert outcomes["log_har"].serves
    assert result.champion in sound
