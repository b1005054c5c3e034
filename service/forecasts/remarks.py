"""What is said of a history beside a forecast from it."""

from datetime import date

import numpy as np

from models_store import LoadedModel
from volatility.calendars import Calendar
from volatility.series import DatedSeries, RealizedSeries


def sessions_since(series: RealizedSeries, until: np.datetime64, calendar: Calendar) -> int | None:
    """Sessions after the last one of a series, up to ``until``; None for one without dates."""
    if not isinstance(series, DatedSeries) or not len(series):
        return None
    dates = series.dates
    return max(0, len(calendar.sessions(dates[-1], until)) - 1) if until > dates[-1] else 0


def stale_warnings(series: RealizedSeries, stale: int | None) -> tuple[str, ...]:
    """Say so where sessions have closed since the last one of a series."""
    if not stale or not isinstance(series, DatedSeries):
        return ()
    sessions = "1 session has" if stale == 1 else f"{stale} sessions have"
    return (f"the history is stale: it ends on {series.dates[-1]}, and {sessions} closed since",)


def in_sample_warnings(model: LoadedModel, as_of: date) -> tuple[str, ...]:
    """Say so where a model has seen the outcome of what it is asked."""
    end = model.manifest.training.end
    if as_of >= end:  # on the last session of training the target is still to come
        return ()
    warning = (
        f"in-sample: {model.manifest.model} was fitted on sessions up to {end}, so a replay of "
        f"{as_of} is better than a forecast made on that day could have been"
    )
    return (warning,)
