"""Whether a history is in the unit that a model was fitted in: variance per day, decimal².

A history in percent, annualized, or of volatilities is told by its level. That of one session says
little, since a wild day has a thousand times the variance of a calm one; the median of a month
hardly leaves what has been seen.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from models_store.manifest import Manifest
from volatility.arrays import FloatArray

MEDIAN_SESSIONS = 22  # a month: long enough for one day not to matter, and what most models need
MEDIAN_FACTOR = 4.0  # how far beyond those of training the newest median may lie
BEFORE_SESSIONS = 125  # half a year before the newest month, whose level tells what that is
CRISIS_STEP = 30.0  # how far the newest month may lie from that level
ROOT_FACTOR = 2.0  # how near to the root of that level a month of volatilities may come
# The same for an artifact that does not tell the medians of its training: of single sessions.
CLIP_FACTOR = 100.0


class Plausible(NamedTuple):
    """What the median of a history's newest sessions may be; decimal² per day."""

    low: float
    high: float
    low_of_few: float  # where the history has fewer than 22 sessions
    high_of_few: float

    @classmethod
    def of(cls, manifest: Manifest) -> "Plausible":
        """Ranges of a model.

        Medians of 22 sessions are compared with those seen in training, less and more by a factor
        of 4. Those of fewer vary more, down to a single session: they are compared with single
        sessions, by the same factor. An artifact without ``rv_medians`` compares either with single
        sessions, by a factor of 100.
        """
        low, high = manifest.clip
        if manifest.rv_medians is None:
            return cls(low / CLIP_FACTOR, high * CLIP_FACTOR, low / CLIP_FACTOR, high * CLIP_FACTOR)
        lowest, highest = manifest.rv_medians
        factor = MEDIAN_FACTOR
        return cls(lowest / factor, highest * factor, low / factor, high * factor)

    def range(self, nobs: int) -> tuple[float, float]:
        """What the median of so many newest sessions may be."""
        if nobs < MEDIAN_SESSIONS:
            return self.low_of_few, self.high_of_few
        return self.low, self.high


def newest_medians(
    series: Sequence[FloatArray],
) -> Iterator[tuple[int, list[FloatArray], list[float]]]:
    """Medians of the newest 22 sessions of each series, or of as many as it has.

    Yields
    ------
    A number of sessions, the series that have so many, and the median of each.
    """
    by_nobs: dict[int, list[FloatArray]] = {}
    for rv in series:
        by_nobs.setdefault(min(len(rv), MEDIAN_SESSIONS), []).append(rv)
    for nobs, given in by_nobs.items():
        ranked = np.concatenate([rv[-nobs:] for rv in given]).reshape(-1, nobs)
        ranked.sort(axis=1)
        medians = (ranked[:, (nobs - 1) // 2] + ranked[:, nobs // 2]) / 2
        yield nobs, given, medians.tolist()


def came_from_the_known(rv: FloatArray, manifest: Manifest) -> bool:
    """Whether the newest 22 sessions follow on a level seen in training, by a step of a crisis.

    A wrong unit is wrong from the first session on, or begins with a step of its size: of 252 or
    365 where it is annualized, of a hundred from variances to volatilities of one percent. That of
    the volatilities of a coin, of 3 % and more, is of less than 30, but comes near to the root of
    the level. Of 53 assets, fitted once a year, 28 had months beyond a factor of 4 in the year
    after, 1,081 of 131,047 in all, most of them in October 2008; this leaves 28, of three assets,
    with a factor of 2 or 3 around the root or without. One of 4 refuses 12 more.

    Parameters
    ----------
    rv : (n,) daily variance, oldest first; fewer than 22 sessions before the newest say nothing.
    manifest : of the model.
    """
    newest, before = rv[-MEDIAN_SESSIONS:], rv[:-MEDIAN_SESSIONS][-BEFORE_SESSIONS:]
    if len(before) < MEDIAN_SESSIONS or manifest.rv_medians is None:
        return False
    lowest, highest = manifest.rv_medians
    level = float(np.median(before))
    found = float(np.median(newest))
    return (
        lowest / MEDIAN_FACTOR <= level <= highest * MEDIAN_FACTOR
        and _within(found / level, CRISIS_STEP)
        and not _within(found / np.sqrt(level), ROOT_FACTOR)
    )


def _within(ratio: float, factor: float) -> bool:
    return 1 / factor <= ratio <= factor


def median_range(rv: FloatArray) -> tuple[float, float]:
    """Lowest and highest median of 22 consecutive sessions.

    Parameters
    ----------
    rv : (n,) daily variance, at least one value; fewer than 22 make one median.
    """
    window = min(MEDIAN_SESSIONS, len(rv))
    medians = np.median(np.lib.stride_tricks.sliding_window_view(rv, window), axis=1)
    return float(medians.min()), float(medians.max())
