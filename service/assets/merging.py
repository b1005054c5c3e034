"""How bars that are given relate to those that are held."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from service.http.errors import BarsConflict
from volatility.arrays import BoolArray
from volatility.bars import PRICES, Bars


@dataclass(frozen=True, slots=True)
class Comparison:
    """How given bars relate to held ones; each array is (n,) over the given bars."""

    new: BoolArray
    contradicting: BoolArray
    position: np.ndarray  # where in the held bars the same time stands or would stand

    @property
    def written(self) -> BoolArray:
        """(n,) bars that are to be written."""
        written: BoolArray = self.new | self.contradicting
        return written


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge did.

    Parameters
    ----------
    added, unchanged, replaced : how many of the bars given.
    written : those that were added or replaced others.
    before : revision of the asset before.
    revision : that after; the same where nothing was written.
    known_at : microseconds since 1970, at which the bars of that revision were what was known.
    """

    added: int
    unchanged: int
    replaced: int
    written: Bars
    before: int
    revision: int
    known_at: int

    @classmethod
    def of(cls, found: Comparison, given: Bars, before: int, known_at: int) -> Self:
        """That of bars which are compared with what is held, and written where they differ."""
        added, replaced = int(found.new.sum()), int(found.contradicting.sum())
        return cls(
            added=added,
            unchanged=len(given) - added - replaced,
            replaced=replaced,
            written=given.where(found.written),
            before=before,
            revision=before + bool(added or replaced),
            known_at=known_at,
        )


def compare(held: Bars, given: Bars) -> Comparison:
    """Tell given bars that are new, and those that contradict a held one of the same time.

    Parameters
    ----------
    held : those of the times from the first to the last given, at least; oldest first.
    given : (n,) bars.
    """
    position = np.searchsorted(held.timestamps, given.timestamps)
    nearest = np.minimum(position, max(len(held) - 1, 0))
    present = (
        held.timestamps[nearest] == given.timestamps
        if len(held)
        else np.zeros(len(given), dtype=bool)
    )
    differs = np.zeros(len(given), dtype=bool)
    for price in PRICES:
        old, new = getattr(held, price), getattr(given, price)
        differs[present] |= old[position[present]] != new[present]
    return Comparison(new=~present, contradicting=present & differs, position=position)


def conflict(asset: str, held: Bars, given: Bars, found: Comparison) -> BarsConflict:
    """The error that tells of the first bar that contradicts a held one."""
    index = int(np.flatnonzero(found.contradicting)[0])
    sent, expected = _prices(given, index), _prices(held, int(found.position[index]))
    number = int(found.contradicting.sum())
    return BarsConflict(
        f"{number} of the bars given for {asset} contradict bars that are held; the first opens at "
        f"{given.timestamps[index]}: given {sent}, held {expected}. Nothing was changed. "
        "Send the held prices, or replace them with ?replace=true",
        field=f"bars[{index}]",
        found=sent,
        needed=expected,
    )


def _prices(bars: Bars, index: int) -> str:
    return ", ".join(f"{price} {float(getattr(bars, price)[index])!r}" for price in PRICES)
