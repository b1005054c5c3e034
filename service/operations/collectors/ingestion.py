"""Bars that came in, and requests with bars that were refused."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from service.assets.tally import IngestTally


class IngestMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    tally : what its routes count.
    """

    def __init__(self, tally: IngestTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Bars by what became of them, and refused requests by code."""
        bars = CounterMetricFamily(
            "roughcast_bars",
            "Bars that were sent and taken, by what became of them.",
            labels=("outcome",),
        )
        for outcome, number in self._tally.bars.items():
            bars.add_metric((outcome,), number)
        refused = CounterMetricFamily(
            "roughcast_ingests_refused",
            "Requests with bars that were read and refused, by the code of their problem.",
            labels=("code",),
        )
        for code, number in list(self._tally.refused.items()):
            refused.add_metric((code,), number)
        yield from (bars, refused)
