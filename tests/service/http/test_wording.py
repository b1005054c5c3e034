"""What is wrong with a body, in words of JSON: which fields there are, and what would do."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from service.forecasts.requests import BatchRequest, ForecastRequest
from service.http.bodies import BodyRoute, read
from service.http.errors import Fault, InvalidRequest
from service.http.wording import told
from service.protocols.schemas import InferRequest
from tests.service.client import TestClient

BAR = {"date": "2021-10-26", "open": 1, "high": 2, "low": 1, "close": 2}
OF_A_BAR = "date, timestamp, open, high, low, close"


def fault_of(schema: type[BaseModel], body: dict[str, Any]) -> Fault:
    with pytest.raises(InvalidRequest) as refused:
        read(schema, json.dumps(body).encode())
    return refused.value.faults[0]


@pytest.mark.parametrize(
    ("schema", "body", "field", "needed"),
    [
        (ForecastRequest, {"history": {"x": 1, "rv": [1]}}, "history.x", "bars, dates, rv"),
        (
            ForecastRequest,
            {"history": {"bars": [BAR, BAR | {"volume": 3}]}},
            "history.bars[1].volume",
            OF_A_BAR,
        ),
        (
            ForecastRequest,
            {"companions": {"VIX": {"bars": [BAR | {"volume": 3}]}}},
            "companions.VIX.bars[0].volume",
            OF_A_BAR,
        ),
        (BatchRequest, {"items": [], "all": 1}, "all", "items"),
    ],
)
def test_a_field_that_there_is_not_is_told_with_those_there_are(
    schema: type[BaseModel], body: dict[str, Any], field: str, needed: str
) -> None:
    fault = fault_of(schema, body)
    assert (fault.code, fault.field, fault.needed) == ("unknown_field", field, needed)
    assert fault.detail == f"{field}: there is no such field"


@pytest.mark.parametrize(
    ("schema", "body", "field", "needed"),
    [
        (BatchRequest, {}, "items", "a list"),
        (
            ForecastRequest,
            {"history": {"bars": [BAR, {"open": 1, "high": 2, "low": 1}]}},
            "history.bars[1].close",
            "a number",
        ),
        (InferRequest, {"inputs": [{"name": "rv"}]}, "inputs[0].shape", "a list"),
        (InferRequest, {"inputs": [{"shape": [1]}]}, "inputs[0].name", "text"),
    ],
)
def test_a_field_that_is_missing_is_told_with_its_kind(
    schema: type[BaseModel], body: dict[str, Any], field: str, needed: str
) -> None:
    fault = fault_of(schema, body)
    assert (fault.code, fault.field, fault.needed) == ("missing_field", field, needed)
    assert fault.detail == f"{field}: it is missing; needed: {needed}"


@pytest.mark.parametrize(
    ("body", "field", "detail", "needed"),
    [
        ({"horizons": []}, "horizons", "found 0 items", "a list of at least 1 item"),
        ({"levels": [0.5] * 17}, "levels", "found 17 items", "a list of at most 16 items"),
        (
            {"companions": {str(it): {"bars": [BAR]} for it in range(9)}},
            "companions",
            "found more fields",
            "an object of at most 8 fields",
        ),
    ],
)
def test_lists_are_counted_in_words_of_json(
    body: dict[str, Any], field: str, detail: str, needed: str
) -> None:
    fault = fault_of(ForecastRequest, body)
    assert (fault.field, fault.needed) == (field, needed)
    assert fault.detail == f"{field}: {detail}; needed: {needed}"


def test_the_fields_of_every_body_are_known(client: TestClient) -> None:
    assert isinstance(client.app, FastAPI)
    routes = [it for it in client.app.routes if isinstance(it, BodyRoute)]
    schemas = {it.schema for it in routes if it.schema is not None}
    assert len(schemas) > 5
    for schema in schemas:
        detail: Any = {"type": "extra_forbidden", "loc": ("x",), "msg": "?", "input": 1}
        assert told(detail, "x", schema)[1] == ", ".join(schema.model_fields)
