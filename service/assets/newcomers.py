"""An asset that nobody has described: what its bars, and the request, say of it."""

from typing import NamedTuple

import numpy as np

from models_store.names import UNIVERSAL, InvalidName, check_asset_name
from models_store.predictors.pooled import RANGE_SIGN
from service.assets.database import HeldAsset
from service.http.errors import AssetMismatch, UnclearCalendar, located
from volatility.bars import DAILY, Bars
from volatility.calendar_inference import market_of_bars
from volatility.calendars import get_calendar
from volatility.companions import INDEX, INDICES, usual_measure
from volatility.errors import InvalidBars, UnknownMeasure
from volatility.formats.reading import Reading
from volatility.measures.daily import IMPLIED_VARIANCE
from volatility.scale_free import usual_kind

MEASURES = (*RANGE_SIGN, IMPLIED_VARIANCE)  # of what a new asset may be held in
_LEAST_SPAN = 7  # days in which there is a weekend


class Described(NamedTuple):
    """What a request says of its asset; None where it says nothing."""

    calendar: str | None = None
    kind: str | None = None
    measure: str | None = None


def settle(
    name: str, known: HeldAsset | None, reading: Reading, described: Described
) -> tuple[HeldAsset, tuple[str, ...]]:
    """Whose bars were sent: an asset that is known, or the one that they make.

    Returns
    -------
    The asset, and what was inferred of a new one.

    Raises
    ------
    AssetMismatch : what is said of the asset contradicts what is known of it.
    As :func:`newcomer`, of a new one.
    """
    if known is not None:
        check_agrees(known, described)
        return known, ()
    try:
        return newcomer(name, reading.bars, described)
    except InvalidBars as error:
        raise located(error, time=reading.time_name) from None


def newcomer(name: str, bars: Bars, described: Described) -> tuple[HeldAsset, tuple[str, ...]]:
    """An asset that is to be held from now on, and what was inferred of it.

    Parameters
    ----------
    name : it.
    bars : the first of it, read as daily ones.
    described : what the request says of it.

    Raises
    ------
    InvalidName : it cannot name an asset.
    UnknownMeasure : not one of those that an asset may be held in.
    InvalidBars : they are shorter than a day.
    UnclearCalendar : none is given, and the bars span less than a week.
    UnknownCalendar : there is none of the name given.
    """
    measure = _measure_of(name, described)
    described = _completed(name, described)
    market = market_of_bars(bars, described.calendar, described.kind)
    if described.calendar is None and _span(bars) < _LEAST_SPAN:
        raise _unclear_calendar(name, bars)
    asset = HeldAsset(
        asset=_check_new(name),
        calendar=market.calendar,
        measure=measure,
        bar_interval=bars.interval,
        source="sent over HTTP",
        kind=market.kind,
    )
    usual = f"measure {measure} is taken, as none is given"
    said = (market.inferred, None if described.measure else usual)
    return asset, tuple(it for it in said if it)


def registered(name: str, described: Described) -> HeldAsset:
    """An asset that is to be held from now on, before its first bars, which are daily.

    Parameters
    ----------
    name : it.
    described : what the request says of it; the kind is that of most on its calendar where it is
        left out, and the measure the usual one.

    Raises
    ------
    InvalidName : it cannot name an asset.
    UnknownMeasure : not one of those that an asset may be held in.
    UnclearCalendar : none is given.
    UnknownCalendar : there is none of the name given.
    """
    measure = _measure_of(name, described)
    described = _completed(name, described)
    if described.calendar is None:
        needed = "a calendar, such as XNYS, 24/7 or 24/5"
        raise UnclearCalendar(
            f"{name} has no bars that tell its calendar; needed: {needed}",
            field="calendar",
            found=None,
            needed=needed,
        )
    calendar = get_calendar(described.calendar).name
    return HeldAsset(
        asset=_check_new(name),
        calendar=calendar,
        measure=measure,
        bar_interval=DAILY,
        source="sent over HTTP",
        kind=described.kind or usual_kind(calendar),
    )


def _check_new(name: str) -> str:
    """Refuse the name of the model for every asset, which answers and metrics tell it by."""
    if name.lower() == UNIVERSAL:
        needed = f"another name: {name} is the model for every asset"
        raise InvalidName(
            f"no asset can be called {name}; needed: {needed}",
            field="asset",
            found=name,
            needed=needed,
        )
    return check_asset_name(name)


def _measure_of(name: str, described: Described) -> str:
    """The measure that is given, or the usual one."""
    measure = described.measure or usual_measure(name)
    if measure not in MEASURES:
        needed = " or ".join(MEASURES)
        raise UnknownMeasure(
            f"a new asset cannot be measured by {measure!r}; needed: {needed}",
            field="measure",
            found=measure,
            needed=needed,
        )
    return measure


def _completed(name: str, described: Described) -> Described:
    """What is said of an asset, and what is known of an index of its name."""
    index = INDICES.get(name)
    if index is None:
        return described
    calendar, kind = described.calendar or index.calendar, described.kind or INDEX
    return described._replace(calendar=calendar, kind=kind)


def check_agrees(known: HeldAsset, described: Described) -> None:
    """Refuse a description that contradicts what is known of an asset.

    Raises
    ------
    AssetMismatch : in calendar, kind or measure.
    UnknownCalendar : there is none of the name given.
    """
    for field, given in described._asdict().items():
        expected = getattr(known, field)
        if given is None or given == expected:
            continue
        if field == "calendar" and get_calendar(given).name == get_calendar(expected).name:
            continue
        raise AssetMismatch(
            f"{field} {given!r} is given for {known.asset}, which is known with {expected}; leave "
            "it out, or give the same",
            field=field,
            found=given,
            needed=expected,
        )


def _span(bars: Bars) -> int:
    """Days from the first to the last of the bars."""
    days = bars.dates.astype(np.int64)
    return int(np.ptp(days)) + 1 if len(days) else _LEAST_SPAN  # none are refused as such


def _unclear_calendar(name: str, bars: Bars) -> UnclearCalendar:
    first, last = bars.dates.min(), bars.dates.max()
    needed = "the parameter calendar, such as XNYS, 24/7 or 24/5, or bars of a week and more"
    return UnclearCalendar(
        f"{name} is new, and bars from {first} to {last} do not tell whether its market has "
        f"sessions on weekends; needed: {needed}",
        field="calendar",
        found=None,
        needed=needed,
    )
