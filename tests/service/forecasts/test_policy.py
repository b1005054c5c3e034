"""Histories that the operator lets nobody forecast from."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, bars_of, json_bars

BARS = json_bars(bars_of(make_series()))


@contextmanager
def serving(settings: Settings, days_later: int = 0, **policy: int) -> Iterator[TestClient]:
    app = create_app(settings.model_copy(update=policy), lambda: NOW + timedelta(days_later))
    with TestClient(app) as client:
        yield client


def ask(client: TestClient, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post("/forecast", json={"asset": ASSET, **more})
    return answer.status_code, answer.json()


def test_a_stale_history_is_refused_from_the_bound_on(settings: Settings) -> None:
    with serving(settings, days_later=3, max_stale_sessions=3) as client:
        assert ask(client)[1]["stale_sessions"] == 3
        assert client.get("/health/ready").json()["status"] == "ok"
    with serving(settings, days_later=4, max_stale_sessions=3) as client:
        status, problem = ask(client)
        sent, _ = ask(client, history={"bars": BARS})
        undated, _ = ask(client, history={"rv": [1e-4] * 22})
        ready = client.get("/health/ready").json()
    assert (status, problem["code"], problem["found"]) == (422, "history_stale", 4)
    assert f"ends on {LAST}" in problem["detail"]
    assert "at most 3" in problem["detail"]
    assert (sent, undated) == (422, 200)
    assert ready["status"] == "degraded"
    assert ready["warnings"] == [f"the history of {ASSET} is 4 sessions old; at most 3 are allowed"]


@pytest.mark.parametrize(("missing", "status"), [(2, 200), (3, 422)])
def test_a_history_that_lacks_sessions_is_refused_beyond_the_bound(
    settings: Settings, missing: int, status: int
) -> None:
    with serving(settings, max_missing_sessions=2) as client:
        lacking = [*BARS[: -5 - missing], *BARS[-5:]]
        found, answer = ask(client, model="har", history={"bars": lacking})
    assert found == status
    if status == 422:
        assert (answer["code"], answer["found"]) == ("history_incomplete", 3)
        assert "har sees 22" in answer["detail"]


def test_what_a_model_does_not_see_may_be_missing(settings: Settings) -> None:
    with serving(settings, max_missing_sessions=0) as client:
        assert ask(client, history={"bars": [*BARS[:100], *BARS[110:]]})[0] == 200


def test_a_replay_is_judged_as_of_its_day(settings: Settings) -> None:
    day = str(np.datetime64(LAST) - 10)
    with serving(settings, days_later=9, max_stale_sessions=0) as client:
        assert ask(client, as_of=day)[0] == 200


def test_in_a_batch_it_is_refused_alone(settings: Settings) -> None:
    items = [{"asset": ASSET, "history": {"rv": [1e-4] * 22}}, {"asset": ASSET}]
    with serving(settings, days_later=4, max_stale_sessions=3) as client:
        answer = client.post("/forecast/batch", json={"items": items}).json()
    assert answer["failed"] == 1
    assert answer["items"][1]["code"] == "history_stale"
