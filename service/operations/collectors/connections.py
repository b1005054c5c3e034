"""Connections, and what came over them that the application never saw."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.http.connections import ConnectionTally


class ConnectionMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    tally : what its protocol counts.
    """

    def __init__(self, tally: ConnectionTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """How many are open, and how many were refused."""
        yield GaugeMetricFamily(
            "roughcast_connections_open", "Connections that are open.", value=self._tally.open
        )
        refused = CounterMetricFamily(
            "roughcast_connections_refused",
            "Connections closed before the application had a whole request, or on a caller who "
            "does not read.",
            labels=("reason",),
        )
        for reason, number in list(self._tally.refused.items()):
            refused.add_metric((reason,), number)
        yield refused
