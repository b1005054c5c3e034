"""How late the event loop is, on whose one thread every request is answered."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from service.http.histogram import Histogram

# Seconds: in a quiet process a timer is a fraction of a millisecond late.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_BETWEEN = 0.1  # seconds between two looks: a ten-thousandth of a core


class LoopLag(Collector):
    """Sets a timer ten times a second and counts by how much it comes too late.

    What keeps the loop for longer than that is counted once, however long it is; so the share of
    late timers is less than that of the time in which requests wait.
    """

    def __init__(self) -> None:
        self._late = Histogram(BUCKETS)

    def collect(self) -> Iterator[Metric]:
        """By how much timers were late."""
        yield HistogramMetricFamily(
            "roughcast_event_loop_lag_seconds",
            "By how much a timer came too late, ten times a second.",
            buckets=self._late.cumulated(),
            sum_value=self._late.total,
        )

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look as long as what is within goes on."""
        task = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _BETWEEN
            await asyncio.sleep(_BETWEEN)
            self._late.add(max(0.0, loop.time() - due))
