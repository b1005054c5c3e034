"""Headers, ids, log lines, and the last line of defence."""

import io
import json
import re
from datetime import UTC, datetime

import pytest
import structlog
from fastapi import FastAPI

from service.http.middleware import request_log
from tests.service.client import TestClient
from tests.service.worlds import ASSET


@pytest.mark.parametrize("path", ["/forecast", "/models", "/metrics", "/openapi.json", "/nothing"])
def test_every_answer_has_its_schema_and_an_id(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["roughcast-schema"] == "1"
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_have_parameters(client: TestClient, media_type: str) -> None:
    headers = {"content-type": media_type}
    answer = client.post("/forecast", content=b'{"asset": "TEST"}', headers=headers)
    assert answer.status_code == 200


def test_ids_differ(client: TestClient) -> None:
    assert len({client.get("/health/live").headers["x-request-id"] for _ in range(20)}) == 20


def test_a_harmless_id_of_the_caller_is_kept(client: TestClient) -> None:
    answer = client.get("/health/live", headers={"x-request-id": "desk-7.order_42"})
    assert answer.headers["x-request-id"] == "desk-7.order_42"


@pytest.mark.parametrize("given", ["", "a b", 'x"y', "x" * 65, "línea"])
def test_another_id_of_the_caller_is_not(client: TestClient, given: str) -> None:
    answer = client.get("/health/live", headers=[(b"x-request-id", given.encode())])
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])


def test_a_bug_leaves_the_service_as_an_id_alone(app: FastAPI) -> None:
    @app.get("/bug")
    async def bug() -> None:
        raise KeyError("secret")

    with TestClient(app) as client, structlog.testing.capture_logs() as lines:
        answer = client.get("/bug")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal_error"
    assert "secret" not in answer.text
    request_id = answer.headers["x-request-id"]
    assert request_id in answer.json()["detail"]
    [logged] = [line for line in lines if line["event"] == "bug"]
    assert (logged["request_id"], logged["path"]) == (request_id, "/bug")


def test_a_request_is_one_line(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(request_log, "stream", stream)
    answer = client.get(f"/compare/{ASSET}?x=1")
    [line] = map(json.loads, stream.getvalue().splitlines())
    assert list(line) == [
        "request_id",
        "method",
        "path",
        "client",
        "key",
        "status",
        "milliseconds",
        "event",
        "level",
        "timestamp",
    ]
    assert line.pop("milliseconds") > 0
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo is UTC
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "path": f"/compare/{ASSET}",
        "client": "testclient",
        "key": None,
        "status": 200,
    }
