"""``GET /assets``, ``PUT /assets/{asset}/bars`` and ``GET /assets/{asset}/history``."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Query
from starlette.requests import Request

from models_store import ArtifactRefused
from models_store.names import UNIVERSAL, InvalidName
from service.assets.database import HeldAsset
from service.assets.holdings import Held, Holdings, HoldingsDep, find_asset, known_asset
from service.assets.ingest import CSV, Ingested, Merging, ingest, read
from service.assets.newcomers import MEASURE, MEASURES, Described, settle
from service.assets.schemas import (
    MAX_CALENDAR,
    AssetAnswer,
    AssetsAnswer,
    BarsInput,
    HistoryAnswer,
    MergeAnswer,
)
from service.http.bodies import JSON, BodyRoute, Unread, media_type
from service.http.clock import ClockDep
from service.http.errors import (
    AssetMismatch,
    BarsConflict,
    BodyTooLarge,
    BodyTooSlow,
    DatabaseUnavailable,
    Fault,
    InvalidRequest,
    MalformedJson,
    Overloaded,
    UnclearCalendar,
    UnsupportedMediaType,
)
from service.http.fields import Day, Kind
from service.http.json import to_date
from service.http.json_lists import Content
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.models.catalogue import Catalogue, CatalogueDep
from service.security.audit import audited
from volatility.arrays import DateArray
from volatility.bars import DAILY
from volatility.calendars import get_calendar
from volatility.errors import (
    InvalidBars,
    NoHistory,
    UnknownAsset,
    UnknownCalendar,
    UnknownMeasure,
)
from volatility.series import DatedSeries

router = APIRouter(prefix="/assets", tags=["assets"], route_class=BodyRoute)


OutsideSessionsQuery = Annotated[
    Literal["refuse", "drop"],
    Query(
        description="What to do with bars outside of the calendar's sessions: refuse them, and the "
        "others with them, or drop them."
    ),
]
_INFERRED = " Left out, it is inferred from the dates, and a warning says so."
_CSV_EXAMPLE = "date,open,high,low,close\n2021-10-28,58470.7,62128.6,57820.0,60622.1\n"


@router.get("")
def assets(holdings: HoldingsDep, catalogue: CatalogueDep, clock: ClockDep) -> AssetsAnswer:
    """List the assets that are held or have models."""
    names = sorted({*holdings.assets(), *catalogue.assets()})
    now = clock()
    return AssetsAnswer(assets=[_describe(name, holdings, catalogue, now) for name in names])


@router.put(
    "/{asset}/bars",
    openapi_extra={
        "requestBody": {"content": {CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}}}
    },
    responses=problems(
        MalformedJson,
        BodyTooLarge,
        UnsupportedMediaType,
        InvalidRequest,
        InvalidBars,
        InvalidName,
        AssetMismatch,
        UnclearCalendar,
        UnknownCalendar,
        UnknownMeasure,
        BarsConflict,
        DatabaseUnavailable,
        ArtifactRefused,
        Overloaded,
        BodyTooSlow,
    ),
)
async def put_bars(
    content: Annotated[Content, Unread(BarsInput, (JSON, CSV))],
    request: Request,
    asset: str,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    clock: ClockDep,
    lanes: LanesDep,
    replace: Annotated[
        bool, Query(description="Replace held bars that the given ones contradict.")
    ] = False,
    outside_sessions: OutsideSessionsQuery = "refuse",
    calendar: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_CALENDAR, description="Of a new asset." + _INFERRED),
    ] = None,
    kind: Annotated[Kind | None, Query(description="Of a new asset." + _INFERRED)] = None,
    measure: Annotated[
        str | None,
        Query(
            min_length=1,
            description=f"Of a new asset: {' or '.join(MEASURES)}; {MEASURE} if left out.",
        ),
    ] = None,
) -> MergeAnswer:
    """Add bars to the held history, all of them or none; the first daily bars make a new asset.

    Bars that are held already, with the same prices, stay as they are; so a request can be sent
    again.
    """

    def put() -> Ingested:
        known = find_asset(asset, holdings, catalogue)
        bars = read(content, media_type(request), known.bar_interval if known else DAILY)
        whose, inferred = settle(asset, known, bars, Described(calendar, kind, measure))
        how = Merging(replace, outside_sessions == "drop")
        ingested = ingest(whose, bars, how, holdings, clock())
        return ingested._replace(warnings=(*inferred, *ingested.warnings))

    return _merged(_audit(request, await lanes.ingest.run(put), replace))


@router.get(
    "/{asset}/history",
    responses=problems(InvalidRequest, UnknownAsset, NoHistory, ArtifactRefused),
)
def history(
    asset: str,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    start: Annotated[Day | None, Query(description="First session wanted.")] = None,
    end: Annotated[Day | None, Query(description="Last session wanted.")] = None,
    limit: Annotated[
        int | None, Query(ge=1, description="At most so many sessions: the newest.")
    ] = None,
) -> HistoryAnswer:
    """Read the daily history that forecasts are made from."""
    known_asset(asset, holdings, catalogue)
    held = holdings.get(asset)
    _check_range(start, end)
    series = _between(held.series(), start, end)
    return _history(held, series if limit is None else series.tail(limit))


def _audit(request: Request, ingested: Ingested, replace: bool) -> Ingested:
    """Write down what was put, and by whom."""
    merge = ingested.merge
    audited(
        request,
        "put bars",
        asset=merge.held.asset.asset,
        added=merge.added,
        unchanged=merge.unchanged,
        replaced=merge.replaced,
        replace=replace,
        revision=merge.held.revision,
    )
    return ingested


def _merged(ingested: Ingested) -> MergeAnswer:
    merge, dropped, held, warnings = ingested
    sessions = held.sessions()
    return MergeAnswer(
        asset=held.asset.asset,
        added=merge.added,
        unchanged=merge.unchanged,
        replaced=merge.replaced,
        dropped=dropped,
        bars=len(held.bars),
        last_session=to_date(sessions[-1]) if len(sessions) else None,
        warnings=list(warnings),
    )


def _describe(name: str, holdings: Holdings, catalogue: Catalogue, now: datetime) -> AssetAnswer:
    known = known_asset(name, holdings, catalogue)
    held = holdings.find(name)
    sessions: DateArray = held.sessions() if held else np.empty(0, "datetime64[D]")
    return AssetAnswer(
        asset=name,
        calendar=known.calendar,
        periods_per_year=get_calendar(known.calendar).periods_per_year,
        kind=known.kind,
        measure=known.measure,
        bar_interval=known.bar_interval,
        bars=len(held.bars) if held else 0,
        sessions=len(sessions),
        first_session=to_date(sessions[0]) if len(sessions) else None,
        last_session=to_date(sessions[-1]) if len(sessions) else None,
        stale_sessions=held.stale_sessions(now) if held else None,
        source=known.source,
        models=catalogue.models(name),
        champion=_champion(known, catalogue),
    )


def _champion(known: HeldAsset, catalogue: Catalogue) -> str | None:
    """The model that ``auto`` means."""
    if catalogue.models(known.asset):
        return catalogue.champion(known.asset)
    is_for_every = catalogue.universal.knows(known.bar_interval, known.measure)
    return UNIVERSAL if is_for_every else None


def _check_range(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        needed = f"a date from {start} on"
        detail = f"end: {end} is before start, {start}"
        raise InvalidRequest([Fault("invalid_value", detail, "end", str(end), needed)])


def _between(series: DatedSeries, start: date | None, end: date | None) -> DatedSeries:
    dates = series.dates
    wanted = np.ones(len(dates), dtype=bool)
    if start is not None:
        wanted &= dates >= np.datetime64(start, "D")
    if end is not None:
        wanted &= dates <= np.datetime64(end, "D")
    return series.part(wanted)


def _history(held: Held, series: DatedSeries) -> HistoryAnswer:
    annualized = np.sqrt(series.rv * held.calendar.periods_per_year)
    return HistoryAnswer(
        asset=held.asset.asset,
        measure=series.measure,
        nobs=len(series),
        dates=series.dates.tolist(),
        rv=series.rv.tolist(),
        volatility_annualized=annualized.tolist(),
        last_bar=held.bars.timestamps[-1].item().replace(tzinfo=UTC),
    )
