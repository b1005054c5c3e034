"""Bars that came in, and requests with bars that were refused."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.assets.ingest import Ingested
from volatility.errors import RoughcastError


class IngestTally:
    """Counted on the event loop's one thread.

    By asset nothing is counted: of names that are refused there is no end, and how old an asset's
    history is tells of one whose bars do not come.

    Attributes
    ----------
    bars : what became of them: ``added``, ``replaced``, ``unchanged`` or ``dropped``.
    refused : requests by the code of their problem.
    """

    def __init__(self) -> None:
        self.bars = Counter(added=0, replaced=0, unchanged=0, dropped=0)
        self.refused: Counter[str] = Counter()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count the request within if it is refused."""
        try:
            yield
        except RoughcastError as error:
            self.refused[error.code] += 1
            raise

    def count(self, ingested: Ingested) -> None:
        """Count bars that were taken."""
        merge = ingested.merge
        self.bars.update(
            added=merge.added,
            replaced=merge.replaced,
            unchanged=merge.unchanged,
            dropped=ingested.dropped,
        )
