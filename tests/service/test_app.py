"""How the application is put together from its settings."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Message

from service import app as app_module
from service.app import _lanes, _quotas, create_app
from service.forecasts.policy import HistoryPolicy
from service.http.errors import InvalidSetting
from service.http.lanes import Lane
from service.http.limits import BodyLimits
from service.http.middleware import RequestMiddleware
from service.ledger.recorder import Retention
from service.security.guard import Guard, Policy
from service.security.quotas import Quotas
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import clock

DESK = "https://desk.example.com"
BEHIND = ("history-watcher", "verifier", "store-follower", "ledger", "live-scores")


def options_of(app: FastAPI, middleware: Any) -> dict[str, Any] | None:
    """What a middleware was given; None where there is none."""
    found = [it.kwargs for it in app.user_middleware if it.cls is middleware]
    return dict(found[0]) if found else None


def test_each_kind_of_work_has_as_many_threads_as_are_set() -> None:
    own = Settings(work_threads=3, max_waiting_work=4, ingest_threads=5, max_waiting_ingests=6)

    def described(lane: Lane) -> tuple[str, int, int, float]:
        return lane._work, lane.threads, lane._waiting, lane._limiter.total_tokens

    assert [described(it) for it in _lanes(own)] == [
        ("work", 3, 4, 3),
        ("models", 3, 4, 3),
        ("bars", 5, 6, 5),
        ("issued forecasts", 3, 4, 3),
        ("probe", 1, 8, 1),
        ("command", 1, 8, 1),
    ]


def test_bodies_are_read_up_to_what_is_set() -> None:
    own = Settings(max_body_bytes=1, max_body_values=2, max_held_bytes=3)
    options = options_of(create_app(own), RequestMiddleware)
    assert options is not None
    limits = options["limits"]
    assert isinstance(limits, BodyLimits)
    assert (limits.most_bytes, limits.most_values, limits.most_held) == (1, 2, 3)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"rate_limit": 2.0}, (2.0, None)),
        ({"concurrency_limit": 3}, (None, 3)),
        ({"rate_limit": 2.0, "concurrency_limit": 3}, (2.0, 3)),
    ],
)
def test_clients_are_counted_where_a_limit_is_set(
    limits: dict[str, Any], expected: tuple[float | None, int | None] | None
) -> None:
    counted = _quotas(Settings(**limits))
    if expected is None:
        assert counted is None
        return
    assert isinstance(counted, Quotas)
    assert (counted._rate, counted._at_once) == expected


def test_the_guard_has_the_policy_of_the_settings() -> None:
    own = Settings(host="0.0.0.0", authentication="none", allowed_hosts=("vol.example.com",))
    options = options_of(create_app(own), Guard)
    assert options is not None
    names = {"vol.example.com", "localhost", "127.0.0.1", "::1", "0.0.0.0"}
    assert options["policy"] == Policy(keys_required=False, hosts=frozenset(names))
    assert options["quotas"] is None


def test_pages_of_a_named_origin_may_do_what_the_service_does() -> None:
    assert options_of(create_app(Settings()), CORSMiddleware) is None
    app = create_app(Settings(cors_origins=(DESK,)))
    client = TestClient(app)
    for method in ("GET", "POST", "PUT", "DELETE"):
        asking = {
            "origin": DESK,
            "access-control-request-method": method,
            "access-control-request-headers": "authorization,content-type,x-request-id",
        }
        answer = client.options("/forecast", headers=asking)
        assert answer.status_code == 200, method
        assert answer.headers["access-control-allow-origin"] == DESK
    refused = {"origin": DESK, "access-control-request-method": "PATCH"}
    assert client.options("/forecast", headers=refused).status_code == 400
    answer = client.get("/health/live", headers={"origin": DESK})
    shown = {it.strip() for it in answer.headers["access-control-expose-headers"].split(",")}
    assert shown == {"link", "retry-after", "roughcast-schema", "x-request-id"}


def test_what_goes_on_behind_the_answers_ends_with_the_service(settings: Settings) -> None:
    """In threads for which the end of the process does not wait."""
    before = set(threading.enumerate())
    own = settings.model_copy(update={"follow_seconds": 60.0})
    with TestClient(create_app(own)):
        behind = {it.name: it for it in set(threading.enumerate()) - before}
        threads = [behind[name] for name in BEHIND]
        assert all(it.is_alive() and it.daemon for it in threads)
    assert not any(it.is_alive() for it in threads)


def test_the_service_is_put_together_as_the_settings_say(settings: Settings) -> None:
    own = settings.model_copy(
        update={
            "follow_seconds": 61.0,
            "max_open_models": 62,
            "max_waiting_records": 63,
            "ledger_days": 64,
            "ledger_replay_days": 65,
            "max_recorded": 66,
            "max_stale_sessions": 67,
            "database_connect_timeout": 4.25,
        }
    )
    with TestClient(create_app(own)) as client:
        state = client.app_state
        ledger, policy = state["ledger"], state["policy"]
        assert (state["follower"]._seconds, state["follower"]._tally) == (
            61.0,
            state["metrics"].swaps,
        )
        assert state["catalogue"].open_choices._most == 62
        assert state["verifier"]._requests is state["lanes"].models
        assert (ledger.recorder._most, ledger.recorder._retention) == (
            63,
            Retention(timedelta(days=64), timedelta(days=65), 66),
        )
        assert policy == HistoryPolicy(67, None) == state["questions"]._policy
        assert ledger.questions._policy is None  # what was answered is answered again
        assert state["store_folder"]._seconds == 4.25
        assert state["questions"].versions is ledger.questions.versions
        assert state["ingest_tally"] is state["metrics"].ingests
        assert state["forecast_tally"] is state["metrics"].forecasts


def test_there_is_one_page_of_documentation() -> None:
    client = TestClient(create_app(Settings()))
    assert client.get("/docs").status_code == 200
    assert client.get("/redoc").status_code == 404


@pytest.mark.parametrize(
    ("is_refused", "error"), [(True, InvalidSetting("no")), (False, KeyError())]
)
def test_a_refused_start_is_told_without_a_traceback(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_refused: bool, error: Exception
) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    def assemble(*_: object) -> None:
        raise error

    monkeypatch.setattr(app_module, "_assemble", assemble)
    application = create_app(settings)
    with pytest.raises(type(error)), structlog.testing.capture_logs() as logged:
        asyncio.run(application({"type": "lifespan", "state": {}}, receive, send))
    [failed] = sent
    assert failed["type"] == "lifespan.startup.failed"
    assert ("Traceback" in failed.get("message", "")) is not is_refused
    reasons = [it["reason"] for it in logged if it["event"] == "cannot start"]
    assert reasons == (["no"] if is_refused else [])


@pytest.mark.parametrize("url", ["mysql://x", "foo", "postgres://u:secret@h/d", "sqlite:///"])
def test_a_database_that_cannot_be_used_is_told_without_a_traceback(
    settings: Settings, url: str
) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    application = create_app(settings.model_copy(update={"database_url": url}))
    with pytest.raises(InvalidSetting), structlog.testing.capture_logs() as logged:
        asyncio.run(application({"type": "lifespan", "state": {}}, receive, send))
    assert [it["type"] for it in sent] == ["lifespan.startup.failed"]
    assert "Traceback" not in sent[0].get("message", "")
    [reason] = [it["reason"] for it in logged if it["event"] == "cannot start"]
    assert "needed: " in reason
    assert "secret" not in reason


def test_no_thread_keeps_the_process_from_ending_and_each_has_a_name(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None that waits for a database, a disk or a store; what is stuck is told by its name."""
    started: dict[str, bool] = {}
    start = threading.Thread.start

    def starting(thread: threading.Thread) -> None:
        started[thread.name] = thread.daemon
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starting)
    with TestClient(create_app(settings, clock)) as client:
        client.get("/health/ready").raise_for_status()
        client.get("/metrics").raise_for_status()
    names = ("history-watcher", "verifier", "store-follower", "ledger", "live-scores")
    assert {name: started.get(name) for name in names} == dict.fromkeys(names, True)
    assert {name: started.get(name) for name in ("store-folder", "disks")} == {
        "store-folder": True,
        "disks": True,
    }
