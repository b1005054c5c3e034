"""KServe's time-series protocol: ``POST /v1/timeseries/forecast``."""

from collections import Counter
from typing import Annotated, NamedTuple, TypedDict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.assets.holdings import Holdings
from service.forecasts.answering import lane_for
from service.forecasts.encoding import Counted, ForecastTally
from service.forecasts.issuing import IssuedForecasts
from service.forecasts.query import Questions
from service.forecasts.refused import BODY_ERRORS, FORECAST_ERRORS
from service.forecasts.requests import ForecastRequest
from service.http.bodies import JSON, BodyRoute, Unread
from service.http.clock import Clock
from service.http.json import to_bytes
from service.http.json_lists import Content
from service.http.lanes import lanes_of
from service.http.middleware import ABOUT, REQUEST_ID
from service.http.parts import InParts
from service.http.problems import problems
from service.http.slices import SHORT
from service.protocols.names import Named
from service.protocols.reading import read_inputs
from service.protocols.series import failed, forecast_series
from service.protocols.series_schemas import (
    MAX_SERIES,
    SeriesAnswer,
    SeriesInput,
    SeriesRequest,
)
from volatility.errors import RoughcastError

_PREFIX = "/v1/timeseries"

router = APIRouter(prefix=_PREFIX, tags=["KServe time series"], route_class=BodyRoute)


class SeriesState(TypedDict):
    """What the route uses of the application's state."""

    questions: Questions
    issued: IssuedForecasts
    holdings: Holdings
    forecast_tally: ForecastTally
    clock: Clock


class Answer(NamedTuple):
    """An answer's parts, and of how many forecasts of each asset and model it is."""

    parts: list[bytes]
    forecasts: Counter[Counted]


@router.post(
    "/forecast",
    operation_id="v1_timeseries_forecast",
    response_model=SeriesAnswer,
    responses=problems(*BODY_ERRORS, *FORECAST_ERRORS, path=_PREFIX),
)
async def forecast(
    content: Annotated[Content, Unread(SeriesRequest)], request: Request
) -> Response:
    """Forecast daily realized variance from series of it; a bad one of several fails alone."""
    state: SeriesState = request.scope["state"]
    lanes, request_id = lanes_of(request.scope), request.scope[REQUEST_ID]
    if len(content) > SHORT:
        answer = await lanes.work.run(_read_and_answered, content, state, request_id)
    else:
        body = _read(content)
        named = Named.of(body.model)
        request.scope[ABOUT] = (named.asset, named.model, None)
        asked = ForecastRequest(asset=named.asset, model=named.model)
        lane = lane_for(asked, lanes, state["questions"])
        answer = await lane.run(_answered, body, state, request_id)
    for (asset, name, flags), number in answer.forecasts.items():
        state["forecast_tally"].count(asset, name, number, flags)
    return InParts(answer.parts, JSON)


def _read(content: Content) -> SeriesRequest:
    return read_inputs(SeriesRequest, SeriesInput, MAX_SERIES, content)


def _read_and_answered(content: Content, state: SeriesState, request_id: str) -> Answer:
    """Read a long body and answer it, in one thread: what it is made of is freed there as well."""
    return _answered(_read(content), state, request_id)


def _answered(body: SeriesRequest, state: SeriesState, request_id: str) -> Answer:
    found = forecast_series(body, state["questions"], state["issued"], state["holdings"])
    outputs = found.outputs
    sound = [it for it in outputs if not isinstance(it, RoughcastError)]
    if not sound:
        raise next(it for it in outputs if isinstance(it, RoughcastError))
    said = SeriesAnswer(
        id=request_id,
        created_at=int(state["clock"]().timestamp()),
        status="completed" if len(sound) == len(outputs) else "partial",
        error=None,
        model=body.model,
        outputs=[],
    )
    told = (
        failed(it, f"{request_id}-{index}") if isinstance(it, RoughcastError) else it
        for index, it in enumerate(outputs)
    )
    head = to_bytes(said).removesuffix(b"]}")
    between = [part for it in told for part in (b",", to_bytes(it))][1:]
    return Answer([b"".join([head, *between, b"]}"])], found.forecasts)
