"""Room on the disks that the store and the history are on."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_PATIENCE = 0.5  # seconds that Prometheus waits for a look


class DiskMetrics(Collector):
    """Of the folders of one service.

    A network file system may never answer. So a thread looks, one at a time, and where it does not
    come back what it found before is told no more.

    Parameters
    ----------
    folders : by what is in them.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders
        self._looking: threading.Thread | None = None
        self._found: dict[str, tuple[int, int]] = {}  # bytes in all, and free

    def collect(self) -> Iterator[Metric]:
        """Size and free room, by what is in the folder."""
        size = GaugeMetricFamily(
            "roughcast_disk_size_bytes", "Size of the disk that this is on.", labels=("content",)
        )
        free = GaugeMetricFamily(
            "roughcast_disk_free_bytes", "Room left on it for the process.", labels=("content",)
        )
        for content, (total, left) in self._look().items():
            size.add_metric((content,), total)
            free.add_metric((content,), left)
        yield from (size, free)

    def _look(self) -> dict[str, tuple[int, int]]:
        if self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._measure, name="disks", daemon=True)
            self._looking.start()
        self._looking.join(_PATIENCE)
        return {} if self._looking.is_alive() else self._found

    def _measure(self) -> None:
        found = {}
        for content, folder in self._folders.items():
            try:
                usage = shutil.disk_usage(folder)
            except OSError:  # which readiness tells
                continue
            found[content] = (usage.total, usage.free)
        self._found = found
