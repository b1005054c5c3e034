"""Measured sessions: of all held assets, of one, of bars that are sent; and the volatility cone."""

from dataclasses import replace
from datetime import date
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused
from service.assets.answers import history_answer, sessions_of
from service.assets.export import as_json
from service.assets.holdings import HoldingsDep, known_asset
from service.assets.measured import Measured, cone_answer, cone_if_any, measured, recent_of
from service.assets.measured_schemas import (
    ConeAnswer,
    MeasuredAnswer,
    MeasuredSessions,
    RecentsAnswer,
)
from service.assets.newcomers import Described
from service.assets.options import OptionsDep
from service.assets.reading import BARS_BODY, MEDIA_TYPES, check_encoding, read
from service.assets.schemas import MAX_CALENDAR, BarsInput, HistoryAnswer
from service.http.bodies import JSON, BodyRoute, Unread, media_type
from service.http.clock import ClockDep
from service.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    Fault,
    HistoryDamaged,
    InvalidRequest,
    MalformedJson,
    Overloaded,
    UnsupportedMediaType,
)
from service.http.fields import Day, Kind, NamePath
from service.http.json import to_bytes
from service.http.json_lists import Content
from service.http.lanes import LanesDep
from service.http.limits import BodyLimits
from service.http.parts import InParts
from service.http.problems import problems
from service.http.tables import TableQuery, or_table, table, wants_table
from service.models.catalogue import CatalogueDep
from volatility.bars import DAILY
from volatility.calendars import get_calendar
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    InvalidBars,
    NoHistory,
    UnknownAsset,
    UnknownCalendar,
)
from volatility.series import DatedSeries

router = APIRouter(tags=["assets"], route_class=BodyRoute)

MOST_SESSIONS = 252
_INFERRED = " Left out, it is inferred from the dates, and a warning says so."


@router.get(
    "/history",
    operation_id="list_recent_history",
    response_model=RecentsAnswer,
    responses=problems(InvalidRequest, Overloaded),
)
async def recent(
    holdings: HoldingsDep,
    lanes: LanesDep,
    sessions: Annotated[
        int, Query(ge=1, le=MOST_SESSIONS, description="At most so many of each asset: the newest.")
    ] = 22,
) -> Response:
    """Read the newest sessions of every held asset, in one answer."""

    def written() -> bytes:
        held = [it for name in sorted(holdings.assets()) if (it := holdings.find(name)) is not None]
        found = RecentsAnswer(
            sessions=sessions,
            assets=recent_of([it for it in held if it.damage is None], sessions),
            warnings=[holdings.doubt] if holdings.doubt else [],
        )
        return to_bytes(found)

    return Response(await lanes.work.run(written), media_type=JSON)


@router.post(
    "/history",
    response_model=MeasuredAnswer,
    openapi_extra=BARS_BODY,
    responses=problems(
        MalformedJson,
        BodyTooLarge,
        BodyTooSlow,
        UnsupportedMediaType,
        InvalidRequest,
        InvalidBars,
        UnknownCalendar,
        HistoryTooShort,
        ConstantPrices,
        Overloaded,
    ),
)
async def measure_bars(
    content: Annotated[Content, Unread(BarsInput, MEDIA_TYPES)],
    request: Request,
    clock: ClockDep,
    lanes: LanesDep,
    options: OptionsDep,
    outside_sessions: Annotated[
        str,
        Query(
            pattern="^(refuse|drop)$",
            description="What to do with bars outside of the calendar's sessions: `refuse` them, "
            "and the others with them, or `drop` them.",
        ),
    ] = "refuse",
    calendar: Annotated[
        str | None,
        Query(min_length=1, max_length=MAX_CALENDAR, description="Of the bars." + _INFERRED),
    ] = None,
    kind: Annotated[Kind | None, Query(description="Of the asset." + _INFERRED)] = None,
) -> Response:
    """Read and measure daily bars of any asset, without holding them.

    The bars come back as they were read, so that a table is read once and its sessions can then be
    forecast. They may be in any layout of docs/formats.md, and compressed by gzip.
    """
    check_encoding(request)

    def written() -> InParts:
        limits: BodyLimits = request.scope["state"]["body_limits"]
        reading = read(content, media_type(request), replace(options, interval=DAILY), limits)
        described = Described(calendar, kind)
        found = measured(reading, described, outside_sessions == "drop", clock())
        return InParts(_parts(found), JSON)

    return await lanes.work.run(written)


@router.get(
    "/assets/{asset}/history",
    operation_id="get_asset_history",
    response_model=HistoryAnswer,
    responses={
        **or_table("date,rv,volatility_annualized\r\n2021-10-27,0.0012,0.6618\r\n"),
        **problems(InvalidRequest, UnknownAsset, NoHistory, HistoryDamaged, ArtifactRefused),
    },
)
def history(
    asset: NamePath,
    request: Request,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    start: Annotated[Day | None, Query(description="First session wanted.")] = None,
    end: Annotated[Day | None, Query(description="Last session wanted.")] = None,
    limit: Annotated[
        int | None, Query(ge=1, description="At most so many sessions: the newest.")
    ] = None,
    form: TableQuery = None,
) -> HistoryAnswer | Response:
    """Read the daily history that forecasts are made from.

    It is JSON or, by `format` or the header `Accept`, CSV with a row a session.
    """
    known_asset(asset, holdings, catalogue)
    held = holdings.get(asset)
    _check_range(start, end)
    series = _between(held.series(), start, end)
    asked = series if limit is None else series.tail(limit)
    answer = history_answer(held, asked, holdings.doubt)
    return table(sessions_of(answer)) if wants_table(request, form) else answer


@router.get(
    "/assets/{asset}/cone",
    operation_id="get_cone",
    responses=problems(
        InvalidRequest, UnknownAsset, NoHistory, HistoryDamaged, HistoryTooShort, ArtifactRefused
    ),
)
def cone(asset: NamePath, holdings: HoldingsDep, catalogue: CatalogueDep) -> ConeAnswer:
    """Tell how an asset's volatility has been distributed, by the window it is measured over."""
    known_asset(asset, holdings, catalogue)
    held = holdings.get(asset)
    return cone_answer(held.series(), held.calendar, asset)


def _parts(found: Measured) -> list[bytes]:
    """The answer, with the bars, which are the greatest part of it, first."""
    series, calendar = found.series, get_calendar(found.market.calendar)
    said = MeasuredSessions(
        calendar=calendar.name,
        kind=found.market.kind,
        periods_per_year=calendar.periods_per_year,
        measure=series.measure,
        nobs=len(series),
        dates=series.dates.tolist(),
        rv=series.rv.tolist(),
        volatility_annualized=np.sqrt(series.rv * calendar.periods_per_year).tolist(),
        dropped=found.dropped,
        cone=cone_if_any(series, calendar),
        warnings=list(found.warnings),
    )
    *bars, _ = as_json(found.bars)
    return [*bars, b"]," + to_bytes(said)[1:]]


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
