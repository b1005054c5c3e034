"""What a model learns from and is scored on: windows of ``rv`` and the session after each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray
from volatility.calendars import Calendar
from volatility.regressors import windows
from volatility.series import RealizedSeries


@dataclass(frozen=True)
class Pairs:
    """Windows and their targets, one row each, in order of time."""

    windows: FloatArray  # (n, lookback) rv, the last column being as_of
    targets: FloatArray  # (n,) rv of the next session
    as_of: DateArray  # (n,)
    target_dates: DateArray  # (n,)

    def __len__(self) -> int:
        return len(self.targets)

    def where(self, keep: NDArray[np.bool_]) -> "Pairs":
        """The rows where ``keep``, (n,), is true."""
        return Pairs(
            self.windows[keep], self.targets[keep], self.as_of[keep], self.target_dates[keep]
        )


def make_pairs(series: RealizedSeries, lookback: int, calendar: Calendar) -> Pairs:
    """Pair every window with the session that follows it.

    Windows are counted in observed sessions. Where the session after ``as_of`` is missing there is
    no pair, since what follows the gap is not one session ahead.

    Parameters
    ----------
    series : dated daily rv.
    lookback : sessions a window.
    calendar : says which session follows which.

    Raises
    ------
    HistoryTooShort : fewer than ``lookback`` + 1 sessions.
    """
    assert series.dates is not None, "training series carry dates"
    pairs = Pairs(
        windows=windows(series.rv[:-1], lookback),
        targets=series.rv[lookback:],
        as_of=series.dates[lookback - 1 : -1],
        target_dates=series.dates[lookback:],
    )
    adjacent = np.diff(calendar.positions(series.dates[lookback - 1 :])) == 1
    return pairs if adjacent.all() else pairs.where(adjacent)
