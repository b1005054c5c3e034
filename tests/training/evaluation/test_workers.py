import os
import subprocess
import sys
import time
from pathlib import Path

import joblib  # type: ignore[import-untyped]

from training.evaluation.workers import worker_pool

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
