"""``GET /assets``, ``PUT /assets/{asset}/bars`` and ``GET /assets/{asset}/history``."""

from datetime import UTC, date
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from models_store import ArtifactRefused
from service.assets import ingest
from service.assets.bars import BarsInput
from service.assets.holdings import Held
from service.assets.ingest import CSV
from service.assets.schemas import AssetAnswer, AssetsAnswer, HistoryAnswer, MergeAnswer
from service.dependencies import Services, ServicesDep
from service.http.bodies import JSON, described, require_media_type
from service.http.errors import (
    BarsConflict,
    BodyTooLarge,
    Fault,
    InvalidRequest,
    MalformedJson,
    UnsupportedMediaType,
)
from service.http.fields import Day
from service.http.json import to_date
from service.http.problems import problems
from volatility.arrays import DateArray
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars, NoHistory, UnknownAsset
from volatility.series import DatedSeries

router = APIRouter(prefix="/assets", tags=["assets"])

_CSV_EXAMPLE = "date,open,high,low,close\n2021-10-28,58470.7,62128.6,57820.0,60622.1\n"


@router.get("")
def assets(services: ServicesDep) -> AssetsAnswer:
    """List the assets that are held or have models."""
    names = {*services.holdings.assets(), *services.catalogue.assets()}
    return AssetsAnswer(assets=[_describe(name, services) for name in sorted(names)])


@router.put(
    "/{asset}/bars",
    openapi_extra=described(
        BarsInput, **{CSV: {"schema": {"type": "string"}, "example": _CSV_EXAMPLE}}
    ),
    responses=problems(
        MalformedJson,
        BodyTooLarge,
        UnsupportedMediaType,
        InvalidRequest,
        InvalidBars,
        UnknownAsset,
        BarsConflict,
        ArtifactRefused,
    ),
)
async def put_bars(
    request: Request,
    asset: str,
    services: ServicesDep,
    replace: Annotated[
        bool, Query(description="Replace held bars that the given ones contradict.")
    ] = False,
) -> MergeAnswer:
    """Add bars to the held history, all of them or none.

    Bars that are held already, with the same prices, stay as they are; so a request can be sent
    again.
    """
    media_type = require_media_type(request, JSON, CSV)
    content = await request.body()
    return await run_in_threadpool(_put, asset, content, media_type, replace, services)


@router.get(
    "/{asset}/history",
    responses=problems(InvalidRequest, UnknownAsset, NoHistory, ArtifactRefused),
)
def history(
    asset: str,
    services: ServicesDep,
    start: Annotated[Day | None, Query(description="First session wanted.")] = None,
    end: Annotated[Day | None, Query(description="Last session wanted.")] = None,
    limit: Annotated[
        int | None, Query(ge=1, description="At most so many sessions: the newest.")
    ] = None,
) -> HistoryAnswer:
    """Read the daily history that forecasts are made from."""
    ingest.known_asset(asset, services.holdings, services.catalogue)
    held = services.holdings.get(asset)
    _check_range(start, end)
    series = _between(held.series(), start, end)
    return _history(held, series if limit is None else series.tail(limit))


def _put(
    asset: str, content: bytes, media_type: str, replace: bool, services: Services
) -> MergeAnswer:
    known = ingest.known_asset(asset, services.holdings, services.catalogue)
    bars = ingest.read(content, media_type, known.bar_interval)
    return ingest.ingest(known, bars, replace, services.holdings, services.clock())


def _describe(name: str, services: Services) -> AssetAnswer:
    known = ingest.known_asset(name, services.holdings, services.catalogue)
    held = services.holdings.find(name)
    sessions: DateArray = held.sessions() if held else np.empty(0, "datetime64[D]")
    return AssetAnswer(
        asset=name,
        calendar=known.calendar,
        periods_per_year=get_calendar(known.calendar).periods_per_year,
        measure=known.measure,
        bar_interval=known.bar_interval,
        bars=len(held.bars) if held else 0,
        sessions=len(sessions),
        first_session=to_date(sessions[0]) if len(sessions) else None,
        last_session=to_date(sessions[-1]) if len(sessions) else None,
        stale_sessions=held.stale_sessions(services.clock()) if held else None,
        source=known.source,
        models=services.catalogue.models(name),
        champion=services.catalogue.champion(name),
    )


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
