"""Numbers counted by size, as Prometheus reads them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """How many numbers came up to each of some bounds, and their sum.

    Whoever counts in several threads at once has a lock of their own.

    Parameters
    ----------
    bounds : ascending; a number counts up to the first bound that it does not exceed.

    Attributes
    ----------
    total : sum of all numbers.
    """

    __slots__ = ("_bounds", "_counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, number: float) -> None:
        """Count one."""
        self._counts[bisect_left(self._bounds, number)] += 1
        self.total += number

    def cumulated(self) -> list[tuple[str, int]]:
        """Each bound, the last one infinite, and how many numbers did not exceed it."""
        bounds = (*map(str, self._bounds), "+Inf")
        return list(zip(bounds, accumulate(self._counts), strict=True))
