r"""Other series that a model may look at, each as it was known when a forecast was issued.

A forecast is issued :data:`ISSUED` after its asset's session closes; in a market without a close,
after the UTC day. A companion's session counts from its own close on, and from its publication on
where that is later: London's of a date counts for New York's of the same date, New York's for
London's of the next; the VIX, published a quarter of an hour after New York's close, for both
alike. Early closes are the calendars'. What became known more than :data:`OLDEST` before says
nothing of the present: the companion is then missing, NaN.

Each companion gives its target two columns, whose names begin with its own:

=================  =================================================================================
``VIX:log_rv``     log rv of its newest session that was known
``VIX:return``     sum of its returns over the sessions that became known since the forecast before
=================  =================================================================================

A model sees windows of them. One is known where its newest session is, and at least half of the
others: a gap in what is held of a companion leaves its means to what there is.

A value depends on the date, the calendars and the companion's own sessions up to then, and on
nothing else of either series.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.bars import Bars
from volatility.calendar_inference import infer_calendar
from volatility.calendars import Calendar, get_calendar
from volatility.errors import Finding
from volatility.measures.columns import SEPARATOR, companion_of
from volatility.measures.daily import IMPLIED_VARIANCE
from volatility.scale_free import USUAL_MEASURE
from volatility.series import DatedSeries

ISSUED = 1_800  # seconds from the close of the asset's session to its forecast
OLDEST = 5 * 86_400  # seconds: a long weekend of holidays, which Easter and Christmas are
LEAST_KNOWN = 0.5  # of the sessions of a window
COLUMNS = ("log_rv", "return")  # of each companion
RETURN = "return"
INDEX = "index"  # the kind of asset that an index of implied volatility is held as


@dataclass(frozen=True)
class Index:
    """A published index of implied volatility, in percent per year.

    Attributes
    ----------
    calendar : on whose sessions it is published.
    delay : seconds from the close of a session to the index's.
    """

    calendar: str
    delay: int


# Of which the close alone counts; any other companion is an asset, known at its session's close.
INDICES: Mapping[str, Index] = MappingProxyType(
    {
        "VIX": Index("XNYS", 900),  # Cboe: of S&P 500 options, which trade until 16:15
    }
)


@dataclass(frozen=True, eq=False)
class Companion:
    """A series beside that of an asset.

    Attributes
    ----------
    name : as in the names of its columns.
    series : its daily rv, with the column ``return``.
    calendar_name : of its sessions.
    """

    name: str
    series: DatedSeries
    calendar_name: str

    @property
    def calendar(self) -> Calendar:
        """The calendar that :attr:`calendar_name` names."""
        return get_calendar(self.calendar_name)

    @property
    def delay(self) -> int:
        """Seconds from the close of a session until it is known."""
        index = INDICES.get(self.name)
        return index.delay if index else 0


class Known(NamedTuple):
    """Which sessions of one series were known at each forecast of another; (n,) each."""

    total: NDArray[np.intp]  # how many, from the first on
    before: NDArray[np.intp]  # how many at the forecast before
    recent: BoolArray  # whether there are any, of which the newest is not too old

    def newest(self, values: FloatArray) -> FloatArray:
        """Of (m,) values a session those that were known last; (n,) NaN where none was."""
        if not len(values):
            return np.full(len(self.total), np.nan)
        return np.where(self.recent, values[np.maximum(self.total - 1, 0)], np.nan)

    def summed(self, values: FloatArray) -> FloatArray:
        """Sums of (m,) values that became known since the forecast before; (n,) NaN likewise."""
        edges = np.stack([self.before, self.total], axis=1).ravel()
        sums = np.add.reduceat(np.append(values, 0.0), edges)[::2]
        return np.where(self.recent, np.where(self.total > self.before, sums, 0.0), np.nan)


def known_sessions(
    sessions: DateArray, market: Calendar, dates: DateArray, calendar: Calendar, delay: int = 0
) -> Known:
    """Which sessions of a series were known at the forecasts of an asset; see the module's top.

    Parameters
    ----------
    sessions : (m,) of the series, ascending.
    market : its calendar.
    dates : (n,) sessions of the asset, at whose end forecasts are issued.
    calendar : of the asset.
    delay : seconds from the close of the series' sessions until they are known.

    Raises
    ------
    OutsideCalendar : a date that one of the calendars does not cover.
    """
    moments = market.closes[market.positions(sessions)] + np.timedelta64(delay, "s")
    places = calendar.positions(dates)
    issued, issued_before = (_issued(calendar, it) for it in (places, np.maximum(places - 1, 0)))
    count = np.searchsorted(moments, issued, side="right")
    recent = count > 0
    recent[recent] = (issued[recent] - moments[count[recent] - 1]).astype(np.int64) <= OLDEST
    return Known(count, np.searchsorted(moments, issued_before, side="right"), recent)


def aligned(companion: Companion, dates: DateArray, calendar: Calendar) -> Mapping[str, FloatArray]:
    """What was known of a companion at each forecast of an asset; see the module's top.

    Parameters
    ----------
    companion : any.
    dates : (n,) sessions of the asset, at whose end forecasts are issued.
    calendar : of the asset.

    Returns
    -------
    (n,) by column, NaN where nothing was known that is not too old.

    Raises
    ------
    OutsideCalendar : a date that one of the calendars does not cover.
    """
    series = companion.series
    known = known_sessions(series.dates, companion.calendar, dates, calendar, companion.delay)
    values = known.newest(series.log_rv), known.summed(series.column(RETURN))
    return {
        column_of(companion.name, it): column for it, column in zip(COLUMNS, values, strict=True)
    }


def accompanied(
    series: DatedSeries, calendar: Calendar, companions: Iterable[Companion]
) -> DatedSeries:
    """A series with the columns of its companions beside its own.

    Raises
    ------
    OutsideCalendar : a date that one of the calendars does not cover.
    """
    columns = dict(series.columns)
    for companion in companions:
        columns |= aligned(companion, series.dates, calendar)
    return replace(series, columns=columns)


def are_known(seen: FloatArray) -> BoolArray:
    """Whether a companion was known, of (n, lookback) windows of one of its columns; (n,)."""
    known = ~np.isnan(seen)
    return np.asarray(known[:, -1] & (known.mean(axis=1) >= LEAST_KNOWN))


def why_unknown(companion: str, seen: FloatArray) -> str:
    """Which rule of :func:`are_known` a companion fails in one window, and what is needed.

    Parameters
    ----------
    companion : its name.
    seen : (lookback,) one of its columns, of which it is not known.
    """
    if np.isnan(seen[-1]):
        return (
            f"nothing of {companion} that is at most {OLDEST // 86_400} days old is known at the "
            "newest session; needed: a value there, and at half of the window or more"
        )
    known, least = np.count_nonzero(~np.isnan(seen)), math.ceil(LEAST_KNOWN * len(seen))
    return (
        f"{companion} is known at {known} of the {len(seen)} sessions of the window; needed: at "
        f"{least} or more"
    )


def sessions_behind(companion: Companion, as_of: np.datetime64, calendar: Calendar) -> int:
    """Sessions of a companion that were known at a forecast, and are not in its series.

    Parameters
    ----------
    companion : with at least one session.
    as_of : session of the asset, at whose end the forecast is issued.
    calendar : of the asset.

    Raises
    ------
    OutsideCalendar : a date that one of the calendars does not cover.
    """
    issued = _issued(calendar, calendar.positions(np.atleast_1d(as_of)))
    closes = companion.calendar.closes + np.timedelta64(companion.delay, "s")
    closed = int(np.searchsorted(closes, issued[0], side="right"))
    last = int(companion.calendar.positions(companion.series.dates[-1:])[0])
    return max(0, closed - 1 - last)


def column_of(companion: str, column: str) -> str:
    """The name that a companion's column has in the series of its target."""
    return f"{companion}{SEPARATOR}{column}"


def companions_in(columns: Collection[str]) -> tuple[str, ...]:
    """Names of the companions that some columns are of, sorted."""
    return tuple(sorted({name for it in columns if (name := companion_of(it))}))


def usual_measure(name: str) -> str:
    """The measure in which daily bars of a name are taken, where nobody says another."""
    return IMPLIED_VARIANCE if name in INDICES else USUAL_MEASURE


def usual_calendar(name: str, dates: DateArray) -> str:
    """The calendar that a companion's daily bars are taken to follow, where nobody says.

    That of an index is known. Else dates tell New York's, and a market that never closes; any other
    exchange is taken to be open until the end of the UTC day, which is late, and gives nothing away
    before its time.
    """
    return INDICES[name].calendar if name in INDICES else infer_calendar(dates)


def as_measured(bars: Bars, measure: str) -> Bars:
    """Bars as a measure takes them: of an index, which is not traded, the closes alone."""
    if measure != IMPLIED_VARIANCE:
        return bars
    return replace(bars, open=bars.close, high=bars.close, low=bars.close)


def worth_telling(findings: Iterable[Finding], measure: str) -> tuple[Finding, ...]:
    """Findings on bars as a measure takes them: closes alone have no range by nature."""
    return tuple(
        it for it in findings if measure != IMPLIED_VARIANCE or it.code != "zero_range_bar"
    )


def _issued(calendar: Calendar, places: NDArray[np.intp]) -> DateArray:
    """When the forecasts at the end of some sessions are issued; UTC."""
    return np.asarray(calendar.closes[places] + np.timedelta64(ISSUED, "s"))
