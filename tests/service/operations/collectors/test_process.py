import re
import threading
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from service.operations.collectors.process import ProcessMetrics
from tests.service.operations.samples import samples_of

LIMIT = ("roughcast_memory_limit_bytes",)


def test_memory_cpu_files_threads_start_and_release_are_told() -> None:
    found = samples_of(ProcessMetrics())
    assert 10e6 < found[("process_resident_memory_bytes",)] < 100e9
    assert found[("process_cpu_seconds_total",)] > 0
    assert 0 < found[("process_open_fds",)] < found[("process_max_fds",)]
    assert 0 < found[("process_start_time_seconds",)] < time.time()
    assert found["roughcast_release_info", version("roughcast")] == 1


def test_threads_of_libraries_are_counted_too() -> None:
    status = Path("/proc/self/status").read_text()
    before = int(re.search(r"^Threads:\s+(\d+)", status, re.MULTILINE)[1])
    gate = threading.Event()
    threads = [threading.Thread(target=gate.wait, args=(30,)) for _ in range(3)]
    for it in threads:
        it.start()
    found = samples_of(ProcessMetrics())[("process_threads",)]
    gate.set()
    for it in threads:
        it.join()
    assert found >= before + 3 - 1  # another may have ended meanwhile


@pytest.mark.parametrize(
    ("said", "limit"),
    [("2147483648\n", 2**31), ("max\n", None), ("9223372036854771712\n", None)],
)
def test_the_limit_on_memory_is_that_of_the_container(
    tmp_path: Path, said: str, limit: int | None
) -> None:
    second = tmp_path / "memory.max"
    second.write_text(said)
    found = samples_of(ProcessMetrics((tmp_path / "absent", second)))
    assert found.get(LIMIT) == limit


def test_the_limit_is_looked_for_where_containers_have_it() -> None:
    """In version 2 of control groups, and in version 1."""
    assert [str(it) for it in ProcessMetrics()._limits] == [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
