"""Forecasts of what is past: the day that is replayed, and whether the model has seen it."""

from datetime import date

import numpy as np

from service.http.errors import InvalidAsOf
from service.models.catalogue import Choice
from volatility.calendars import Calendar
from volatility.errors import OutsideCalendar


def replayed_session(as_of: date, calendar: Calendar, last_closed: np.datetime64) -> np.datetime64:
    """The session of a day.

    Raises
    ------
    InvalidAsOf : it has not closed, or is not a session.
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


def fitted_on_it(choice: Choice, as_of: date) -> tuple[str, ...]:
    """A warning where the model was fitted on an asset of the same name, and on this day."""
    if choice.fitted_on is None:
        return ()
    start, end = choice.fitted_on
    if not start <= as_of <= end:
        return ()
    warning = (
        f"in-sample: {choice.model.manifest.model} was fitted on {choice.asset} itself, sessions "
        f"from {start} to {end}; it has seen {as_of}, and is better there than on what it has not "
        "seen"
    )
    return (warning,)
