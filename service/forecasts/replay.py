"""The day of held history that a request replays."""

from datetime import date

import numpy as np

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


def _is_session(day: np.datetime64, calendar: Calendar) -> bool:
    try:
        return bool(calendar.is_session(np.atleast_1d(day))[0])
    except OutsideCalendar as error:
        raise error.with_field("as_of") from None
