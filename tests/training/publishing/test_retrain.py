"""A retrain publishes what is sound, and says what it left out."""

import errno
import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_store import comparison
from models_store.comparison import compare_at
from models_store.manifest import Manifest
from models_store.shelf import Shelf
from models_store.store import Store
from models_store.stored_comparisons import promoted, recall
from tests.training.simulated import make_asset, make_training_set, small_config
from training.data.assets import TrainingSet
from training.models.registry import recipes
from training.publishing.retrain import Outcome, publish, train


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


def test_what_became_of_each_model_is_told(tmp_path: Path) -> None:
    data = make_training_set(602)
    trained = train(recipes(["har", "ewma"], small_config()), data, jobs=1)
    store, asset = Store(tmp_path), data.target.asset
    first = publish(trained, store, ["har"])
    names = [it.recipe.name for it in trained.fitted]
    digests = {name: store.load(asset, name).sha256 for name in names}
    why = "the first version in service"
    assert first.outcomes == tuple(Outcome(name, 1, True, False, why) for name in names)
    assert {it.model: it.evidence.sha256 for it in first.outcomes} == digests
    assert (first.refused, first.not_compared, first.data) == (False, None, data.target)
    assert first.champion == store.champion(asset)
    again = publish(trained, store, ["har"])
    beside = "evaluated beside; version 1 stays"
    assert again.outcomes == tuple(
        Outcome("har", 1, True, False, "unchanged")
        if name == "har"
        else Outcome(name, None, None, False, beside)
        for name in names
    )
    worse = trained.tracks["har"]
    worse = replace(worse, forecast=worse.forecast * np.where(np.arange(len(worse)) % 2, 9, 1 / 9))
    held = publish(replace(trained, tracks=trained.tracks | {"har": worse}), store, ["har"])
    [outcome] = [it for it in held.outcomes if it.model == "har"]
    assert (outcome.version, outcome.serves, outcome.refused) == (2, False, True)
    assert outcome.note.startswith("QLIKE +")
    assert (store.current(asset, "har"), store.versions(asset, "har")) == (1, [1, 2])
    same = publish(replace(trained, tracks=trained.tracks | {"har": worse}), store, ["har"])
    assert same.outcomes == held.outcomes  # it is found, and not published twice
    assert store.versions(asset, "har") == [1, 2]


def test_how_what_serves_compares_is_published_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = TrainingSet(make_asset(nobs=900), {}, seed=7)
    trained = train(recipes(["log_har", "har"], small_config()), data, jobs=1)
    store, asset = Store(tmp_path), data.target.asset
    with monkeypatch.context() as patched:  # its own comparison is of the same models
        patched.setattr(comparison, "compare", None)
        result = publish(trained, store, ["har", "log_har"])
    champion = store.champion(asset)
    found = recall(store, asset, promoted(store, asset), champion, (), (1,))
    assert repr(found) == repr(compare_at(Shelf(store).evidence(asset), champion, (), (1,)))
    assert found is not None
    assert found.comparisons[1].result == result.comparison
    again = train(recipes(["ewma"], small_config()), data, jobs=1)
    publish(again, store, ["ewma"])  # beside it serve models of before
    found = recall(store, asset, promoted(store, asset), store.champion(asset), (), (1,))
    assert found is not None
    assert "ewma" in found.comparisons[1].versions


def test_models_wait_for_the_disk_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = TrainingSet(make_asset(nobs=900), {}, seed=7)
    trained = train(recipes(["har"], small_config()), data, jobs=1)
    flush_one, here = os.fsync, set[int]()
    all_here = threading.Barrier(len(trained.fitted), timeout=60)

    def flush(descriptor: int) -> None:
        """The first of each model returns once all models have come to theirs."""
        own = threading.get_ident()
        if len(here) < all_here.parties and own not in here:
            here.add(own)
            all_here.wait()
        flush_one(descriptor)

    monkeypatch.setattr("models_store.atomic.os.fsync", flush)
    result = publish(trained, Store(tmp_path), [])
    assert [outcome.model for outcome in result.outcomes] == list(trained.tracks)
    assert all(outcome.serves for outcome in result.outcomes)


def test_what_keeps_one_model_from_the_disk_keeps_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = TrainingSet(make_asset(nobs=900), {}, seed=7)
    trained = train(recipes(["har"], small_config()), data, jobs=1)
    whole = Store.publish

    def publish_some(store: Store, files: Mapping[str, bytes], promote: bool = False) -> int:
        if Manifest.model_validate_json(files["manifest.json"]).model == "log_har":
            raise OSError(errno.ENOSPC, "no space left on device")
        return whole(store, files, promote)

    monkeypatch.setattr(Store, "publish", publish_some)
    store = Store(tmp_path)
    with pytest.raises(OSError, match="no space left"):
        publish(trained, store, [])
    asset = data.target.asset
    assert {it for it in store.models(asset) if store.current(asset, it)} == (
        set(trained.tracks) - {"log_har"}
    )


def test_what_was_just_published_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, read, evidence = make_training_set(602), list[str](), Store.evidence
    trained = train(recipes(["har", "ewma"], small_config()), data, jobs=1)

    def reading(self: Store, asset: str, model: str, *version: Any) -> Any:
        read.append(model)
        return evidence(self, asset, model, *version)

    monkeypatch.setattr(Store, "evidence", reading)
    store = Store(tmp_path)
    publish(trained, store, ["har"])
    assert read == []
    moved = trained.tracks["har"]
    moved = replace(moved, forecast=moved.forecast * 1.001)
    publish(replace(trained, tracks=trained.tracks | {"har": moved}), store, ["har"])
    assert sorted(read) == sorted(set(trained.tracks) - {"har"})  # those that stay
