"""A clock that was set back, or far ahead: refused or reported, and never a bug."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW

NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}
NEVER = datetime(2101, 1, 1, tzinfo=UTC)  # the calendar 24/7 ends with 2099
BEFORE = datetime(1899, 1, 1, tzinfo=UTC)


@contextmanager
def serving(settings: Settings, now: datetime) -> Iterator[TestClient]:
    with TestClient(create_app(settings, lambda: now)) as client:
        yield client


def check_alive(client: TestClient) -> None:
    for path in ("/health/live", "/metrics", "/assets", f"/assets/{ASSET}/history", "/models"):
        assert client.get(path).status_code == 200, path


def test_set_back_behind_the_newest_session(settings: Settings) -> None:
    with serving(settings, NOW - timedelta(days=3)) as client:
        answer = client.post("/forecast", json={"asset": ASSET}).json()
        replayed = client.post("/forecast", json={"asset": ASSET, "as_of": LAST})
        added = client.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT]})
        ready = client.get("/health/ready").json()
        [described] = client.get("/assets").json()["assets"]
        check_alive(client)
    assert (answer["as_of"], answer["stale_sessions"]) == (LAST, 0)
    doubt = f"ends on {LAST}, which has not closed by the clock of the service"
    assert doubt in answer["warnings"][0]
    assert "the last session that has is 2021-01-31" in answer["warnings"][0]
    assert (replayed.status_code, replayed.json()["code"]) == (422, "future_dates")
    assert (added.status_code, added.json()["code"]) == (422, "future_dates")
    assert ready["status"] == "degraded"
    assert doubt in ready["warnings"][0]
    assert described["stale_sessions"] == 0


def test_right_again_it_is_not_doubted(settings: Settings) -> None:
    now = [NOW - timedelta(days=3)]
    with TestClient(create_app(settings, lambda: now[0])) as client:
        assert client.post("/forecast", json={"asset": ASSET}).json()["warnings"]
        now[0] = NOW
        assert client.post("/forecast", json={"asset": ASSET}).json()["warnings"] == []
        assert client.get("/health/ready").json()["status"] == "ok"


def test_years_ahead_the_history_is_told_to_be_stale(settings: Settings) -> None:
    with serving(settings, NOW + timedelta(days=3650)) as client:
        answer = client.post("/forecast", json={"asset": ASSET}).json()
        ready = client.get("/health/ready").json()
        check_alive(client)
    assert answer["stale_sessions"] == 3650
    assert ready["stale_sessions"] == {ASSET: 3650}


@pytest.mark.parametrize("now", [NEVER, BEFORE])
def test_beyond_the_calendar_it_is_refused(settings: Settings, now: datetime) -> None:
    with serving(settings, now) as client:
        answer = client.post("/forecast", json={"asset": ASSET})
        added = client.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT]})
        ready = client.get("/health/ready").json()
        [described] = client.get("/assets").json()["assets"]
        check_alive(client)
    assert (answer.status_code, answer.json()["code"]) == (422, "outside_calendar")
    assert (added.status_code, added.json()["code"]) == (422, "outside_calendar")
    assert str(now.year) in ready["warnings"][0]
    assert ready["status"] == "degraded"
    assert described["stale_sessions"] is None
