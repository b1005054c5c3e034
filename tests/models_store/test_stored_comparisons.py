"""Comparisons are kept with the models, and are of exactly the versions that are asked about."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_store import Refusal, Shelf, Store, shipped, stored_comparisons
from models_store.artifact import with_sums
from models_store.comparison import Compared, Excluded, compare_at
from models_store.signatures import TrustedKeys, read_private_key, sign
from models_store.stored_comparisons import FILE, Judged, folders, promoted, recall, record
from tests.keys import write_keys
from tests.models_store.artifacts import flip_byte, make_files, make_network_files
from volatility.errors import RoughcastError
from volatility.evaluation.compare import Comparison, compare

MODELS = {"har": 1e-5, "log_har": 2e-5, "ewma": 4e-5}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three linear models of two horizons, and a network of one."""
    store = Store(tmp_path / "store")
    for model, intercept in MODELS.items():
        store.publish(make_files(model=model, intercept=intercept, further=(5,)), promote=True)
    store.publish(make_network_files(), promote=True)
    store.set_champion("TEST", "log_har")
    return store


def recalled(store: Store, *horizons: int, champion: str | None = "log_har") -> Compared | None:
    return recall(store, "TEST", promoted(store, "TEST"), champion, (), horizons or (1, 5))


def compared(store: Store, *horizons: int) -> Compared:
    shelf = Shelf(store)
    return compare_at(shelf.evidence("TEST"), "log_har", (), horizons or (1, 5))


def test_what_is_recalled_is_what_would_be_found_to_the_last_bit(store: Store) -> None:
    assert recalled(store) is None
    assert record(store, "TEST") == 2
    assert repr(recalled(store)) == repr(compared(store))
    assert recalled(store, 22) is None
    assert recalled(store, 1, 22) == compared(store, 1)
    assert record(store, "TEST") == 0
    (left_out,) = recalled(store).comparisons[5].excluded
    assert left_out == Excluded("regimes", 1, "forecasts [1] sessions ahead, not 5")


def test_it_is_of_these_versions_and_this_champion(store: Store) -> None:
    record(store, "TEST")
    assert recalled(store, champion="har") is None
    store.publish(make_files(intercept=3e-5, further=(5,)), promote=True)
    assert recalled(store) is None
    assert record(store, "TEST") == 2
    second = recalled(store)
    assert second is not None
    assert second.comparisons[1].versions == {"ewma": 1, "har": 2, "log_har": 1, "regimes": 1}
    store.roll_back("TEST", "har")
    assert recalled(store) not in (None, second)
    assert record(store, "TEST") == 0  # which it had not forgotten


def test_another_way_to_compare_is_not_taken_for_this_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(store, "TEST")
    monkeypatch.setattr(stored_comparisons, "PROCEDURE", stored_comparisons.PROCEDURE + 1)
    assert recalled(store) is None


def test_refusals_are_those_of_the_moment(store: Store) -> None:
    record(store, "TEST")
    refusal = Refusal("TEST", "garch", 3, "damaged", None)
    found = recall(store, "TEST", promoted(store, "TEST"), "log_har", [refusal], [1])
    assert found is not None
    assert found.comparisons[1].excluded == (Excluded("garch", 3, "refused: damaged"),)


def test_what_cannot_be_compared_is_not_kept(store: Store) -> None:
    store.publish(make_files("LATE", "har"), promote=True)
    evidence = Shelf(store).evidence("LATE")
    late = replace(evidence["har"].tracks[1], model="late")
    late = replace(late, rv=np.roll(late.rv, 1))
    other = replace(evidence["har"], tracks={1: late})
    found = compare_at({"har": evidence["har"], "late": other}, None, (), (1,))
    assert isinstance(found.comparisons[1].result, RoughcastError)
    assert stored_comparisons.keep(store, "LATE", found, {"har": (1, "a")}, None) == 0
    assert folders(store, "LATE") == []


def harms(folder: Path) -> list[Any]:
    file = folder / FILE
    whole = json.loads(file.read_text())
    result = whole["comparison"]["result"]
    odd = result["rows"][0] | {"coverage_by_tercile": []}

    def put(**changes: Any) -> None:
        content = (json.dumps(whole | changes) + "\n").encode()
        for name, it in with_sums({FILE: content}).items():
            (folder / name).write_bytes(it)

    return [
        lambda: file.write_bytes(flip_byte(file.read_bytes(), 100)),
        lambda: put(inputs=whole["inputs"] | {"horizon": 5}),
        lambda: put(comparison={}),
        lambda: put(comparison=whole["comparison"] | {"others": [["unknown", "why"]]}),
        lambda: put(comparison=whole["comparison"] | {"result": result | {"rows": [odd]}}),
        (folder / "SHA256SUMS").unlink,
        lambda: (folder / "more.json").write_text("{}"),
    ]


@pytest.mark.parametrize("harm", range(7))
def test_what_is_damaged_counts_as_absent(store: Store, harm: int) -> None:
    record(store, "TEST")
    for folder in folders(store, "TEST"):
        harms(folder)[harm]()
    assert recalled(store, 1) is None


def test_where_signatures_count_it_needs_one(store: Store, tmp_path: Path) -> None:
    record(store, "TEST")
    private, public = write_keys(tmp_path)
    asking = Store(store.root, TrustedKeys.read([public]))
    assert recalled(asking) is None
    key = read_private_key(private)
    for folder in folders(store, "TEST"):
        sign(folder, key)
    assert recalled(asking) == recalled(store) is not None


def test_the_oldest_make_room(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_comparisons, "_KEPT", 2)
    record(store, "TEST")
    before = folders(store, "TEST")
    store.publish(make_files(intercept=3e-5, further=(5,)), promote=True)
    record(store, "TEST")
    assert len(folders(store, "TEST")) == 2
    assert not set(folders(store, "TEST")) & set(before)
    assert recalled(store) is not None


def test_what_serves_is_kept_although_it_was_brought_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish(make_files(intercept=3e-5, further=(5,)), promote=True)
    record(store, "TEST")
    monkeypatch.setattr(stored_comparisons, "_KEPT", 2)
    needed = first, second = folders(store, "TEST")
    os.utime(first, (0, 0))
    second.rename(second.with_name("0" * 32))
    record(store, "TEST")
    assert folders(store, "TEST") == needed


def test_what_cannot_be_read_or_written_is_done_without(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(stored_comparisons, "write_folder", full)
        assert record(store, "TEST") == 0
    (store.root / "TEST" / "har" / "current").write_text("{}")
    assert record(store, "TEST") == 0
    assert record(store, "ABSENT") == 0
    assert folders(store, "TEST") == folders(store, "ABSENT") == []


def test_what_is_known_of_these_models_is_not_found_out_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = compared(store, 1)
    result = expected.comparisons[1].result
    assert isinstance(result, Comparison)
    models = {
        model: store.evidence("TEST", model, *version)
        for model, version in promoted(store, "TEST").items()
    }
    asked: list[int] = []

    def counting(tracks: Any, *given: Any, **more: Any) -> Comparison:
        asked.append(tracks[0].horizon)
        return compare(tracks, *given, **more)

    monkeypatch.setattr("models_store.comparison.compare", counting)
    assert record(store, "TEST", Judged(models, result)) == 2
    assert asked == [5]
    assert recalled(store, 1) == expected
    store.publish(make_files(intercept=3e-5, further=(5,)), promote=True)
    assert record(store, "TEST", Judged(models, result)) == 2  # of other models: made anew
    assert sorted(asked) == [1, 5, 5]


@pytest.mark.parametrize("asset", Store(shipped.shipped_artifacts()).assets())
def test_those_that_are_shipped_are_what_is_found(asset: str) -> None:
    """Where they are not: `make comparisons`, with another `PROCEDURE` if models are the same."""
    store = Store(shipped.shipped_artifacts())
    versions, champion = promoted(store, asset), store.champion(asset)
    horizons = (1, 5, 10, 22)
    assert len(folders(store, asset)) == len(horizons)
    stored = recall(store, asset, versions, champion, (), horizons)
    assert stored is not None
    assert tuple(stored.comparisons) == stored.horizons == horizons
    found = compare_at(Shelf(store).evidence(asset), champion, (), (1,))
    one, other = stored.comparisons[1].result, found.comparisons[1].result
    assert isinstance(one, Comparison)
    assert isinstance(other, Comparison)
    for kept, made in zip(one.rows, other.rows, strict=True):
        assert (kept.model, kept.in_confidence_set) == (made.model, made.in_confidence_set)
        assert kept.qlike_loss == pytest.approx(made.qlike_loss, rel=1e-9)
        assert kept.confidence_set_pvalue == pytest.approx(made.confidence_set_pvalue, abs=1e-3)
    assert one.spa_pvalue == pytest.approx(other.spa_pvalue, abs=1e-3)
