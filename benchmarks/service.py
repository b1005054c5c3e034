"""The service against an empty FastAPI route with the same schemas, in one process and in one run.

The empty route lets FastAPI read a body of the same fields and answers a constant through the same
answer schema; it has no middleware, no log and no metrics. A second peer reads the body as we do,
which is faster. Requests go straight into the ASGI application, ours and the peer's in turn, so
that a busy machine slows both.
"""

import asyncio
import contextlib
import datetime as dt
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope

from benchmarks.timing import Result, within
from service import batches, logs
from service.__main__ import spare_the_collector
from service.app import create_app
from service.batches import Parsed
from service.bodies import read_json
from service.dependencies import Services
from service.schemas.forecast import ForecastAnswer, ForecastRequest
from service.settings import Settings

ASSET = "BTC-USD"
ROUNDS, REQUESTS = 30, 100  # medians over rounds; requests of each kind a round
HELD = {"asset": ASSET, "model": "har"}
NETWORK = {"asset": ASSET, "model": "lstm"}


def run() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder, _quiet_logs():
        settings = Settings(
            store=Path(folder) / "store", database_url=f"sqlite:///{folder}/history.sqlite3"
        )
        yield from asyncio.run(_measured(settings))


async def _measured(settings: Settings) -> list[Result]:
    app = create_app(settings)
    async with app.router.lifespan_context(app) as state:
        services: Services = state["services"]
        spare_the_collector()
        example = json.loads(services.forecaster.forecast(_request(HELD)).body)
        peer, lean = _peer(example), _lean_peer(example)
        with_bars = {"history": _inline_bars(services)}
        results = [
            await _against_peer(name, app, other, dict(state), body, at_least)
            for name, other, body, at_least in (
                ("held history, HAR, to an empty route", peer, HELD, 0.8),
                ("held history, HAR, to one that parses as we do", lean, HELD, 0.8),
                ("250 bars, HAR, to an empty route", peer, HELD | with_bars, 0.7),
                ("250 bars, HAR, to one that parses as we do", lean, HELD | with_bars, 0.7),
                ("held history, LSTM, to an empty route", peer, NETWORK, 0.5),
                ("250 bars, LSTM, to an empty route", peer, NETWORK | with_bars, 0.5),
            )
        ]
        return [*results, *_batches(services)]


async def _against_peer(
    name: str, app: ASGIApp, peer: ASGIApp, state: dict[str, Any], body: Any, at_least: float
) -> Result:
    content = json.dumps(body).encode()
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(await _seconds_each(app, state, content))
        peers.append(await _seconds_each(peer, {}, content))
    mine, theirs = statistics.median(ours), statistics.median(peers)
    ratio = theirs / mine
    return Result(
        f"POST /forecast, {name}",
        f"{1 / mine:,.0f}/s",
        f"{1 / theirs:,.0f}/s",
        ratio,
        f">= {at_least:g}",
        ratio >= at_least,
    )


async def _seconds_each(app: ASGIApp, state: dict[str, Any], content: bytes) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        await _post(app, state, content)
    return (time.perf_counter() - began) / REQUESTS


async def _post(app: ASGIApp, state: dict[str, Any], content: bytes) -> None:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/forecast",
        "raw_path": b"/forecast",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "state": dict(state),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200

    await app(scope, receive, send)


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


def _peer(example: ForecastAnswer) -> FastAPI:
    peer = FastAPI()

    @peer.post("/forecast")
    async def empty(body: _Request) -> ForecastAnswer:  # noqa: ARG001
        return example

    return peer


def _lean_peer(example: ForecastAnswer) -> FastAPI:
    peer = FastAPI()

    @peer.post("/forecast")
    async def empty(
        body: Annotated[ForecastRequest, Depends(_body)],  # noqa: ARG001
    ) -> ForecastAnswer:
        return example

    return peer


async def _body(request: Request) -> ForecastRequest:
    return await read_json(ForecastRequest, request)


def _batches(services: Services) -> Iterator[Result]:
    held = batches.parse(json.dumps({"items": [HELD] * 10_000}).encode())
    rv = services.holdings.get(ASSET).series().rv[-22:].tolist()
    inline = batches.parse(
        json.dumps(
            {
                "items": [
                    HELD | {"history": {"rv": [value * (1 + at * 1e-5) for value in rv]}}
                    for at in range(10_000)
                ]
            }
        ).encode()
    )
    for name, items in (("held history", held), ("22 values each", inline)):
        seconds = statistics.median(
            _timed(lambda items=items: _answer(items, services)) for _ in range(5)
        )
        yield within(f"batch of 10,000, HAR, {name}, without parsing", seconds, 0.1)


def _answer(items: list[Parsed], services: Services) -> bytes:
    return batches.encode(batches.answer(items, services.forecaster), "/forecast/batch")


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _request(body: dict[str, Any]) -> ForecastRequest:
    return ForecastRequest.model_validate_json(json.dumps(body))


def _inline_bars(services: Services) -> dict[str, Any]:
    bars = services.holdings.get(ASSET).bars
    columns = (bars.dates, bars.open, bars.high, bars.low, bars.close)
    names = ("date", "open", "high", "low", "close")
    rows = zip(*(column[-250:].tolist() for column in columns), strict=True)
    return {"bars": [dict(zip(names, (str(row[0]), *row[1:]), strict=True)) for row in rows]}


@contextlib.contextmanager
def _quiet_logs() -> Iterator[None]:
    """Write the log, at its usual level, to nowhere."""
    stderr = sys.stderr
    with Path(os.devnull).open("w") as nowhere:
        sys.stderr = nowhere
        try:
            logs.configure("info")
            yield
        finally:
            sys.stderr = stderr
