"""A forecast from held history is recorded, told with its outcome, and made again bit for bit."""

import math
from datetime import timedelta
from typing import Any

import pytest

from models_store import Store
from service.app import create_app
from service.ledger.replaying import _differences
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, SetClock, bars_of, json_bars

BARS = json_bars(bars_of(make_series()))
PATH = f"/assets/{ASSET}/bars"
NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}
CORRECTED = BARS[-1] | {"high": 120.0}
DAY = timedelta(days=1)
OF_NOW = ("model_version", "stale_sessions", "degraded_reason", "skill", "warnings")


def forecast(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "log_har", **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def recorded(client: TestClient, answer: dict[str, Any]) -> dict[str, Any]:
    found = client.get(f"/forecasts/{answer['forecast_id']}")
    assert found.status_code == 200, found.text
    return dict(found.json())


def replayed(client: TestClient, answer: dict[str, Any]) -> dict[str, Any]:
    found = client.get(f"/forecasts/{answer['forecast_id']}/replay")
    assert found.status_code == 200, found.text
    return dict(found.json())


def put(client: TestClient, bar: dict[str, Any], replace: bool = False) -> None:
    query = "?replace=true" if replace else ""
    client.put(f"{PATH}{query}", json={"bars": [bar]}).raise_for_status()


def test_a_forecast_is_told_as_it_was_given(client: TestClient) -> None:
    answer = forecast(client)
    record = recorded(client, answer)
    assert record.pop("answer") == answer
    assert record == {
        "forecast_id": answer["forecast_id"],
        "asset": ASSET,
        "issued_at": "2021-02-04T12:00:00Z",
        "live": True,
        "role": "answer",
        "last_closed": LAST,
        "asked_as_of": None,
        "known_at": {ASSET: "1970-01-01T00:00:00Z"},
        "outcome": None,
        "warnings": ["the outcome is not known: a session of it is not held"],
    }


def test_the_outcome_is_told_once_its_session_is_held(client: TestClient, clock: SetClock) -> None:
    answer = forecast(client, levels=[0.95])
    clock.now = NOW + DAY
    put(client, NEXT)
    record = recorded(client, answer)
    [rv] = client.get(f"/assets/{ASSET}/history").json()["rv"][-1:]
    ratio = rv / answer["rv"]
    assert record["outcome"]["rv"] == rv
    assert record["outcome"]["qlike_loss"] == pytest.approx(ratio - math.log(ratio) - 1, rel=1e-12)
    expected = {str(it["level"]): it["rv"][0] <= rv <= it["rv"][1] for it in answer["intervals"]}
    assert record["outcome"]["covered"] == expected
    assert record["warnings"] == []
    assert record["answer"] == answer


def test_a_forecast_is_made_again_after_corrections_and_more_days(
    client: TestClient, clock: SetClock
) -> None:
    first = forecast(client, quantiles=[0.05, 0.5])
    clock.now = NOW + DAY
    put(client, NEXT)
    second = forecast(client)
    put(client, CORRECTED, replace=True)
    third = forecast(client)
    assert len({it["rv"] for it in (first, second, third)}) == 3
    for answer in (first, second, third):
        again = replayed(client, answer)
        assert (again["identical"], again["differences"]) == (True, [])
        for name in ("rv", "forecast_id", "as_of", "intervals", "calibration"):
            assert again["answer"][name] == answer[name]
    assert replayed(client, first)["answer"]["quantiles"] == first["quantiles"]


def test_what_is_told_since_a_record_was_made_is_no_difference(client: TestClient) -> None:
    answer = forecast(client)
    before = {**answer, "calibration": {**answer["calibration"]}}
    del before["calibration"]["effective_nobs"]
    assert _differences(before, answer) == ()
    before["calibration"]["nobs"] += 1
    assert _differences(before, answer) == ("calibration",)


def test_all_that_bars_and_a_version_make_is_compared(client: TestClient) -> None:
    """And nothing that is told of the model, or of the time since."""
    answer = forecast(client, quantiles=[0.5])
    changed = {
        "calibration": {**answer["calibration"], "nobs": 99},
        "intervals": [{**answer["intervals"][0], "level": 0.7}, answer["intervals"][1]],
    }
    for name in answer:
        of_bars = name not in OF_NOW
        other = {**answer, name: changed.get(name, "another")}
        assert _differences(answer, other) == ((name,) if of_bars else ()), name
        assert _differences(other, answer) == ((name,) if of_bars else ()), name
    dated = {**answer, "calibration": {**answer["calibration"], "through": "1999-12-31"}}
    assert _differences(dated, answer) == ()


def test_each_horizon_of_a_term_structure_is_a_forecast(client: TestClient) -> None:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", "horizons": [1]})
    [entry] = answer.json()["term_structure"]
    alone = forecast(client, model="har")
    assert entry["forecast_id"] == alone["forecast_id"]
    assert recorded(client, entry)["answer"] == alone
    assert replayed(client, entry)["identical"]


def test_a_batch_is_recorded(client: TestClient) -> None:
    body = {"items": [{"asset": ASSET, "model": it} for it in ("har", "last_value")]}
    items = client.post("/forecast/batch", json=body).json()["items"]
    assert [recorded(client, it)["answer"] for it in items] == items


def test_the_first_time_counts(client: TestClient, clock: SetClock) -> None:
    answer = forecast(client)
    assert recorded(client, answer)["issued_at"] == "2021-02-04T12:00:00Z"
    clock.now = NOW + timedelta(hours=1)
    again = forecast(client, explain=True)
    assert again["forecast_id"] == answer["forecast_id"]
    record = recorded(client, again)
    assert record["issued_at"] == "2021-02-04T12:00:00Z"
    assert record["answer"] == answer


def test_an_explanation_is_not_kept(client: TestClient) -> None:
    explained = forecast(client, model="har", explain=True)
    assert "explanation" in explained
    assert "explanation" not in recorded(client, explained)["answer"]
    assert replayed(client, explained)["identical"]


def test_a_replayed_day_is_recorded_and_is_not_live(client: TestClient) -> None:
    answer = forecast(client, as_of="2021-01-20")
    record = recorded(client, answer)
    assert (record["live"], record["asked_as_of"]) == (False, "2021-01-20")
    assert record["outcome"]["rv"] > 0
    assert replayed(client, answer)["identical"]
    assert client.get(f"/performance/{ASSET}").json()["models"] == []


def test_what_replays_what_was_known_is_not_live(client: TestClient, clock: SetClock) -> None:
    """Its target has closed by now, whatever it had at the time that is replayed."""
    asked_at = clock.now
    live = forecast(client)
    clock.now = NOW + DAY
    put(client, NEXT)
    replay = forecast(client, known_at=asked_at.isoformat(), levels=[0.8])
    record = recorded(client, replay)
    assert (record["live"], record["last_closed"], record["asked_as_of"]) == (
        False,
        "2021-02-04",
        LAST,
    )
    assert recorded(client, live)["live"]
    assert replayed(client, replay)["identical"]
    rows = client.get(f"/performance/{ASSET}").json()["models"]
    assert {(it["model"], it["nobs"]) for it in rows} == {("log_har", 1), ("har", 1)}
    [row] = [it for it in rows if it["model"] == "log_har"]
    assert [it["level"] for it in row["intervals"]] == [0.8, 0.95]


def test_a_history_of_the_request_is_not_recorded(client: TestClient) -> None:
    answer = forecast(client, history={"bars": BARS[:40]})
    found = client.get(f"/forecasts/{answer['forecast_id']}")
    assert (found.status_code, found.json()["code"]) == (404, "unknown_forecast")
    assert found.json()["field"] == "forecast_id"
    assert found.json()["found"] == answer["forecast_id"]
    assert found.json()["needed"] == "the forecast_id of an answer from held history"


@pytest.mark.parametrize("name", ["0" * 31, "g" * 32, "0" * 33])
def test_what_is_no_id_is_refused(client: TestClient, name: str) -> None:
    for path in (f"/forecasts/{name}", f"/forecasts/{name}/replay"):
        found = client.get(path)
        assert (found.status_code, found.json()["field"]) == (422, "forecast_id"), found.text


def test_a_version_that_no_longer_serves_makes_its_forecasts_again(
    settings: Settings, clock: SetClock
) -> None:
    with TestClient(create_app(settings, clock)) as client:
        before = forecast(client, model="har")
    store = Store(settings.store_folder)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har", 3e-5)))
    with TestClient(create_app(settings, clock)) as client:
        after = forecast(client, model="har")
        assert (before["model_version"], after["model_version"]) == (1, 2)
        assert before["rv"] != after["rv"]
        assert replayed(client, before)["answer"]["rv"] == before["rv"]
        assert replayed(client, before)["identical"]
        pinned = forecast(client, model="har", model_version=1)
        assert pinned["forecast_id"] == before["forecast_id"]
        assert pinned["skill"] is None
        assert "version 1 of har is not compared: it does not serve" in pinned["warnings"]
        assert forecast(client, model="har", model_version=2) == after


def test_a_forecast_whose_version_is_gone_cannot_be_made_again(
    settings: Settings, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har", 3e-5)))
    with TestClient(create_app(settings, clock)) as client:
        answer = forecast(client, model="har", model_version=1)
    for file in (settings.store_folder / ASSET / "har" / "1").iterdir():
        file.unlink()
    (settings.store_folder / ASSET / "har" / "1").rmdir()
    with TestClient(create_app(settings, clock)) as client:
        assert recorded(client, answer)["answer"] == answer
        gone = client.get(f"/forecasts/{answer['forecast_id']}/replay")
        assert (gone.status_code, gone.json()["code"]) == (410, "not_replayable")
        assert "there is no version 1 of TEST/har" in gone.json()["detail"]
        assert (gone.json()["field"], gone.json()["found"]) == (
            "forecast_id",
            answer["forecast_id"],
        )
        assert gone.json()["needed"] == "the bars and the version that it was made from"


def test_another_artifact_under_the_same_number_is_noticed(
    settings: Settings, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har", 3e-5)))
    with TestClient(create_app(settings, clock)) as client:
        answer = forecast(client, model="har", model_version=1)
    one, two = (settings.store_folder / ASSET / "har" / it for it in ("1", "2"))
    one.rename(one.with_name("old"))
    two.rename(one)
    with TestClient(create_app(settings, clock)) as client:
        gone = client.get(f"/forecasts/{answer['forecast_id']}/replay")
    assert (gone.status_code, gone.json()["code"]) == (410, "not_replayable")
    assert "version 1 of TEST/har is another by now" in gone.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "status", "field", "found"),
    [
        ({"model": "har", "model_version": 7}, 404, "model_version", 7),
        ({"model": "auto", "model_version": 1}, 422, "model", "auto"),
        ({"model": "nothing", "model_version": 1}, 404, "model_version", 1),
        ({"model": "har", "model_version": 0}, 422, "model_version", 0),
    ],
)
def test_versions_that_cannot_be_pinned(
    client: TestClient, asked: dict[str, Any], status: int, field: str, found: object
) -> None:
    answer = client.post("/forecast", json={"asset": ASSET, **asked})
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["found"]) == (status, field, found)


def test_a_version_is_not_pinned_in_a_batch(client: TestClient) -> None:
    body = {"items": [{"asset": ASSET, "model": "har", "model_version": 1}, {"asset": ASSET}]}
    answer = client.post("/forecast/batch", json=body).json()
    assert answer["failed"] == 1
    assert answer["items"][0]["code"] == "model_version_in_batch"
    assert answer["items"][1]["model"] == "log_har"
