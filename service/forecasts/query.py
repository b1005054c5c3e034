"""From a request to a question: the model settled, the history in the model's measure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from models_store import LoadedModel
from service.assets.bars import HistoryInput
from service.assets.holdings import Held
from service.forecasts.inline import series_of
from service.forecasts.schemas import ForecastRequest
from service.http.clock import Moment
from service.http.errors import InvalidAsOf
from service.models.catalogue import Choice
from volatility.calendars import Calendar
from volatility.errors import OutsideCalendar
from volatility.series import DatedSeries, RealizedSeries


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a forecast needs, and what must be said beside it."""

    choice: Choice
    history: RealizedSeries
    horizon: int
    levels: tuple[float, ...]
    stale_sessions: int | None  # None for a history without dates
    warnings: tuple[str, ...]


def from_held(request: ForecastRequest, choice: Choice, held: Held, moment: Moment) -> Question:
    """Ask about held history, up to now or up to the day that the request replays.

    Raises
    ------
    InvalidAsOf : the day to replay has not closed, or is not a session.
    OutsideCalendar : the calendar does not know it.
    """
    model, manifest = choice.model, choice.model.manifest
    series = held.series(manifest.measure, manifest.columns)
    until = moment.last_closed_session(held.calendar)
    if request.as_of is None:
        return _question(request, choice, series, until, ())
    until = _replayed_session(request.as_of, held.calendar, until)
    warnings = _in_sample_warnings(model, request.as_of)
    return _question(request, choice, series.until(until), until, warnings)


def from_inline(
    request: ForecastRequest, history: HistoryInput, choice: Choice, moment: Moment
) -> Question:
    """Ask about the history that came with the request.

    Raises
    ------
    InvalidAsOf : the request replays a day as well, which needs held history.
    InvalidInput : the history cannot be used.
    """
    if request.as_of is not None:
        raise InvalidAsOf(
            "as_of replays a day from held history, but the request brings its own; leave one out",
            code="as_of_with_history",
            field="as_of",
            found=str(request.as_of),
            needed="either as_of or history",
        )
    model, calendar = choice.model, choice.model.calendar
    series, findings = series_of(history, model.manifest, calendar, moment.now)
    until = moment.last_closed_session(calendar)
    return _question(request, choice, series, until, dict.fromkeys(map(str, findings)))


def _question(
    request: ForecastRequest,
    choice: Choice,
    series: RealizedSeries,
    until: np.datetime64,
    warnings: Iterable[str],
) -> Question:
    stale = _sessions_since(series, until, choice.model.calendar)
    return Question(
        choice=choice,
        history=series,
        horizon=request.horizon,
        levels=request.levels,
        stale_sessions=stale,
        warnings=(*_stale_warnings(series, stale), *warnings),
    )


def _replayed_session(as_of: date, calendar: Calendar, last_closed: np.datetime64) -> np.datetime64:
    day = np.datetime64(as_of, "D")
    if day > last_closed:
        raise InvalidAsOf(
            f"{as_of} has not closed; the last session that has is {last_closed}",
            code="future_dates",
            field="as_of",
            found=str(as_of),
            needed=f"a session up to {last_closed}",
        )
    if not _is_session(day, calendar):
        raise InvalidAsOf(
            f"{as_of} is not a session of the calendar {calendar.name}",
            code="not_a_session",
            field="as_of",
            found=str(as_of),
            needed=f"a session of the calendar {calendar.name}",
        )
    return day


def _is_session(day: np.datetime64, calendar: Calendar) -> bool:
    try:
        return bool(calendar.is_session(np.atleast_1d(day))[0])
    except OutsideCalendar as error:
        error.field = "as_of"
        raise


def _sessions_since(series: RealizedSeries, until: np.datetime64, calendar: Calendar) -> int | None:
    """Sessions after the last one of a series, up to ``until``."""
    if not isinstance(series, DatedSeries) or not len(series):
        return None
    dates = series.dates
    return max(0, len(calendar.sessions(dates[-1], until)) - 1) if until > dates[-1] else 0


def _stale_warnings(series: RealizedSeries, stale: int | None) -> tuple[str, ...]:
    if not stale or not isinstance(series, DatedSeries):
        return ()
    sessions = "1 session has" if stale == 1 else f"{stale} sessions have"
    return (f"the history is stale: it ends on {series.dates[-1]}, and {sessions} closed since",)


def _in_sample_warnings(model: LoadedModel, as_of: date) -> tuple[str, ...]:
    end = model.manifest.training.end
    if as_of >= end:  # on the last session of training the target is still to come
        return ()
    warning = (
        f"in-sample: {model.manifest.model} was fitted on sessions up to {end}, so a replay of "
        f"{as_of} is better than a forecast made on that day could have been"
    )
    return (warning,)
