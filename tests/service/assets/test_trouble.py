"""What the service answers while its database is frozen, stopped or locked, for real."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.databases import PASSWORD, PostgresServer, locked
from tests.service.worlds import ASSET, NOW

NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    short = {"database_statement_timeout": 1.0, "database_lock_timeout": 0.3}
    app = create_app(settings.model_copy(update=short), lambda: NOW + timedelta(days=1))
    with TestClient(app) as client:
        yield client


def put(client: TestClient) -> tuple[int, dict, str | None]:
    answer = client.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT]})
    return answer.status_code, answer.json(), answer.headers.get("retry-after")


def check_in_trouble(client: TestClient, reason: str, settings: Settings) -> None:
    """Ingestion is refused with a reason; the rest goes on."""
    before = client.post("/forecast", json={"asset": ASSET}).content
    status, problem, retry_after = put(client)
    assert (status, problem["code"], retry_after) == (503, "database_unavailable", "2")
    assert reason in problem["detail"]
    assert PASSWORD not in str(problem)
    assert settings.database_url.rpartition("=")[2] not in str(problem)
    answer = client.post("/forecast", json={"asset": ASSET})
    assert (answer.status_code, answer.content) == (200, before)
    for path in ("/health/live", "/metrics", "/assets", f"/assets/{ASSET}/history"):
        assert client.get(path).status_code == 200, path


def check_not_ready(client: TestClient, reason: str) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert reason in answer.json()["detail"]


def check_recovered(client: TestClient) -> None:
    status, merged, _ = put(client)
    assert status == 200, merged
    assert (merged["added"] + merged["unchanged"], merged["bars"]) == (1, 401)
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("trouble", "reason"),
    [("frozen", "does not answer within"), ("stopped", "cannot be reached")],
)
def test_a_server_that_does_not_answer(
    client: TestClient, settings: Settings, postgres: PostgresServer, trouble: str, reason: str
) -> None:
    begin: AbstractContextManager[None] = getattr(postgres, trouble)()
    with begin:
        check_in_trouble(client, reason, settings)
        check_not_ready(client, reason)
    check_recovered(client)


def test_a_locked_database(client: TestClient, settings: Settings) -> None:
    with locked(settings.database_url):
        check_in_trouble(client, "is locked by another transaction", settings)
        if settings.database_url.startswith("postgresql"):  # SQLite's readers wait for nobody
            check_not_ready(client, "is locked by another transaction")
    check_recovered(client)


def test_metrics_tell_whether_the_history_follows(client: TestClient) -> None:
    assert "roughcast_history_in_step 1.0" in client.get("/metrics").text
    client.app_state["watcher"].in_step = False
    assert "roughcast_history_in_step 0.0" in client.get("/metrics").text
