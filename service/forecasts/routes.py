"""``POST /forecast`` and ``POST /forecast/batch``, and ``GET /forecast/{asset}``.

They take what they need from the state themselves: as dependencies it would cost a fifth of their
time.
"""

from typing import Annotated, TypedDict

from fastapi import APIRouter, Query
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from service.forecasts import batch
from service.forecasts.answering import answer
from service.forecasts.encoding import EncodedForecasts, ForecastTally
from service.forecasts.query import Questions
from service.forecasts.refused import BODY_ERRORS, FORECAST_ERRORS
from service.forecasts.requests import BatchRequest, ForecastRequest
from service.forecasts.schemas import BatchAnswer, ForecastAnswer, TermStructureAnswer
from service.forecasts.table import no_explanation, rows_of
from service.http.bodies import JSON, BodyRoute, Unread
from service.http.errors import InvalidRequest, Overloaded
from service.http.fields import DECIMALS, Day, Listed, ModelQuery, NamePath, Time
from service.http.json_lists import Content
from service.http.lanes import lanes_of
from service.http.middleware import ABOUT
from service.http.parts import InParts
from service.http.problems import from_validation, problems
from service.http.slices import SHORT
from service.http.tables import TableQuery, or_table, table, wants_table
from service.models.catalogue import AUTO

router = APIRouter(tags=["forecast"], route_class=BodyRoute)

# From here on a batch takes long enough (a few milliseconds) to keep other requests waiting.
_LARGE_BATCH = 64
_NUMBERS = Listed(
    r"^[0-9]{1,9}(,[0-9]{1,9})*$", "whole numbers separated by commas, such as 1,5,10,22"
)

HorizonsQuery = Annotated[
    Annotated[str, _NUMBERS] | None,
    Query(
        description="Several of them, for a term structure.",
        examples=["1,5,10,22"],
    ),
]
LevelsQuery = Annotated[
    Annotated[str, DECIMALS] | None,
    Query(
        description="Coverages of the intervals wanted; 0.8,0.95 if left out.",
        examples=["0.8"],
    ),
]
QuantilesQuery = Annotated[
    Annotated[str, DECIMALS] | None,
    Query(
        description="Probabilities of the quantiles wanted.",
        examples=["0.05,0.5,0.95"],
    ),
]


_CSV_EXAMPLE = (
    "asset,model,model_version,as_of,target_date,measure,point,horizon,rv,volatility,"
    "volatility_annualized\r\n"
    "SPX,log_har,1,2020-03-16,2020-03-17,parkinson,mean,1,0.001027,0.03205,0.5088\r\n"
)


class ForecastState(TypedDict):
    """What these routes use of the application's state."""

    questions: Questions
    encoded: EncodedForecasts
    forecast_tally: ForecastTally


@router.post(
    "/forecast",
    response_model=ForecastAnswer | TermStructureAnswer,
    responses=problems(*BODY_ERRORS, *FORECAST_ERRORS),
)
async def forecast(body: ForecastRequest, request: Request) -> Response:
    """Forecast the realized variance of an asset's next sessions."""
    return await _answer(body, request)


@router.get(
    "/forecast/{asset}",
    operation_id="get_forecast",
    response_model=ForecastAnswer | TermStructureAnswer,
    responses={
        **or_table(_CSV_EXAMPLE),
        **problems(InvalidRequest, Overloaded, *FORECAST_ERRORS),
    },
)
async def forecast_held(
    asset: NamePath,
    request: Request,
    model: ModelQuery = AUTO,
    model_version: Annotated[int | None, Query(description="As in `POST /forecast`.")] = None,
    horizon: Annotated[int | None, Query(description="Sessions ahead; 1 if left out.")] = None,
    horizons: HorizonsQuery = None,
    levels: LevelsQuery = None,
    quantiles: QuantilesQuery = None,
    as_of: Annotated[Day | None, Query(description="Replay this day.")] = None,
    known_at: Annotated[Time | None, Query(description="Replay what was known then.")] = None,
    explain: Annotated[bool, Query(description="Whether to tell what moved the forecast.")] = False,
    form: TableQuery = None,
) -> Response:
    """Forecast from held history, as JSON or, by `format` or the header `Accept`, as CSV."""
    as_table = wants_table(request, form)
    if as_table and explain:
        raise no_explanation()
    given = {
        "model_version": model_version,
        "horizon": horizon,
        "horizons": horizons and tuple(map(int, horizons.split(","))),
        "levels": levels and tuple(map(float, levels.split(","))),
        "quantiles": quantiles and tuple(map(float, quantiles.split(","))),
        "as_of": as_of and str(as_of),
        "known_at": known_at and known_at.isoformat(),
        "explain": explain,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    try:
        body = ForecastRequest.model_validate({"asset": asset, "model": model, **asked})
    except ValidationError as error:
        raise from_validation(error.errors(include_url=False), ForecastRequest) from error
    answer = await _answer(body, request)
    return table(rows_of(bytes(answer.body))) if as_table else answer


@router.post(
    "/forecast/batch",
    response_model=BatchAnswer,
    responses=problems(*BODY_ERRORS),
)
async def forecast_batch(
    content: Annotated[Content, Unread(BatchRequest)], request: Request
) -> Response:
    """Forecast many assets or histories; a bad item fails alone, with its own problem."""
    state: ForecastState = request.scope["state"]
    answer = await _answer_batch(content, state, request)
    for (asset, model, flags), number in answer.forecasts.items():
        state["forecast_tally"].count(asset, model, number, flags)
    return InParts(answer.parts, JSON)


async def _answer_batch(content: Content, state: ForecastState, request: Request) -> batch.Answer:
    run, path = lanes_of(request.scope).work.run, request.url.path
    if len(content) > SHORT:
        return await run(_answered, content, state, path)
    items, questions, encoded = list(batch.parse(content)), state["questions"], state["encoded"]
    if len(items) < _LARGE_BATCH and not batch.is_long(items, questions):
        answer = batch.answer_at_once(items, questions, encoded, path)
        if answer is not None:
            return answer
    return await run(batch.answer, items, questions, encoded, path)


def _answered(content: Content, state: ForecastState, path: str) -> batch.Answer:
    """Read a long batch and answer it, in one thread: what it is made of is freed there as well."""
    return batch.answer(batch.parse(content), state["questions"], state["encoded"], path)


async def _answer(body: ForecastRequest, request: Request) -> Response:
    state: ForecastState = request.scope["state"]
    request.scope[ABOUT] = (body.asset, body.model, None)
    encoded = await answer(body, request.scope, state["encoded"])
    request.scope[ABOUT] = (body.asset, encoded.model, encoded.ids)
    state["forecast_tally"].count(encoded.asset, encoded.model, flags=encoded.flags)
    return Response(encoded.body, media_type=JSON)
