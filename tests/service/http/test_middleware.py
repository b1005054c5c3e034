"""Headers, ids, log lines, and the last line of defence."""

import asyncio
import io
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from service.http.errors import BodyTooLarge
from service.http.limits import BodyLimits
from service.http.middleware import (
    KEY_ID,
    LATENCY_BUCKETS,
    Exchange,
    RequestLog,
    RequestMiddleware,
    RequestTally,
    request_log,
)
from tests.errors import details
from tests.service.client import TestClient
from tests.service.worlds import ASSET

LONG = "A" * 100_000


@pytest.fixture
def client(module_client: TestClient) -> TestClient:
    return module_client


@pytest.mark.parametrize("path", ["/forecast", "/models", "/metrics", "/openapi.json", "/nothing"])
def test_every_answer_has_its_schema_and_an_id(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["roughcast-schema"] == "1"
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_have_parameters(client: TestClient, media_type: str) -> None:
    headers = {"content-type": media_type}
    answer = client.post("/forecast", content=b'{"asset": "TEST"}', headers=headers)
    assert answer.status_code == 200


def test_ids_differ(client: TestClient) -> None:
    assert len({client.get("/health/live").headers["x-request-id"] for _ in range(20)}) == 20


def test_a_harmless_id_of_the_caller_is_kept(client: TestClient) -> None:
    answer = client.get("/health/live", headers={"x-request-id": "desk-7.order_42"})
    assert answer.headers["x-request-id"] == "desk-7.order_42"


@pytest.mark.parametrize("given", ["", "a b", 'x"y', "x" * 65, "línea"])
def test_another_id_of_the_caller_is_not(client: TestClient, given: str) -> None:
    answer = client.get("/health/live", headers=[(b"x-request-id", given.encode())])
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_a_bug_leaves_the_service_as_an_id_alone(app: FastAPI) -> None:
    @app.get("/bug")
    async def bug() -> None:
        raise KeyError("secret")

    with TestClient(app) as client, structlog.testing.capture_logs() as lines:
        answer = client.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    request_id = answer.headers["x-request-id"]
    assert request_id in answer.json()["detail"]
    [logged] = [line for line in lines if line["event"] == "bug"]
    assert (logged["request_id"], logged["path"]) == (request_id, "/bug")


def test_a_request_is_one_line(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(request_log, "stream", stream)
    answer = client.get(f"/compare/{ASSET}?horizon=1")
    [line] = map(json.loads, stream.getvalue().splitlines())
    assert list(line) == [
        "request_id",
        "method",
        "path",
        "client",
        "key",
        "asset",
        "model",
        "forecast_id",
        "status",
        "milliseconds",
        "event",
        "level",
        "timestamp",
    ]
    assert line.pop("milliseconds") > 0
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is UTC
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "path": f"/compare/{ASSET}",
        "client": "testclient",
        "key": None,
        "asset": ASSET,
        "model": None,
        "forecast_id": None,
        "status": 200,
    }


def logged(client: TestClient, monkeypatch: pytest.MonkeyPatch, *asked: Any) -> dict[str, Any]:
    """Asset, model and forecast of the line of a request, with its answer."""
    stream = io.BytesIO()
    monkeypatch.setattr(request_log, "stream", stream)
    answer = client.request(*asked[:2], json=asked[2] if len(asked) > 2 else None)
    [line] = map(json.loads, stream.getvalue().splitlines())
    return {it: line[it] for it in ("asset", "model", "forecast_id")} | {"answer": answer.json()}


def test_the_line_of_a_forecast_names_the_model_that_answered_and_the_forecast(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):  # the second from what is kept
        line = logged(client, monkeypatch, "POST", "/forecast", {"asset": ASSET})
        answer = line.pop("answer")
        assert line == {
            "asset": ASSET,
            "model": "log_har",
            "forecast_id": answer["forecast_id"],
        }


def test_the_line_of_a_term_structure_names_each_of_its_forecasts(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged(client, monkeypatch, "GET", f"/forecast/{ASSET}?model=har&horizons=1")
    [at_one] = line["answer"]["term_structure"]
    assert line["forecast_id"] == at_one["forecast_id"]


def test_the_line_of_a_refused_forecast_names_what_was_asked(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged(client, monkeypatch, "POST", "/forecast", {"asset": "DOGE", "model": "har"})
    assert line.pop("answer")["code"] == "unknown_asset"
    assert line == {"asset": "DOGE", "model": "har", "forecast_id": None}


def test_the_line_of_another_request_names_what_its_path_does(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = logged(client, monkeypatch, "GET", f"/models/{ASSET}/har")
    del line["answer"]
    assert line == {"asset": ASSET, "model": "har", "forecast_id": None}
    line = logged(client, monkeypatch, "GET", "/forecasts/" + "0a1b" * 8)
    assert line.pop("answer")["code"] == "unknown_forecast"
    assert line == {"asset": None, "model": None, "forecast_id": "0a1b" * 8}


def test_a_line_is_short_whatever_was_sent(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = [
        ("POST", "/forecast", {"asset": LONG}),
        ("POST", "/forecast", {LONG: 1}),
        ("GET", f"/forecast/{LONG[:8_000]}"),
        ("GET", f"/forecasts/{LONG[:8_000]}"),
        ("GET", f"/models/{ASSET}/{LONG[:8_000]}"),
    ]
    stream = io.BytesIO()
    monkeypatch.setattr(request_log, "stream", stream)
    for method, path, *body in asked:
        assert client.request(method, path, json=body[0] if body else None).status_code == 422
    assert len(lines := stream.getvalue().splitlines()) == len(asked)
    assert max(map(len, lines)) < 1_000


def test_of_an_id_that_is_given_twice_the_first_is_kept(client: TestClient) -> None:
    twice = [("x-request-id", "first"), ("x-request-id", "second")]
    assert client.get("/health/live", headers=twice).headers["x-request-id"] == "first"


def test_requests_are_counted_up_to_each_bound_of_a_bucket() -> None:
    tally = RequestTally()
    for seconds in (0.0005, 0.0006, 2.5, 2.6, 9.0):
        tally.count("GET", "/a", 200, seconds)
    tally.count("GET", "/a", 404, 0.0)
    assert tally.statuses == {("GET", "/a", 200): 5, ("GET", "/a", 404): 1}
    assert tally.buckets["GET", "/a"] == [2, 1, *[0] * 9, 1, 2]
    assert tally.seconds["GET", "/a"] == pytest.approx(14.1011)


def test_buckets_are_those_that_dashboards_know() -> None:
    milliseconds = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500]
    assert [1_000 * it for it in LATENCY_BUCKETS] == milliseconds


SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "path": "/a", "headers": []}


def test_a_line_names_the_key_and_rounds_to_microseconds() -> None:
    log, stream = RequestLog(), io.BytesIO()
    log.write("id", SCOPE, 200, 0.1)  # nowhere
    log.stream = stream
    log.write("id", SCOPE | {KEY_ID: "0a1b2c3d", "client": ("192.0.2.1", 7)}, 200, 0.0123456)
    log.write("id", SCOPE | {"client": None}, 499, 1.0)
    first, second = map(json.loads, stream.getvalue().splitlines())
    told = ("milliseconds", "key", "client", "status")
    assert [first[name] for name in told] == [12.346, "0a1b2c3d", "192.0.2.1", 200]
    assert [second[name] for name in told] == [1_000, None, None, 499]
    assert first["timestamp"].endswith("Z")


def answered(app: Any, *received: Message, **scope: Any) -> tuple[RequestTally, list[Message]]:
    """What is counted and sent where an application does something."""
    sent: list[Message] = []
    messages = iter(received)

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    tally = RequestTally()
    middleware = RequestMiddleware(app, tally, BodyLimits(10, 10, 10))
    asyncio.run(middleware(SCOPE | scope, receive, send))
    return tally, sent


async def read_on(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Read a body as routes do."""
    if (await receive())["type"] == "http.disconnect":
        raise ClientDisconnect


@pytest.mark.parametrize(("more", "status"), [({}, 499), ({"roughcast.cut_off": 408}, 408)])
def test_a_caller_who_leaves_is_counted_and_answered_nothing(
    more: dict[str, Any], status: int
) -> None:
    tally, sent = answered(read_on, {"type": "http.disconnect"}, **more)
    assert (dict(tally.statuses), sent) == ({("GET", "unmatched", status): 1}, [])
    assert tally.in_flight == 0


def test_a_request_is_in_flight_until_it_has_been_answered() -> None:
    seen: list[int] = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(tally.in_flight)
        if len(seen) < 3:
            await middleware(dict(SCOPE), None, None)
        seen.append(tally.in_flight)

    tally = RequestTally()
    middleware = RequestMiddleware(app, tally, BodyLimits(10, 10, 10))
    asyncio.run(middleware(dict(SCOPE), None, None))
    assert (seen, tally.in_flight) == ([1, 2, 3, 3, 2, 1], 0)


def test_a_bug_behind_the_beginning_of_an_answer_is_not_answered_again() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("secret")

    with structlog.testing.capture_logs() as lines:
        tally, sent = answered(app)
    assert [it["type"] for it in sent] == ["http.response.start"]
    assert dict(tally.statuses) == {("GET", "unmatched", 200): 1}
    assert [it["event"] for it in lines] == ["bug"]


@pytest.mark.parametrize("announced", [b"11", b"9" * 18, b"9" * 5_000])
def test_a_length_is_refused_however_long_it_is_written(announced: bytes) -> None:
    limits = BodyLimits(10, 10, 10)
    scope = SCOPE | {"headers": [(b"content-length", announced)]}
    with pytest.raises(BodyTooLarge) as refused:
        Exchange(scope, None, None, limits).refuse_declared_length()
    assert details(refused.value) == ("body", f"{announced.decode()} bytes", "at most 10 bytes")


@pytest.mark.parametrize("announced", [b"10", b"0", b"", b"-11", b"ten"])
def test_a_length_within_the_limit_or_of_no_digits_is_not(announced: bytes) -> None:
    seen: list[bytes] = []

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": []})

    body = {"type": "http.request", "body": b"0123456789"}
    tally, _ = answered(app, body, headers=[(b"content-length", announced)])
    assert seen == [b"0123456789"]
    assert dict(tally.statuses) == {("GET", "unmatched", 200): 1}


def test_what_is_no_request_is_passed_on() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    tally, sent = answered(app, type="lifespan")
    assert (seen, sent, dict(tally.statuses)) == (["lifespan"], [], {})
