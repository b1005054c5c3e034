"""History that comes with a request, as the domain's own types."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from operator import itemgetter

import numpy as np

from models_store import Manifest
from service.assets.bars import BarInput, HistoryInput
from volatility.arrays import DateArray
from volatility.bars import DAILY, PRICES, Bars, validate
from volatility.calendars import Calendar
from volatility.errors import Finding, InvalidBars, InvalidInput
from volatility.plausibility import check_series
from volatility.series import DatedSeries, RealizedSeries, daily_series

_prices_of = itemgetter(*PRICES)
_FIELDS = len(PRICES) + 1  # and one of date and timestamp
_EPOCH = date(1970, 1, 1).toordinal()


def series_of(
    history: HistoryInput, manifest: Manifest, calendar: Calendar, now: datetime
) -> tuple[RealizedSeries, tuple[Finding, ...]]:
    """Daily series of a history in any of its forms, and what is worth knowing about it.

    Parameters
    ----------
    history : as it came; without bars it has no columns beside rv.
    manifest : of the model that is asked: its measure made ``rv`` given directly; bars are of its
        interval, and are measured with its measure and columns.
    calendar : sessions that dates should follow.
    now : with a time zone; later sessions are refused.

    Raises
    ------
    InvalidBars, InvalidSeries, ImplausibleUnit, ConstantPrices : what is given cannot be used.
    """
    with located("history."):
        if history.bars is None:
            series = _given_series(history, manifest.measure)
            check_series(series, calendar, now)
            return series, ()
        bars = bars_of(history.bars, manifest.bar_interval)
        findings = validate(bars, calendar, now)
        series, more = daily_series(bars, manifest.measure, calendar, manifest.columns)
        return series, (*findings, *more)


def _given_series(history: HistoryInput, measure: str) -> RealizedSeries:
    rv = np.array(history.rv)
    if history.dates is None:
        return RealizedSeries(rv, measure)
    return DatedSeries(rv, measure, days_of(history.dates))


@contextmanager
def located(prefix: str = "") -> Iterator[None]:
    """Name the fields of errors as the request does: ``history.bars[3].close``.

    Parameters
    ----------
    prefix : where in the request the history stands.
    """
    try:
        yield
    except InvalidBars as error:
        raise InvalidBars([_located(finding, prefix) for finding in error.findings]) from None
    except InvalidInput as error:
        error.field = prefix + (error.field or "")
        raise


def _located(finding: Finding, prefix: str) -> Finding:
    if finding.index is None:
        return replace(finding, field=f"{prefix}bars")
    name = finding.field if finding.field in PRICES else "date"
    return replace(finding, field=f"{prefix}bars[{finding.index}].{name}")


def bars_of(bars: list[BarInput], interval: int) -> Bars:
    """Bars of a JSON list.

    Raises
    ------
    InvalidBars : a bar has neither, or both, of date and timestamp, or a date where bars are
        shorter than a day.
    """
    count = len(bars)
    prices = np.fromiter(chain.from_iterable(map(_prices_of, bars)), np.float64, 4 * count)
    times = _sessions(bars) if interval == DAILY else _moments(bars)
    opened, high, low, close = prices.reshape(count, 4).T.copy()
    return Bars(times, opened, high, low, close, interval)


def _sessions(bars: list[BarInput]) -> DateArray:
    try:
        dates = [bar["date"] for bar in bars]
    except KeyError:
        dates = None
    if dates is None or sum(map(len, bars)) != _FIELDS * len(bars):
        dates = [_session(bar, index) for index, bar in enumerate(bars)]
    return days_of(dates).astype("datetime64[s]")


def _moments(bars: list[BarInput]) -> DateArray:
    return np.array([_seconds(bar, index) for index, bar in enumerate(bars)], "M8[s]")


def days_of(dates: list[date]) -> DateArray:
    """Python's dates as numpy's; by their ordinals, which is ten times as fast as one by one."""
    ordinals = np.fromiter(map(date.toordinal, dates), np.int64, len(dates))
    return (ordinals - _EPOCH).astype("datetime64[D]")


def _session(bar: BarInput, index: int) -> date:
    if len(bar) == _FIELDS:
        if "date" in bar:
            return bar["date"]
        if "timestamp" in bar:
            return bar["timestamp"].date()
    raise _unclear_time(bar, index, "a date")


def _seconds(bar: BarInput, index: int) -> int:
    if len(bar) != _FIELDS or "timestamp" not in bar:
        raise _unclear_time(bar, index, "a timestamp, since bars of this asset are within a day")
    moment = bar["timestamp"]
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _unclear_time(bar: BarInput, index: int, needed: str) -> InvalidBars:
    found = " and ".join(name for name in ("date", "timestamp") if name in bar) or "no time"
    return InvalidBars(
        [Finding("unclear_time", "error", "date", f"{found} at bar {index}", needed, index)]
    )
