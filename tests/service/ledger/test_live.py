"""Once there are enough outcomes, an answer tells how the model does live."""

import time
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from service.app import create_app
from service.assets.held import Held
from service.ledger import live as live_scores
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.ledger.days import days_after, live, performance
from tests.service.worlds import ASSET, SetClock, bars_of, json_bars

RNG = np.random.default_rng(12)
BARS = days_after(make_series().rv[:12] * RNG.gamma(8.0, 1 / 8, 12))


@pytest.fixture(autouse=True)
def _ten_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_scores, "ENOUGH", 10)


def ask(client: TestClient, model: str = "log_har", **asked: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def look(client: TestClient) -> None:
    client.app_state["live"].look()


def test_skill_and_coverage_are_live_once_there_are_enough_outcomes(
    client: TestClient, clock: SetClock
) -> None:
    days = live(client, clock, BARS, model="log_har")
    for _ in range(10):
        next(days)  # whose bar comes in before the next
    look(client)  # nine outcomes
    before = ask(client, levels=[0.8])
    assert before["skill"]["source"] == before["intervals"][0]["observed"] == "test"
    next(days)
    look(client)  # ten
    answer, row = ask(client, levels=[0.8, 0.95]), performance(client)["log_har"]
    assert row["nobs"] == 10
    against = row["against"]["har"]
    assert answer["skill"] == {
        "baseline": "har",
        "qlike_ratio": against["qlike_ratio"],
        "dm_pvalue": against["dm_pvalue"],
        "in_confidence_set": None,
        "nobs": 10,
        "span": [row["start"], row["end"]],
        "calendar_log_har": None,
        "source": "live",
    }
    told = [(it["coverage_observed"], it["nobs"], it["observed"]) for it in answer["intervals"]]
    assert told == [(it["coverage"], 10, "live") for it in row["intervals"]]
    har = ask(client, model="har")["skill"]
    assert (har["qlike_ratio"], har["source"], har["nobs"]) == (1.0, "live", 10)
    assert ask(client, model="last_value")["skill"]["source"] == "test"


def test_what_is_kept_of_before_is_not_given_again(client: TestClient, clock: SetClock) -> None:
    list(live(client, clock, BARS, model="log_har"))
    first = ask(client)
    assert first["skill"]["source"] == "test"
    look(client)
    second = ask(client)
    assert second["skill"]["source"] == "live"
    assert (second["forecast_id"], second["rv"]) == (first["forecast_id"], first["rv"])


def test_a_history_of_the_request_is_not_what_was_scored(
    client: TestClient, clock: SetClock
) -> None:
    list(live(client, clock, BARS, model="log_har"))
    look(client)
    before = json_bars(bars_of(make_series().tail(30)))
    sent = ask(client, history={"bars": before + BARS})
    assert sent["skill"]["source"] == "test"


def test_a_day_that_is_replayed_tells_what_is_known_now(
    client: TestClient, clock: SetClock
) -> None:
    list(live(client, clock, BARS, model="log_har"))
    look(client)
    assert ask(client, as_of=BARS[3]["date"])["skill"]["source"] == "live"


def test_further_ahead_as_many_more_outcomes_are_needed(
    client: TestClient, clock: SetClock
) -> None:
    list(live(client, clock, BARS, model="log_har"))
    [found] = [
        it
        for it in client.app_state["ledger"].performance(ASSET, 1)
        if it.scored.track.model == "log_har"
    ]
    assert len(found.scored.rv) == 12
    assert live_scores._standing(found, 1) is not None
    assert live_scores._standing(found, 2) is None


def test_after_a_start_it_is_known_again(settings: Settings, clock: SetClock) -> None:
    with TestClient(create_app(settings, clock)) as client:
        list(live(client, clock, BARS, model="log_har"))
    with TestClient(create_app(settings, clock)) as client:
        scorer = client.app_state["live"]
        scorer.stop()
        scorer._stopping.clear()
        scorer._assets = set(client.app_state["ledger"].store.assets())
        scorer.look()
        assert ask(client)["skill"]["source"] == "live"


def test_metrics_and_readiness_tell_of_it(client: TestClient, clock: SetClock) -> None:
    flat = make_series().rv[-22:].mean()
    wild = days_after(flat * np.where(np.arange(20) % 2, 0.02, 60.0))
    list(live(client, clock, wild, model="log_har"))
    look(client)
    found = {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }
    row = performance(client)["log_har"]
    of_model = {ASSET, "log_har", "1"}
    assert found["roughcast_live_alarm", frozenset({*of_model, "qlike"})] == 1.0
    ratio = found["roughcast_live_qlike_ratio", frozenset({*of_model, "har"})]
    assert ratio == pytest.approx(row["against"]["har"]["qlike_ratio"])
    coverage = found["roughcast_live_coverage", frozenset({*of_model, "0.8"})]
    assert coverage == pytest.approx(row["intervals"][0]["coverage"])
    assert found["roughcast_ledger_written_total", frozenset()] >= 40
    assert found["roughcast_ledger_lost_total", frozenset()] == 0
    ready = client.get("/health/ready").json()
    assert ready["status"] == "degraded"
    [warning] = [it for it in ready["warnings"] if "qlike" in it and "log_har" in it]
    assert warning == (
        "live forecasts of version 1 of TEST/log_har, 1 ahead, are not what was promised: qlike, "
        f"{row['alarms']['qlike']['raised'][-1]}"
    )


def test_an_alarm_is_written_down_once(client: TestClient, clock: SetClock) -> None:
    flat = make_series().rv[-22:].mean()
    wild = days_after(flat * np.where(np.arange(20) % 2, 0.02, 60.0))
    list(live(client, clock, wild, model="log_har"))
    scores, ledger = client.app_state["live"].scores, client.app_state["ledger"]
    client.app_state["live"].stop()
    ledger.recorder.flush()
    scores.performances.clear()
    with capture_logs() as written:
        for _ in range(2):
            scores.refresh(ASSET, ledger)
    alarm = performance(client)["log_har"]["alarms"]["qlike"]
    raised = alarm["raised"]
    [line] = [it for it in written if (it["model"], it["watched"]) == ("log_har", "qlike")]
    assert line["event"] == "live forecasts are not what was promised"
    assert (line["log_level"], line["asset"], line["version"]) == ("warning", ASSET, 1)
    assert (line["raised"], line["horizon"], line["promised"]) == (raised[-1], 1, alarm["promised"])


def test_an_asset_that_is_held_no_longer_is_let_go_of(client: TestClient, clock: SetClock) -> None:
    list(live(client, clock, BARS, model="log_har"))
    look(client)
    scorer, model = client.app_state["live"], client.app_state["catalogue"].find(ASSET, "log_har")
    assert scorer.scores.of(ASSET, model, 1) is not None
    assert (ASSET, 1) in scorer.scores.performances
    del client.app_state["holdings"]._held[ASSET]
    scorer.look()
    assert scorer.scores.of(ASSET, model, 1) is None
    assert scorer.scores.performances == {}


def test_what_others_recorded_is_looked_for_once_more(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, refreshed = client.app_state["live"], []
    scorer.stop()
    scorer._stopping.clear()
    list(live(client, clock, BARS[:2], model="log_har"))
    monkeypatch.setattr(scorer.scores, "refresh", lambda asset, _ledger: refreshed.append(asset))
    now = time.monotonic()
    for later in (0.0, 1.0, 6.0, 7.0, 60.0):
        monkeypatch.setattr(time, "monotonic", lambda later=later: now + later)
        scorer.look()
    assert refreshed == [ASSET, ASSET]


def test_a_bar_that_closes_no_session_is_no_reason_to_look(
    client: TestClient, clock: SetClock
) -> None:
    held = Held.of(client.app_state["holdings"].store.read(ASSET))
    scorer = client.app_state["live"]
    assert scorer._is_due("A", held)
    held.revision += 1
    assert not scorer._is_due("A", held)
    held.series().rv[3] *= 2
    assert scorer._is_due("A", held)


def test_all_assets_are_told_of_at_once(client: TestClient, clock: SetClock) -> None:
    nothing = {"horizon": 1, "assets": [], "warnings": []}
    assert client.get("/performance").json() == nothing
    list(live(client, clock, BARS, model="log_har", levels=[0.8]))
    look(client)
    [found] = client.get("/performance").json()["assets"]
    rows, told = performance(client), {it["model"]: it for it in found["models"]}
    assert found["asset"] == ASSET
    assert told.keys() == rows.keys() == {"log_har", "har"}
    for model, row in rows.items():
        interval = row["intervals"][0]
        assert interval["level"] == 0.8
        assert told[model] == {
            "model": model,
            "version": 1,
            "nobs": 12,
            "end": row["end"],
            "coverage": interval["coverage"],
            "coverage_promised": interval["promised"],
            "alarms": [name for name, it in row["alarms"].items() if it["active"]],
        }
    assert client.get("/performance?horizon=5").json() == nothing | {"horizon": 5}


def test_an_alarm_is_told_of_while_it_is_active(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    wild = days_after(make_series().rv[:12] * np.where(np.arange(12) % 2, 400.0, 1 / 400))
    list(live(client, clock, wild, model="har", levels=[0.8]))
    look(client)
    [[row]] = [it["models"] for it in client.get("/performance").json()["assets"]]
    watched = performance(client)["har"]["alarms"]
    assert row["alarms"] == [name for name, it in watched.items() if it["active"]] != []
