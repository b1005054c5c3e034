"""One reading of the clock, shared by everything that answers a request."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from volatility.calendars import Calendar


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, and which sessions had closed by then.

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
