"""Other applications that answer ``POST /forecast``, to measure the service against.

The empty one lets FastAPI read a body of the same fields and answers a constant through the same
answer schema; it has no middleware, no log and no metrics. The lean one reads the body as we do,
which is faster. The plain one is what a good engineer writes in thirty lines for the same HAR on
values of rv: no store, no calendar, no check of units, no log.
"""

import datetime as dt
import socket
from multiprocessing.connection import Connection
from typing import Annotated

import numpy as np
import uvicorn
from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from models_store import LoadedModel
from service.forecasts.requests import ForecastRequest
from service.forecasts.schemas import ForecastAnswer
from service.http.bodies import read_json
from volatility.regressors import LinearPredictor


class _Bar(BaseModel):
    model_config = ConfigDict(extra="forbid")

    date: dt.date | None = None
    timestamp: dt.datetime | None = None
    open: float
    high: float
    low: float
    close: float


class _History(BaseModel):
    model_config = ConfigDict(extra="forbid")

    bars: list[_Bar] | None = None
    dates: list[dt.date] | None = None
    rv: list[float] | None = None


class _Request(BaseModel):
    """The same fields as a ForecastRequest, as one writes them for FastAPI to read."""

    model_config = ConfigDict(extra="forbid")

    asset: str
    model: str = "auto"
    horizon: int = 1
    levels: tuple[float, ...] = (0.8, 0.95)
    as_of: dt.date | None = None
    history: _History | None = None


def empty_peer(example: ForecastAnswer) -> FastAPI:
    peer = FastAPI()

    @peer.post("/forecast")
    async def empty(body: _Request) -> ForecastAnswer:  # noqa: ARG001
        return example

    return peer


def lean_peer(example: ForecastAnswer) -> FastAPI:
    peer = FastAPI()

    @peer.post("/forecast")
    async def empty(
        body: Annotated[ForecastRequest, Depends(_body)],  # noqa: ARG001
    ) -> ForecastAnswer:
        return example

    return peer


class _PlainHistory(BaseModel):
    rv: list[Annotated[float, Field(gt=0)]] = Field(min_length=22)


class _PlainRequest(BaseModel):
    asset: str
    model: str
    history: _PlainHistory


class _PlainInterval(BaseModel):
    level: float
    rv: tuple[float, float]


class _PlainAnswer(BaseModel):
    asset: str
    model: str
    rv: float
    volatility: float
    volatility_annualized: float
    intervals: list[_PlainInterval]


def plain_peer(model: LoadedModel) -> FastAPI:
    manifest, predictor = model.manifest, model.predictors[1]
    assert isinstance(predictor, LinearPredictor)
    intercept, (daily, weekly, monthly) = predictor.intercept, predictor.coefficients.values()
    bounds = [
        (it.level, np.exp(it.lower), np.exp(it.upper))
        for it in manifest.intervals
        if it.level in (0.8, 0.95)
    ]
    peer = FastAPI()

    @peer.post("/forecast")
    async def forecast(body: _PlainRequest) -> _PlainAnswer:
        rv = np.array(body.history.rv)
        predicted = intercept + daily * rv[-1] + weekly * rv[-5:].mean() + monthly * rv[-22:].mean()
        found = float(np.clip(predicted, *manifest.clip))
        return _PlainAnswer(
            asset=body.asset,
            model=body.model,
            rv=found,
            volatility=np.sqrt(found),
            volatility_annualized=np.sqrt(found * manifest.periods_per_year),
            intervals=[
                _PlainInterval(level=level, rv=(found * lower, found * upper))
                for level, lower, upper in bounds
            ],
        )

    return peer


async def _body(request: Request) -> ForecastRequest:
    return await read_json(ForecastRequest, request)


def serve_peer(example: ForecastAnswer, sender: Connection) -> None:
    """Serve :func:`empty_peer` over connections, and send the port."""
    # Of a socket without a protocol asyncio does not turn Nagle's algorithm off: the body of an
    # answer, written after its head, would wait 40 ms for the caller's delayed acknowledgement.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    sender.send(listening.getsockname()[1])
    config = uvicorn.Config(empty_peer(example), log_level="error", access_log=False)
    uvicorn.Server(config).run([listening])
