"""Versions on trial beside the ones that serve."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from models_store import ArtifactRefused, Store
from models_store.changed import CHANGED
from models_store.names import is_pointer
from models_store.pointers import Shadow
from models_store.pruning import prune
from models_store.shadows import end_shadow, shadow, start_shadow, tried_models
from tests.models_store.artifacts import flip_byte, make_files
from tests.models_store.buckets import with_a_newer_version
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three versions of har, of which the first serves, and one of log_har."""
    store = Store(tmp_path)
    for number in range(3):
        store.publish(make_files(intercept=(number + 1) * 1e-5), promote=number == 0)
    store.publish(make_files(model="log_har"), promote=True)
    return store


def on_trial(store: Store, asset: str = "TEST") -> dict[str, int | None]:
    found = {model: shadow(store, asset, model) for model in tried_models(store, asset)}
    return {model: it.version for model, it in found.items() if it}


def test_a_version_is_on_trial_until_another_is_or_the_trial_ends(store: Store) -> None:
    assert on_trial(store) == {}
    start_shadow(store, "TEST", "log_har", 1)
    for version in (3, 2):
        start_shadow(store, "TEST", "har", version)
        sha256 = store.load("TEST", "har", version).sha256
        assert shadow(store, "TEST", "har") == Shadow(version=version, sha256=sha256)
        assert on_trial(store) == {"har": version, "log_har": 1}
    end_shadow(store, "TEST", "har")
    assert shadow(store, "TEST", "har") is None
    assert on_trial(store) == {"log_har": 1}
    assert store.served("TEST", "har") == (1,)


def test_whoever_follows_the_store_is_told(store: Store) -> None:
    noted = store.root / CHANGED
    start, end = partial(start_shadow, version=2), end_shadow
    for change in (start, end):
        before = noted.stat().st_mtime_ns
        change(store, "TEST", "har")
        assert noted.stat().st_mtime_ns > before
    assert is_pointer("TEST/har/shadow")
    assert not is_pointer("universal/har/shadow")


def test_what_is_not_there_or_damaged_is_not_tried(store: Store) -> None:
    with pytest.raises(UnknownVersion, match="no version 4"):
        start_shadow(store, "TEST", "har", 4)
    with pytest.raises(UnknownModel):
        start_shadow(store, "TEST", "lstm", 1)
    with pytest.raises(UnknownAsset):
        end_shadow(store, "OTHER", "har")
    path = store.root / "TEST" / "har" / "2" / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    with pytest.raises(ArtifactRefused):
        start_shadow(store, "TEST", "har", 2)
    assert on_trial(store) == on_trial(store, "OTHER") == {}


@pytest.mark.parametrize("content", ["{}", "", '{"version": 0, "sha256": null}', '{"version": 1}'])
def test_a_pointer_that_cannot_be_read_is_told(store: Store, content: str) -> None:
    path = store.root / "TEST" / "har" / "shadow"
    path.write_text(content)
    with pytest.raises(ArtifactRefused, match="pointer 'shadow' cannot be read"):
        shadow(store, "TEST", "har")
    start_shadow(store, "TEST", "har", 3)  # in its place
    assert on_trial(store) == {"har": 3}
    path.write_text(content)
    end_shadow(store, "TEST", "har")
    assert shadow(store, "TEST", "har") is None


def test_of_folders_that_are_no_model_nothing_is_asked(store: Store) -> None:
    (store.root / "TEST" / "Old.bak").mkdir()
    (store.root / "TEST" / "Old.bak" / "shadow").write_text("{}")
    (store.root / "TEST" / "log_har" / "shadow").symlink_to("nowhere")
    assert tried_models(store, "TEST") == ["log_har"]


def test_a_model_that_cannot_be_looked_at_is_not_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(path: str) -> None:
        raise OSError(5, "Input/output error")

    start_shadow(store, "TEST", "har", 2)
    monkeypatch.setattr("models_store.shadows.os.lstat", failing)
    with pytest.raises(OSError, match="Input/output error"):
        tried_models(store, "TEST")


def test_a_version_on_trial_is_not_pruned(store: Store) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    with_a_newer_version(store)
    start_shadow(store, "TEST", "har", 2)
    assert prune(store, "TEST", "har", 0, later).removed == (3,)
    end_shadow(store, "TEST", "har")
    assert prune(store, "TEST", "har", 0, later).removed == (2,)
