"""What the service answers while its database is frozen, stopped or locked, for real."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.databases import PASSWORD, PostgresServer, locked
from tests.service.patience import eventually
from tests.service.worlds import ASSET, NOW, json_rv

TODAY = NOW + timedelta(days=1)
NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    short = {"database_statement_timeout": 1.0, "database_lock_timeout": 0.3}
    app = create_app(settings.model_copy(update=short), lambda: TODAY)
    with TestClient(app) as client:
        yield client


def put(client: TestClient) -> tuple[int, dict, str | None]:
    answer = client.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT]})
    return answer.status_code, answer.json(), answer.headers.get("retry-after")


def check_in_trouble(client: TestClient, reason: str, settings: Settings) -> None:
    """Ingestion is refused with a reason; the rest goes on."""
    before = without_warnings(client)
    status, problem, retry_after = put(client)
    assert (status, problem["code"], retry_after) == (503, "database_unavailable", "2")
    assert reason in problem["detail"]
    assert PASSWORD not in str(problem)
    assert settings.database_url.rpartition("=")[2] not in str(problem)
    assert without_warnings(client) == before
    for path in ("/health/live", "/metrics", "/assets", f"/assets/{ASSET}/history"):
        assert client.get(path).status_code == 200, path


def without_warnings(client: TestClient) -> dict:
    answer = client.post("/forecast", json={"asset": ASSET})
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if name != "warnings"}


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


def warns(client: TestClient, **body: object) -> bool:
    answer = client.post("/forecast", json={"asset": ASSET, **body}).json()
    assert all(f"since {TODAY:%Y-%m-%dT%H:%M:%SZ}" in it for it in doubts(answer))
    return bool(doubts(answer))


def doubts(answer: dict) -> list[str]:
    return [it for it in answer["warnings"] if "has not been compared with" in it]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("trouble", ["frozen", "stopped"])
def test_forecasts_say_that_the_history_does_not_follow(
    client: TestClient, postgres: PostgresServer, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.assets.watcher._COMPARING", 0.1)
    before = client.post("/forecast", json={"asset": ASSET}).content
    begin: AbstractContextManager[None] = getattr(postgres, trouble)()
    with begin:
        eventually(lambda: warns(client))
        assert not warns(client, history={"rv": json_rv()})
        batch = client.post("/forecast/batch", json={"items": [{"asset": ASSET}]}).json()
        assert doubts(batch["items"][0])
        assert "roughcast_history_in_step 0.0" in client.get("/metrics").text
    eventually(lambda: not warns(client))
    assert client.post("/forecast", json={"asset": ASSET}).content == before
    assert "roughcast_history_in_step 1.0" in client.get("/metrics").text


def test_readiness_warns_of_a_history_that_does_not_follow(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.assets.watcher._COMPARING", 0.05)
    monkeypatch.setattr("service.assets.watcher._RETRYING", 0.05)
    with monkeypatch.context() as patched:
        patched.setattr(client.app_state["holdings"], "refresh", lambda _revisions: 1 / 0)
        eventually(lambda: warns(client))
        answer = client.get("/health/ready").json()
        assert (answer["status"], len(doubts(answer))) == ("degraded", 1)
        for path in (f"/assets/{ASSET}/history?limit=1", f"/hurst/{ASSET}"):
            assert len(doubts(client.get(path).json())) == 1, path
    eventually(lambda: not warns(client))
    for path in (f"/assets/{ASSET}/history?limit=1", f"/hurst/{ASSET}"):
        assert not doubts(client.get(path).json()), path
    assert client.get("/health/ready").json()["status"] == "ok"
