"""What the process takes, and what it may."""

import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

_TASKS = Path("/proc/self/task")
# Where a container sees its own limit: cgroup v2, and v1.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_UNLIMITED = 2**60  # bytes, which v1 has where there is no limit


class ProcessMetrics(Collector):
    """Memory, CPU, open files, threads, start time and release of this process.

    Parameters
    ----------
    limits : files of which the first that can be read has the limit on memory.
    """

    def __init__(self, limits: tuple[Path, ...] = _LIMITS) -> None:
        self._usual = ProcessCollector(registry=None)
        self._limits = limits

    def collect(self) -> Iterator[Metric]:
        """What every client of Prometheus tells of a process, and threads and limit."""
        yield from self._usual.collect()
        yield GaugeMetricFamily(
            "process_threads", "Threads of the process, those of libraries too.", value=_threads()
        )
        limit = GaugeMetricFamily(
            "roughcast_memory_limit_bytes", "Memory that the container may take, if it has a limit."
        )
        most = self._limit()
        if most is not None:
            limit.add_metric((), most)
        yield limit
        yield InfoMetricFamily(
            "roughcast_release", "Which release runs.", value={"version": version("roughcast")}
        )

    def _limit(self) -> int | None:
        for path in self._limits:
            try:
                most = int(path.read_text())
            except (OSError, ValueError):  # not there, or `max`
                continue
            return most if most < _UNLIMITED else None
        return None


def _threads() -> int:
    try:
        return sum(1 for _ in _TASKS.iterdir())
    except OSError:
        return threading.active_count()
