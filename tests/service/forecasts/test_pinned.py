"""Versions that a request names: which there are, what is said of them, how many stay open."""

from pathlib import Path
from typing import Any

import pytest

from models_store import Store
from models_store.universal.store import UniversalStore
from service.assets.holdings import Holdings
from service.forecasts import pinned
from service.forecasts.pinned import PinnedModels
from service.models.catalogue import Catalogue
from service.models.skill import ModelSkill
from service.settings import Settings
from tests.errors import details
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.worlds import ASSET
from volatility.errors import UnknownVersion


@pytest.fixture
def store(settings: Settings) -> Store:
    """Three versions of HAR, of which the first serves, and one of each kind for every asset."""
    store = Store(settings.store_folder)
    for intercept in (3e-5, 5e-5):
        store.publish(make_files(ASSET, "har", intercept))
    for files in (small_files(), small_files(serves=False)):
        UniversalStore(store.root).publish(files)
    return store


@pytest.fixture
def versions(store: Store) -> PinnedModels:
    return PinnedModels(Catalogue(store), Holdings(None))


def test_a_version_that_serves_is_told_of_as_it_serves(versions: PinnedModels) -> None:
    first = versions.choice(ASSET, "har", 1)
    assert (first.model.version, first.asset, first.degraded_reason) == (1, ASSET, None)
    assert isinstance(first.skill, ModelSkill)
    second = versions.choice(ASSET, "har", 2)
    assert (second.model.version, second.asset, second.degraded_reason) == (2, ASSET, None)
    assert second.skill == "version 2 of har is not compared: it does not serve"
    assert second.source.skill(second.model, 5) == second.skill
    sha256 = second.model.sha256
    assert versions.choice(ASSET, "har", 2, sha256).model is second.model
    with pytest.raises(UnknownVersion, match=f"version 1 of {ASSET}/har is another by now"):
        versions.choice(ASSET, "har", 1, sha256)


def test_the_model_for_every_asset_has_versions_of_its_own(versions: PinnedModels) -> None:
    found = versions.choice(ASSET, "universal", 1)
    assert (found.model.manifest.model, found.model.version) == ("universal", 1)
    assert (found.model.manifest.measure, found.model.manifest.calendar) == ("garman_klass", "24/7")
    assert (found.asset, found.degraded_reason) == (ASSET, None)


def test_one_that_there_is_not_is_told_with_those_that_there_are(versions: PinnedModels) -> None:
    for asset, model, version, needed in (
        (ASSET, "har", 4, "one of 1, 2, 3"),
        (ASSET, "universal", 2, "one of 1, 2"),  # made to be evaluated
        (ASSET, "universal", 3, "one of 1, 2"),
        (ASSET, "lstm", 1, "a published model"),
        ("NOTHING", "har", 1, "a published model"),
    ):
        said = f"no version {version} of {asset}/{model}"
        with pytest.raises(UnknownVersion, match=said) as none:
            versions.choice(asset, model, version)
        assert details(none.value) == ("model_version", version, needed)


def test_those_that_were_asked_for_last_stay_open(
    versions: PinnedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pinned, "_MOST_OPEN", 2)
    versions.choice(ASSET, "har", 1)  # that serves
    loads, load = list[int](), Store.load

    def loading(store: Store, asset: str, model: str, version: int, *more: Any) -> Any:
        loads.append(version)
        return load(store, asset, model, version, *more)

    monkeypatch.setattr(Store, "load", loading)
    for version in (2, 3, 2, 1, 2, 3):
        assert versions.choice(ASSET, "har", version).model.version == version
    assert loads == [2, 3, 1, 3]


def test_a_version_whose_folder_is_gone_is_none(store: Store, versions: PinnedModels) -> None:
    folder: Path = store.root / ASSET / "har" / "2"
    for it in folder.iterdir():
        it.unlink()
    folder.rmdir()
    with pytest.raises(UnknownVersion) as none:
        versions.choice(ASSET, "har", 2)
    assert details(none.value) == ("model_version", 2, "one of 1, 3")
