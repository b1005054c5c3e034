"""``/assets``: what is held of each asset, and its bars, in and out."""

from dataclasses import replace as replaced
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused
from models_store.names import InvalidName
from service.assets.answers import asset_answer, merge_answer
from service.assets.deleting import Deleted, check_deletable, not_held
from service.assets.export import USUAL_BARS, Page, Wanted, as_csv, as_json
from service.assets.holdings import HoldingsDep, find_asset, known_asset
from service.assets.ingest import Ingested, Merging, ingest
from service.assets.known import KnownHoldings
from service.assets.newcomers import Described, check_agrees, registered, settle
from service.assets.options import DescribedDep, OptionsDep
from service.assets.parquet import as_parquet, check_parquet
from service.assets.reading import (
    BARS_BODY,
    CSV_EXAMPLE,
    MEDIA_TYPES,
    PARQUET,
    check_encoding,
    read,
)
from service.assets.schemas import (
    MAX_BARS,
    AssetAnswer,
    AssetsAnswer,
    BarsAnswer,
    BarsInput,
    DeletedAnswer,
    MergeAnswer,
    NewAsset,
)
from service.assets.tally import IngestTally
from service.http.accepting import preferred
from service.http.bodies import JSON, BodyRoute, Unread, media_type
from service.http.clock import ClockDep
from service.http.errors import (
    AssetInUse,
    AssetMismatch,
    BarsConflict,
    BodyTooLarge,
    BodyTooSlow,
    DatabaseUnavailable,
    HistoryDamaged,
    InvalidRequest,
    MalformedJson,
    NotAcceptable,
    NotYetKnown,
    Overloaded,
    UnclearCalendar,
    UnsupportedMediaType,
)
from service.http.fields import DayOrTime, NamePath, Time
from service.http.json_lists import Content
from service.http.lanes import LanesDep
from service.http.limits import BodyLimits
from service.http.parts import InParts
from service.http.problems import problems
from service.http.tables import CSV
from service.models.catalogue import CatalogueDep
from service.security.audit import audited, sender
from volatility.bars import DAILY
from volatility.errors import (
    InvalidBars,
    NoHistory,
    UnknownAsset,
    UnknownCalendar,
    UnknownMeasure,
)

router = APIRouter(prefix="/assets", tags=["assets"], route_class=BodyRoute)

# Of what may make an asset.
_MAKING_ERRORS = (
    MalformedJson,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidRequest,
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
)


OutsideSessionsQuery = Annotated[
    Literal["refuse", "drop"],
    Query(
        description="What to do with bars outside of the calendar's sessions: refuse them, and the "
        "others with them, or drop them."
    ),
]
KnownAtQuery = Annotated[
    Time | None,
    Query(
        description="The bars as they were known at this time; UTC where no offset is given.",
        examples=["2021-10-28T09:00:00Z"],
    ),
]
LimitQuery = Annotated[
    int,
    Query(
        ge=1,
        le=MAX_BARS,
        description="At most so many bars: from `start` on, or the newest without it.",
    ),
]
FormQuery = Annotated[
    Literal["json", "csv", "parquet"] | None,
    Query(
        alias="format",
        description="Form of the answer, for what sends no header `Accept`, such as a spreadsheet.",
    ),
]
_FORMS = {"json": JSON, "csv": CSV, "parquet": PARQUET}
_LINK = 'Where there are more bars than one answer has: `<?start=…>; rel="next"`.'


@router.get("", operation_id="list_assets")
def assets(holdings: HoldingsDep, catalogue: CatalogueDep, clock: ClockDep) -> AssetsAnswer:
    """List the assets that are held or have models."""
    names = sorted({*holdings.assets(), *catalogue.assets()})
    now = clock()
    return AssetsAnswer(assets=[asset_answer(name, holdings, catalogue, now) for name in names])


@router.post(
    "",
    operation_id="register_asset",
    status_code=201,
    responses={
        200: {"model": AssetAnswer, "description": "It was held already."},
        **problems(
            *_MAKING_ERRORS,
        ),
    },
)
async def register(
    body: NewAsset,
    request: Request,
    response: Response,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    clock: ClockDep,
    lanes: LanesDep,
) -> AssetAnswer:
    """Hold an asset before its first bars; one that is held already stays as it is."""
    described = Described(body.calendar, body.kind, body.measure)

    def hold() -> tuple[bool, AssetAnswer]:
        known = find_asset(body.asset, holdings, catalogue)
        if known is not None:
            check_agrees(known, described)
        is_new = holdings.register(known or registered(body.asset, described))
        return is_new, asset_answer(body.asset, holdings, catalogue, clock())

    is_new, answer = await lanes.ingest.run(hold)
    if is_new:
        audited(request, "register asset", asset=body.asset)
    else:
        response.status_code = 200
    return answer


@router.delete(
    "/{asset}",
    operation_id="delete_asset",
    responses=problems(
        UnknownAsset, NoHistory, AssetInUse, DatabaseUnavailable, ArtifactRefused, Overloaded
    ),
)
async def delete(
    asset: NamePath,
    request: Request,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    lanes: LanesDep,
) -> DeletedAnswer:
    """Hold an asset no longer: its bars are gone, and those that were replaced."""

    def remove() -> Deleted:
        known_asset(asset, holdings, catalogue)
        check_deletable(asset, catalogue)
        return holdings.delete(asset, sender(request))

    deleted = await lanes.ingest.run(remove)
    audited(request, "delete asset", asset=asset, **deleted._asdict())
    return DeletedAnswer(asset=asset, bars=deleted.bars, replaced_bars=deleted.replaced_bars)


@router.put(
    "/{asset}/bars",
    operation_id="put_asset_bars",
    openapi_extra=BARS_BODY,
    responses=problems(
        *_MAKING_ERRORS,
        InvalidBars,
    ),
)
async def put_bars(
    content: Annotated[Content, Unread(BarsInput, MEDIA_TYPES)],
    request: Request,
    asset: NamePath,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    clock: ClockDep,
    lanes: LanesDep,
    options: OptionsDep,
    described: DescribedDep,
    replace: Annotated[
        bool, Query(description="Replace held bars that the given ones contradict.")
    ] = False,
    outside_sessions: OutsideSessionsQuery = "refuse",
) -> MergeAnswer:
    """Add bars to the held history, all of them or none; the first daily bars make a new asset.

    Bars that are held already, with the same prices, stay as they are; so a request can be sent
    again. They may be in any layout of docs/formats.md, and compressed by gzip; `inferred` says how
    they were read.
    """
    check_encoding(request)

    def put() -> Ingested:
        known = find_asset(asset, holdings, catalogue)
        how_written = replaced(options, interval=known.bar_interval if known else DAILY)
        limits: BodyLimits = request.scope["state"]["body_limits"]
        reading = read(content, media_type(request), how_written, limits)
        whose, inferred = settle(asset, known, reading, described)
        how = Merging(replace, outside_sessions == "drop", sender(request))
        ingested = ingest(whose, reading, how, holdings, clock())
        return ingested._replace(warnings=(*inferred, *ingested.warnings))

    tally: IngestTally = request.scope["state"]["ingest_tally"]
    with tally.counting():
        ingested = await lanes.ingest.run(put)
    tally.count(ingested)
    return merge_answer(_audit(request, ingested, replace))


@router.get(
    "/{asset}/bars",
    operation_id="get_asset_bars",
    response_model=BarsAnswer,
    responses={
        200: {
            "content": {
                CSV: {"schema": {"type": "string"}, "example": CSV_EXAMPLE},
                PARQUET: {"schema": {"type": "string", "format": "binary"}},
            },
            "headers": {"Link": {"schema": {"type": "string"}, "description": _LINK}},
        },
        **problems(
            InvalidRequest,
            UnknownAsset,
            NoHistory,
            HistoryDamaged,
            NotAcceptable,
            NotYetKnown,
            ArtifactRefused,
            DatabaseUnavailable,
            Overloaded,
        ),
    },
)
async def bars(
    asset: NamePath,
    request: Request,
    holdings: HoldingsDep,
    catalogue: CatalogueDep,
    clock: ClockDep,
    lanes: LanesDep,
    start: Annotated[
        DayOrTime | None, Query(description="First session wanted, or time at which a bar opens.")
    ] = None,
    end: Annotated[
        DayOrTime | None, Query(description="Last session wanted, or time at which a bar opens.")
    ] = None,
    known_at: KnownAtQuery = None,
    limit: LimitQuery = USUAL_BARS,
    form: FormQuery = None,
) -> Response:
    """Read held bars, as JSON or, by `format` or the header `Accept`, as CSV or Parquet.

    JSON and CSV can be put back as they are. Where there are more, the header `Link` and, in JSON,
    `next` say by which query they are read.
    """
    media_type = _FORMS[form] if form else preferred(request, JSON, CSV, PARQUET)
    if media_type == PARQUET:
        check_parquet()
    known = KnownHoldings(holdings, known_at, clock()) if known_at else None

    def written() -> InParts:
        known_asset(asset, holdings, catalogue)
        held = holdings.get(asset)
        seen = known.find(asset) if known else held
        if seen is None:
            raise not_held(asset)
        page = Wanted(start, end, limit).of(seen)
        following = _following(request, page)
        as_others = {CSV: as_csv, PARQUET: as_parquet}.get(media_type)
        parts = as_others(page.bars) if as_others else as_json(page.bars, following)
        link = {"link": f'<{following}>; rel="next"'} if following else {}
        return InParts(parts, media_type, link)

    # A database that does not answer is to keep no forecast waiting.
    lane = lanes.work if known_at is None else lanes.ingest
    return await lane.run(written)


def _audit(request: Request, ingested: Ingested, replace: bool) -> Ingested:
    """Write down what was put, and by whom."""
    merge, held = ingested.merge, ingested.held
    audited(
        request,
        "put bars",
        asset=held.asset.asset,
        added=merge.added,
        unchanged=merge.unchanged,
        replaced=merge.replaced,
        replace=replace,
        revision=merge.revision,
    )
    return ingested


def _following(request: Request, page: Page) -> str | None:
    """Query by which the next page is read; to be joined with the URL of the request."""
    if page.beyond is None:
        return None
    return f"?{request.url.include_query_params(**{page.bound: page.beyond}).query}"
