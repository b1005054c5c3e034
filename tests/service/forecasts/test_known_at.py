"""A forecast can be replayed as it was made, from what was known then."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, SetClock, bars_of, json_bars

BARS = json_bars(bars_of(make_series()))
PATH = f"/assets/{ASSET}/bars"
NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}
CORRECTED = BARS[-1] | {"high": 120.0}


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def client(settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock)) as client:
        yield client


def forecast(client: TestClient, model: str = "log_har", **asked: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def without_remarks(answer: dict[str, Any]) -> dict[str, Any]:
    """A replay says that the model may have seen the day; all else is the same."""
    return {name: it for name, it in answer.items() if name != "warnings"}


def test_a_forecast_is_made_again_after_a_correction_and_another_day(
    client: TestClient, clock: SetClock
) -> None:
    before = forecast(client)
    asked_at = clock.now.isoformat()
    clock.now = NOW + timedelta(days=1)
    client.put(PATH, json={"bars": [NEXT]}).raise_for_status()
    client.put(f"{PATH}?replace=true", json={"bars": [CORRECTED]}).raise_for_status()
    assert forecast(client, as_of=LAST)["rv"] != before["rv"]
    replayed = forecast(client, known_at=asked_at)
    assert without_remarks(replayed) == without_remarks(before)
    assert forecast(client, as_of=LAST, known_at=asked_at) == replayed
    read = client.get(f"/forecast/{ASSET}", params={"model": "log_har", "known_at": asked_at})
    assert read.json() == replayed


def test_a_day_that_was_corrected_is_replayed_with_what_was_known_of_it(
    client: TestClient, clock: SetClock
) -> None:
    """The same day and revision, two answers: nothing that is kept may mix them up."""
    client.put(f"{PATH}?replace=true", json={"bars": [CORRECTED]}).raise_for_status()
    clock.now = NOW + timedelta(hours=2)
    old = forecast(client, as_of=LAST, known_at=(NOW - timedelta(hours=1)).isoformat())
    new = forecast(client, as_of=LAST, known_at=(NOW + timedelta(hours=1)).isoformat())
    assert old["rv"] != new["rv"] == forecast(client, as_of=LAST)["rv"]


def test_what_was_not_known_of_a_day_makes_it_stale(client: TestClient, clock: SetClock) -> None:
    clock.now = NOW + timedelta(days=2)
    client.put(PATH, json={"bars": [NEXT]}).raise_for_status()
    answer = forecast(client, known_at=(NOW + timedelta(days=1)).isoformat())
    assert (answer["as_of"], answer["stale_sessions"]) == (LAST, 1)
    assert forecast(client, known_at=clock.now.isoformat())["as_of"] == "2021-02-04"


@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({"known_at": "2021-02-04T12:00:01Z"}, "not_yet_known", "known_at"),
        ({"known_at": "2021-02-03T12:00:00Z", "as_of": LAST}, "future_dates", "as_of"),
        ({"known_at": "2021-02-03"}, "invalid_date", "known_at"),
        (
            {"known_at": "2021-02-03T12:00:00Z", "history": {"rv": [1e-4] * 30}},
            "known_at_with_history",
            "known_at",
        ),
    ],
)
def test_what_cannot_be_replayed(
    client: TestClient, asked: dict[str, Any], code: str, field: str
) -> None:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", **asked})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_nothing_was_known_of_an_asset_before_its_first_bars(settings: Settings) -> None:
    store = Store(settings.store_folder)
    store.promote("LATE", "har", store.publish(make_files("LATE")))
    with TestClient(create_app(settings, SetClock(NOW))) as client:
        client.put("/assets/LATE/bars", json={"bars": BARS}).raise_for_status()
        body = {"asset": "LATE", "model": "har", "known_at": "2021-02-04T11:59:59.999999Z"}
        answer = client.post("/forecast", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_history")
    assert answer.json()["field"] == "known_at"


@pytest.mark.parametrize("known_at", ["1900-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_a_time_before_the_calendar_is_named(client: TestClient, known_at: str) -> None:
    answer = client.get(f"/forecast/{ASSET}", params={"known_at": known_at})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (
        422,
        "outside_calendar",
        "known_at",
    ), problem


def test_a_batch_is_refused_item_by_item(client: TestClient) -> None:
    items = [{"asset": ASSET, "known_at": "2021-02-03T12:00:00Z"}, {"asset": ASSET}]
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert (answer["failed"], answer["items"][0]["code"]) == (1, "known_at_in_batch")
