"""``POST /forecast`` and ``POST /forecast/batch``.

Both take what they need from the state themselves: as dependencies it would cost a fifth of their
time.
"""

from typing import Annotated, TypedDict

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused
from service.forecasts import batch
from service.forecasts.encoding import Encoded, EncodedForecasts, ForecastTally
from service.forecasts.query import Questions
from service.forecasts.schemas import BatchAnswer, BatchRequest, ForecastAnswer, ForecastRequest
from service.http.bodies import JSON, BodyRoute, Unread
from service.http.errors import (
    BodyTooLarge,
    InvalidAsOf,
    InvalidRequest,
    MalformedJson,
    UnsupportedMediaType,
)
from service.http.problems import problems
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    ImplausibleUnit,
    InvalidBars,
    InvalidSeries,
    NoHistory,
    UnknownAsset,
    UnknownModel,
    UnsupportedHorizon,
    UnsupportedLevel,
    UnsupportedQuantile,
)

router = APIRouter(tags=["forecast"], route_class=BodyRoute)

_BODY_ERRORS = (MalformedJson, BodyTooLarge, UnsupportedMediaType, InvalidRequest)
# From here on a batch takes long enough (a few milliseconds) to keep other requests waiting.
_LARGE_BATCH = 64
_MANY_BARS = 2_000


class ForecastState(TypedDict):
    """What these routes use of the application's state."""

    questions: Questions
    encoded: EncodedForecasts
    forecast_tally: ForecastTally


@router.post(
    "/forecast",
    response_model=ForecastAnswer,
    responses=problems(
        *_BODY_ERRORS,
        UnknownAsset,
        UnknownModel,
        NoHistory,
        UnsupportedHorizon,
        UnsupportedLevel,
        UnsupportedQuantile,
        InvalidAsOf,
        InvalidBars,
        InvalidSeries,
        HistoryTooShort,
        ConstantPrices,
        ImplausibleUnit,
        ArtifactRefused,
    ),
)
async def forecast(body: ForecastRequest, request: Request) -> Response:
    """Forecast the realized variance of an asset's next session."""
    state: ForecastState = request.scope["state"]
    if _is_long(body):
        encoded = await run_in_threadpool(_encoded, body, state)
    else:
        encoded = _encoded(body, state)
    state["forecast_tally"].count(encoded.asset, encoded.model)
    return Response(encoded.body, media_type=JSON)


@router.post(
    "/forecast/batch",
    response_model=BatchAnswer,
    responses=problems(*_BODY_ERRORS),
)
async def forecast_batch(
    content: Annotated[bytes, Unread(BatchRequest)], request: Request
) -> Response:
    """Forecast many assets or histories; a bad item fails alone, with its own problem."""
    state: ForecastState = request.scope["state"]
    items, sources = batch.parse(content), (state["questions"], state["encoded"])
    if len(items) < _LARGE_BATCH:
        results = batch.answer(items, *sources)
    else:
        results = await run_in_threadpool(batch.answer, items, *sources)
    for (asset, model), number in batch.count(results).items():
        state["forecast_tally"].count(asset, model, number)
    return Response(batch.encode(results, request.url.path), media_type=JSON)


def _encoded(body: ForecastRequest, state: ForecastState) -> Encoded:
    return state["encoded"].answer(state["questions"].of(body))


def _is_long(body: ForecastRequest) -> bool:
    history = body.history
    return history is not None and len(history.bars or history.rv or ()) > _MANY_BARS
