"""How long the database takes, and how often it does not answer."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from service.database.tally import DatabaseTally


class DatabaseMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    tally : of its transactions.
    """

    def __init__(self, tally: DatabaseTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Durations and failures, by operation."""
        seconds = HistogramMetricFamily(
            "roughcast_database_seconds",
            "Time of a transaction, from asking for a connection to its end.",
            labels=("operation",),
        )
        failures = CounterMetricFamily(
            "roughcast_database_failures",
            "Transactions that found no database that answers.",
            labels=("operation",),
        )
        for operation, taken in self._tally.seconds.items():
            seconds.add_metric((operation,), taken.cumulated(), taken.total)
            failures.add_metric((operation,), self._tally.failures[operation])
        yield from (seconds, failures)
