"""A long body reads as a short one does, whichever of its lists are long."""

import json
from typing import Any

import pytest

from service.http.errors import BodyTooLarge, InvalidRequest, MalformedJson
from service.http.json_lists import Content
from service.http.slices import SHORT
from service.protocols.reading import read_inputs
from service.protocols.schemas import MAX_TENSORS, InferRequest, InferTensor
from service.protocols.series_schemas import MAX_SERIES, SeriesInput, SeriesRequest
from tests.errors import details

LONG = [1e-4 + 1e-9 * at for at in range(20_000)]


def tensor(name: str, data: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1, len(data)], "datatype": "FP64", "data": data}


def inference(content: Content) -> InferRequest:
    return read_inputs(InferRequest, InferTensor, MAX_TENSORS, content)


def series(content: bytes) -> SeriesRequest:
    return read_inputs(SeriesRequest, SeriesInput, MAX_SERIES, content)


def encoded(body: Any) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize("data", [LONG[:3], LONG, [LONG[:4_000]] * 5])
def test_tensors_of_any_length(data: list[Any]) -> None:
    body = {
        "id": "7[",
        "outputs": [{"name": "rv"}],
        "inputs": [tensor("open", data), tensor("low", [1.0, 2]), tensor("high", data[::-1])],
        "parameters": {"horizon": 5},
    }
    content = encoded(body)
    assert (len(content) > SHORT) is (len(data) != 3)
    assert inference(content) == InferRequest.model_validate_json(content)
    assert inference(bytearray(content)) == InferRequest.model_validate_json(content)


def test_inputs_may_be_none_beside_something_long() -> None:
    long = b" " * 70_000
    assert inference(encoded({"inputs": [], "model_name": "x"}) + long).inputs == []
    assert inference(encoded({"model_name": "x"}) + long).inputs == []


def test_series_of_any_length() -> None:
    one = {
        "type": "univariate_time_series",
        "name": "rv",
        "series": LONG,
        "frequency": "D",
        "start_timestamp": "2021-01-01T00:00:00Z",
    }
    body = {
        "model": "A~har",
        "inputs": [one, one | {"series": LONG[:9]}],
        "options": {"horizon": 1, "quantiles": [0.5]},
        "metadata": {"note": ["x" * 10_000, {"inputs": [1]}]},
    }
    assert series(encoded(body)) == SeriesRequest.model_validate_json(encoded(body))
    assert [len(it.series) for it in series(encoded(body)).inputs] == [20_000, 9]


def test_faults_are_where_they_are_in_the_whole_body() -> None:
    bad = tensor("low", [1]) | {"shape": ["x"], "kind": 1}
    with pytest.raises(InvalidRequest) as refused:
        inference(encoded({"inputs": [tensor("open", LONG), bad]}))
    assert [it.field for it in refused.value.faults] == ["inputs[1].shape[0]", "inputs[1].kind"]
    assert str(refused.value).startswith("inputs[1]: shape[0]: Input should be a valid integer")
    with pytest.raises(InvalidRequest, match=r"inputs\[1\]: body: Input should be .*object"):
        inference(encoded({"inputs": [tensor("open", LONG), 7]}))
    with pytest.raises(InvalidRequest, match="idd: there is no such field"):
        inference(encoded({"inputs": [tensor("open", LONG)], "idd": 1}))


def test_a_bad_value_of_a_long_series_is_found() -> None:
    one = {"type": "univariate_time_series", "name": "rv", "frequency": "D"}
    given = one | {"series": [*LONG, "x"], "start_timestamp": "2021-01-01"}
    body = {"model": "A~har", "inputs": [given], "options": {"horizon": 1}}
    with pytest.raises(InvalidRequest) as refused:
        series(encoded(body))
    assert refused.value.field == "inputs[0].series[20000]"


def test_a_field_that_stands_twice_is_found_in_each_part() -> None:
    long = json.dumps(tensor("open", LONG))
    with pytest.raises(InvalidRequest) as inside:
        inference(f'{{"inputs": [{{"name": "a", {long[1:]}]}}'.encode())
    assert (inside.value.code, inside.value.field) == ("duplicate_field", "inputs[0].name")
    with pytest.raises(InvalidRequest) as outside:
        inference(f'{{"inputs": [{long}], "id": "a", "inputs": [{long}]}}'.encode())
    assert (outside.value.code, outside.value.field) == ("duplicate_field", "inputs")


def test_more_inputs_than_there_may_be_are_not_looked_at() -> None:
    content = encoded({"inputs": [tensor("open", LONG), *["x"] * MAX_TENSORS]})
    with pytest.raises(InvalidRequest, match="found 17; needed: at most 16 inputs") as refused:
        inference(content)
    assert refused.value.code == "too_many_items"
    assert details(refused.value) == ("inputs", 17, "at most 16 inputs")


def test_values_outside_of_tensors_are_limited() -> None:
    body = {"inputs": [tensor("open", LONG)], "outputs": [{"name": "x"}] * 6_000}
    with pytest.raises(BodyTooLarge, match="more values than any request needs"):
        inference(encoded(body))


@pytest.mark.parametrize("at", [1, 200_000])
def test_what_is_no_json_is_said_to_be_none(at: int) -> None:
    content = encoded({"inputs": [tensor("open", LONG)]})
    with pytest.raises(MalformedJson, match="not JSON"):
        inference(content[:at] + b"x" + content[at:])
