"""What is forecast beside answers: benchmarks, and versions on trial."""

import shutil
from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest
from structlog.testing import capture_logs

from models_store import Store
from models_store.errors import ArtifactUnreadable
from models_store.shadows import start_shadow
from service.app import create_app
from service.forecasts.forecaster import forecast
from service.http.errors import DatabaseUnavailable
from service.ledger import shadows
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.ledger.days import DAY, days_after, live, performance
from tests.service.worlds import ASSET, SetClock
from volatility.errors import HistoryTooShort

RNG = np.random.default_rng(11)
RV = make_series().rv[-30:][::-1] * RNG.gamma(8.0, 1 / 8, 30)
BARS = days_after(RV)


@pytest.fixture
def client(settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock)) as client:
        yield client


def test_shadows_are_recorded_beside_and_told_to_nobody(
    settings: Settings, clock: SetClock
) -> None:
    start_shadow(Store(settings.store_folder), ASSET, "last_value", 1)
    with TestClient(create_app(settings, clock)) as client:
        list(live(client, clock, BARS[:3], model="log_har"))
        found = performance(client)
        assert {name: it["nobs"] for name, it in found.items()} == {
            "har": 3,
            "last_value": 3,
            "log_har": 3,
        }
        asked = {"asset": ASSET, "model": "last_value", "as_of": "2021-02-03"}
        shadow = client.post("/forecast", json=asked).json()
        record = client.get(f"/forecasts/{shadow['forecast_id']}").json()
    assert (record["role"], record["live"]) == ("shadow", True)


def test_a_shadow_is_forecast_once_for_each_state_of_the_bars(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that fails, which is written down; of a model that is not there nobody is told."""

    def fail(*_: object) -> None:
        raise HistoryTooShort("too short")

    monkeypatch.setattr(shadows, "forecast", fail)
    recorder, line = client.app_state["ledger"].recorder, ("info", ASSET, "har", "too short")
    for bars, levels, times in ((0, [0.8], 1), (0, [0.95], 0), (1, [0.8], 1)):
        for bar in BARS[:bars]:
            clock.now += DAY
            client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]}).raise_for_status()
        with capture_logs() as written:
            client.post("/forecast", json={"asset": ASSET, "levels": levels}).raise_for_status()
            recorder.flush()
        told = [it for it in written if it["event"] == "shadow not forecast"]
        found = [(it["log_level"], it["asset"], it["model"], it["reason"]) for it in told]
        assert found == [line] * times


@pytest.mark.parametrize(
    "error", [ArtifactUnreadable(ASSET, "har", 1, "away"), DatabaseUnavailable("away")]
)
def test_a_shadow_that_could_not_be_read_for_a_moment_is_forecast_later(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Some seconds after it failed, at the next answer; once it is there, no more."""
    recorder, since = client.app_state["ledger"].recorder, [0.0]

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(shadows, "time", SimpleNamespace(monotonic=lambda: since[0]))
    written = []
    for seconds, made in ((0.0, fail), (4.9, forecast), (5.0, forecast), (9.0, fail)):
        since[0] = seconds
        monkeypatch.setattr(shadows, "forecast", made)
        asked = {"asset": ASSET, "quantiles": [0.1 + 0.01 * seconds]}
        client.post("/forecast", json=asked).raise_for_status()
        before = recorder.written
        recorder.flush()
        written.append(recorder.written - before)
    assert written == [1, 1, 2, 1]  # the answers, and once har


def test_a_version_on_trial_has_a_row_beside_the_one_that_serves(
    settings: Settings, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    store.publish(make_files(ASSET, "log_har", 7e-5))
    with TestClient(create_app(settings, clock)) as client:
        list(live(client, clock, BARS[:1], model="log_har"))
        performance(client)  # all is recorded by then
        path = f"/admin/models/{ASSET}/log_har/shadow"
        assert client.post(path, json={"version": 2}).json()["shadow_version"] == 2
        list(live(client, clock, BARS[1:4], model="log_har"))
        performance(client)
        assert client.delete(path).json()["shadow_version"] is None
        list(live(client, clock, BARS[4:5], model="log_har"))
        rows = client.get(f"/performance/{ASSET}").json()["models"]
    found = {it["version"]: it for it in rows if it["model"] == "log_har"}
    assert [(version, it["nobs"]) for version, it in found.items()] == [(1, 5), (2, 3)]
    assert found[1]["qlike_loss"] != found[2]["qlike_loss"]
    assert set(found[2]["against"]) == {"har"}


def test_a_trial_that_begins_without_a_new_bar_is_forecast_at_the_next_answer(
    settings: Settings, client: TestClient, clock: SetClock
) -> None:
    """What has begun by a command, too, once the store has been looked at."""
    asked = {"asset": ASSET, "model": "log_har"}
    recorder = client.app_state["ledger"].recorder
    client.post("/forecast", json=asked).raise_for_status()
    recorder.flush()
    written = recorder.written
    start_shadow(Store(settings.store_folder), ASSET, "last_value", 1)
    client.post("/admin/reload").raise_for_status()
    client.post("/forecast", json=asked | {"levels": [0.95]}).raise_for_status()
    recorder.flush()
    assert recorder.written == written + 2  # the answer, and the one on trial


def test_what_cannot_be_forecast_of_a_trial_is_told(
    settings: Settings, client: TestClient, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    store.publish(make_files(ASSET, "log_har", 7e-5))
    path = f"/admin/models/{ASSET}/log_har/shadow"
    client.post(path, json={"version": 2}).raise_for_status()
    shutil.rmtree(store.root / ASSET / "log_har" / "2")
    with capture_logs() as told:
        list(live(client, clock, BARS[:1], model="log_har"))
        client.app_state["ledger"].recorder.flush()
    [line] = [it for it in told if it["event"] == "shadow not forecast"]
    assert (line["asset"], line["model"], line["version"]) == (ASSET, "log_har", 2)


def test_another_version_of_the_number_is_not_the_one_on_trial(
    settings: Settings, client: TestClient, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    path, digests = f"/admin/models/{ASSET}/log_har/shadow", []
    for intercept, bars in ((7e-5, BARS[:1]), (8e-5, BARS[1:2])):
        assert store.publish(make_files(ASSET, "log_har", intercept)) == 2
        digests.append(store.evidence(ASSET, "log_har", 2).sha256)
        client.post(path, json={"version": 2}).raise_for_status()
        list(live(client, clock, bars, model="log_har"))
        client.app_state["ledger"].recorder.flush()
        client.delete(path).raise_for_status()
        shutil.rmtree(store.root / ASSET / "log_har" / "2")
    ledger = client.app_state["ledger"].store
    records = ledger.live(ASSET, 1, date(2000, 1, 1), date(2100, 1, 1))
    tried = [it.model_sha256 for it in records if it.model_version == 2]
    assert tried == digests


def test_a_pointer_that_cannot_be_read_is_told_and_keeps_nothing_else_back(
    settings: Settings, clock: SetClock
) -> None:
    store = Store(settings.store_folder)
    start_shadow(store, ASSET, "last_value", 1)
    (store.root / ASSET / "log_har" / "shadow").write_text("{}")
    with capture_logs() as told, TestClient(create_app(settings, clock)) as client:
        list(live(client, clock, BARS[:2], model="log_har"))
        assert {name: it["nobs"] for name, it in performance(client).items()} == {
            "har": 2,
            "last_value": 2,
            "log_har": 2,
        }
        shown = client.get(f"/models/{ASSET}/log_har").json()
        ready = client.get("/health/ready").json()
    assert shown["shadow_version"] is None
    why = "its pointer 'shadow' cannot be read"
    [warning] = [it for it in ready["warnings"] if "on trial" in it]
    assert warning.startswith(f"which version of {ASSET}/log_har is on trial is not known: {why}")
    [line] = [it for it in told if it["event"] == "version on trial not known"]
    assert (line["log_level"], line["asset"], line["model"]) == ("warning", ASSET, "log_har")
    assert line["reason"].startswith(why)


def test_a_store_that_hangs_keeps_no_answer_from_being_recorded(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(*_: object) -> None:
        raise AssertionError("the store is asked")

    for name in ("tried_models", "shadow"):
        monkeypatch.setattr(f"service.models.on_trial.{name}", hang)
    list(live(client, clock, BARS[:2], model="log_har"))
    assert performance(client)["log_har"]["nobs"] == 2
