import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import joblib  # type: ignore[import-untyped]
import pytest
from distributed import Client, LocalCluster, default_client

from tests.errors import details
from tests.service.patience import eventually
from training.evaluation import workers
from training.evaluation.workers import worker_pool, workers_at
from volatility.errors import InvalidInput

PROGRAM = """
import os, time, joblib
from training.evaluation.workers import worker_pool

def who(_):
    time.sleep(0.3)
    return os.getpid()

print(*set(worker_pool(2)(joblib.delayed(who)(i) for i in range(8))), flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # ended, though nobody has asked how


def test_workers_end_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        workers = [int(pid) for pid in parent.stdout.readline().split()]
        assert workers
        assert parent.pid not in workers
        assert all(map(alive, workers))
        parent.kill()
    deadline = time.monotonic() + 30
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(alive, workers))


def test_one_job_runs_here() -> None:
    assert list(worker_pool(1)([joblib.delayed(os.getpid)()])) == [os.getpid()]


def process_of(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def cluster(size: int) -> LocalCluster:
    return LocalCluster(
        n_workers=size, threads_per_worker=1, processes=True, dashboard_address=":0"
    )


@pytest.fixture(scope="module")
def two() -> Iterator[LocalCluster]:
    with cluster(2) as two:
        yield two


def test_a_cluster_does_the_work_while_it_is_asked_to(two: LocalCluster) -> None:
    work = [joblib.delayed(process_of)(i) for i in range(12)]
    with workers_at(two.scheduler_address):
        processes = set(worker_pool(-1)(work))
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert set(worker_pool(1)(work)) == {os.getpid()}


def test_nothing_else_of_the_process_goes_to_the_cluster(two: LocalCluster) -> None:
    connected = len(two.scheduler.clients)
    with workers_at(two.scheduler_address):
        assert len(two.scheduler.clients) == connected + 1
        with pytest.raises(ValueError, match="No clients found"):
            default_client()
    eventually(lambda: len(two.scheduler.clients) == connected)


def inside(_: int) -> tuple[int, set[int]]:
    return os.getpid(), set(worker_pool(1)(joblib.delayed(process_of)(i) for i in range(8)))


def test_one_job_inside_a_task_of_a_cluster_runs_where_the_task_does(two: LocalCluster) -> None:
    with workers_at(two.scheduler_address):
        found = list(worker_pool(-1)(joblib.delayed(inside)(i) for i in range(2)))
    assert all(processes == {own} for own, processes in found)
    assert os.getpid() not in {own for own, _ in found}


def clients() -> set[str]:
    # By type, since isinstance asks every object for its class, and torch has some that warn of it.
    return {it.id for it in gc.get_objects() if type(it) is Client}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere", "tcp://no.such.host:8786"])
def test_a_scheduler_that_does_not_answer_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_CONNECT_WITHIN", 0.2)
    before = clients()
    with pytest.raises(InvalidInput, match="no work can be given") as refused, workers_at(address):
        pass
    needed = "the address of a running Dask scheduler with workers, such as tcp://10.0.0.5:8786"
    assert details(refused.value) == ("scheduler", address, needed)
    # One that is closed by the collector, while another starts, keeps that start waiting.
    assert clients() <= before


def test_ten_seconds_are_waited_for_a_cluster_and_its_first_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[object] = []

    class Asked:
        def __init__(self, address: str, **options: object) -> None:
            told.append((address, options))

        def wait_for_workers(self, *asked: object, **options: object) -> None:
            told.append((asked, options))
            raise TimeoutError

        def close(self) -> None:
            told.append("closed")

    monkeypatch.setattr("distributed.Client", Asked)
    with pytest.raises(InvalidInput, match="it has no workers"), workers_at("tcp://there:8786"):
        pass
    connecting = {"timeout": 10.0, "set_as_default": False}
    assert told == [("tcp://there:8786", connecting), ((1,), {"timeout": 10.0}), "closed"]


def test_a_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_CONNECT_WITHIN", 1.0)
    with (
        cluster(0) as none,
        pytest.raises(InvalidInput, match="it has no workers"),
        workers_at(none.scheduler_address),
    ):
        pass
