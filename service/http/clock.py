"""Readings of the clock, and which sessions had closed by then."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from volatility.calendars import Calendar

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clock.

    Parameters
    ----------
    now : with its zone.
    """

    now: datetime
    _closed: dict[str, np.datetime64] = field(default_factory=dict)

    def last_closed_session(self, calendar: Calendar) -> np.datetime64:
        """Last session of a calendar that had closed; looked up once."""
        closed = self._closed.get(calendar.name)
        if closed is None:
            closed = self._closed[calendar.name] = calendar.last_closed_session(self.now)
        return closed


class Watch:
    """Reads the clock, and gives all that happens within one second the same moment.

    Sessions close on whole seconds, so nothing that is asked of a moment changes within one.

    Parameters
    ----------
    clock : the time, with its zone.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._latest = (-1, Moment(datetime.min.replace(tzinfo=UTC)))  # second, and its moment

    def moment(self) -> Moment:
        """The present moment."""
        now = self._clock()
        second = int(now.timestamp())
        latest, moment = self._latest
        if second != latest:
            moment = Moment(now)
            self._latest = (second, moment)
        return moment
