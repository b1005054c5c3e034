"""``POST /forecast`` and ``POST /forecast/batch``, and ``GET /forecast/{asset}``.

They take what they need from the state themselves: as dependencies it would cost a fifth of their
time.
"""

from typing import Annotated, TypedDict

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused, PredictionFailed
from models_store.names import InvalidName
from service.forecasts import batch
from service.forecasts.encoding import Encoded, EncodedForecasts, ForecastTally
from service.forecasts.ladder import descend
from service.forecasts.query import Questions
from service.forecasts.requests import BatchRequest, ForecastRequest
from service.forecasts.schemas import BatchAnswer, ForecastAnswer, TermStructureAnswer
from service.http.bodies import JSON, BodyRoute, Unread
from service.http.errors import (
    AssetMismatch,
    BodyTooLarge,
    BodyTooSlow,
    HistoryIncomplete,
    HistoryStale,
    InvalidAsOf,
    InvalidRequest,
    MalformedJson,
    Overloaded,
    UnsupportedMediaType,
)
from service.http.fields import Day, Listed
from service.http.json_lists import Content
from service.http.lanes import lanes_of
from service.http.problems import from_validation, problems
from service.http.slices import SHORT
from service.models.catalogue import AUTO
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    ImplausibleUnit,
    InvalidBars,
    InvalidSeries,
    NoHistory,
    OutsideCalendar,
    UnknownAsset,
    UnknownCalendar,
    UnknownModel,
    UnsupportedHorizon,
    UnsupportedLevel,
    UnsupportedQuantile,
)

router = APIRouter(tags=["forecast"], route_class=BodyRoute)

_BODY_ERRORS = (
    MalformedJson,
    BodyTooLarge,
    BodyTooSlow,
    UnsupportedMediaType,
    InvalidRequest,
    Overloaded,
)
_FORECAST_ERRORS = (
    UnknownAsset,
    UnknownModel,
    NoHistory,
    AssetMismatch,
    InvalidName,
    UnknownCalendar,
    OutsideCalendar,
    UnsupportedHorizon,
    UnsupportedLevel,
    UnsupportedQuantile,
    InvalidAsOf,
    InvalidBars,
    InvalidSeries,
    HistoryTooShort,
    ConstantPrices,
    ImplausibleUnit,
    HistoryStale,
    HistoryIncomplete,
    ArtifactRefused,
    PredictionFailed,
)
# From here on a batch takes long enough (a few milliseconds) to keep other requests waiting.
_LARGE_BATCH = 64
_NUMBERS = Listed(
    r"^[0-9]{1,9}(,[0-9]{1,9})*$", "whole numbers separated by commas, such as 1,5,10,22"
)
_DECIMALS = Listed(
    r"^[0-9]{0,9}\.?[0-9]{1,17}(,[0-9]{0,9}\.?[0-9]{1,17})*$",
    "numbers separated by commas, such as 0.8,0.95",
)

HorizonsQuery = Annotated[
    Annotated[str, _NUMBERS] | None,
    Query(
        description="Several of them, for a term structure.",
        examples=["1,5,10,22"],
    ),
]
LevelsQuery = Annotated[
    Annotated[str, _DECIMALS] | None,
    Query(
        description="Coverages of the intervals wanted; 0.8,0.95 if left out.",
        examples=["0.8"],
    ),
]
QuantilesQuery = Annotated[
    Annotated[str, _DECIMALS] | None,
    Query(
        description="Probabilities of the quantiles wanted.",
        examples=["0.05,0.5,0.95"],
    ),
]


class ForecastState(TypedDict):
    """What these routes use of the application's state."""

    questions: Questions
    encoded: EncodedForecasts
    forecast_tally: ForecastTally


@router.post(
    "/forecast",
    response_model=ForecastAnswer | TermStructureAnswer,
    responses=problems(*_BODY_ERRORS, *_FORECAST_ERRORS),
)
async def forecast(body: ForecastRequest, request: Request) -> Response:
    """Forecast the realized variance of an asset's next sessions."""
    return await _answer(body, request)


@router.get(
    "/forecast/{asset}",
    response_model=ForecastAnswer | TermStructureAnswer,
    responses=problems(InvalidRequest, Overloaded, *_FORECAST_ERRORS),
)
async def forecast_held(
    asset: str,
    request: Request,
    model: Annotated[str, Query(min_length=1, description="As in `POST /forecast`.")] = AUTO,
    horizon: Annotated[int | None, Query(description="Sessions ahead; 1 if left out.")] = None,
    horizons: HorizonsQuery = None,
    levels: LevelsQuery = None,
    quantiles: QuantilesQuery = None,
    as_of: Annotated[Day | None, Query(description="Replay this day.")] = None,
    explain: Annotated[bool, Query(description="Whether to tell what moved the forecast.")] = False,
) -> Response:
    """Forecast from held history."""
    given = {
        "horizon": horizon,
        "horizons": horizons and tuple(map(int, horizons.split(","))),
        "levels": levels and tuple(map(float, levels.split(","))),
        "quantiles": quantiles and tuple(map(float, quantiles.split(","))),
        "as_of": as_of and str(as_of),
        "explain": explain,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    try:
        body = ForecastRequest.model_validate({"asset": asset, "model": model, **asked})
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False)) from error
    return await _answer(body, request)


@router.post(
    "/forecast/batch",
    response_model=BatchAnswer,
    responses=problems(*_BODY_ERRORS),
)
async def forecast_batch(
    content: Annotated[Content, Unread(BatchRequest)], request: Request
) -> Response:
    """Forecast many assets or histories; a bad item fails alone, with its own problem."""
    state: ForecastState = request.scope["state"]
    run, path = lanes_of(request.scope).work.run, request.url.path
    if len(content) > SHORT:
        items = await run(batch.parse, content)
    else:
        items = batch.parse(content)
    if len(items) < _LARGE_BATCH and not batch.is_long(items, state["questions"]):
        answer = batch.answer(items, state["questions"], state["encoded"], path)
    else:
        answer = await run(batch.answer, items, state["questions"], state["encoded"], path)
    for (asset, model), number in answer.forecasts.items():
        state["forecast_tally"].count(asset, model, number)
    return Response(answer.body, media_type=JSON)


async def _answer(body: ForecastRequest, request: Request) -> Response:
    state: ForecastState = request.scope["state"]
    run = lanes_of(request.scope).work.run
    try:
        if state["questions"].is_long(body):
            encoded = await run(_encoded, body, state)
        else:
            encoded = _encoded(body, state)
    except (PredictionFailed, InvalidSeries) as error:
        encoded = await run(descend, body, error, state["questions"], state["encoded"])
    state["forecast_tally"].count(encoded.asset, encoded.model)
    return Response(encoded.body, media_type=JSON)


def _encoded(body: ForecastRequest, state: ForecastState) -> Encoded:
    return state["encoded"].answer(state["questions"].of(body))
