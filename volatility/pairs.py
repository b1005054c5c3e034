"""What a model learns from and is scored on: windows of the past and the sessions after each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray, Windows
from volatility.calendars import Calendar
from volatility.companions import are_known
from volatility.errors import HistoryTooShort
from volatility.filters import windows
from volatility.measures.columns import companion_of
from volatility.series import DatedSeries


@dataclass(frozen=True)
class Pairs:
    """Windows and their targets, one row each, in order of time."""

    windows: Windows  # by column, (n, lookback) each, the last value of a row being that of as_of
    targets: FloatArray  # (n,) mean daily rv of the sessions ahead
    as_of: DateArray  # (n,)
    target_dates: DateArray  # (n,) the first of the sessions ahead

    def __len__(self) -> int:
        return len(self.targets)

    def where(self, keep: NDArray[np.bool_]) -> "Pairs":
        """The rows where ``keep``, (n,), is true."""
        return Pairs(
            {name: rows[keep] for name, rows in self.windows.items()},
            self.targets[keep],
            self.as_of[keep],
            self.target_dates[keep],
        )


def make_pairs(
    series: DatedSeries,
    lookback: int,
    calendar: Calendar,
    horizon: int = 1,
    columns: Sequence[str] = (),
) -> Pairs:
    """Pair every window with the sessions that follow it.

    Windows are counted in observed sessions. Where one of the ``horizon`` sessions after ``as_of``
    is missing there is no pair, since what follows the gap is further ahead; nor where a companion
    was not known (:func:`volatility.companions.are_known`).

    Parameters
    ----------
    series : daily rv.
    lookback : sessions a window.
    calendar : says which session follows which.
    horizon : sessions ahead; the target is their mean daily rv.
    columns : what the windows hold besides rv; ``DAY`` may be one.

    Raises
    ------
    HistoryTooShort : fewer than ``lookback`` + ``horizon`` sessions.
    """
    _check_length(len(series), lookback, horizon)
    dates = series.dates[lookback - 1 :]  # the first as_of, and everything after it
    values = {"rv": series.rv} | {name: series.column(name) for name in columns}
    pairs = Pairs(
        windows={name: windows(part[:-horizon], lookback) for name, part in values.items()},
        targets=windows(series.rv[lookback:], horizon).mean(axis=-1),
        as_of=dates[:-horizon],
        target_dates=dates[1 : len(dates) - horizon + 1],
    )
    places = calendar.positions(dates)
    adjacent = places[horizon:] - places[:-horizon] == horizon
    keep = adjacent & _accompanied(pairs.windows)
    return pairs if keep.all() else pairs.where(keep)


def outcomes(
    series: DatedSeries, calendar: Calendar, targets: DateArray, horizon: int = 1
) -> FloatArray:
    """Mean daily rv of the sessions that begin with each target date.

    Parameters
    ----------
    series : daily rv.
    calendar : says which session follows which.
    targets : (n,) sessions of it.
    horizon : sessions from each on.

    Returns
    -------
    (n,) the same numbers as the targets of :func:`make_pairs`; NaN where one of the sessions is
    not in the series.

    Raises
    ------
    OutsideCalendar : a date that the calendar does not cover.
    """
    found = np.full(len(targets), np.nan)
    if not len(targets) or len(series) < horizon:
        return found
    places, wanted = calendar.positions(series.dates), calendar.positions(targets)
    first = np.minimum(np.searchsorted(places, wanted), len(places) - horizon)
    whole = (places[first] == wanted) & (places[first + horizon - 1] == wanted + horizon - 1)
    found[whole] = windows(series.rv, horizon).mean(axis=-1)[first[whole]]
    return found


def _accompanied(seen: Windows) -> NDArray[np.bool_]:
    """Where the companions of (n, lookback) windows were known; (n,)."""
    keep = np.ones(len(seen["rv"]), dtype=np.bool_)
    for name, values in seen.items():
        if companion_of(name):
            keep &= are_known(values)
    return keep


def _check_length(found: int, lookback: int, horizon: int) -> None:
    needed = lookback + horizon
    if found < needed:
        raise HistoryTooShort(
            f"windows of {lookback} sessions and {horizon} ahead need {needed} sessions; "
            f"got {found}",
            field="history",
            found=found,
            needed=f"at least {needed} sessions",
        )
