"""``POST /forecast`` and ``POST /forecast/batch``.

These two take the bare request: resolving dependencies would cost them a fifth of their time.
"""

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused
from service.dependencies import services_of
from service.forecasts import batch as batches
from service.forecasts.batch import read_batch
from service.forecasts.schemas import BatchAnswer, BatchRequest, ForecastAnswer, ForecastRequest
from service.http.bodies import JSON, described, read_json
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
)

router = APIRouter(tags=["forecast"])

_BODY_ERRORS = (MalformedJson, BodyTooLarge, UnsupportedMediaType, InvalidRequest)
# From here on a batch takes long enough (a few milliseconds) to keep other requests waiting.
_LARGE_BATCH = 64
_MANY_BARS = 2_000


@router.post(
    "/forecast",
    response_model=ForecastAnswer,
    openapi_extra=described(ForecastRequest),
    responses=problems(
        *_BODY_ERRORS,
        UnknownAsset,
        UnknownModel,
        NoHistory,
        UnsupportedHorizon,
        UnsupportedLevel,
        InvalidAsOf,
        InvalidBars,
        InvalidSeries,
        HistoryTooShort,
        ConstantPrices,
        ImplausibleUnit,
        ArtifactRefused,
    ),
)
async def forecast(request: Request) -> Response:
    """Forecast the realized variance of an asset's next session."""
    body, services = await read_json(ForecastRequest, request), await services_of(request)
    if _is_long(body):
        answer = await run_in_threadpool(services.forecaster.forecast, body)
    else:
        answer = services.forecaster.forecast(body)
    services.metrics.count_forecasts(answer.asset, answer.model)
    return Response(answer.body, media_type=JSON)


@router.post(
    "/forecast/batch",
    response_model=BatchAnswer,
    openapi_extra=described(BatchRequest),
    responses=problems(*_BODY_ERRORS),
)
async def forecast_batch(request: Request) -> Response:
    """Forecast many assets or histories; a bad item fails alone, with its own problem."""
    items, services = await read_batch(request), await services_of(request)
    if len(items) < _LARGE_BATCH:
        results = batches.answer(items, services.forecaster)
    else:
        results = await run_in_threadpool(batches.answer, items, services.forecaster)
    for (asset, model), number in batches.count(results).items():
        services.metrics.count_forecasts(asset, model, number)
    return Response(batches.encode(results, request.url.path), media_type=JSON)


def _is_long(body: ForecastRequest) -> bool:
    history = body.history
    return history is not None and len(history.bars or history.rv or ()) > _MANY_BARS
