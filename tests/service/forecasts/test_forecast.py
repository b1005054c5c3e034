"""What a forecast answers, and that every field of it is true."""

import math
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import (
    ASSET,
    LAST,
    NOW,
    bars_of,
    clock,
    damage,
    json_bars,
    json_rv,
    publish_shifted,
)

SERIES = make_series()


@pytest.fixture
def client(module_client: TestClient) -> TestClient:
    return module_client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def same_numbers(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[name] == other[name] for name in ("forecast_id", "rv", "intervals"))


def test_every_field_is_what_the_artifact_says(client: TestClient, settings: Settings) -> None:
    model = Store(settings.store_folder).load(ASSET, "log_har")
    expected = model.forecast(SERIES, (0.8, 0.95))
    answer = ask(client)
    assert answer["model"] == "log_har"  # the champion
    assert answer["model_version"] == 1
    assert answer["model_sha256"] == model.sha256
    assert answer["as_of"] == LAST
    assert answer["target_date"] == "2021-02-04"
    assert answer["horizon"] == 1
    assert answer["measure"] == "garman_klass"
    # The bars give back the variance they were made from to the last bits but one or two.
    assert answer["rv"] == pytest.approx(expected.rv, rel=1e-12)
    assert answer["volatility"] == pytest.approx(math.sqrt(expected.rv), rel=1e-12)
    assert answer["volatility_annualized"] == pytest.approx(math.sqrt(365 * expected.rv), rel=1e-12)
    assert answer["point"] == "mean"
    for found, interval in zip(answer["intervals"], expected.intervals, strict=True):
        assert found["level"] == interval.level
        assert found["rv"] == pytest.approx(interval.rv)
        assert found["volatility_annualized"] == pytest.approx(interval.volatility_annualized)
        assert (found["coverage_observed"], found["nobs"]) == (interval.level, 100)
    assert answer["stale_sessions"] == 0
    assert answer["missing_sessions"] == 0
    assert answer["degraded_reason"] is None
    assert answer["calibration"] == {
        "nobs": expected.calibration.nobs,
        "effective_nobs": expected.calibration.nobs,
        "from_history": 0,
        "through": str(expected.calibration.through),
    }
    assert answer["diagnostics"] == {}
    assert answer["warnings"] == []


def test_the_same_question_has_the_same_answer_byte_for_byte(
    client: TestClient, settings: Settings
) -> None:
    first = client.post("/forecast", json={"asset": ASSET}).content
    assert client.post("/forecast", json={"asset": ASSET}).content == first
    with TestClient(create_app(settings, clock)) as another:
        assert another.post("/forecast", json={"asset": ASSET}).content == first


def test_another_question_has_another_id(client: TestClient) -> None:
    bodies: list[dict[str, Any]] = [
        {},
        {"model": "har"},
        {"levels": [0.8]},
        {"as_of": "2021-02-02"},
        {"history": {"rv": json_rv()}},
        {"history": {"rv": [2 * value for value in json_rv()]}},
    ]
    assert len({ask(client, **body)["forecast_id"] for body in bodies}) == len(bodies)


def test_skill_is_that_of_the_comparison(client: TestClient) -> None:
    table = client.get(f"/compare/{ASSET}").json()
    row = next(row for row in table["rows"] if row["model"] == "log_har")
    assert ask(client)["skill"] == {
        "baseline": "har",
        "qlike_ratio": row["qlike_ratio"],
        "dm_pvalue": row["diebold_mariano"]["har"]["pvalue"],
        "in_confidence_set": row["in_confidence_set"],
        "nobs": table["nobs"],
        "span": table["span"],
        "calendar_log_har": None,  # which this store does not have
        "source": "test",
    }
    baseline = ask(client, model="har")["skill"]
    assert (baseline["qlike_ratio"], baseline["dm_pvalue"]) == (1.0, None)


def test_inline_bars_give_the_answer_of_the_same_held_bars(client: TestClient) -> None:
    bars = json_bars(bars_of(SERIES))
    assert ask(client, history={"bars": bars}) == ask(client)


def test_the_shortest_sufficient_history_gives_the_same_forecast(client: TestClient) -> None:
    bars = json_bars(bars_of(SERIES.tail(22)))
    assert same_numbers(ask(client, history={"bars": bars}), ask(client))


def test_rv_with_dates_says_what_is_forecast(client: TestClient) -> None:
    dates = [str(date) for date in SERIES.dates[-30:]]
    answer = ask(client, history={"dates": dates, "rv": json_rv(30)})
    assert (answer["as_of"], answer["target_date"]) == (LAST, "2021-02-04")
    assert (answer["stale_sessions"], answer["missing_sessions"]) == (0, 0)


def test_rv_alone_has_no_place_in_time(client: TestClient) -> None:
    answer = ask(client, history={"rv": json_rv(30)})
    for field in ("as_of", "target_date", "stale_sessions", "missing_sessions"):
        assert answer[field] is None
    assert answer["rv"] == pytest.approx(ask(client)["rv"], rel=1e-12)


def test_a_replay_uses_nothing_later(client: TestClient) -> None:
    answer = ask(client, as_of="2020-12-24")
    known = SERIES.until(np.datetime64("2020-12-24"))
    inline = ask(client, history={"bars": json_bars(bars_of(known))})
    assert same_numbers(answer, inline)
    assert (answer["as_of"], answer["target_date"]) == ("2020-12-24", "2020-12-25")
    assert answer["stale_sessions"] == 0  # by the clock of the day that is replayed
    assert inline["stale_sessions"] == 41


def test_a_replay_of_days_the_model_has_seen_says_so(client: TestClient) -> None:
    [warning] = ask(client, as_of="2020-12-24")["warnings"]
    assert warning.startswith("in-sample: log_har was fitted on sessions up to 2021-02-03")


def test_a_history_of_days_the_model_has_seen_says_so(client: TestClient) -> None:
    known = SERIES.until(np.datetime64("2020-12-24"))
    [replay] = ask(client, as_of="2020-12-24")["warnings"]
    dated = {"dates": known.dates.astype(str).tolist(), "rv": known.rv.tolist()}
    for history in (dated, {"bars": json_bars(bars_of(known))}):
        assert replay in ask(client, history=history)["warnings"]
    batch = client.post(
        "/forecast/batch", json={"items": [{"asset": ASSET, "history": dated}]}
    ).json()
    assert replay in batch["items"][0]["warnings"]
    assert not in_sample(ask(client, history={"rv": dated["rv"]}))  # of no day that is known


def test_a_history_that_reaches_the_end_of_training_is_out_of_sample(client: TestClient) -> None:
    dates = SERIES.dates[-30:].astype(str).tolist()
    assert not in_sample(ask(client, history={"dates": dates, "rv": json_rv(30)}))
    late = ask(client, history={"dates": dates[:-1], "rv": json_rv(30)[:-1]})
    assert in_sample(late)


def in_sample(answer: dict[str, Any]) -> bool:
    return any(warning.startswith("in-sample") for warning in answer["warnings"])


def test_a_replay_of_the_last_training_day_forecasts_what_came_after(client: TestClient) -> None:
    assert ask(client, as_of=LAST)["warnings"] == []


def test_a_replay_after_training_is_out_of_sample(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        answer = ask(client, as_of="2021-02-05")
    assert not any(warning.startswith("in-sample") for warning in answer["warnings"])
    assert answer["as_of"] == LAST
    assert answer["stale_sessions"] == 2


def test_stale_history_is_never_silent(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=10))) as client:
        held = ask(client)
        inline = ask(client, history={"bars": json_bars(bars_of(SERIES))})
    assert held["stale_sessions"] == inline["stale_sessions"] == 10
    expected = "the history is stale: it ends on 2021-02-03, and 10 sessions have closed since"
    assert held["warnings"] == inline["warnings"] == [expected]


def test_staleness_is_counted_anew_when_a_session_closes(settings: Settings) -> None:
    now = NOW
    with TestClient(create_app(settings, lambda: now)) as client:
        assert ask(client)["stale_sessions"] == 0
        now += timedelta(days=1)
        assert ask(client)["stale_sessions"] == 1


def test_missing_sessions_inside_the_window_are_counted(client: TestClient) -> None:
    bars = json_bars(bars_of(SERIES))
    del bars[-5], bars[-8]
    answer = ask(client, history={"bars": bars})
    assert answer["missing_sessions"] == 2
    assert any("2 sessions are missing" in warning for warning in answer["warnings"])


def test_a_day_without_range_inside_a_long_history_is_a_warning(client: TestClient) -> None:
    bars = json_bars(bars_of(SERIES))
    bars[100] |= {"high": 100.0, "low": 100.0}
    answer = ask(client, history={"bars": bars})
    assert any("high and low both 100.0 at bar 100" in warning for warning in answer["warnings"])
    assert same_numbers(answer, ask(client))


def test_new_bars_change_the_next_forecast(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=1))) as client:
        before = ask(client)
        bar = {"date": "2021-02-04", "open": 100, "high": 104, "low": 99, "close": 101}
        assert client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]}).status_code == 200
        after = ask(client)
    assert (before["as_of"], after["as_of"]) == (LAST, "2021-02-04")
    assert after["rv"] > before["rv"]
    assert (before["stale_sessions"], after["stale_sessions"]) == (1, 0)


def test_auto_falls_back_to_a_benchmark_whatever_the_test_part_ranks(settings: Settings) -> None:
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        answer = ask(client)
        ranking = [row["model"] for row in client.get(f"/compare/{ASSET}").json()["rows"]]
    assert answer["model"] == "har"
    assert ranking[0] == "last_value"
    assert answer["degraded_reason"].startswith(
        "the champion log_har is refused: coefficients.json has sha256"
    )
    assert answer["degraded_reason"].endswith("har answers instead")


def test_auto_without_a_champion_says_so(settings: Settings) -> None:
    (settings.store_folder / ASSET / "champion").unlink()
    with TestClient(create_app(settings, clock)) as client:
        assert ask(client)["degraded_reason"].startswith(f"{ASSET} has no champion")


def test_an_earlier_version_takes_over_and_says_so(settings: Settings) -> None:
    store = Store(settings.store_folder)
    store.promote(ASSET, "log_har", store.publish(make_files(ASSET, "log_har", 3e-5)))
    damage(settings, "log_har", version=2)
    with TestClient(create_app(settings, clock)) as client:
        answer = ask(client)
    assert (answer["model"], answer["model_version"]) == ("log_har", 1)
    assert answer["degraded_reason"].startswith("version 2 of log_har is refused")
    assert answer["degraded_reason"].endswith("version 1 answers instead")


def test_a_model_that_is_not_compared_has_no_skill_and_says_why(settings: Settings) -> None:
    publish_shifted(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        answer = ask(client)
    assert answer["skill"] is None
    [warning] = answer["warnings"]
    assert warning.startswith("log_har is not compared: misaligned: log_har follows the news of 2")
