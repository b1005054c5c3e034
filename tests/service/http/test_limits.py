"""How much of bodies is read, and held."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from starlette.types import Message

from service.app import create_app
from service.http.errors import BodyTooLarge, Overloaded
from service.http.limits import BodyLimits, count_of, values_in
from service.http.middleware import Exchange
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock

JSON = {"content-type": "application/json"}


def limits_of(app: FastAPI) -> BodyLimits:
    [found] = [it.kwargs["limits"] for it in app.user_middleware if "limits" in it.kwargs]
    assert isinstance(found, BodyLimits)
    return found


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    changed = {"max_held_bytes": 300_000, "max_body_values": 50_000}
    return create_app(settings.model_copy(update=changed), clock)


def padded(length: int) -> bytes:
    body = json.dumps({"asset": ASSET}).encode()
    return body + b" " * (length - len(body))


def test_bytes_are_counted_in_and_out(app: FastAPI) -> None:
    limits = limits_of(app)
    with TestClient(app) as client:
        limits.held = 100_000
        assert client.post("/forecast", content=padded(200_000), headers=JSON).status_code == 200
        assert limits.held == 100_000
        full = client.post("/forecast", content=padded(200_001), headers=JSON)
        assert (full.status_code, full.json()["code"]) == (503, "overloaded")
        assert full.headers["retry-after"] == "1"
        assert limits.held == 100_000
        limits.held = 300_000
        assert client.post("/forecast", content=padded(65_536), headers=JSON).status_code == 200


def test_a_body_in_chunks_is_held_as_it_comes(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = limits_of(app)
    seen: list[int] = []

    def chunks() -> Iterator[bytes]:
        for at in range(5):
            yield padded(70_000) if at == 0 else b" " * 70_000

    real = limits.hold

    def hold(number: int) -> None:
        seen.append(number)
        real(number)

    monkeypatch.setattr(limits, "hold", hold)
    with TestClient(app) as client:
        answer = client.post("/forecast", content=chunks(), headers=JSON)
    assert answer.status_code == 503
    assert sum(seen[:-1]) <= limits.most_held < sum(seen)
    assert limits.held == 0


@pytest.mark.parametrize(
    ("announced", "held"),
    [
        (b"", [70_000, 140_000]),  # in chunks: what has come
        (b"500000", [500_000, 500_000]),
        (b"1500000", [1_120_000, 1_500_000]),  # sixteen times as much, as far as it is to come
    ],
)
def test_room_is_kept_for_what_is_announced_and_about_to_come(
    announced: bytes, held: list[int]
) -> None:
    limits = BodyLimits(most_bytes=10**7, most_values=10, most_held=10**7)
    message = {"type": "http.request", "body": b" " * 70_000, "more_body": True}

    async def receive() -> Message:
        return message

    scope = {"headers": [(b"content-length", announced)]}
    exchange = Exchange(scope, receive, None, limits)
    seen = []
    for _ in held:
        asyncio.run(exchange.receive())
        seen.append(limits.held)
    exchange.let_go()
    assert (seen, limits.held) == (held, 0)


@pytest.mark.parametrize("media_type", ["application/json", "text/csv"])
def test_values_are_counted_while_they_come(app: FastAPI, media_type: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b"," * 30_000

    with TestClient(app) as client:
        answer = client.put(
            f"/assets/{ASSET}/bars", content=chunks(), headers={"content-type": media_type}
        )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_values")


def test_what_is_refused_says_what_would_do() -> None:
    limits = BodyLimits(most_bytes=10, most_values=3, most_held=10)
    limits.check_values(3)
    with pytest.raises(BodyTooLarge, match="more than 3 values"):
        limits.check_values(4)
    limits.hold(10)
    with pytest.raises(Overloaded, match="take or need 10 bytes of memory; at most 10"):
        limits.hold(1)
    assert limits.too_large("11 bytes").needed == "at most 10 bytes"


@pytest.mark.parametrize("part", [b"", b"[1,2,{", b'{"a":[[,,]}]', b"x" * 100 + b"," * 70_000])
def test_values_are_told_by_commas_and_opening_brackets(part: bytes) -> None:
    assert values_in(part) == part.count(b",") + part.count(b"{") + part.count(b"[")
    assert count_of(b",", bytearray(part)) == part.count(b",")
