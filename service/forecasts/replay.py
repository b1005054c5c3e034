"""The day of held history that a request replays, and what of it was known."""

from datetime import date, datetime

import numpy as np

from service.forecasts.requests import ForecastRequest
from service.http.errors import InvalidAsOf
from volatility.calendars import Calendar
from volatility.errors import OutsideCalendar


def replayed_session(as_of: date, calendar: Calendar, last_closed: np.datetime64) -> np.datetime64:
    """The session that a request replays.

    Parameters
    ----------
    as_of : the day that it names.
    calendar : of the asset.
    last_closed : the last session that has.

    Raises
    ------
    InvalidAsOf : the day has not closed, or is not a session.
    OutsideCalendar : the calendar does not know it.
    """
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


def brings_its_own(request: ForecastRequest) -> InvalidAsOf:
    """The error that says that a history cannot both be replayed and be in the request."""
    name = "known_at" if request.as_of is None else "as_of"
    return InvalidAsOf(
        f"{name} replays held history, but the request brings its own; leave one out",
        code=f"{name}_with_history",
        field=name,
        found=str(getattr(request, name)),
        needed=f"either {name} or history",
    )


def in_batch(known_at: datetime) -> InvalidAsOf:
    """The error that says that what was known is not to be asked for in a batch."""
    return InvalidAsOf(
        "what was known at a time is read from the database for each request; ask for it in one "
        "request each",
        code="known_at_in_batch",
        field="known_at",
        found=known_at.isoformat(),
        needed="POST /forecast, or items without known_at",
    )


def _is_session(day: np.datetime64, calendar: Calendar) -> bool:
    try:
        return bool(calendar.is_session(np.atleast_1d(day))[0])
    except OutsideCalendar as error:
        raise error.with_field("as_of") from None
