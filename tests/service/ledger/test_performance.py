"""What live forecasts are worth, against benchmarks, intervals and promises."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from service.app import create_app
from service.ledger.performance import _apart, _pvalue
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.any_asset import publish_universal
from tests.service.client import TestClient
from tests.service.ledger.days import DAY, days_after, live, performance
from tests.service.worlds import ASSET, NOW, SetClock
from volatility.evaluation.diebold_mariano import diebold_mariano

RNG = np.random.default_rng(11)
RV = make_series().rv[-30:][::-1] * RNG.gamma(8.0, 1 / 8, 30)
BARS = days_after(RV)


@pytest.fixture
def client(settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock)) as client:
        yield client


def qlike(rv: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    return rv / forecast - np.log(rv / forecast) - 1


def test_a_month_of_days(client: TestClient, clock: SetClock) -> None:
    said = list(live(client, clock, BARS, model="log_har"))
    forecast = np.array([it["rv"] for it in said])
    rv = np.array(client.get(f"/assets/{ASSET}/history").json()["rv"][-30:])
    np.testing.assert_allclose(rv, RV, rtol=1e-9)
    found = performance(client)
    assert set(found) == {"log_har", "har"}  # the other benchmark is not in this store
    row, har = found["log_har"], found["har"]
    assert (row["nobs"], row["pending"], row["missing"], row["version"]) == (30, 0, 0, 1)
    assert (row["start"], row["end"]) == (said[0]["target_date"], said[-1]["target_date"])
    losses = qlike(rv, forecast)
    assert row["qlike_loss"] == pytest.approx(losses.mean(), rel=1e-12)
    assert row["bias"] == pytest.approx((rv / forecast).mean() - 1, rel=1e-12)
    bounds = np.array([it["intervals"][0]["rv"] for it in said])
    [first, second] = row["intervals"]
    assert (first["level"], first["nobs"], second["level"]) == (0.8, 30, 0.95)
    inside = (bounds[:, 0] <= rv) & (rv <= bounds[:, 1])
    assert first["coverage"] == pytest.approx(inside.mean())
    assert first["promised"] == said[0]["intervals"][0]["coverage_observed"]
    outside = np.maximum(bounds[:, 0] - rv, 0) + np.maximum(rv - bounds[:, 1], 0)
    score = bounds[:, 1] - bounds[:, 0] + 2 / 0.2 * outside
    assert first["interval_loss"] == pytest.approx(score.mean())
    against = row["against"]["har"]
    assert against["nobs"] == 30
    assert against["qlike_ratio"] == pytest.approx(row["qlike_loss"] / har["qlike_loss"])
    assert har["against"] == {}
    replays = [_shadow(client, day) for day in said]
    others = qlike(rv, np.array(replays))
    assert against["dm_pvalue"] == pytest.approx(diebold_mariano(losses, others).pvalue, rel=1e-9)


def _shadow(client: TestClient, answer: dict[str, Any]) -> float:
    """HAR's forecast of the same day."""
    asked = {"asset": ASSET, "model": "har", "as_of": answer["as_of"]}
    return float(client.post("/forecast", json=asked).json()["rv"])


def test_a_window_is_what_is_asked_for(client: TestClient, clock: SetClock) -> None:
    said = list(live(client, clock, BARS[:8], model="log_har"))
    dates = [it["target_date"] for it in said]
    found = performance(client, start=dates[2], end=dates[5])["log_har"]
    assert (found["nobs"], found["start"], found["end"]) == (4, dates[2], dates[5])
    assert performance(client, horizon=5) == {}
    assert performance(client, start=dates[2])["har"]["nobs"] == 6


def test_a_forecast_waits_for_its_outcome_and_goes_without_where_that_is_missing(
    client: TestClient, clock: SetClock
) -> None:
    list(live(client, clock, BARS[:2], model="log_har"))
    client.post("/forecast", json={"asset": ASSET, "model": "log_har"}).raise_for_status()
    row = performance(client)["log_har"]
    assert (row["nobs"], row["pending"], row["missing"]) == (2, 1, 0)
    clock.now += 2 * DAY
    client.put(f"/assets/{ASSET}/bars", json={"bars": BARS[3:4]}).raise_for_status()
    row = performance(client)["log_har"]
    assert (row["nobs"], row["pending"], row["missing"]) == (2, 0, 1)
    client.put(f"/assets/{ASSET}/bars", json={"bars": BARS[2:3]}).raise_for_status()
    assert performance(client)["log_har"]["nobs"] == 3


def test_after_a_correction_the_last_forecast_before_the_close_counts(
    client: TestClient, clock: SetClock
) -> None:
    first = client.post("/forecast", json={"asset": ASSET, "model": "log_har"}).json()
    clock.now += timedelta(hours=1)
    bar = client.get(f"/assets/{ASSET}/bars?limit=1").json()["bars"][0] | {"high": 180.0}
    put = client.put(f"/assets/{ASSET}/bars?replace=true", json={"bars": [bar]})
    put.raise_for_status()
    second = client.post("/forecast", json={"asset": ASSET, "model": "log_har"}).json()
    assert second["rv"] > 1.5 * first["rv"]
    clock.now = NOW + DAY
    client.put(f"/assets/{ASSET}/bars", json={"bars": BARS[:1]}).raise_for_status()
    row = performance(client)["log_har"]
    assert row["nobs"] == 1
    assert row["bias"] == pytest.approx(RV[0] / second["rv"] - 1, rel=1e-9)


def test_a_correction_that_is_taken_back_leaves_the_first_forecast(
    client: TestClient, clock: SetClock
) -> None:
    """Which is given again, under the id that it had."""
    path = f"/assets/{ASSET}/bars?replace=true"
    bar = client.get(f"/assets/{ASSET}/bars?limit=1").json()["bars"][0]
    said = []
    for high in (bar["high"], 180.0, bar["high"]):
        client.put(path, json={"bars": [bar | {"high": high}]}).raise_for_status()
        said.append(client.post("/forecast", json={"asset": ASSET, "model": "log_har"}).json())
        clock.now += timedelta(hours=1)
    assert said[0]["forecast_id"] == said[2]["forecast_id"] != said[1]["forecast_id"]
    clock.now = NOW + DAY
    client.put(f"/assets/{ASSET}/bars", json={"bars": BARS[:1]}).raise_for_status()
    row = performance(client)["log_har"]
    assert row["bias"] == pytest.approx(RV[0] / said[0]["rv"] - 1, rel=1e-9)


def test_a_forecast_after_the_close_does_not_count(client: TestClient, clock: SetClock) -> None:
    clock.now = NOW + 2 * DAY  # a session has closed of which no bar came in
    client.post("/forecast", json={"asset": ASSET, "model": "log_har"}).raise_for_status()
    assert performance(client) == {}


def test_a_break_raises_an_alarm_and_calm_does_not(client: TestClient, clock: SetClock) -> None:
    """Outcomes a hundred times what is forecast, by turns: no model follows them."""
    calm = days_after(np.full(40, make_series().rv[-22:].mean()))
    said = list(live(client, clock, calm[:20], model="log_har"))
    alarms = performance(client)["log_har"]["alarms"]
    assert {name: (it["raised"], it["active"]) for name, it in alarms.items()} == {
        "qlike": ([], False),
        "coverage": ([], False),
    }
    assert 0 <= alarms["qlike"]["strength"] < 1e-2
    wild = make_series().rv[-22:].mean() * np.where(np.arange(40) % 2, 0.02, 50.0)
    broken = days_after(wild)[20:]
    said += live(client, clock, broken, model="log_har")
    alarm = performance(client)["log_har"]["alarms"]["qlike"]
    assert alarm["active"]
    assert said[20]["target_date"] < alarm["raised"][0] <= said[-1]["target_date"]
    assert performance(client)["log_har"]["qlike_loss"] > 2 * alarm["promised"]
    # It is over 22 sessions later, though nobody asks the model any more.
    later = days_after(np.full(63, make_series().rv[-22:].mean()))[40:]
    for bar in later:
        clock.now += DAY
        client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]}).raise_for_status()
    after = performance(client)["log_har"]["alarms"]["qlike"]
    assert (after["raised"], after["active"]) == (alarm["raised"], False)


def test_what_was_promised_is_that_of_the_version(client: TestClient, clock: SetClock) -> None:
    list(live(client, clock, BARS[:1], model="log_har"))
    manifest = client.get(f"/models/{ASSET}/log_har").json()["manifest"]
    row = performance(client)["log_har"]
    assert row["promised_qlike"] == manifest["evaluation"]["qlike_loss"]
    assert row["alarms"]["qlike"]["promised"] == row["promised_qlike"]
    [interval] = [it for it in manifest["intervals"] if it["level"] == 0.8]
    assert row["alarms"]["coverage"]["promised"] == pytest.approx(1 - interval["coverage_observed"])


def test_what_the_model_for_every_asset_promises_is_that_of_the_asset_s_kind(
    settings: Settings, clock: SetClock
) -> None:
    publish_universal(settings)
    with TestClient(create_app(settings, clock)) as client:
        [said] = live(client, clock, BARS[:1], model="universal")
        row = performance(client)["universal"]
    assert [(it["level"], it["promised"]) for it in row["intervals"]] == [
        (it["level"], it["coverage_observed"]) for it in said["intervals"]
    ]
    assert row["promised_qlike"] > 0


def test_an_asset_without_a_benchmark_of_its_own_is_told(
    settings: Settings, clock: SetClock
) -> None:
    shutil.rmtree(settings.store_folder / ASSET / "har")
    with TestClient(create_app(settings, clock)) as client:
        list(live(client, clock, BARS[:2], model="log_har"))
        answer = client.get(f"/performance/{ASSET}").json()
    [row] = answer["models"]
    assert (row["nobs"], row["against"]) == (2, {})
    assert answer["warnings"] == [
        f"no benchmark: {ASSET} has no har or calendar_log_har of its own"
    ]


def test_a_test_of_overlapping_forecasts_needs_ten_that_share_no_session() -> None:
    rng = np.random.default_rng(2)
    losses, others = rng.gamma(1.0, 1.0, (2, 50))
    assert _pvalue(losses[:49], others[:49], 5) is None
    assert _pvalue(losses, others, 5) == diebold_mariano(losses, others, 5).pvalue
    assert _pvalue(losses[:10], others[:10], 1) is not None
    assert _pvalue(losses[:9], others[:9], 1) is None


def test_dates_that_run_backwards_are_refused(client: TestClient) -> None:
    found = client.get(f"/performance/{ASSET}?start=2021-02-05&end=2021-02-04")
    problem = found.json()
    assert (found.status_code, problem["field"], problem["needed"]) == (
        422,
        "end",
        "a date from 2021-02-05 on",
    )


def test_forecasts_that_share_no_session() -> None:
    assert _apart(np.array([3, 4, 5, 6, 9, 10, 14]), 3).tolist() == [0, 3, 4, 6]
    assert _apart(np.array([3, 4, 6]), 1).tolist() == [0, 1, 2]
    nothing = np.array([], np.intp)
    assert nothing[_apart(nothing, 3)].tolist() == []


def test_an_asset_that_is_not_held_has_no_performance(client: TestClient) -> None:
    found = client.get("/performance/NOBODY")
    assert (found.status_code, found.json()["code"]) == (404, "no_history")
    told = tuple(found.json()[name] for name in ("field", "found", "needed"))
    assert told == ("asset", "NOBODY", "a held asset")
