"""How old a history is by the time that it is forecast from."""

import numpy as np

from volatility.calendars import Calendar
from volatility.series import DatedSeries, RealizedSeries


def sessions_since(series: RealizedSeries, until: np.datetime64, calendar: Calendar) -> int | None:
    """Sessions after the last one of a series, up to ``until``; None for one without dates."""
    if not isinstance(series, DatedSeries) or not len(series):
        return None
    last = series.dates[-1]
    return max(0, len(calendar.sessions(last, until)) - 1) if until > last else 0


def age_warnings(
    series: RealizedSeries, stale: int | None, until: np.datetime64
) -> tuple[str, ...]:
    """Say so where sessions have closed since the last one of a series, or it has not itself.

    Parameters
    ----------
    series : the history.
    stale : as :func:`sessions_since` has it.
    until : the last session that has closed.
    """
    if not isinstance(series, DatedSeries) or stale is None:
        return ()
    if not stale:
        return _ahead_warnings(series.dates[-1], until)
    sessions = "1 session has" if stale == 1 else f"{stale} sessions have"
    return (f"the history is stale: it ends on {series.dates[-1]}, and {sessions} closed since",)


def _ahead_warnings(last: np.datetime64, closed: np.datetime64) -> tuple[str, ...]:
    """Say so where a held session lies in the future: the clock has been set back since."""
    if last <= closed:
        return ()
    warning = (
        f"the history ends on {last}, which has not closed by the clock of the service; the last "
        f"session that has is {closed}: one of the two is wrong"
    )
    return (warning,)
