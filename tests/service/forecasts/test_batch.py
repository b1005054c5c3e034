"""A batch gives what single requests give, byte for byte, and a bad item fails alone."""

import json
from typing import Any

import pytest

from service.forecasts.batch import parse
from service.forecasts.requests import MAX_BATCH, ForecastRequest
from service.http.errors import InvalidRequest
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, json_bars, json_rv

JSON = {"content-type": "application/json"}
SERIES = make_series()

GOOD: list[dict[str, Any]] = [
    {"asset": ASSET},
    {"asset": ASSET, "model": "har"},
    {"asset": ASSET, "model": "last_value", "levels": []},
    {"asset": ASSET, "levels": [0.95]},
    {"asset": ASSET, "as_of": "2020-12-24"},
    {"asset": ASSET, "history": {"rv": json_rv()}},
    {"asset": ASSET, "history": {"rv": json_rv(100)}},
    {"asset": ASSET, "model": "har", "history": {"rv": [3 * value for value in json_rv()]}},
    {
        "asset": ASSET,
        "history": {"rv": json_rv(25), "dates": [str(it) for it in SERIES.dates[-25:]]},
    },
    {"asset": ASSET, "history": {"bars": json_bars(bars_of(SERIES.tail(40)))}},
]
BAD: list[dict[str, Any]] = [
    {"asset": "DOGE"},
    {"asset": ASSET, "model": "oracle"},
    {"asset": 1},
    {"asset": ASSET, "horizon": "1"},
    {"asset": ASSET, "horizon": 7},
    {"asset": ASSET, "levels": [0.123]},
    {"asset": ASSET, "as_of": "2021-02-30"},
    {"asset": ASSET, "history": {"rv": json_rv(17)}},
    {"asset": ASSET, "history": {"rv": [float("nan")] * 30}},
    {"asset": ASSET, "history": {"rv": [20.0] * 30}},
    {"asset": ASSET, "surprise": 1},
]


def post(client: TestClient, path: str, body: Any) -> Any:
    return client.post(path, content=json.dumps(body), headers=JSON)


def raw_items(content: bytes) -> list[bytes]:
    """The bytes of each item, which are JSON objects without a brace inside of a string."""
    items, depth, start = [], 0, 0
    inner = content[content.index(b"[") + 1 : content.rindex(b"]")]
    for at, byte in enumerate(inner):
        if byte == ord("{"):
            start = at if depth == 0 else start
            depth += 1
        elif byte == ord("}"):
            depth -= 1
            if depth == 0:
                items.append(inner[start : at + 1])
    return items


@pytest.mark.parametrize("repeat", [1, 20])  # on the event loop, and in the thread pool
def test_a_batch_gives_the_bytes_of_single_answers(client: TestClient, repeat: int) -> None:
    singles = [post(client, "/forecast", body).content for body in GOOD]
    batch = post(client, "/forecast/batch", {"items": GOOD * repeat})
    assert batch.status_code == 200
    assert batch.json()["failed"] == 0
    assert raw_items(batch.content) == singles * repeat


def test_a_batch_before_any_single_gives_the_same(client: TestClient) -> None:
    batch = raw_items(post(client, "/forecast/batch", {"items": GOOD[::-1]}).content)
    assert batch == [post(client, "/forecast", body).content for body in GOOD[::-1]]


def test_a_bad_item_fails_alone_with_its_own_problem(client: TestClient) -> None:
    mixed = [body for pair in zip(GOOD, BAD, strict=False) for body in pair]
    batch = post(client, "/forecast/batch", {"items": mixed}).json()
    assert batch["failed"] == len(mixed) // 2
    for index, (item, body) in enumerate(zip(batch["items"], mixed, strict=True)):
        single = post(client, "/forecast", body).json()
        if "code" in single:
            assert item.pop("instance") == f"/forecast/batch#/items/{index}"
            assert single.pop("instance") == "/forecast"
        assert item == single


def test_a_batch_of_bad_items_alone(client: TestClient) -> None:
    batch = post(client, "/forecast/batch", {"items": BAD}).json()
    assert batch["failed"] == len(BAD)
    assert all(item["code"] for item in batch["items"])


def test_an_empty_batch(client: TestClient) -> None:
    assert post(client, "/forecast/batch", {"items": []}).json() == {"failed": 0, "items": []}


def test_as_many_items_as_promised(client: TestClient) -> None:
    batch = post(client, "/forecast/batch", {"items": [{"asset": ASSET}] * MAX_BATCH}).json()
    assert (batch["failed"], len(batch["items"])) == (0, MAX_BATCH)


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"items": [{"asset": ASSET}] * (MAX_BATCH + 1)}, 422, "too_many_items", "items"),
        ({}, 422, "missing_field", "items"),
        ({"items": {}}, 422, "wrong_type", "items"),
        ({"items": [], "levels": [0.8]}, 422, "unknown_field", "levels"),
        ([], 422, "wrong_type", "body"),
    ],
)
def test_a_batch_that_is_none(
    client: TestClient, body: Any, status: int, code: str, field: str
) -> None:
    answer = post(client, "/forecast/batch", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field"] == field


def test_a_field_given_twice_counts_once() -> None:
    bad, good = b'{"items": [{"asset": 1}, {"asset": 2}], ', b'"items": [{"asset": "A"}]}'
    assert parse(bad + good) == [ForecastRequest(asset="A")]
    [refused] = parse(b'{"items": [{"asset": "A"}, {"asset": "B"}], "items": [{"asset": 1}]}')
    assert isinstance(refused, InvalidRequest)
