"""Requests that ask for more than they are worth end early, small, and beside everything else."""

import asyncio
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.forecasts.batch import MOST_INVALID
from service.http.problems import MOST_FAULTS
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.worlds import ASSET, verified
from volatility.formats.reading import MOST_COLUMNS

JSON = "application/json"
LONGEST_ANSWER = 20_000  # bytes
MOST_MEMORY = 50_000_000  # bytes
CHUNK = 65_536
REQUESTS: dict[str, tuple[str, str, bytes, str, int, str]] = {
    "a million empty bars": (
        "POST",
        "/forecast",
        b'{"asset":"TEST","history":{"bars":[' + b"{}," * 999_999 + b"{}]}}",
        JSON,
        413,
        "too_many_values",
    ),
    "as many empty bars as are read": (
        "POST",
        "/forecast",
        b'{"asset":"TEST","history":{"bars":[' + b"{}," * 99_999 + b"{}]}}",
        JSON,
        422,
        "missing_field",
    ),
    "10,000 invalid items": (
        "POST",
        "/forecast/batch",
        json.dumps({"items": [{"asset": 1, "model": 2}] * 10_000}).encode(),
        JSON,
        422,
        "wrong_type",
    ),
    "two megabytes of commas": (
        "PUT",
        f"/assets/{ASSET}/bars",
        b"," * 2_000_000,
        "text/csv",
        413,
        "too_many_values",
    ),
    "as many commas as are read": (
        "PUT",
        f"/assets/{ASSET}/bars",
        b"," * 900_000,
        "text/csv",
        422,
        "too_many_columns",
    ),
    "a table with a wide line": (
        "PUT",
        f"/assets/{ASSET}/bars",
        b"date,open,high,low,close\n2021-02-03,1,1,1,1" + b"," * MOST_COLUMNS,
        "text/csv",
        422,
        "too_many_columns",
    ),
    "lines without end": (
        "PUT",
        f"/assets/{ASSET}/bars",
        b"date,open,high,low,close\n" + b"\n" * 200_000,
        "text/csv",
        422,
        "too_many_items",
    ),
    "a name of fifteen megabytes": (
        "POST",
        "/forecast",
        b'{"asset":"' + b"A" * 15_000_000 + b'"}',
        JSON,
        413,
        "body_too_large",
    ),
    "unknown fields": (
        "POST",
        "/forecast",
        json.dumps({f"field{at}": 1 for at in range(100_000)}).encode(),
        JSON,
        413,
        "body_too_large",
    ),
    "unknown fields of a megabyte": (
        "POST",
        "/forecast",
        json.dumps({f"field{at}": 1 for at in range(50_000)}).encode(),
        JSON,
        413,
        "too_many_values",
    ),
}


LONG = "A" * 700_000
LONG_NAMES: dict[str, tuple[str, str, Any]] = {
    "a field": ("POST", "/forecast", {LONG: 1}),
    "control characters": ("POST", "/forecast", {"\x01" * 100_000: 1}),
    "twenty fields": ("POST", "/forecast", {f"{at}{LONG[:50_000]}": 1 for at in range(20)}),
    "an asset": ("POST", "/forecast", {"asset": LONG}),
    "a model": ("POST", "/forecast", {"asset": ASSET, "model": LONG}),
    "a field of a history": ("POST", "/forecast", {"asset": ASSET, "history": {LONG: 1}}),
    "a field of a bar": ("POST", "/forecast", {"asset": ASSET, "history": {"bars": [{LONG: 1}]}}),
    "a companion": ("POST", "/forecast", {"asset": ASSET, "companions": {LONG: {"bars": []}}}),
    "a field of a held bar": ("PUT", f"/assets/{ASSET}/bars", {"bars": [{LONG: 1}]}),
    "a new asset": ("POST", "/assets", {"asset": LONG, "measure": LONG[:100]}),
    "a measure": ("POST", "/assets", {"asset": "NEW", "calendar": "24/7", "measure": LONG}),
    "whose news": ("POST", "/news-impact", {"asset": LONG, "model": LONG[:100]}),
    "a calendar": ("POST", "/hurst", {"rv": [1], "dates": ["2021-02-03"], "calendar": LONG}),
    "a tensor": ("POST", f"/v2/models/{ASSET}~har/infer", {"inputs": [{"name": LONG}]}),
    "names of an index": ("POST", "/v2/repository/index", {LONG: 1}),
    "a model of series": (
        "POST",
        "/v1/timeseries/forecast",
        {"model": LONG, "inputs": [], "options": {"horizon": 1}},
    ),
}


def in_chunks(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), CHUNK):
        yield content[at : at + CHUNK]


@pytest.mark.parametrize("what", REQUESTS)
def test_it_ends_in_a_small_4xx_with_little_memory(client: TestClient, what: str) -> None:
    method, path, content, media_type, status, code = REQUESTS[what]
    client.put(path, content=b"a,b\n1,2\n", headers={"content-type": "text/csv"})  # loads pandas
    verified(client)  # or models would be opened meanwhile
    peaks = []
    for _ in range(2):  # other threads' memory is counted too, now and then
        tracemalloc.start()
        answer = client.request(
            method, path, content=in_chunks(content), headers={"content-type": media_type}
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert len(problem["errors"]) <= MOST_FAULTS
    assert len(answer.content) < LONGEST_ANSWER
    assert min(peaks) < MOST_MEMORY


def test_no_name_comes_back_whole(client: TestClient) -> None:
    for what, (method, path, body) in LONG_NAMES.items():
        answer = client.request(method, path, json=body)
        assert answer.status_code == 422, what
        assert len(answer.content) < LONGEST_ANSWER, what


def test_a_label_that_is_not_needed_is_told_in_part(client: TestClient) -> None:
    bars = [it | {LONG[:100_000]: 1} for it in made_up_bars(30)]
    answer = client.put("/assets/NEW/bars", json=bars)
    assert answer.status_code == 200
    assert answer.json()["inferred"]["dropped"] == ["A" * 200 + "…"]


def test_names_that_stand_twice_are_told_in_part(client: TestClient) -> None:
    twice = b'"%b":{"bars":[]}' % (b"A" * 60)
    body = b'{"asset":"TEST","companions":{%b,%b}}' % (twice, twice)
    assert client.post("/forecast", content=body, headers={"content-type": JSON}).status_code == 422
    name = LONG.encode()[:400_000]
    series = b'{"metadata":{"%b":1,"%b":2},"model":"TEST~har","inputs":[],"options":{"horizon":1}}'
    answer = client.post(
        "/v1/timeseries/forecast", content=series % (name, name), headers={"content-type": JSON}
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "duplicate_field")
    assert len(answer.content) < LONGEST_ANSWER


@pytest.mark.parametrize("number", [MOST_INVALID, MOST_INVALID + 1])
def test_so_many_items_fail_alone(client: TestClient, number: int) -> None:
    items: list[dict[str, Any]] = [{"asset": ASSET}, *[{"asset": at} for at in range(number)]]
    answer = client.post("/forecast/batch", json={"items": items})
    if number == MOST_INVALID:
        assert (answer.status_code, answer.json()["failed"]) == (200, number)
        assert answer.json()["items"][5]["found"] == 4
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, "wrong_type")
        fields = [fault["field"] for fault in answer.json()["errors"]]
        assert fields == [f"items[{at}].asset" for at in range(1, MOST_FAULTS + 1)]
        assert "one of the first 20 faults" in answer.json()["detail"]


def test_the_event_loop_answers_beside_long_requests(app: FastAPI) -> None:
    bars = [{"date": "2021-02-03", "open": 1, "high": 1, "low": 1, "close": 1}] * 50_000
    long = [
        ("/forecast/batch", {"items": [{"asset": ASSET, "levels": [0.95]}] * 10_000}),
        ("/forecast", {"asset": ASSET, "history": {"bars": bars}}),
    ]

    async def both() -> list[str]:
        order: list[str] = []

        async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
            answer = await client.request(method, path, json=body)
            assert answer.status_code in (200, 422)
            order.append(path)

        async with app.router.lifespan_context(app) as state:

            async def with_state(scope: Any, receive: Any, send: Any) -> None:
                await app({**scope, "state": dict(state or {})}, receive, send)

            transport = httpx.ASGITransport(app=with_state)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                await asyncio.gather(
                    *(ask(client, "POST", path, body) for path, body in long),
                    *(ask(client, "GET", "/health/live", None) for _ in range(3)),
                )
        return order

    assert asyncio.run(both())[:3] == ["/health/live"] * 3
