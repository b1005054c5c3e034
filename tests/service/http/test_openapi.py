"""The service's description of itself: kept, complete, and what it really answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.http.error_forms import foreign_form
from service.http.problems import MEDIA_TYPE, Problem
from service.server import main
from tests.service.client import TestClient

GOLDEN = Path(__file__).with_name("openapi.json")


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def test_it_is_the_one_on_file(document: dict[str, Any]) -> None:
    assert document == json.loads(GOLDEN.read_text()), (
        "the API has changed; if that is meant, run: make openapi"
    )


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


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in references(document):
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
