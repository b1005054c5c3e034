"""Requests as clients of the protocol send them, byte for byte, and what they are told."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from service.app import create_app
from service.database.base import USUAL
from service.database.opening import open_database
from service.security.keys import make_key
from service.security.store import KeyStore
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.protocols.speaking import LENGTH, numbers, outputs_of, path_of
from tests.service.worlds import ASSET, clock, json_rv

# Recorded of tritonclient 2.73.0 and kserve 0.21.0: 22 values from 0.0001 to 0.0003.
RECORDED = Path(__file__).with_name("recorded")
RV = np.linspace(1e-4, 3e-4, 22).tolist()
DAYS = [str(it) for it in np.arange("2021-01-13", "2021-02-04", dtype="datetime64[D]")]


def send(client: TestClient, name: str) -> httpx.Response:
    """Send what was recorded, without what is about the connection."""
    head, _, body = (RECORDED / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    request, *lines = head.decode().split("\r\n")
    method, path, _ = request.split()
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers.pop("Content-Length", 0)) == len(body)
    return client.request(method, path, headers=headers | {"Host": "127.0.0.1"}, content=body)


def said(client: TestClient, **body: object) -> dict[str, object]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", **body}).json()
    intervals = answer["intervals"]
    return {
        "rv": [answer["rv"]],
        "volatility_annualized": [answer["volatility_annualized"]],
        "lower": [[it["rv"][0] for it in intervals]],
        "upper": [[it["rv"][1] for it in intervals]],
        "forecast_id": [answer["forecast_id"]],
    }


@pytest.mark.parametrize(
    ("name", "is_binary", "request_id", "body"),
    [
        ("triton_binary", True, "7", {"levels": [0.8], "history": {"rv": RV, "dates": DAYS}}),
        ("triton_held", True, None, {}),
        ("kserve_binary", False, "a1", {"levels": [0.8], "history": {"rv": RV}}),
        (
            "kserve_json",
            False,
            "9da7ee58-f882-4768-bdce-84e14e34e042",
            {"history": {"rv": RV}},
        ),
    ],
)
def test_inferences_that_clients_send_are_answered(
    served: TestClient, name: str, is_binary: bool, request_id: str | None, body: dict[str, object]
) -> None:
    answer = send(served, name)
    assert answer.status_code == 200, answer.text
    length = int(answer.headers[LENGTH]) if is_binary else len(answer.content)
    assert (LENGTH in answer.headers) is is_binary
    told, found = json.loads(answer.content[:length]), outputs_of(answer)
    assert told.get("id") == request_id
    assert (told["model_name"], told["model_version"]) == (f"{ASSET}~har", "1")
    expected = said(served, **body)
    assert {it: found[it] for it in expected} == expected


def test_outputs_are_sent_as_a_client_wants_each(served: TestClient) -> None:
    answer = send(served, "triton_json")
    expected = said(served, history={"rv": RV, "dates": DAYS})
    assert outputs_of(answer) == {it: expected[it] for it in ("rv", "lower")}
    told = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert told["outputs"][0]["data"] == expected["rv"]
    assert told["outputs"][1]["parameters"] == {"binary_data_size": 16}


def test_the_index_and_metadata_are_asked_for_without_a_body(served: TestClient) -> None:
    assert f"{ASSET}~har" in {it["name"] for it in send(served, "triton_index").json()}
    answer = send(served, "triton_metadata")
    assert answer.status_code == 404
    assert answer.json()["error"].startswith("there is no asset 'ES=F' with models")


def test_the_server_says_what_it_is(served: TestClient) -> None:
    version = served.get("/openapi.json").json()["info"]["version"]
    assert served.get("/v2").json() == {
        "name": "roughcast",
        "version": version,
        "extensions": ["binary_tensor_data"],
    }


def test_health(client: TestClient) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    client.app_state["draining"].begun = True
    answer = client.get("/v2/health/ready")
    assert (answer.status_code, answer.json()) == (
        503,
        {"error": "the service has been told to stop"},
    )
    assert client.get("/v2/health/live").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/v2/", 404, "there is no route /v2/"),
        ("GET", "/v2/models", 404, "there is no route /v2/models"),
        ("GET", "/v2/models/TEST~har/infer", 405, "/v2/models/TEST~har/infer does not answer GET"),
        ("POST", "/v2/models/TEST~har/config", 404, "there is no route"),
        ("GET", "/v2?verbose=1", 422, "verbose: there is no such parameter"),
    ],
)
def test_what_is_not_there_is_told_in_the_protocol_s_form(
    served: TestClient, method: str, path: str, status: int, said: str
) -> None:
    answer = served.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert answer.json()["error"].startswith(said)
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/v2/models/TEST~har/infer", "/v2/repository/index"])
def test_other_media_types_are_refused(served: TestClient, path: str) -> None:
    for declared in ("text/plain", "multipart/form-data"):
        answer = served.post(path, content=b"{}", headers={"content-type": declared})
        assert answer.status_code == 415
        needed = "this route reads application/json or application/octet-stream"
        assert answer.json() == {"error": f"the body is declared as {declared}; {needed}"}


def test_a_body_that_is_too_large_is_refused(settings: Settings) -> None:
    small = settings.model_copy(update={"max_body_bytes": 1_000, "max_body_values": 500})
    with TestClient(create_app(small, clock)) as client:
        answer = client.post(path_of(f"{ASSET}~har"), content=b" " * 1_001)
        assert (answer.status_code, list(answer.json())) == (413, ["error"])
        assert "at most 1000 are accepted" in answer.json()["error"]


@pytest.fixture
def locked(settings: Settings) -> Iterator[tuple[TestClient, dict[str, str], dict[str, str]]]:
    """A service that needs keys, and the headers that bring one of each of two scopes."""
    keys = [make_key("desk", [scope], 0) for scope in ("forecast", "ingest")]
    database = open_database(settings.database_url, USUAL)
    for key, _ in keys:
        KeyStore(database).add(key)
    database.close()
    needing = settings.model_copy(update={"authentication": "keys"})
    with TestClient(create_app(needing, clock)) as it:
        asking, ingesting = ({"authorization": f"Bearer {text}"} for _, text in keys)
        yield it, asking, ingesting


def test_who_may_forecast_may_infer(
    locked: tuple[TestClient, dict[str, str], dict[str, str]],
) -> None:
    client, asking, ingesting = locked
    body = {"inputs": [numbers("rv", [json_rv()])]}
    for path in (path_of(f"{ASSET}~har"), path_of(f"{ASSET}~har", 1)):
        assert client.post(path, json=body, headers=asking).status_code == 200
        refused = client.post(path, json=body, headers=ingesting)
        assert (refused.status_code, list(refused.json())) == (403, ["error"])
        assert "may not do this" in refused.json()["error"]
        unknown = client.post(path, json=body)
        assert (unknown.status_code, unknown.json()) == (401, {"error": "no key is given"})
        assert unknown.headers["www-authenticate"] == "Bearer"
    assert client.post("/v2/repository/index", headers=asking).status_code == 200
    assert client.get("/v2", headers=asking).status_code == 200
    assert client.get("/v2").status_code == 401


def test_probes_need_no_key(locked: tuple[TestClient, dict[str, str], dict[str, str]]) -> None:
    client, *_ = locked
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").status_code == 200


def test_many_rows_wait_where_a_batch_would(client: TestClient) -> None:
    """In the lane of work, which may be full."""
    lanes = client.app_state["lanes"]
    lanes.work._inside = lanes.work.threads + lanes.work._waiting
    body = {"inputs": [numbers("rv", [json_rv()] * 2)]}
    client.post(path_of(f"{ASSET}~har"), json={"inputs": [numbers("rv", [json_rv()])]})
    answer = client.post(path_of(f"{ASSET}~har"), json=body)
    assert answer.status_code == 503
    assert "requests are waiting already for their work" in answer.json()["error"]
    assert answer.headers["retry-after"] == "1"
    body["inputs"] = [numbers("rv", [json_rv()])]
    assert client.post(path_of(f"{ASSET}~har"), json=body).status_code == 200
