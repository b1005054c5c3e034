"""Work that gets stuck keeps its own kind waiting, and nothing else."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from fastapi import FastAPI

from service.app import create_app
from service.assets.holdings import Holdings
from service.http.errors import Overloaded
from service.http.lanes import Lane
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock

BARS = b"date,open,high,low,close\n2021-02-03,100,101,99,100\n"
CSV = {"content-type": "text/csv"}


def test_as_much_as_may_wait_waits_and_the_rest_is_refused() -> None:
    gate, done = threading.Event(), []

    def work(number: int) -> None:
        gate.wait(30)
        done.append(number)

    async def crowd() -> None:
        lane = Lane("work", threads=1, waiting=2)
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(lane.run, work, number)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(Overloaded, match="2 requests are waiting already for their work"):
                await lane.run(work, 3)
            assert (lane.taken, lane.refused, lane.busy, lane.waiting) == (3, 1, 1, 2)
            gate.set()
        await lane.run(work, 4)
        assert (lane.taken, lane.refused, lane.busy, lane.waiting) == (4, 1, 0, 0)

    anyio.run(crowd)
    assert sorted(done) == [0, 1, 2, 4]


def test_no_more_gets_in_when_all_come_in_one_step_of_the_loop() -> None:
    gate, refused = threading.Event(), []

    async def crowd() -> None:
        lane = Lane("work", threads=1, waiting=2)

        async def ask() -> None:
            try:
                await lane.run(gate.wait, 30)
            except Overloaded as error:
                refused.append(error.found)

        async with anyio.create_task_group() as group:
            for _ in range(8):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            gate.set()

    anyio.run(crowd)
    assert refused == [2] * 5


@pytest.fixture
def stuck(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Writes that wait, as behind a locked database, until the event is set."""
    gate = threading.Event()

    def merge(*_: Any) -> Any:
        gate.wait(30)
        raise Overloaded("the database is locked")

    monkeypatch.setattr(Holdings, "merge", merge)
    yield gate
    gate.set()


def test_ingests_that_are_stuck_leave_all_else_alone(
    settings: Settings, stuck: threading.Event
) -> None:
    few = settings.model_copy(update={"ingest_threads": 1, "max_waiting_ingests": 2})
    app: FastAPI = create_app(few, clock)
    with TestClient(app) as client, ThreadPoolExecutor(8) as pool:

        def put() -> Any:
            return client.put(f"/assets/{ASSET}/bars", content=BARS, headers=CSV)

        puts = [pool.submit(put) for _ in range(8)]
        refused = [next(it for it in puts if it.done()) for _ in range(1) if wait_for(puts, 5)]
        for path in ("/health/live", "/health/ready", "/metrics", "/assets"):
            assert client.get(path).status_code == 200
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
        assert sum(it.done() for it in puts) == 5
        answer = refused[0].result()
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
        stuck.set()


def wait_for(futures: list[Any], number: int) -> bool:
    for _ in range(1_000):
        if sum(it.done() for it in futures) >= number:
            return True
        threading.Event().wait(0.01)
    raise AssertionError("they did not end")
