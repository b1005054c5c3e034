"""The service against other FastAPI applications; its start; its batches; a bar that comes in.

Requests go straight into the ASGI application, or over a connection to uvicorn; ours and the peer's
in turn, so that a busy machine slows both.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.connections import call_often, connect, wait_until_verified
from benchmarks.memory import resident_megabytes
from benchmarks.service_peers import empty_peer, lean_peer, plain_peer, serve_peer
from benchmarks.timing import Result, within
from models_store.comparison import JUDGED
from service.app import State, create_app
from service.assets.database import HeldAsset, HistoryStore
from service.forecasts import batch
from service.forecasts.batch import Parsed
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.schemas import ForecastAnswer
from service.operations import logs
from service.server import spare_the_collector
from service.settings import Settings
from volatility.bars import PRICES, Bars
from volatility.datasets import load

ASSET = "BTC-USD"
MAX_RESIDENT = 220  # megabytes
ROUNDS, REQUESTS = 30, 100  # medians over rounds; requests of each kind a round
HELD = {"asset": ASSET, "model": "har"}
LONG, HOURS = "LONG", 173_000  # twenty years of hours
FIRST_HOUR = np.datetime64("2000-01-01T00", "s")
NETWORK = {"asset": ASSET, "model": "lstm"}


def run() -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            store=Path(folder) / "store", database_url=f"sqlite:///{folder}/history.sqlite3"
        )
        yield from _start("first start to ready", settings)
        yield from _start("next start to ready", settings)
        _hold_hours(settings)
        with _quiet_logs():
            results, example = asyncio.run(_measured(settings))
        yield from results
        yield from _over_loopback(settings, example)


def _start(what: str, settings: Settings) -> Iterator[Result]:
    with _process(settings) as (process, port, seconds):
        yield within(f"{what}, shipped store", seconds, 1.5)
        _exchange(port, HELD)
        resident = resident_megabytes(process.pid)
    yield Result(
        f"{what}, resident memory",
        f"{resident:.0f} MB",
        f"{MAX_RESIDENT} MB",
        resident / MAX_RESIDENT,
        "<= 1",
        resident <= MAX_RESIDENT,
    )


@contextlib.contextmanager
def _process(settings: Settings) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The service as its users start it: the process, its port, and seconds until it was ready."""
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": "0",
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "service"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    running = next(line for line in process.stderr if "running on" in line)
    port = int(json.loads(running)["event"].split()[3].rpartition(":")[2])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as answer:
        assert answer.status == 200
    seconds = time.perf_counter() - began
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    try:
        yield process, port, seconds
    finally:
        process.terminate()
        process.wait()
        drain.join()
        process.stderr.close()


def _over_loopback(settings: Settings, example: ForecastAnswer) -> Iterator[Result]:
    """One caller, one connection, both servers under uvicorn."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    peer = spawn.Process(target=serve_peer, args=(example, sender), daemon=True)
    peer.start()
    with _process(settings) as (_, port, _):
        ours, theirs = connect(port), connect(receiver.recv())
        wait_until_verified(ours)
        for name, body, at_least in (("HAR", HELD, 0.9), ("LSTM", NETWORK, 0.9)):
            mine, peers = [], []
            for _ in range(ROUNDS):
                mine.append(_timed(partial(call_often, ours, body, REQUESTS)))
                peers.append(_timed(partial(call_often, theirs, body, REQUESTS)))
            yield _throughput(
                f"over loopback, held history, {name}, to an empty route", mine, peers, at_least
            )
        ours.close()
        theirs.close()
    peer.kill()
    peer.join()


def _exchange(port: int, body: Any) -> None:
    connection = connect(port)
    connection.request("POST", "/forecast", json.dumps(body), {"content-type": "application/json"})
    connection.getresponse().read()
    connection.close()


def _throughput(what: str, ours: list[float], peers: list[float], at_least: float) -> Result:
    """Compare seconds for REQUESTS requests each."""
    mine, theirs = statistics.median(ours), statistics.median(peers)
    return Result(
        what,
        f"{REQUESTS / mine:,.0f}/s",
        f"{REQUESTS / theirs:,.0f}/s",
        theirs / mine,
        f">= {at_least:g}",
        theirs / mine >= at_least,
    )


async def _measured(settings: Settings) -> tuple[list[Result], ForecastAnswer]:
    app = create_app(settings)
    async with app.router.lifespan_context(app) as held:
        state = cast(State, held)
        spare_the_collector()
        _wait_until_verified(state)
        example = json.loads(await _post(app, dict(state), json.dumps(HELD).encode()))
        peer, lean = empty_peer(example), lean_peer(example)
        with_values = {"history": {"rv": state["holdings"].get(ASSET).series().rv[-22:].tolist()}}
        plain = plain_peer(state["catalogue"].resolve(ASSET, "har").model)
        with_bars = {"history": _inline_bars(state)}
        results = [
            await _against_peer(name, app, other, dict(state), body, at_least)
            for name, other, body, at_least in (
                ("held history, HAR, to an empty route", peer, HELD, 0.85),
                ("held history, HAR, to one that parses as we do", lean, HELD, 0.85),
                ("22 values, HAR, to an empty route", peer, HELD | with_values, 0.7),
                ("22 values, HAR, to a plain endpoint", plain, HELD | with_values, 0.8),
                ("250 bars, HAR, to an empty route", peer, HELD | with_bars, 0.7),
                ("250 bars, HAR, to one that parses as we do", lean, HELD | with_bars, 0.7),
                ("held history, LSTM, to an empty route", peer, NETWORK, 0.5),
                ("250 bars, LSTM, to an empty route", peer, NETWORK | with_bars, 0.5),
            )
        ]
        unremembered = await _against_peer(
            "held history, HAR, not in the cache, to an empty route",
            _forgetful(app),
            peer,
            dict(state),
            HELD,
            0.6,
        )
        recorded = await _recorded(app, dict(state))
        anyones = json.dumps({"model": "universal", "calendar": "24/7", **with_bars}).encode()
        once = [await _seconds(app, dict(state), anyones) / REQUESTS for _ in range(ROUNDS)]
        universal = within(
            "in process, 250 bars, universal, one request", statistics.median(once), 1e-3
        )
        newest = await _one_more_bar(app, dict(state))
        return [*results, unremembered, recorded, universal, *_batches(state), newest], example


def _wait_until_verified(state: State) -> None:
    """Wait for the thread that verifies models after a start, and takes every other turn."""
    catalogue = state["catalogue"]
    while catalogue.shelf.unverified or not all(
        catalogue.is_compared(asset, JUDGED) for asset in catalogue.assets()
    ):
        time.sleep(0.1)


def _forgetful(app: ASGIApp) -> ASGIApp:
    """The application with nothing in its cache of answers, at each request."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["encoded"] = EncodedForecasts()
        await app(scope, receive, send)

    return answer


async def _recorded(app: ASGIApp, state: dict[str, Any]) -> Result:
    """Forecasts of which none was made before, written into the ledger to the last, and not."""
    recorder, number = state["ledger"].recorder, 10 * REQUESTS
    kinds = {True: EncodedForecasts(recorder.note), False: EncodedForecasts()}
    took: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(2 * (ROUNDS // 6)):
        is_recorded = turn % 2 == 0
        probabilities = (0.1 + 1e-6 * it for it in range(turn * number, (turn + 1) * number))
        contents = [json.dumps(HELD | {"quantiles": [it]}).encode() for it in probabilities]
        asked = state | {"encoded": kinds[is_recorded]}
        began = time.perf_counter()
        for content in contents:
            await _post(app, asked, content)
        if is_recorded:
            await asyncio.to_thread(recorder.flush)
        took[is_recorded].append((time.perf_counter() - began) * REQUESTS / number)
    return _throughput(
        "in process, held history, HAR, new each time, recorded, to not recorded",
        took[True],
        took[False],
        0.95,
    )


async def _against_peer(
    name: str, app: ASGIApp, peer: ASGIApp, state: dict[str, Any], body: Any, at_least: float
) -> Result:
    content = json.dumps(body).encode()
    ours, peers = [], []
    for _ in range(ROUNDS):
        ours.append(await _seconds(app, state, content))
        peers.append(await _seconds(peer, {}, content))
    return _throughput(f"in process, {name}", ours, peers, at_least)


async def _seconds(app: ASGIApp, state: dict[str, Any], content: bytes) -> float:
    began = time.perf_counter()
    for _ in range(REQUESTS):
        await _post(app, state, content)
    return time.perf_counter() - began


def _hold_hours(settings: Settings) -> None:
    """Hold the shipped hourly bars again and again, as one long history."""
    hours = load("BTC-USD-1H").bars
    prices = {name: np.resize(getattr(hours, name), HOURS) for name in PRICES}
    stamps = FIRST_HOUR + np.arange(HOURS) * np.timedelta64(1, "h")
    asset = HeldAsset(LONG, "24/7", "realized_variance", 3600, "repeated", "crypto")
    history = HistoryStore(settings.database_url)
    history.merge(asset, Bars(stamps, interval=3600, **prices))
    history.close()


async def _one_more_bar(app: ASGIApp, state: dict[str, Any]) -> Result:
    """Put bars of one hour after another, onto years of them."""
    took = []
    for number in range(HOURS, HOURS + ROUNDS):
        opened = str(FIRST_HOUR + number * np.timedelta64(1, "h"))
        bar = {"timestamp": f"{opened}Z", "open": 1e4, "high": 1.01e4, "low": 9e3, "close": 1e4}
        content = json.dumps({"bars": [bar]}).encode()
        began = time.perf_counter()
        await _send(app, state, content, "PUT", f"/assets/{LONG}/bars")
        took.append(time.perf_counter() - began)
    return within(f"in process, one bar onto {HOURS:,}", statistics.median(took), 0.02)


async def _post(app: ASGIApp, state: dict[str, Any], content: bytes) -> bytes:
    return await _send(app, state, content, "POST", "/forecast")


async def _send(
    app: ASGIApp, state: dict[str, Any], content: bytes, method: str, path: str
) -> bytes:
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
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

    answer = b""

    async def send(message: Message) -> None:
        nonlocal answer
        if message["type"] == "http.response.start":
            assert message["status"] == 200
        else:
            answer += message["body"]

    await app(scope, receive, send)
    return answer


def _batches(state: State) -> Iterator[Result]:
    held = list(batch.parse(json.dumps({"items": [HELD] * 10_000}).encode()))
    rv = state["holdings"].get(ASSET).series().rv[-22:].tolist()
    bodies = [
        HELD | {"history": {"rv": [value * (1 + at * 1e-5) for value in rv]}}
        for at in range(10_000)
    ]
    inline = list(batch.parse(json.dumps({"items": bodies}).encode()))
    for name, items in (("held history", held), ("22 values each", inline)):
        seconds = statistics.median(_timed(partial(_answer, items, state)) for _ in range(5))
        yield within(f"batch of 10,000, HAR, {name}, without parsing", seconds, 0.1)


def _answer(items: list[Parsed], state: State) -> batch.Answer:
    return batch.answer(items, state["questions"], state["encoded"], "/forecast/batch")


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _inline_bars(state: State) -> dict[str, Any]:
    bars = state["holdings"].get(ASSET).bars
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
