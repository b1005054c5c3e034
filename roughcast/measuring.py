"""From bars to one realized variance a session."""

from datetime import datetime
from typing import Any

import pandas as pd

from roughcast.frames import Described, GivenBars, moment, to_series
from volatility.calendars import get_calendar
from volatility.measuring import extreme_sessions, measured


def measure(
    bars: pd.DataFrame,
    measure: str | None = None,
    *,
    calendar: str | None = None,
    kind: str | None = None,
    now: datetime | None = None,
) -> "pd.Series[Any]":
    """Realized variance of each session, from daily bars or shorter ones.

    Parameters
    ----------
    bars : columns open, high, low and close in any case, by a DatetimeIndex or a column of dates or
        times (UTC where they have no zone), oldest first.
    measure : ``garman_klass``, ``parkinson``, ``realized_variance``, ``bipower_variation``, …; left
        out, ``garman_klass`` of daily bars and ``realized_variance`` of shorter ones.
    calendar : ``24/7``, or a code of ``exchange_calendars`` such as ``XNYS``; left out, that which
        the dates of daily bars suggest.
    kind : of asset: stock, etf, index, fx or crypto.
    now : after which no bar may close; the present if left out.

    Returns
    -------
    Rv by date, decimal² per day, not annualized; sessions without a value are left out. Its
    ``attrs`` hold calendar, kind and measure; ``warnings``, what was inferred and is missing; and
    ``extreme_sessions``, with a high above five times the low, which no model is fitted on.

    Raises
    ------
    InvalidBars : the bars cannot be read, or no measure can be computed from them.
    UnknownMeasure, UnknownCalendar : there is none of the name.
    InvalidInput : ``calendar_needed``, ``unknown_kind``, or ``wrong_interval`` for the measure.

    Examples
    --------
    >>> import roughcast
    >>> rv = roughcast.measure(roughcast.dataset("SPX"))
    >>> rv.name, len(rv), f"{rv.iloc[-1]:.6f}"
    ('parkinson', 5105, '0.000103')
    """
    given = GivenBars.of(bars, Described(calendar, kind, measure))
    sessions = get_calendar(given.calendar)
    series, findings = measured(given.bars, given.measure, sessions, moment(now))
    rv = to_series(series)
    rv.attrs = {
        "asset": bars.attrs.get("asset"),
        "calendar": given.calendar,
        "kind": given.kind,
        "measure": given.measure,
        "extreme_sessions": tuple(map(str, extreme_sessions(given.bars, sessions))),
        "warnings": (*([given.inferred] if given.inferred else []), *findings),
    }
    return rv
