"""How long transactions take, and how many find no database that answers."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from service.http.errors import DatabaseUnavailable
from service.http.histogram import Histogram

# Seconds, from a row of SQLite's to the usual limits on locks and statements.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
OPERATIONS = ("reading", "writing", "checking", "trying")


class DatabaseTally:
    """Transactions, counted in whichever thread they end; no forecast waits for one.

    Attributes
    ----------
    seconds : how long they took, by operation, from asking for a connection to the end.
    failures : how many of them ended in `DatabaseUnavailable`, by operation.
    """

    def __init__(self) -> None:
        self.seconds = {it: Histogram(BUCKETS) for it in OPERATIONS}
        self.failures: Counter[str] = Counter()
        self._counting = threading.Lock()

    @contextmanager
    def counting(self, operation: str) -> Iterator[None]:
        """Count the transaction within, one of :data:`OPERATIONS`."""
        began, failed = perf_counter(), False
        try:
            yield
        except DatabaseUnavailable:
            failed = True
            raise
        finally:
            seconds = perf_counter() - began
            with self._counting:
                self.seconds[operation].add(seconds)
                self.failures[operation] += failed
