"""Tensors hold what they say, in JSON as in binary data."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from service.http.errors import InvalidRequest
from service.protocols.inference import INPUTS
from service.protocols.schemas import InferTensor
from service.protocols.tensors import Output, read_tensors
from tests.errors import details

VALUES = [1.5, 2.5e-300, -0.0, 4.0, 5.0, 0.1 + 0.2]
DAYS = ["2021-01-01", "2021-01-02", "é", "", "x", "y"]


def tensor(
    name: str = "rv", datatype: str = "FP64", shape: Any = (2, 3), **more: Any
) -> InferTensor:
    given = {"name": name, "datatype": datatype, "shape": list(shape), **more}
    return InferTensor.model_validate_json(json.dumps(given))


def packed(texts: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(it.encode())) + it.encode() for it in texts)


def of_size(size: int) -> dict[str, int]:
    return {"binary_data_size": size}


@pytest.mark.parametrize("data", [VALUES, [VALUES[:3], VALUES[3:]]])
def test_numbers_in_json(data: list[Any]) -> None:
    found = read_tensors([tensor(data=data)], INPUTS, b"")["rv"]
    assert (found.rows, found.length, found.texts) == (2, 3, ())
    assert found.numbers is not None
    assert found.numbers.tobytes() == np.array(VALUES).tobytes()


def test_texts_in_json() -> None:
    found = read_tensors([tensor("date", "BYTES", data=DAYS)], INPUTS, b"")["date"]
    assert found == (2, 3, None, DAYS)


def test_whole_numbers_are_numbers() -> None:
    found = read_tensors([tensor(data=[1, 2, 3, 4, 5, 2**70])], INPUTS, b"")["rv"].numbers
    assert found is not None
    assert found.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 2.0**70]]


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_binary_data_follow_in_the_order_of_the_inputs(kind: Any) -> None:
    numbers, texts = np.array(VALUES).tobytes(), packed(DAYS)
    inputs = [
        tensor("date", "BYTES", parameters=of_size(len(texts))),
        tensor("open", data=VALUES[::-1]),
        tensor("rv", parameters=of_size(len(numbers))),
    ]
    found = read_tensors(inputs, INPUTS, kind(texts + numbers))
    assert list(found) == ["date", "open", "rv"]
    assert found["date"] == (2, 3, None, DAYS)
    assert found["rv"].numbers is not None
    assert found["rv"].numbers.tobytes() == numbers
    assert found["open"].numbers is not None
    assert found["open"].numbers.ravel().tolist() == VALUES[::-1]


def test_a_long_tensor_is_looked_at_to_its_end() -> None:
    data: list[Any] = [1e-4] * 9_000
    data[8_500] = "x"
    said = r"inputs\.rv\.data\[8500\]: found x; needed: numbers"
    with pytest.raises(InvalidRequest, match=said) as refused:
        read_tensors([tensor(shape=(3, 3_000), data=data)], INPUTS, b"")
    assert details(refused.value) == ("inputs.rv.data[8500]", "x", "numbers")


@pytest.mark.parametrize(
    ("given", "binary", "code", "said"),
    [
        ({"name": "volume"}, b"", "unknown_field", r"rv, date, open, high, low, close$"),
        (
            {"datatype": "FP32", "data": VALUES},
            b"",
            "wrong_type",
            r"\.datatype: found FP32; needed: FP64",
        ),
        (
            {"name": "date", "data": DAYS},
            b"",
            "wrong_type",
            r"\.datatype: found FP64; needed: BYTES",
        ),
        (
            {"shape": [6], "data": VALUES},
            b"",
            "invalid_value",
            r"shape: found \[6\]; .*\[rows, sessions",
        ),
        ({"shape": [0, 3], "data": []}, b"", "invalid_value", r"found \[0, 3\]; .*each at least 1"),
        ({"shape": [2, -3], "data": VALUES}, b"", "invalid_value", r"found \[2, -3\]"),
        ({}, b"", "missing_field", "found None; needed: data, or binary_data_size"),
        ({"data": VALUES[1:]}, b"", "length_mismatch", r"found 5; needed: 6 values.*\[2, 3\]"),
        ({"data": []}, b"", "length_mismatch", "found 0; needed: 6 values"),
        (
            {"data": [VALUES]},
            b"",
            "length_mismatch",
            "found 1 lists or values; needed: 2 lists of 3",
        ),
        ({"data": [VALUES[:3], VALUES[:2]]}, b"", "length_mismatch", "2 lists of 3"),
        ({"data": [VALUES[:3], 1]}, b"", "length_mismatch", "2 lists of 3"),
        (
            {"data": [*VALUES[:5], None]},
            b"",
            "wrong_type",
            r"data\[5\]: found None; needed: numbers",
        ),
        (
            {"data": [*VALUES[:5], True]},
            b"",
            "wrong_type",
            r"data\[5\]: found True; needed: numbers",
        ),
        ({"data": [*VALUES[:5], {"a": 1}]}, b"", "wrong_type", r"data\[5\]"),
        ({"data": [[VALUES, 1, 1], [1, 1, 1]]}, b"", "wrong_type", r"data\[0\]"),
        ({"data": [*VALUES[:5], 10**400]}, b"", "invalid_value", "numbers of 64 bits"),
        (
            {"name": "date", "datatype": "BYTES", "data": [*DAYS[:5], 1]},
            b"",
            "wrong_type",
            r"inputs\.date\.data\[5\]: found 1; needed: texts",
        ),
        ({"parameters": of_size(8), "data": VALUES}, b"12345678", "invalid_value", "one of them"),
        (
            {"parameters": of_size(40)},
            b"a" * 40,
            "length_mismatch",
            r"found 40 bytes; needed: 48 bytes",
        ),
        (
            {"parameters": of_size(48)},
            b"a" * 40,
            "length_mismatch",
            r"found 40 bytes; needed: 48 bytes",
        ),
        ({"parameters": of_size(48)}, b"a" * 49, "length_mismatch", "found 49 bytes.*the 48 bytes"),
        (
            {"data": VALUES},
            b"a",
            "length_mismatch",
            "found 1 bytes behind the JSON; needed: the 0 bytes",
        ),
        (
            {"name": "date", "datatype": "BYTES", "parameters": of_size(24)},
            packed(["1"] * 5)[:24],
            "invalid_value",
            "half a text",
        ),
        (
            {"name": "date", "datatype": "BYTES", "parameters": of_size(26)},
            packed(["1"] * 5) + b"\0",
            "invalid_value",
            "half a text",
        ),
        (
            {"name": "date", "datatype": "BYTES", "parameters": of_size(25)},
            packed(["1"] * 5),
            "length_mismatch",
            "found 5 texts; needed: 6 texts",
        ),
        (
            {"name": "date", "datatype": "BYTES", "parameters": of_size(4_000)},
            b"\0" * 4_000,
            "length_mismatch",
            "found more; needed: 6 texts",
        ),
        (
            {"name": "date", "datatype": "BYTES", "parameters": of_size(6)},
            b"\2\0\0\0\xff\xfe",
            "invalid_value",
            "other bytes; needed: UTF-8",
        ),
    ],
)
def test_what_does_not_fit_is_told(given: Any, binary: bytes, code: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        read_tensors([tensor(**given)], INPUTS, binary)
    assert refused.value.code == code
    assert len(str(refused.value)) < 500


def test_a_tensor_stands_once() -> None:
    with pytest.raises(
        InvalidRequest, match=r"inputs\.rv\.name: found rv; needed: each tensor once"
    ):
        read_tensors([tensor(data=VALUES), tensor(data=VALUES)], INPUTS, b"")


def test_outputs_in_json_and_in_binary_data() -> None:
    numbers = Output("lower", "FP64", (3, 2), VALUES)
    assert json.loads(numbers.in_json) == {
        "name": "lower",
        "shape": [3, 2],
        "datatype": "FP64",
        "data": VALUES,
    }
    head, values = numbers.in_binary
    assert json.loads(head)["parameters"] == of_size(48)
    assert values == np.array(VALUES, "<f8").tobytes()
    assert "data" not in json.loads(head)

    texts = Output("warnings", "BYTES", (6,), DAYS)
    assert json.loads(texts.in_json)["data"] == DAYS
    head, values = texts.in_binary
    assert json.loads(head) == {
        "name": "warnings",
        "shape": [6],
        "datatype": "BYTES",
        "parameters": of_size(len(values)),
    }
    assert values == packed(DAYS)


def test_what_is_no_number_is_null_in_json() -> None:
    assert json.loads(Output("rv", "FP64", (1,), [float("nan")]).in_json)["data"] == [None]
