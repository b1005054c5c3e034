"""The service's description of itself: kept, complete, and what it really answers."""

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.http.error_forms import foreign_form
from service.http.examples import examples
from service.http.problems import MEDIA_TYPE, Problem
from service.server import main
from tests.service.client import TestClient

GOLDEN = Path(__file__).with_name("openapi.json")
BOUNDED = {"maxLength", "enum", "const", "format", "pattern"}


@pytest.fixture(scope="module")
def document(module_client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = module_client.get("/openapi.json").json()
    return found


def leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Every value in a document, by where it is."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, Any] = {place: type(value).__name__}
    for name, part in parts:
        at = f"{place}/{name}"
        found |= leaves(part, at) if isinstance(part, dict | list) else {at: part}
    return found


def texts(schema: Any, schemas: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every text that a schema asks for, by where it is."""
    inner = {f"{place}.{name}": it for name, it in schema.get("properties", {}).items()}
    inner |= {f"{place}|{at}": it for at, it in enumerate(schema.get("anyOf", ()))}
    inner |= {f"{place} {it}": schema[it] for it in ("items", "propertyNames") if it in schema}
    if isinstance(schema.get("additionalProperties"), dict):
        assert "propertyNames" in schema or not schema["additionalProperties"], place
        inner[f"{place}.*"] = schema["additionalProperties"]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        inner[f"{place} {name}"] = schemas[name]
    if schema.get("type") == "string" or place.endswith("propertyNames"):
        yield place, schema
    for at, it in inner.items():
        yield from texts(it, schemas, at)


def test_it_is_the_one_on_file(document: dict[str, Any]) -> None:
    found, kept = leaves(document), leaves(json.loads(GOLDEN.read_text()))
    changed = [it for it in found.keys() | kept.keys() if found.get(it) != kept.get(it)]
    assert sorted(changed) == [], "the API has changed; if that is meant, run: make openapi"


def test_it_is_made_once_and_not_on_the_event_loop(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    describe = app.openapi

    def slowly() -> dict[str, Any]:
        time.sleep(0.05)
        made.append(threading.current_thread())
        return describe()

    async def ask() -> list[httpx.Response]:
        made.append(threading.current_thread())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await asyncio.gather(*(client.get("/openapi.json") for _ in range(3)))

    monkeypatch.setattr(app, "openapi", slowly)
    answers = asyncio.run(ask())
    loop, *others = made
    assert len(others) == 1
    assert others[0] is not loop
    assert {it.content for it in answers} == {answers[0].content}
    assert answers[0].headers["content-type"] == "application/json"
    assert answers[0].json() == describe()


def test_the_command_prints_it(
    document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--openapi"])
    assert json.loads(capsys.readouterr().out) == document


def test_every_route_of_the_design_is_there(document: dict[str, Any]) -> None:
    found = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert found >= {
        "POST /forecast",
        "POST /forecast/batch",
        "GET /hurst/{asset}",
        "POST /hurst",
        "GET /compare/{asset}",
        "GET /models",
        "GET /models/{asset}/{model}",
        "GET /assets",
        "PUT /assets/{asset}/bars",
        "GET /assets/{asset}/history",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
        "POST /v2/models/{name}/infer",
        "POST /v1/timeseries/forecast",
    }


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By their ids."""
    found = [of for item in document["paths"].values() for of in item.values()]
    by_id = {of["operationId"]: of for of in found}
    assert len(by_id) == len(found)
    return by_id


def test_operations_have_short_ids_and_tags_that_are_described(document: dict[str, Any]) -> None:
    described = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert all(described.values())
    found = operations(document)
    assert {"forecast", "forecast_batch", "get_forecast", "get_asset_bars", "hurst"} <= set(found)
    used = set()
    for name, operation in found.items():
        assert re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){0,3}", name)
        used |= set(operation["tags"])
        assert len(operation["tags"]) == 1
    assert used == set(described)


def test_codes_of_errors_are_an_enumeration(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    codes = schemas["ErrorCode"]["enum"]
    assert codes == sorted(set(codes))
    for name in ("Problem", "FaultDocument"):
        assert schemas[name]["properties"]["code"] == {"$ref": "#/components/schemas/ErrorCode"}
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                told = re.findall(r"`(\w+)`", response["description"])
                assert told
                assert set(told) <= set(codes)


def test_schemas_are_named_once_and_well(document: dict[str, Any]) -> None:
    for name in document["components"]["schemas"]:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", name)
        assert not name.startswith(("Body_", "Response"))
        assert not name.endswith(("-Input", "-Output"))


def test_every_text_that_a_caller_sends_has_a_longest(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    found: list[tuple[str, dict[str, Any]]] = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for it in operation.get("parameters", ()):
                found += texts(it["schema"], schemas, f"{method} {path} {it['name']}")
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            found += texts(body.get("schema", {}), schemas, f"{method} {path}")
    assert len(found) > 100
    assert [place for place, schema in found if not BOUNDED & schema.keys()] == []


def test_no_parameter_may_be_null_since_none_can_be_written_so(document: dict[str, Any]) -> None:
    parameters = [it for of in operations(document).values() for it in of.get("parameters", ())]
    assert {"horizons", "format"} <= {it["name"] for it in parameters}
    for parameter in parameters:
        assert {"type": "null"} not in parameter["schema"].get("anyOf", [])


def test_every_operation_has_examples(document: dict[str, Any]) -> None:
    found = operations(document)
    assert set(examples()) == set(found)
    for operation in found.values():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path":
                assert "example" in parameter
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"]["application/json"]
        shown = [it for code, it in operation["responses"].items() if code.startswith("2")]
        assert all("example" in next(iter(it["content"].values())) for it in shown)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = list(references(document))
    assert "#/components/schemas/Problem" in found
    for name in found:
        assert name.removeprefix("#/components/schemas/") in document["components"]["schemas"]


def test_every_error_is_a_problem_document_or_one_of_its_protocol(
    document: dict[str, Any],
) -> None:
    for path, item in document["paths"].items():
        form = foreign_form(path)
        media_type, schema = (form.media_type, form.schema) if form else (MEDIA_TYPE, Problem)
        assert (form is not None) is path.startswith(("/v1", "/v2"))
        for operation in item.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert list(response["content"]) == [media_type]
                    name = response["content"][media_type]["schema"]["$ref"].rpartition("/")[2]
                    assert name == schema.__name__
                    assert "`" in response["description"]  # names the codes


@pytest.mark.parametrize("schema", ["ForecastRequest", "ForecastAnswer", "HistoryInput"])
def test_every_field_has_a_description(document: dict[str, Any], schema: str) -> None:
    undescribed = {
        name
        for name, field in document["components"]["schemas"][schema]["properties"].items()
        if "description" not in field and "$ref" not in field and "items" not in field
    }
    assert undescribed == set()


def test_the_page_for_people_is_served(client: TestClient) -> None:
    assert "Roughcast" in client.get("/docs").text


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return {it for child in node for it in references(child)}
    if not isinstance(node, dict):
        return set()
    found = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return found | {it for child in node.values() for it in references(child)}
