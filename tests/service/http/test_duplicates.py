"""A name that stands twice in an object is refused wherever it stands, and nothing else is."""

import json
from pathlib import Path

import pytest

from service.assets.schemas import BarsInput
from service.forecasts.requests import BatchRequest, ForecastRequest
from service.http.bodies import read
from service.http.duplicates import duplicates
from service.http.errors import InvalidRequest
from service.http.slices import SHORT
from tests.service.client import TestClient
from tests.service.worlds import ASSET

JSON = {"content-type": "application/json"}
BAR = '{"date": "2021-10-26", "open": 1, "high": 2, "low": 1, "close": 1.5}'
TWICE = BAR.replace('"close"', '"low": 1, "close"')
LONG = ", ".join([BAR] * 2_000)


@pytest.mark.parametrize(
    ("body", "field", "times"),
    [
        ('{"asset": "A", "asset": "A"}', "asset", 2),
        ('{"asset": "A", "model": "har", "asset" : "B", "asset"\n:"C"}', "asset", 3),
        ('{"asset": "A", "\\u0061sset": "B"}', "asset", 2),
        ('{"history": {"rv": null, "rv": [1e-4]}}', "history.rv", 2),
        ('{"asset":"a:b","asset":"\\":"}', "asset", 2),
        (f'{{"history": {{"bars": [{BAR}, {TWICE}]}}}}', "history.bars[1].low", 2),
        (f'{{"history": {{"bars": [{LONG}, {TWICE}]}}}}', "history.bars[2000].low", 2),
        (f'{{"history": {{"bars": [{LONG}], "bars": [{BAR}]}}}}', "history.bars", 2),
        (f'{{"asset": "A", "history": {{"bars": [{LONG}]}}, "asset": "A"}}', "asset", 2),
        (
            f'{{"companions": {{"VIX": {{"bars": [{BAR}]}}, "VIX": {{"bars": [{BAR}]}}}}}}',
            "companions.VIX",
            2,
        ),
    ],
)
def test_it_is_named_with_the_place_where_it_stands(body: str, field: str, times: int) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(ForecastRequest, body.encode())
    [fault] = refused.value.faults
    assert (fault.code, fault.field, fault.found) == ("duplicate_field", field, times)
    assert fault.detail == f"{field}: Field should be given once, not {times} times"


def test_every_one_is_told() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(ForecastRequest, b'{"asset": "A", "asset": "B", "history": {"rv": [1], "rv": [2]}}')
    assert [it.field for it in refused.value.faults] == ["asset", "history.rv"]


@pytest.mark.parametrize(
    "body",
    [
        '{"asset": "A"}',
        '{ "asset" : "A:B", "model":"\\":" }',
        '{"asset": "A", "known_at": "2021-01-05T12:00:00Z"}',
        f'{{"history": {{"bars": [{LONG}]}}, "companions": {{"A": {{"bars": [{BAR}]}}}}}}',
    ],
)
def test_colons_elsewhere_are_no_names(body: str) -> None:
    found = read(ForecastRequest, body.encode())
    assert found == ForecastRequest.model_validate_json(body)
    assert duplicates(body.encode(), found) == []


def test_a_body_without_objects_has_none() -> None:
    assert duplicates(b'["a:b", [1, {}]]', ["a:b", [1, {}]]) == []
    assert duplicates(b"[]", []) == []
    assert duplicates(b'{"a:b": "c:d"}', {"a:b": Path("c:d")}) == []  # of a kind of its own


def test_numbers_of_more_digits_than_python_reads_hide_none() -> None:
    content = b'{"a": %b, "a": 1, "b": 1e999, "b": NaN}' % (b"9" * 5_000)
    found = duplicates(content, {"a": 1, "b": None})
    assert [it["loc"] for it in found] == [("a",), ("b",)]


def test_objects_in_mixed_lists_are_looked_into() -> None:
    content = b'[1, {"a": 1, "a": [{"b": {"c": 0, "c": 1}}]}]'
    found = duplicates(content, [1, {"a": [{"b": {"c": 1}}]}])
    assert [it["loc"] for it in found] == [(1, "a"), (1, "a", 0, "b", "c")]


def test_times_and_dates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has colons in its texts does not take twice as long."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(json, "loads", refuse)
    bar = BAR.replace('"date": "2021-10-26"', '"timestamp": "2021-10-26T12:00:00Z"')
    assert len(read(BarsInput, f'{{"bars": [{bar}, {bar}]}}'.encode()).bars) == 2
    items = '{"items":[{"asset":"A"},{"asset":"B","history":{"rv":[1e-4]}}]}'
    assert len(read(BatchRequest, items.encode()).items) == 2
    with pytest.raises(AssertionError, match="read again"):
        read(BatchRequest, items.replace('"asset":"A"', '"asset":"A","asset":"A"').encode())


def test_it_is_refused_by_every_route_that_reads_json(client: TestClient) -> None:
    requests = [
        ("POST", "/forecast", '{"asset": "TEST", "asset": "TEST"}', "asset"),
        ("POST", "/hurst", '{"rv": [1], "rv": [1]}', "rv"),
        ("POST", "/assets", '{"asset": "A", "calendar": "XNYS", "calendar": "24/7"}', "calendar"),
        ("PUT", f"/assets/{ASSET}/bars", f'{{"bars": [{TWICE}]}}', "bars[0].low"),
        ("POST", "/forecast/batch", '{"items": [], "items": []}', "items"),
    ]
    for method, path, body, field in requests:
        answer = client.request(method, path, content=body, headers=JSON)
        found = answer.json()
        assert (answer.status_code, found["code"]) == (422, "duplicate_field"), path
        assert (found["field"], found["found"]) == (field, 2)


@pytest.mark.parametrize("others", [1, 10, 3_000])
def test_in_a_batch_it_fails_alone(client: TestClient, others: int) -> None:
    good = f'{{"asset": "{ASSET}", "levels": []}}'
    bad = f'{{"asset": "{ASSET}", "levels": [], "levels": [0.8]}}'
    body = f'{{"items": [{good}, {bad}, {", ".join([good] * others)}]}}'
    assert (len(body) > SHORT) is (others == 3_000)
    answer = client.post("/forecast/batch", content=body, headers=JSON).json()
    assert (answer["failed"], len(answer["items"])) == (1, others + 2)
    assert answer["items"][1]["code"] == "duplicate_field"
    assert answer["items"][1]["field"] == "levels"
    assert answer["items"][2]["intervals"] == []
