"""A long body reads as a short one does, and no more than twenty faults are looked for."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from service.forecasts.requests import BatchRequest, ForecastRequest
from service.http.bodies import read
from service.http.errors import BodyTooLarge, InvalidRequest, MalformedJson
from service.http.fields import MAX_VALUES
from service.http.problems import MOST_FAULTS
from service.http.slices import MOST_BYTES_OUTSIDE, SHORT, read_in_slices
from service.hurst.schemas import HurstRequest
from tests.errors import details

BAR = {"date": "2021-10-26", "open": 1.5, "high": 2.5, "low": 1.0, "close": 1.25}
RV = [0.001 + 1e-6 * at for at in range(20_000)]


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


def faults_of(schema: Any, content: bytes) -> list[str | None]:
    with pytest.raises(InvalidRequest) as refused:
        read(schema, content)
    return [fault.field for fault in refused.value.faults]


@pytest.mark.parametrize("bars", [1, 3, 3_000])
def test_it_reads_what_pydantic_reads_in_one_call(bars: int) -> None:
    given = [BAR | {"open": 1.5 + at / 10_000} for at in range(bars)]
    body = {
        "asset": 'A "[{,',
        "history": {"bars": given},
        "companions": {"VIX": {"bars": given[::-1]}, "B": {"bars": given[:1]}},
        "levels": [0.8, 0.95],
    }
    content = encoded(body)
    assert read_in_slices(ForecastRequest, content) == ForecastRequest.model_validate_json(content)
    assert read(ForecastRequest, bytearray(content)) == ForecastRequest.model_validate_json(content)


def test_faults_are_where_they_are_in_the_whole_body() -> None:
    bars: list[dict[str, Any]] = [dict(BAR) for _ in range(3_000)]
    bars[3]["open"] = "x"
    del bars[2_000]["close"]
    body = {"asset": 1, "history": {"bars": bars}, "companions": {"VIX": {"bars": [BAR, {}]}}}
    assert len(encoded(body)) > SHORT
    fields = faults_of(ForecastRequest, encoded(body))
    prefix = "companions.VIX.bars[1]."
    assert fields[0] == "asset"
    assert fields[-2:] == ["history.bars[3].open", "history.bars[2000].close"]
    assert set(fields[1:-2]) == {prefix + name for name in ("open", "high", "low", "close")}


@pytest.mark.parametrize("number", [22, 9_000])
@pytest.mark.parametrize("at", [0, 1, -1])
@pytest.mark.parametrize("value", [True, "0.001"])
def test_what_is_no_number_is_refused_wherever_it_stands(
    value: object, at: int, number: int
) -> None:
    values: list[object] = [0.001] * number
    values[at] = value
    place = f"[{at % number}]"
    forecast: dict[str, Any] = {"asset": "A", "history": {"rv": values}}
    for schema, body, field in (
        (ForecastRequest, forecast, f"history.rv{place}"),
        (HurstRequest, {"rv": values}, f"rv{place}"),
        (HurstRequest, {"log_volatility": values}, f"log_volatility{place}"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            read(schema, encoded(body))
        assert [(it.field, it.code) for it in refused.value.faults] == [(field, "wrong_type")]


def test_what_is_no_number_is_refused_in_a_batch() -> None:
    items = [{"asset": "A", "history": {"rv": [0.001, at, 0.001]}} for at in (0.001, True, "0.001")]
    fields = faults_of(BatchRequest, encoded({"items": items}))
    assert fields == ["items[1].history.rv[1]", "items[2].history.rv[1]"]


@pytest.mark.parametrize("number", [30, 90_000])
def test_reading_stops_at_the_twentieth_fault(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    body = encoded({"history": {"bars": [{}] * number}})
    with pytest.raises(InvalidRequest, match="one of the first 20 faults") as refused:
        read(ForecastRequest, body)
    fields = [fault.field for fault in refused.value.faults]
    assert len(fields) == MOST_FAULTS
    assert {it.split(".")[1] for it in fields if it} == {f"bars[{at}]" for at in range(5)}


def test_fewer_faults_are_all_there_are() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(HurstRequest, encoded({"rv": ["x"] * 19}))
    assert len(refused.value.faults) == 19
    assert "first" not in str(refused.value)


def test_no_item_of_a_list_that_is_too_long_is_looked_at() -> None:
    content = encoded({"rv": [1] + ["x"] * MAX_VALUES})
    with pytest.raises(InvalidRequest) as refused:
        read(HurstRequest, content)
    [fault] = refused.value.faults
    assert (fault.code, fault.field) == ("too_many_items", "rv")
    assert fault.detail.startswith(f"rv: found {MAX_VALUES + 1} items; needed: a list of at most")


def test_short_lists_are_refused_as_pydantic_does() -> None:
    content = encoded({"asset": "A", "levels": [0.8] * 17})
    with pytest.raises(ValidationError, match="at most 16 items"):
        ForecastRequest.model_validate_json(content)
    assert faults_of(ForecastRequest, content) == ["levels"]


@pytest.mark.parametrize(
    "body",
    [
        {f"unknown{at}": 1 for at in range(6_000)},
        {"history": {"bars": [BAR, {f"unknown{at}": 1 for at in range(6_000)}]}},
        {"levels": ["x"] * 20_000},
    ],
)
def test_values_where_no_request_has_so_many_are_refused_unread(body: dict[str, Any]) -> None:
    with pytest.raises(BodyTooLarge, match="more values than any request needs") as refused:
        read(ForecastRequest, encoded(body))
    assert refused.value.code == "too_many_values"


@pytest.mark.parametrize("last", [b"[1, 2]", encoded(RV[:4_000]), encoded(RV[:9_000])])
def test_a_list_that_stands_twice_is_refused(last: bytes) -> None:
    twice = b'{"rv": %b, "measure": "parkinson", "rv": %b}' % (encoded(RV[:9_000]), last)
    assert len(twice) > SHORT
    assert faults_of(HurstRequest, twice) == ["rv"]


@pytest.mark.parametrize("rv", [b"[ ,%b]", b"[%b, ]", b"[,%b]"])
def test_a_list_whose_first_or_last_item_is_empty_is_no_json(rv: bytes) -> None:
    items = b",".join([b"0.001" + b"0" * 100] * 256 * 3)  # so many slices, the last item alone
    with pytest.raises(MalformedJson):
        read_in_slices(HurstRequest, b'{"rv": %b}' % (rv % items))


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_so_many_bytes_are_read_in_one_call(more: int, is_read: bool) -> None:
    around = len(b'{"asset":""}')
    content = b'{"asset":"%b"}' % (b"A" * (MOST_BYTES_OUTSIDE - around + more))
    with pytest.raises(InvalidRequest if is_read else BodyTooLarge) as error:
        read_in_slices(ForecastRequest, content)
    assert ("characters" if is_read else "outside of long lists") in str(error.value)


@pytest.mark.parametrize("at", [10, 200_000])
def test_what_is_no_json_is_said_to_be_none(at: int) -> None:
    content = encoded({"rv": RV})
    damaged = content[:at] + b"x" + content[at:]
    for body, said in ((damaged, "is not JSON"), (content[:-1], "do not match")):
        with pytest.raises(MalformedJson, match=said) as refused:
            read(HurstRequest, body)
        assert details(refused.value) == ("body", None, "a JSON document (RFC 8259)")
