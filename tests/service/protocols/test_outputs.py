"""Outputs are filled row by row, and sent in parts where they are long."""

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.http.errors import InvalidRequest
from service.protocols.outputs import COLUMNS, Answer, Wanted
from service.protocols.schemas import InferRequest
from tests.service.protocols.speaking import unpacked


def issued(at: int, version: int = 3, **more: Any) -> Any:
    """A forecast whose numbers are told by its row."""
    intervals = [SimpleNamespace(rv=(at + level, at - level)) for level in (0.25, 0.5)]
    forecast = SimpleNamespace(
        asset="A",
        model="har",
        model_version=version,
        rv=float(at),
        volatility_annualized=at + 0.5,
        intervals=intervals,
        as_of=None if at else date(2021, 2, 3),
        target_date=None if at else date(2021, 2, 4),
        clipped=False,
    )
    said = {
        "degraded_reason": None,
        "stale_sessions": 0,
        "warnings": ("w", "é"),
        "asset": "A",
    } | more
    return SimpleNamespace(forecast=forecast, forecast_id=f"{at:032x}", **said)


def wanted(*names: str, levels: int = 2, **more: Any) -> Wanted:
    outputs = [{"name": it} for it in names] or None
    body = InferRequest.model_validate({"outputs": outputs} | more)
    return Wanted.of(body, [0.8] * levels)


def told(answer: Answer) -> Any:
    return json.loads(b"".join(answer.encoded().parts))


def test_all_by_default_in_their_order() -> None:
    answer = Answer("A~auto", wanted(id="7"))
    answer.add([issued(0)])
    answer.add([issued(1, degraded_reason="because")])
    found = told(answer)
    assert {it: found[it] for it in ("model_name", "model_version", "id")} == {
        "model_name": "A~auto",
        "model_version": "3",
        "id": "7",
    }
    outputs = {it["name"]: (it["shape"], it["data"]) for it in found["outputs"]}
    assert list(outputs) == list(COLUMNS)
    assert outputs == {
        "rv": ([2], [0.0, 1.0]),
        "volatility_annualized": ([2], [0.5, 1.5]),
        "lower": ([2, 2], [0.25, 0.5, 1.25, 1.5]),
        "upper": ([2, 2], [-0.25, -0.5, 0.75, 0.5]),
        "forecast_id": ([2], ["0" * 32, "0" * 31 + "1"]),
        "model": ([2], ["A~har", "A~har"]),
        "as_of": ([2], ["2021-02-03", ""]),
        "target_date": ([2], ["2021-02-04", ""]),
        "warnings": ([2], ["w\né", "because\nw\né"]),
    }


def test_a_version_is_told_where_one_answered_all() -> None:
    answer = Answer("A~auto", wanted("rv"))
    answer.add([issued(0), issued(1, version=4)])
    assert "model_version" not in told(answer)
    assert answer.encoded().forecasts == {("A", "har", ()): 2}
    other = Answer("A~auto", wanted("rv"))
    one, another = issued(0), issued(1)
    another.forecast.model = "ewma"
    other.add([one, another])
    assert "model_version" not in told(other)
    assert other.encoded().forecasts == {("A", "har", ()): 1, ("A", "ewma", ()): 1}


def test_of_a_model_without_a_name_of_its_asset() -> None:
    answer = Answer("universal", wanted("model"))
    answer.add([issued(0, asset=None)])
    assert told(answer)["outputs"][0]["data"] == ["har"]


@pytest.mark.parametrize("rows", [1, 64, 65, 1_000])
def test_many_rows_are_sent_in_parts(rows: int) -> None:
    answer = Answer("A~har", wanted("rv", "lower", parameters={"binary_data_output": True}))
    answer.add([issued(at) for at in range(rows)])
    encoded = answer.encoded()
    assert (len(encoded.parts) == 1) is (rows <= 64)
    body, length = b"".join(encoded.parts), encoded.json_length
    assert length is not None
    described = json.loads(body[:length])["outputs"]
    assert [it["parameters"]["binary_data_size"] for it in described] == [8 * rows, 16 * rows]
    assert np.frombuffer(body[length : length + 8 * rows]).tolist() == list(range(rows))
    assert len(body) == length + 24 * rows
    if rows > 64:
        assert max(map(len, encoded.parts[-2:])) == 16 * rows


def test_texts_in_binary_data() -> None:
    answer = Answer("A~har", wanted("warnings", parameters={"binary_data_output": True}))
    answer.add([issued(0), issued(1)])
    encoded = answer.encoded()
    body = b"".join(encoded.parts)
    assert unpacked(body[encoded.json_length :]) == ["w\né", "w\né"]


def test_what_is_in_json_has_no_length() -> None:
    answer = Answer("A~har", wanted("rv"))
    answer.add([issued(0)])
    assert answer.encoded().json_length is None


def test_an_output_may_differ_from_the_others() -> None:
    outputs = [
        {"name": "rv", "parameters": {"binary_data": False}},
        {"name": "lower", "parameters": {}},
        {"name": "upper", "parameters": {"binary_data": True}},
    ]
    for usual in (False, True):
        body = {"outputs": outputs, "parameters": {"binary_data_output": usual}}
        found = Wanted.of(InferRequest.model_validate(body), [0.8])
        assert found == ({"rv": False, "lower": usual, "upper": True}, 1, None)


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["volume"], "unknown_field", "outputs: found volume; needed: one of rv, volatility_ann"),
        (["rv", "rv"], "duplicate_field", "outputs: found rv twice; needed: each output once"),
    ],
)
def test_outputs_that_are_not_there(names: list[str], code: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        wanted(*names)
    assert (refused.value.code, refused.value.field) == (code, "outputs")
    assert refused.value.found == names[0]
