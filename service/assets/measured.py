"""Bars as measured sessions: of held assets at a glance, and of bars that are only looked at."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np

from service.assets.held import Held
from service.assets.measured_schemas import ConeAnswer, ConeRowAnswer, RecentAnswer
from service.assets.newcomers import Described
from service.http.errors import located
from service.http.json import to_date
from volatility.bars import Bars, validate, within_sessions
from volatility.calendar_inference import MarketKind, market_of_bars
from volatility.calendars import Calendar, get_calendar
from volatility.cone import PROBABILITIES, WINDOWS, volatility_cone
from volatility.errors import HistoryTooShort, InvalidBars, InvalidInput
from volatility.formats.reading import Reading
from volatility.scale_free import USUAL_MEASURE
from volatility.series import DatedSeries, daily_series


class Measured(NamedTuple):
    """Bars of an asset that is not held, and the sessions measured from them.

    Parameters
    ----------
    bars : without those outside of sessions.
    series : of them.
    market : their calendar and kind, given or inferred.
    dropped : bars outside of sessions.
    warnings : what is worth knowing.
    """

    bars: Bars
    series: DatedSeries
    market: MarketKind
    dropped: int
    warnings: tuple[str, ...]


def measured(reading: Reading, described: Described, drop_outside: bool, now: datetime) -> Measured:
    """Measure daily bars, without holding them.

    Parameters
    ----------
    reading : of the bars that were sent.
    described : what is said of their asset; inferred where it is not.
    drop_outside : whether bars outside of sessions are left out, rather than all refused.
    now : no bar may be of a session that has not closed by then.

    Raises
    ------
    InvalidBars : what is wrong with them; they are shorter than a day.
    UnknownCalendar : there is none of the name given.
    ConstantPrices : no session has a measure above zero.
    """
    bars, dropped = reading.bars, 0
    try:
        market = market_of_bars(bars, described.calendar, described.kind)
        calendar = get_calendar(market.calendar)
        if drop_outside:
            bars, dropped = within_sessions(bars, calendar)
        findings = validate(bars, calendar, now)
        series, more = daily_series(bars, USUAL_MEASURE, calendar)
    except InvalidInput as error:
        if isinstance(error, InvalidBars) and not dropped:
            error = reading.counted_as_given(error)
        raise located(error, time=reading.time_name) from None
    inferred = (market.inferred,) if market.inferred else ()
    said = tuple(dict.fromkeys(map(str, (*reading.told, *findings, *more))))
    return Measured(bars, series, market, dropped, (*inferred, *said))


def recent_of(held: Iterable[Held], sessions: int) -> list[RecentAnswer]:
    """The newest sessions of each asset that has any, in the order given."""
    answers = []
    for it in held:
        if not len(it.sessions()):
            continue
        series = it.series().tail(sessions)
        annualized = np.sqrt(series.rv * it.calendar.periods_per_year)
        answers.append(
            RecentAnswer(
                asset=it.asset.asset,
                measure=series.measure,
                last_session=to_date(series.dates[-1]),
                volatility_annualized=annualized.tolist(),
            )
        )
    return answers


def cone_answer(series: DatedSeries, calendar: Calendar, asset: str | None) -> ConeAnswer:
    """The volatility cone of a series, annualized.

    Raises
    ------
    HistoryTooShort : fewer than two sessions.
    """
    scale = np.sqrt(calendar.periods_per_year)
    return ConeAnswer(
        asset=asset,
        measure=series.measure,
        as_of=to_date(series.dates[-1]) if len(series) else None,
        nobs=len(series),
        probabilities=list(PROBABILITIES),
        rows=[
            ConeRowAnswer(
                window=it.window,
                nobs=it.nobs,
                quantiles=[float(scale * value) for value in it.quantiles],
                newest=float(scale * it.newest),
                rank=it.rank,
            )
            for it in volatility_cone(series.rv, WINDOWS)
        ],
    )


def cone_if_any(series: DatedSeries, calendar: Calendar) -> ConeAnswer | None:
    """As :func:`cone_answer`, of a series that was sent; None where it is too short."""
    try:
        return cone_answer(series, calendar, None)
    except HistoryTooShort:
        return None
