"""A disk that is full, for real: nothing is half written, and what is held serves."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.databases import file_in
from tests.service.disks import SmallDisk, small_disk
from tests.service.worlds import ASSET, bars_of, clock, json_bars
from volatility.series import DatedSeries

HELD = 400  # bars


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "small") as disk:
        yield disk


@pytest.fixture
def client(settings: Settings, disk: SmallDisk) -> Iterator[TestClient]:
    file = disk.folder / "history.sqlite3"
    shutil.copy(file_in(settings.database_url), file)
    there = settings.model_copy(update={"database_url": f"sqlite:///{file}"})
    with TestClient(create_app(there, clock)) as client:
        yield client


def older_bars(number: int) -> list[dict[str, object]]:
    series = make_series(number)
    return json_bars(
        bars_of(DatedSeries(series.rv, series.measure, series.dates - (number + HELD)))
    )


def put(client: TestClient, number: int) -> tuple[int, dict]:
    answer = client.put(f"/assets/{ASSET}/bars", json={"bars": older_bars(number)})
    return answer.status_code, answer.json()


def bars_held(client: TestClient) -> int:
    return client.get("/assets").json()["assets"][0]["bars"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("room", "number"), [(0, 100), (100_000, 20_000)], ids=["none", "for_a_part"]
)
def test_bars_that_do_not_fit_are_refused_as_a_whole(
    client: TestClient, disk: SmallDisk, room: int, number: int
) -> None:
    before = client.post("/forecast", json={"asset": ASSET}).content
    disk.fill(but=room)
    status, problem = put(client, number)
    assert (status, problem["code"]) == (503, "database_unavailable")
    assert "room left" in problem["detail"]
    assert client.post("/forecast", json={"asset": ASSET}).content == before
    assert bars_held(client) == HELD
    disk.free()
    status, merged = put(client, 100)
    assert (status, merged["added"], merged["bars"]) == (200, 100, HELD + 100)
    with contextlib.closing(sqlite3.connect(disk.folder / "history.sqlite3")) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert other.execute("SELECT count(*) FROM bars").fetchone() == (HELD + 100,)
