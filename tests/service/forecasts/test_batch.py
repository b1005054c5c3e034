"""A batch gives what single requests give, byte for byte, and a bad item fails alone."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from starlette.types import Message

from models_store import Shelf, Store
from models_store.universal.store import UniversalStore
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.forecasts.batch import answer, answer_at_once, parse
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.query import Questions
from service.forecasts.requests import MAX_BATCH, ForecastRequest
from service.http.errors import InvalidRequest
from service.http.parts import InParts
from service.models.catalogue import Catalogue
from service.models.turning import Turner
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.models_store.universal.small import small_files
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, clock, json_bars, json_rv, verified

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


@pytest.mark.parametrize("repeat", [1, 20, 60])  # on the event loop, in a thread, in two parts
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


def test_problems_name_the_items_of_the_whole_batch(client: TestClient) -> None:
    bad = [0, 255, 256, 700]
    items = [{"asset": "DOGE" if at in bad else ASSET} for at in range(701)]
    batch = post(client, "/forecast/batch", {"items": items}).json()
    assert (batch["failed"], len(batch["items"])) == (len(bad), len(items))
    found = {at: it["instance"] for at, it in enumerate(batch["items"]) if "instance" in it}
    assert found == {at: f"/forecast/batch#/items/{at}" for at in bad}


def test_why_an_asset_is_unknown_is_found_out_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def many_assets(_shelf: Shelf) -> list[str]:
        asked.append(1)
        return [f"A{at}" for at in range(1_000)]

    verified(client)
    monkeypatch.setattr(Shelf, "assets", many_assets)
    items = [{"asset": "DOGE"}, {"asset": "NOPE"}, {"asset": ASSET, "model": "oracle"}] * 300
    answer = post(client, "/forecast/batch", {"items": items})
    assert answer.json()["failed"] == len(items)
    assert len(asked) == 1
    first, second, *_ = answer.json()["items"]
    assert [it["found"] for it in (first, second)] == ["DOGE", "NOPE"]
    assert first["detail"].startswith("there is no asset 'DOGE' with models; there are A0, A1, ")
    assert "A19 and 980 more" in first["detail"]
    assert len(answer.content) < 1_000 * len(items)


def test_a_long_answer_is_sent_in_parts() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError

    asyncio.run(InParts([b"ab", b"cde"], "text/plain")({"type": "http"}, receive, send))
    start, *bodies = sent
    assert (b"content-length", b"5") in start["headers"]
    assert [it["body"] for it in bodies] == [b"ab", b"cde", b""]
    assert [it.get("more_body", False) for it in bodies] == [True, True, False]


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


@pytest.mark.parametrize("number", [1, 2, 3_000])
def test_items_given_twice_are_refused(number: int) -> None:
    items = json.dumps([{"asset": "A", "model": f"m{at}"} for at in range(number)])
    with pytest.raises(InvalidRequest, match="items: Field should be given once") as refused:
        list(parse(f'{{"items": {items}, "items": [{{"asset": "B"}}]}}'.encode()))
    assert (refused.value.code, refused.value.field) == ("duplicate_field", "items")


@pytest.fixture
def questions(settings: Settings) -> Questions:
    UniversalStore(settings.store_folder).publish(small_files())
    holdings = Holdings(HistoryStore(settings.database_url))
    holdings.load()
    holdings.store.close()
    return Questions(Catalogue(Store(settings.store_folder)), holdings, clock)


@pytest.mark.parametrize("together", [False, True])
def test_a_batch_keeps_to_the_versions_that_it_took_first(
    settings: Settings, questions: Questions, together: bool
) -> None:
    store, turner = Store(settings.store_folder), Turner(questions.catalogue)
    asked = [
        ForecastRequest.model_validate(it)
        for it in (
            {"asset": ASSET, "model": "har"},
            {"history": {"bars": made_up_bars(60)}},  # of the model for every asset
        )
    ]

    def items() -> Iterator[ForecastRequest]:
        yield from asked * 150
        store.publish(make_files(ASSET, "har", 3e-4), promote=True)
        UniversalStore(store.root).publish(small_files(0.5))
        assert len(turner.turn(ASSET, ["har"]).swaps) == 1
        assert len(turner.turn_universal().swaps) == 1
        yield from asked * 150

    def versions(found: Iterable[ForecastRequest]) -> set[tuple[str, int]]:
        if together:
            made = answer_at_once(list(found), questions, EncodedForecasts(), "/batch")
            assert made is not None
        else:
            made = answer(found, questions, EncodedForecasts(), "/batch")
        said = json.loads(b"".join(made.parts))
        assert said["failed"] == 0
        return {(it["model"], it["model_version"]) for it in said["items"]}

    first, then = {("har", 1), ("universal", 1)}, {("har", 2), ("universal", 2)}
    assert versions(items()) == (then if together else first)  # it takes all before it begins
    assert versions(asked) == then
