"""Threads for long work: how many are busy, how much waits, how much was refused."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.http.lanes import Lanes


class LaneMetrics(Collector):
    """Of each lane.

    Parameters
    ----------
    lanes : of one service.
    """

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def collect(self) -> Iterator[Metric]:
        """Every number, by the name of the lane."""
        label = ("lane",)
        threads = GaugeMetricFamily("roughcast_lane_threads", "Threads of the lane.", labels=label)
        busy = GaugeMetricFamily("roughcast_lane_busy", "Threads that work.", labels=label)
        waiting = GaugeMetricFamily("roughcast_lane_waiting", "Work that waits.", labels=label)
        refused = CounterMetricFamily(
            "roughcast_lane_refused",
            "Work that was refused, since as much was waiting as may.",
            labels=label,
        )
        for name, lane in self._lanes._asdict().items():
            threads.add_metric((name,), lane.threads)
            busy.add_metric((name,), lane.busy)
            waiting.add_metric((name,), lane.waiting)
            refused.add_metric((name,), lane.refused)
        yield from (threads, busy, waiting, refused)
