"""Threads behind the service: how they end, and what they write down."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from models_store import Store
from models_store.rack import Rack
from service.assets import watcher
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.assets.watcher import Watcher
from service.http.errors import DatabaseUnavailable
from service.http.lanes import Lane
from service.models import verifier
from service.models.catalogue import Catalogue
from service.models.turning import Turner
from service.models.verifier import Verifier
from service.operations import seeding
from tests.models_store.artifacts import make_files
from tests.service.worlds import ASSET, NOW


@pytest.fixture(autouse=True)
def _logs_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger stays as it was first used, which may have been before logs were set up anew."""
    for module in (watcher, verifier, seeding):
        monkeypatch.setattr(module, "log", structlog.get_logger("service"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    store = HistoryStore(f"sqlite:///{tmp_path / 'history.sqlite3'}")
    store.prepare([])
    yield store
    store.close()


def fails(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def told_once(following: Watcher, error: Exception) -> list[dict[str, Any]]:
    """What is written down where following fails, and then is told to stop."""

    def wait(_seconds: float) -> bool:
        following._stopping.set()
        return True

    following._follow = fails(error)  # type: ignore[method-assign]
    following._stopping.wait = wait  # type: ignore[method-assign,assignment]
    with capture_logs() as lines:
        following._run()
    return [dict(it) for it in lines]


def test_a_database_that_does_not_answer_is_told_of_with_the_reason(store: HistoryStore) -> None:
    holdings = Holdings(store)
    [line] = told_once(Watcher(holdings, clock=lambda: NOW), DatabaseUnavailable("it sleeps"))
    assert line == {
        "event": "history not in step with its database",
        "log_level": "warning",
        "reason": "it sleeps",
    }
    assert holdings.doubt == (
        "what is held has not been compared with the history database since 2021-02-04T12:00:00Z: "
        "bars that were put elsewhere since then are not known"
    )


def test_a_bug_of_following_is_told_of_as_one(store: HistoryStore) -> None:
    bug, line = told_once(Watcher(Holdings(store), clock=lambda: NOW), KeyError("x"))
    assert (bug["event"], bug["log_level"]) == ("history not compared", "error")
    assert (line["event"], line["reason"]) == ("history not in step with its database", "a bug")


def test_what_is_known_to_be_behind_is_told_of_once(store: HistoryStore) -> None:
    holdings = Holdings(store)
    holdings.doubt = "as before"
    assert told_once(Watcher(holdings), DatabaseUnavailable("still")) == []
    assert holdings.doubt == "as before"


def test_nothing_has_changed_for_who_has_just_begun_to_follow(store: HistoryStore) -> None:
    with store.changes() as changes:
        assert not changes.wait(0)


def check_left_behind(following: Watcher | Verifier, again: threading.Event) -> None:
    """A stop waits for what is under way, and not for ever."""
    following.start()
    following.stop()
    assert following._thread.is_alive()
    assert following._thread.daemon
    again.set()
    following._thread.join()


def test_a_database_that_hangs_does_not_keep_the_process(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    again, following = threading.Event(), Watcher(Holdings(store))
    monkeypatch.setattr(watcher, "_STOPPING", 0.02)
    monkeypatch.setattr(following, "_follow", again.wait)
    check_left_behind(following, again)


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    store = Store(tmp_path / "store")
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har")))
    return Catalogue(store)


UNUSED = Lane("models", 1, 1)


def test_a_store_that_hangs_does_not_keep_the_process(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = threading.Event()
    monkeypatch.setattr(verifier, "_STOPPING", 0.02)
    monkeypatch.setattr(catalogue, "prepare", lambda *_: again.wait())
    check_left_behind(Verifier(catalogue, Turner(catalogue), UNUSED), again)


def test_what_cannot_be_verified_or_compared_is_told_of_and_passed_over(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifying = Verifier(catalogue, Turner(catalogue), UNUSED)
    monkeypatch.setattr(catalogue, "prepare", fails(KeyError("x")))
    monkeypatch.setattr(catalogue.standings, "comparison", fails(KeyError("x")))
    monkeypatch.setattr(verifying._stopping, "wait", lambda _seconds: True)
    with capture_logs() as lines:
        verifying._run()
    told = [(it["event"], it.get("asset"), it.get("model")) for it in lines]
    assert told == [
        ("model not verified", ASSET, "auto"),
        ("model not verified", ASSET, "har"),
        ("models verified", None, None),
        ("models not compared", ASSET, None),
    ]
    assert (lines[2]["models"], lines[2]["refused"]) == (1, 0)


def test_evidence_is_read_once_where_nothing_is_refused_meanwhile(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    evidence = Rack.evidence

    def counting(rack: Rack) -> Any:
        read.append(ASSET)
        return evidence(rack)

    monkeypatch.setattr(Rack, "evidence", counting)
    for _ in range(2):
        assert catalogue.comparison(ASSET).versions == {"har": 1}
    assert read == [ASSET]


def test_why_a_store_cannot_note_its_database_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeding, "replace_file", fails(PermissionError(13, "Permission denied")))
    with capture_logs() as lines:
        seeding._remember(tmp_path, "a place")
    [line] = lines
    assert line["event"] == "the store cannot note its database"
    assert line["reason"] == "Permission denied"
    monkeypatch.undo()
    for place in ("b", "a", "b"):
        seeding._remember(tmp_path, place)
    assert seeding._known(tmp_path) == ["a", "b"]
