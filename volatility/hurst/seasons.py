"""The calendar in a path of log volatility: taken out where dates are known, else detected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.hurst.whittle import periodogram
from volatility.seasonality import DAY_CLASSES, calendar_effects

# Five weeks of seven days and seven of five: a mean over it holds no weekly cycle.
LOCAL_SPAN = 35
WEEKS = (7, 5)  # sessions in a week
# Holidays make a week of five sessions 4.83 on average, so that its line is not at 1/5.
DRIFT = {7: 0.002, 5: 0.01}  # of the first harmonic's frequency, cycles a session
NEIGHBOURHOOD = 0.04  # cycles a session on either side, from which the level of a line is judged
FALSE_ALARMS = 1e-3


@dataclass(frozen=True, slots=True)
class CalendarRemoved:
    """What was taken out of a path.

    Attributes
    ----------
    effects : (8,) additions to log rv by :data:`volatility.seasonality.DAY_CLASSES`.
    share : of the mean square of one-session changes, due to the effects.
    """

    effects: FloatArray
    share: float

    def by_class(self) -> dict[str, float]:
        """Effects of the classes that occur."""
        pairs = zip(DAY_CLASSES, self.effects.tolist(), strict=True)
        return {name: effect for name, effect in pairs if effect != 0.0}


def remove_calendar(
    path: FloatArray, classes: NDArray[np.int64]
) -> tuple[FloatArray, CalendarRemoved]:
    """Take the effects of weekday and half day out of a path.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.
    classes : (nobs,) from :func:`volatility.seasonality.day_classes`.

    Returns
    -------
    The path without them, and what they were.

    Notes
    -----
    Effects are those of the path's deviation from its mean over seven weeks. A rough or Brownian
    path wanders, and where it happened to be on a few half days would be taken for their effect.
    """
    deviation = path - _local_mean(path)
    effects = calendar_effects(2 * deviation, classes)
    season = 0.5 * effects[classes]
    share = float(np.mean(np.diff(season) ** 2) / np.mean(np.diff(path) ** 2))
    return path - season, CalendarRemoved(effects, share)


def weekly_cycle(path: FloatArray) -> int | None:
    """Sessions in the week that the path's increments repeat with, or None.

    Parameters
    ----------
    path : (nobs,) log volatility, in levels, checked.

    Notes
    -----
    A cycle is a line in the periodogram at the harmonics of its frequency. Ordinates near a line
    are exponential about the level of their neighbourhood, whose median gives it; a highest
    ordinate that one series in a thousand would have by chance is taken for a line.
    """
    frequencies, power = periodogram(np.diff(path))
    cycles = frequencies / (2 * np.pi)
    for week in WEEKS:
        lines = [
            _line(cycles, power, harmonic / week, harmonic * DRIFT[week])
            for harmonic in range(1, (week + 1) // 2)
        ]
        tested = sum(count for _, count in lines)
        if max(height for height, _ in lines) > np.log(max(tested, 1) / FALSE_ALARMS):
            return week
    return None


def _line(cycles: FloatArray, power: FloatArray, centre: float, drift: float) -> tuple[float, int]:
    """Height of the highest ordinate near a frequency over the level there, and how many are."""
    # At least the ordinate on either side: a line that falls between two shows in both.
    distance = np.abs(cycles - centre)
    near = distance <= max(drift, cycles[0])
    around = distance <= NEIGHBOURHOOD
    level = np.median(power[around]) / np.log(2)  # the median of an exponential is log 2
    return float(power[near].max() / level), int(np.count_nonzero(near))


def _local_mean(path: FloatArray) -> FloatArray:
    """Mean over `LOCAL_SPAN` sessions about each, fewer at the ends: (nobs,)."""
    half = LOCAL_SPAN // 2
    cumulated = np.concatenate([[0.0], np.cumsum(path - path[0])])
    centre = np.arange(len(path))
    first, last = np.maximum(centre - half, 0), np.minimum(centre + half + 1, len(path))
    return np.asarray(path[0] + (cumulated[last] - cumulated[first]) / (last - first))
