"""Another process compares models as this one would."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from models_store import Refusal, Store
from models_store.comparison import Compared, compare_at
from models_store.rack import Rack
from models_store.shelf import Shelf
from models_store.signatures import TrustedKeys
from models_store.stored_comparisons import folders, promoted, recall
from models_store.succession import succeed
from models_store.traces import Traces
from service.models import comparing
from service.models.catalogue import Catalogue
from service.models.comparing import Comparer, Job, compare
from service.models.follower import Follower, SwapTally
from service.models.turning import Turner
from service.settings import Settings
from tests.keys import write_keys
from tests.models_store.artifacts import make_files
from tests.service.patience import eventually
from tests.service.worlds import ASSET, MODELS, damage
from volatility.errors import UnsupportedHorizon

HORIZONS = (1, 5, 22)  # of which none forecasts the last
FEW = comparing.FEW  # of a service; tests have less
OTHERS = set[int]()  # processes that earlier tests started, and left


def comparers() -> list[psutil.Process]:
    """Processes that compare models for this one."""
    return [it for it in psutil.Process().children() if it.pid not in OTHERS]


@pytest.fixture(autouse=True)
def _others() -> None:
    OTHERS.clear()
    OTHERS.update(it.pid for it in psutil.Process().children())


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three models are many."""
    monkeypatch.setattr(comparing, "FEW", 2)


@pytest.fixture
def store(settings: Settings) -> Store:
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        store.publish(make_files(ASSET, model, 2 * intercept, further=(5,)), promote=True)
    return store


@pytest.fixture
def shelf(store: Store) -> Shelf:
    shelf = Shelf(store)
    shelf.verify()
    shelf.refuse(ASSET, "ewma", Refusal(ASSET, "ewma", 3, "damaged", None))
    return shelf


@pytest.fixture
def comparer() -> Iterator[Comparer]:
    comparer = Comparer()
    yield comparer
    comparer.stop()


@pytest.fixture
def compared(store: Store, shelf: Shelf, comparer: Comparer) -> Callable[[], Compared | None]:
    """What another process finds of the models of the shelf, one session ahead."""
    return lambda: comparer.compared(store, ASSET, shelf.rack(ASSET), (1,))


def test_it_finds_what_is_found_here(store: Store, shelf: Shelf, comparer: Comparer) -> None:
    rack = shelf.rack(ASSET)
    found = comparer.compared(store, ASSET, rack, HORIZONS)
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
    store: Store, shelf: Shelf, comparer: Comparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "FEW", 3)
    assert comparer.compared(store, ASSET, shelf.rack(ASSET), (1,)) is None
    assert comparer.compared(store, "NONE", Rack(), (1,)) is None


def test_from_seven_models_on_another_process_is_asked(
    store: Store, comparer: Comparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rack(count: int) -> Any:
        cards = [SimpleNamespace(model=f"m{it}", version=1, sha256="") for it in range(count)]
        places = {it.model: SimpleNamespace(card=it, serves=True) for it in cards}
        return SimpleNamespace(places=places, champion=None, refusals=())

    monkeypatch.setattr(comparing, "FEW", FEW)
    asked: list[Job] = []
    monkeypatch.setattr(Comparer, "_ask", lambda _, job: asked.append(job))
    for count in (6, 7):
        comparer.compared(store, ASSET, rack(count), (1,))
    assert [len(job.versions) for job in asked] == [7]


def test_what_has_not_been_verified_is_compared_here(
    store: Store, comparer: Comparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert comparer.compared(store, ASSET, Shelf(store).rack(ASSET), (1,)) is None


def test_what_it_cannot_read_is_compared_here(
    settings: Settings, store: Store, shelf: Shelf, comparer: Comparer
) -> None:
    damage(settings, "har", 2)
    with capture_logs() as lines:
        assert comparer.compared(store, ASSET, shelf.rack(ASSET), (1,)) is None
    assert lines == []


def test_files_are_compared_by_the_digests_that_were_verified(store: Store) -> None:
    sha256 = {model: store.load(ASSET, model).sha256 for model in MODELS}
    versions = {model: (2, digest) for model, digest in sha256.items()}
    job = Job(store.root, ASSET, versions, "har", (), (1,))
    assert compare(job) is not None
    other = versions | {"har": (2, "0" * 64)}
    assert compare(job._replace(versions=other)) is None
    assert compare(job._replace(versions=versions | {"har": (9, "0" * 64)})) is None


def test_one_process_does_one_job_after_the_other(
    store: Store, shelf: Shelf, compared: Callable[[], Compared | None]
) -> None:
    def asked() -> tuple[int, Mapping[str, int]]:
        found = compared()
        assert found is not None
        [child] = comparers()
        return child.pid, found.comparisons[1].versions

    one, versions = asked()
    assert versions == dict.fromkeys(MODELS, 2)
    store.promote(ASSET, "har", 1)
    shelf.exchange(ASSET, shelf.rack(ASSET), succeed(shelf, ASSET, ["har"]).after)
    same, versions = asked()
    assert (same, versions) == (one, dict.fromkeys(MODELS, 2) | {"har": 1})
    psutil.Process(one).kill()
    with capture_logs():
        assert compared() is None
    other, again = asked()
    assert other != one
    assert again == versions


def test_it_ends_when_it_has_had_nothing_to_do(
    compared: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_REST", 0.0)
    assert compared() is not None
    eventually(lambda: not comparers())
    assert compared() is not None


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """A program that takes its time, whatever it is to do."""
    program = tmp_path / "slow"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    return str(program)


def test_what_it_is_at_ends_with_it(
    compared: Callable[[], object],
    comparer: Comparer,
    slow: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", slow)
    found = list[object]()
    asking = threading.Thread(target=lambda: found.append(compared()))
    with capture_logs():
        asking.start()
        eventually(lambda: bool(comparers()))
        comparer.stop()
        asking.join()
    assert found == [None]
    assert comparers() == []


def test_none_is_started_once_it_has_been_stopped(
    compared: Callable[[], object], comparer: Comparer
) -> None:
    comparer.stop()
    assert compared() is None
    assert comparers() == []


def test_to_stop_does_not_wait_for_one_that_is_just_being_started(
    compared: Callable[[], object],
    comparer: Comparer,
    slow: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", slow)
    stopping = threading.Thread(target=comparer.stop)
    popen = subprocess.Popen

    def started(*arguments: Any, **options: Any) -> Any:
        stopping.start()
        eventually(lambda: comparer._is_stopped)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", started)
    assert compared() is None  # and not after two minutes
    stopping.join()
    assert comparers() == []


def test_who_has_another_job_is_not_ended_for_having_rested(
    compared: Callable[[], object], comparer: Comparer
) -> None:
    assert compared() is not None
    rested = comparer._resting
    assert rested is not None
    assert compared() is not None
    [child] = comparers()
    late = threading.Timer(0.0, rested.function, rested.args)
    late.start()
    late.join()
    assert comparers() == [child]


def test_an_answer_that_cannot_be_read_is_told_of(
    compared: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(_self: object, _job: Job) -> Compared:
        raise TypeError("an error of other arguments")

    monkeypatch.setattr(comparing._Worker, "ask", unread)
    with capture_logs() as lines:
        assert compared() is None
    assert "an error of other arguments" in lines[0]["reason"]
    assert comparers() == []


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
    store: Store, shelf: Shelf, comparer: Comparer, tmp_path: Path
) -> None:
    _, public = write_keys(tmp_path)
    rack, signed = shelf.rack(ASSET), Store(store.root, TrustedKeys.read([public]))
    assert comparer.compared(signed, ASSET, rack, (1,)) is not None
    assert folders(store, ASSET) == []


@pytest.mark.parametrize(
    ("program", "error"),
    [("none", "FileNotFoundError"), ("false", "Error"), ("slow", "TimeoutError")],
)
def test_a_process_that_fails_is_told_of(
    compared: Callable[[], object],
    slow: str,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    error: str,
) -> None:
    path = slow if program == "slow" else shutil.which(program) or program
    monkeypatch.setattr(sys, "executable", path)
    if program == "slow":
        monkeypatch.setattr(comparing, "_PATIENCE", 0.0)
    with capture_logs() as lines:
        assert compared() is None
    [line] = lines
    assert (line["event"], line["asset"]) == ("models not compared by another process", ASSET)
    assert error in line["reason"]
    assert comparers() == []


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
    turner = Turner(catalogue)
    turner.turn(ASSET, ["har"])
    assert comparers() != []
    Follower(catalogue, turner, Traces(store.root), SwapTally()).stop()
    assert comparers() == []
    choice = catalogue.choices.get(ASSET, "log_har")
    assert choice is not None
    assert choice.skill != skill
    assert catalogue.comparison(ASSET).versions["har"] == 1
    assert catalogue.standings.horizons(ASSET) == [1, 5]


def test_models_that_are_none_compare_to_nothing() -> None:
    assert compare_at({}, None, (), (1, 5)) == Compared((), None, {})
