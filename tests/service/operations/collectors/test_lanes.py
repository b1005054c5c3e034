import threading

import anyio
import pytest

from service.http.errors import Overloaded
from service.http.lanes import Lane, Lanes
from service.operations.collectors.lanes import LaneMetrics
from tests.service.operations.samples import Samples, samples_of


def lane() -> Lane:
    return Lane("work", threads=3, waiting=1)


def test_each_lane_tells_of_its_threads_and_of_what_waits() -> None:
    others = {it: lane() for it in Lanes._fields if it != "work"}
    lanes = Lanes(work=Lane("work", 2, 3), **others)
    gate, found = threading.Event(), [Samples()]

    async def crowd() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(lanes.work.run, gate.wait, 30)
            group.start_soon(lanes.ingest.run, gate.wait, 30)
            await anyio.wait_all_tasks_blocked()
            for _ in range(4):
                with pytest.raises(Overloaded, match="3 requests are waiting already"):
                    await lanes.work.run(gate.wait, 30)
            found[0] = samples_of(LaneMetrics(lanes))
            gate.set()

    anyio.run(crowd)
    of_work = {name: found[0][f"roughcast_lane_{name}", "work"] for name in NAMES}
    assert of_work == {"threads": 2, "busy": 2, "waiting": 3, "refused_total": 4}
    of_ingest = {name: found[0][f"roughcast_lane_{name}", "ingest"] for name in NAMES}
    assert of_ingest == {"threads": 3, "busy": 1, "waiting": 0, "refused_total": 0}
    afterwards = samples_of(LaneMetrics(lanes))
    assert afterwards["roughcast_lane_busy", "work"] == 0
    assert afterwards["roughcast_lane_refused_total", "work"] == 4


NAMES = ("threads", "busy", "waiting", "refused_total")
