import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.operations import trials
from service.operations.trials import STORE, Trial
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
