import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from service.app import create_app
from service.assets.database import HistoryStore
from service.http.errors import DatabaseUnavailable
from service.operations import trials
from service.operations.trials import STORE, Trial, trials_of
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.databases import file_in
from tests.service.disks import SmallDisk, small_disk
from tests.service.patience import eventually
from tests.service.worlds import ASSET, clock, verified


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


def ready(client: TestClient) -> dict:
    answer = verified(client).get("/health/ready")
    assert answer.status_code == 200
    return answer.json()


def test_a_history_on_a_full_disk_is_told_until_there_is_room(
    settings: Settings, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "_HISTORY_EVERY", 0.0)
    file = disk.folder / "history.sqlite3"
    file.write_bytes(file_in(settings.database_url).read_bytes())
    there = settings.model_copy(update={"database_url": f"sqlite:///{file}"})
    with TestClient(create_app(there, clock)) as client:
        disk.fill()
        eventually(lambda: "history" in ready(client)["not_writable"])
        told = ready(client)
        assert told["status"] == "degraded"
        fault = told["not_writable"]["history"]
        assert f"bars and forecasts cannot be written down: {fault}" in told["warnings"]
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
        disk.free()
        eventually(lambda: ready(client)["status"] == "ok")


def test_a_store_that_is_read_only_is_told_and_serves(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(root: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(trials, "check_writable", refuse)
    eventually(lambda: STORE in ready(client)["not_writable"])
    told = ready(client)
    assert (told["status"], told["not_writable"]) == ("ok", {"store": "Permission denied"})


def test_a_trial_without_an_end_is_told_and_is_the_only_one() -> None:
    again, tried = threading.Event(), []

    def hang() -> None:
        tried.append(threading.current_thread())
        again.wait()

    trial = Trial(hang, every=0.0, patience=0.02)
    assert trial.fault() is None
    eventually(lambda: trial.fault() is not None)
    assert "not come to an end within 0.02 seconds" in str(trial.fault())
    again.set()
    tried[0].join()
    assert len(tried) == 1
    eventually(lambda: trial.fault() is None)


def test_a_trial_waits_for_its_time() -> None:
    tried = []
    trial = Trial(lambda: tried.append(1), every=60.0, patience=1.0)
    assert [trial.fault() for _ in range(3)] == [None] * 3
    eventually(lambda: bool(tried))
    assert (trial.fault(), tried) == (None, [1])


def ended(trial: Trial) -> str | None:
    """What a trial that is begun now finds, if it is time for one, or what the last one found."""
    trial.fault()
    if trial._thread is not None:
        trial._thread.join()
    return trial._fault


def test_a_fault_is_written_down_once_and_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at, tried = SimpleNamespace(now=0.0), list[float]()
    outcomes: list[Exception | None] = [
        OSError(28, "No space left on device"),
        DatabaseUnavailable("it is locked"),
        None,
        ZeroDivisionError(),
        None,
    ]

    def write() -> None:
        tried.append(at.now)
        error = outcomes[len(tried) - 1]
        if error is not None:
            raise error

    monkeypatch.setattr(trials, "time", SimpleNamespace(monotonic=lambda: at.now))
    trial, found = Trial(write, every=30.0, patience=1.0), list[str | None]()
    with capture_logs() as lines:
        for at.now in (1_000.0, 1_004.0, 1_005.0, 1_010.0, 1_039.0, 1_040.0, 1_045.0):
            found += [ended(trial)]
    assert tried == [1_000.0, 1_005.0, 1_010.0, 1_040.0, 1_045.0]
    full = "No space left on device"
    assert found == [full, full, "it is locked", None, None, "a bug", None]
    assert [(it["log_level"], it["event"], it.get("reason")) for it in lines] == [
        ("warning", "cannot be written", full),
        ("error", "writing not tried", None),
        ("warning", "cannot be written", "a bug"),
    ]


def test_what_a_trial_leaves_behind_is_nothing(settings: Settings, tmp_path: Path) -> None:
    history = HistoryStore(settings.database_url)
    store = tmp_path / "shelf"
    store.mkdir()
    own = settings.model_copy(update={"store": store, "database_lock_timeout": 7.0})
    told = trials_of(own, history)
    assert {name: ended(it) for name, it in told.items()} == {"history": None, "store": None}
    assert list(store.iterdir()) == []
    every = {name: (it._every, it._patience) for name, it in told.items()}
    patience = 7.0 + 2 * settings.database_statement_timeout
    assert every == {"history": (30.0, patience), "store": (600.0, patience)}
    history.close()
