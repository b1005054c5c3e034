"""What holds bars, wherever it is."""

from typing import NamedTuple, Protocol

import numpy as np

from volatility.bars import Bars
from volatility.errors import InvalidInput

EARLIEST = np.datetime64("1980-01-01", "s")  # before any bar that is held


class UnusableTarget(InvalidInput):
    """What is to hold bars holds something else."""

    code = "unusable_target"


class Put(NamedTuple):
    """What became of bars that were put.

    Parameters
    ----------
    added, replaced : how many were not held before, and how many took the place of others.
    warnings : what is worth knowing about them.
    """

    added: int
    replaced: int
    warnings: tuple[str, ...] = ()


class Target(Protocol):
    """What holds bars of one asset."""

    @property
    def name(self) -> str:
        """As messages call it."""
        ...

    def newest(self) -> Bars:
        """The last bar held; (1,), or (0,) where none is."""
        ...

    def first_from(self, start: np.datetime64) -> Bars:
        """The first held bar that opens at a time in UTC or later; (1,), or (0,)."""
        ...

    def put(self, beside: Bars, bars: Bars, replace: bool) -> Put:
        """Hold bars: all of them or none, whenever the process ends.

        Parameters
        ----------
        beside : the held bar that they follow; (1,), or (0,) where they follow none.
        bars : (n,) oldest first, later than ``beside``.
        replace : whether they take the place of held bars of their times.
        """
        ...
