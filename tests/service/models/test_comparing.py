"""Another process compares models as this one would."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from models_store import Refusal, Store
from models_store.comparison import Compared, compare_at
from models_store.rack import Rack
from models_store.shelf import Shelf
from models_store.signatures import TrustedKeys
from models_store.stored_comparisons import folders, promoted, recall
from service.models import comparing
from service.models.catalogue import Catalogue
from service.models.comparing import Job, compare, compared_elsewhere
from service.models.turning import Turner
from service.settings import Settings
from tests.keys import write_keys
from tests.models_store.artifacts import make_files
from tests.service.worlds import ASSET, MODELS, damage
from volatility.errors import UnsupportedHorizon

HORIZONS = (1, 5, 22)  # of which none forecasts the last


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three models are many."""
    monkeypatch.setattr(comparing, "FEW", 2)


@pytest.fixture
def store(settings: Settings) -> Store:
    store = Store(settings.store)
    for model, intercept in MODELS.items():
        store.publish(make_files(ASSET, model, 2 * intercept, further=(5,)), promote=True)
    return store


@pytest.fixture
def shelf(store: Store) -> Shelf:
    shelf = Shelf(store)
    shelf.verify()
    shelf.refuse(ASSET, "ewma", Refusal(ASSET, "ewma", 3, "damaged", None))
    return shelf


def test_it_finds_what_is_found_here(store: Store, shelf: Shelf) -> None:
    rack = shelf.rack(ASSET)
    found = compared_elsewhere(store, ASSET, rack, HORIZONS)
    here = compare_at(rack.evidence(), rack.champion, rack.refusals, HORIZONS)
    assert found is not None
    assert (found.horizons, found.kind) == (here.horizons, here.kind) == ((1, 5), None)
    for horizon in HORIZONS[:2]:
        one, other = found.comparisons[horizon], here.comparisons[horizon]
        assert repr(one.result) == repr(other.result)
        assert (one.versions, one.excluded) == (other.versions, other.excluded)
        assert one.versions == dict.fromkeys(MODELS, 2)
        assert [it.reason for it in one.excluded] == ["refused: damaged"]
    error = found.comparisons[22].result
    assert isinstance(error, UnsupportedHorizon)
    assert (str(error), error.field) == (str(here.comparisons[22].result), "horizon")


def test_few_models_are_compared_here(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "FEW", 3)
    assert compared_elsewhere(store, ASSET, shelf.rack(ASSET), (1,)) is None
    assert compared_elsewhere(store, "NONE", Rack(), (1,)) is None


def test_what_has_not_been_verified_is_compared_here(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", None)
    assert compared_elsewhere(store, ASSET, Shelf(store).rack(ASSET), (1,)) is None


def test_what_it_cannot_read_is_compared_here(
    settings: Settings, store: Store, shelf: Shelf
) -> None:
    damage(settings, "har", 2)
    with capture_logs() as lines:
        assert compared_elsewhere(store, ASSET, shelf.rack(ASSET), (1,)) is None
    assert lines == []


def test_files_are_compared_by_the_digests_that_were_verified(store: Store) -> None:
    sha256 = {model: store.load(ASSET, model).sha256 for model in MODELS}
    versions = {model: (2, digest) for model, digest in sha256.items()}
    job = Job(store.root, ASSET, versions, "har", (), (1,))
    assert compare(job) is not None
    other = versions | {"har": (2, "0" * 64)}
    assert compare(job._replace(versions=other)) is None
    assert compare(job._replace(versions=versions | {"har": (9, "0" * 64)})) is None


def test_what_was_found_is_kept_in_the_store_where_that_is_asked_for(store: Store) -> None:
    versions = promoted(store, ASSET)
    refusal = Refusal(ASSET, "ewma", 3, "damaged", None)
    job = Job(store.root, ASSET, versions, "har", (refusal,), (1, 5))
    found = compare(job)
    assert folders(store, ASSET) == []
    assert compare(job._replace(is_kept=True)) == found is not None
    assert len(folders(store, ASSET)) == 2
    assert recall(store, ASSET, versions, "har", (refusal,), (1, 5)) == found


def test_without_a_signature_nothing_is_kept_where_one_counts(
    store: Store, shelf: Shelf, tmp_path: Path
) -> None:
    _, public = write_keys(tmp_path)
    rack, signed = shelf.rack(ASSET), Store(store.root, TrustedKeys.read([public]))
    assert compared_elsewhere(signed, ASSET, rack, (1,)) is not None
    assert folders(store, ASSET) == []


@pytest.mark.parametrize(
    "error",
    [
        OSError(11, "Resource temporarily unavailable"),
        subprocess.CalledProcessError(1, "python"),
        subprocess.TimeoutExpired("python", 1),
    ],
)
def test_a_process_that_fails_is_told_of(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    with capture_logs() as lines:
        assert compared_elsewhere(store, ASSET, shelf.rack(ASSET), (1,)) is None
    [line] = lines
    assert (line["event"], line["asset"]) == ("models not compared by another process", ASSET)
    assert type(error).__name__ in line["reason"]


@pytest.mark.parametrize("answer", [b"", b"no pickle"])
def test_an_answer_that_is_none_is_told_of(
    store: Store, shelf: Shelf, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    def say(*_: Any, **__: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess([], 0, answer)

    monkeypatch.setattr(subprocess, "run", say)
    with capture_logs() as lines:
        assert compared_elsewhere(store, ASSET, shelf.rack(ASSET), (1,)) is None
    assert len(lines) == 1


def test_what_is_about_to_serve_is_compared_elsewhere(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = Catalogue(store)
    catalogue.shelf.verify()
    skill = catalogue.resolve(ASSET, "log_har").skill
    store.promote(ASSET, "har", 1)

    def refuse(_self: Rack) -> Any:
        raise AssertionError("files are read here")

    monkeypatch.setattr(Rack, "evidence", refuse)
    Turner(catalogue).turn(ASSET, ["har"])
    choice = catalogue.choices.get(ASSET, "log_har")
    assert choice is not None
    assert choice.skill != skill
    assert catalogue.comparison(ASSET).versions["har"] == 1
    assert catalogue.standings.horizons(ASSET) == [1, 5]


def test_models_that_are_none_compare_to_nothing() -> None:
    assert compare_at({}, None, (), (1, 5)) == Compared((), None, {})
