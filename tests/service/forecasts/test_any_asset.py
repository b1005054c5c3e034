"""Forecasts of assets that nobody trained on, from the bars of the request."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import numpy as np
import pytest

from models_store import Store, open_store
from models_store.artifact import encode
from models_store.predictors import linear
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest
from service.http.fields import Kind
from service.settings import Settings
from tests.models_store.artifacts import HAR, flip_byte, make_manifest, make_series
from tests.models_store.universal.small import small_files
from tests.service.any_asset import made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.worlds import (
    ASSET,
    LAST,
    MODELS,
    bars_of,
    clock,
    damage,
    json_bars,
    json_rv,
    verified,
)
from volatility.evaluation.tracks import ForecastTrack
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.scale_free import KINDS

NAME = "MADE-UP"
LONG = 60  # sessions that the champion of some tests needs
CALENDARS = ("XNYS", "24/7", "24/5", "XLON")


@pytest.fixture(scope="module")
def client(module_settings: Settings) -> Iterator[TestClient]:
    publish_universal(module_settings)
    with TestClient(create_app(module_settings, clock)) as client:
        yield verified(client)


def ask(client: TestClient, bars: list[dict[str, Any]], **body: Any) -> httpx.Response:
    return client.post("/forecast", json={"asset": NAME, "history": {"bars": bars}} | body)


def test_22_bars_of_a_made_up_asset_are_enough(client: TestClient) -> None:
    answer = ask(client, made_up_bars(22))
    assert answer.status_code == 200
    said = answer.json()
    assert (said["asset"], said["model"], said["as_of"]) == (NAME, "universal", LAST)
    assert said["rv"] > 0
    for interval in said["intervals"]:
        low, high = interval["rv"]
        assert 0 < low < said["rv"] < high
        assert interval["nobs"] == 20_022
    inferred, standing = said["warnings"]
    assert inferred == (
        "calendar XNYS and kind stock are inferred from the dates; give them to be sure"
    )
    assert "on 20 assets of the kind stock" in standing
    assert "and with their newest 22 bars alone" in standing
    assert "1.1 % below that of each one's own log-HAR" in standing
    assert (said["skill"], said["degraded_reason"]) == (None, None)


def test_what_is_said_of_the_model_is_of_histories_as_long(client: TestClient) -> None:
    for nobs, told, change in (
        (59, "their newest 22 bars alone", "1.1 %"),
        (60, "their newest 60 bars alone", "3.0 %"),
        (250, "all their bars", "7.0 %"),
    ):
        standing = ask(client, made_up_bars(nobs)).json()["warnings"][-1]
        assert f"and with {told}, its QLIKE at 1 session was {change} below" in standing
    bars = made_up_bars(300)
    put = client.put("/assets/HELD-ONE/bars", json={"bars": bars})
    assert put.status_code == 200
    early = {"asset": "HELD-ONE", "as_of": bars[99]["date"]}
    assert "newest 60 bars" in client.post("/forecast", json=early).json()["warnings"][-1]
    now = client.post("/forecast", json={"asset": "HELD-ONE"}).json()
    assert "all their bars" in now["warnings"][-1]


def test_21_bars_are_not(client: TestClient) -> None:
    problem = ask(client, made_up_bars(21)).json()
    assert (problem["status"], problem["code"]) == (422, "history_too_short")
    assert problem["detail"] == "universal needs 22 sessions; got 21"


def test_an_asset_needs_no_name(client: TestClient) -> None:
    named, unnamed = (ask(client, made_up_bars(30), asset=name) for name in (NAME, None))
    other = {"asset": None, "forecast_id": unnamed.json()["forecast_id"]}
    assert unnamed.json() == named.json() | other
    assert unnamed.json()["forecast_id"] != named.json()["forecast_id"]


def test_what_is_given_is_not_inferred(client: TestClient) -> None:
    bars = made_up_bars(40)
    both = ask(client, bars, calendar="24/5", kind="fx").json()
    assert not any("inferred" in it for it in both["warnings"])
    calendar = ask(client, bars, calendar="NYSE").json()
    assert (
        "kind stock is inferred from the calendar NYSE; give it to be sure"
        in (calendar["warnings"])
    )
    kind = ask(client, bars, kind="etf").json()
    assert "calendar XNYS is inferred from the dates; give it to be sure" in kind["warnings"]
    assert "on 20 assets, none of the kind etf" in kind["warnings"][-1]
    assert both["rv"] != calendar["rv"]
    assert len({it["forecast_id"] for it in (both, calendar, kind)}) == 3


def test_kinds_are_those_that_there_are() -> None:
    literal, _ = get_args(Kind)
    assert get_args(literal) == KINDS


def test_random_requests_never_fail(client: TestClient) -> None:
    """300 of any scale, length and calendar: an answer in numbers, or a refusal that says why."""
    rng = np.random.default_rng(0)
    answered = 0
    for seed in range(300):
        calendar = CALENDARS[rng.integers(4)]
        wild = rng.random() < 0.3
        bars = made_up_bars(
            nobs=int(rng.integers(22, 401)),
            calendar=calendar,
            seed=seed,
            level=10 ** rng.uniform(-10, 1) if wild else 10 ** rng.uniform(-5, -3),
            price=10 ** rng.uniform(-250, 250) if wild else 10 ** rng.uniform(-6, 6),
            flat=float(rng.choice([0.3, 0.9])) if wild else 0.0,
        )
        dropped = rng.integers(0, len(bars) - 22 + 1) if wild else 0
        body: dict[str, Any] = {"quantiles": [0.25, 0.5, 0.75], "horizons": [1, 5, 10, 22]}
        body |= {"calendar": calendar} if rng.random() < 0.5 else {}
        body |= {"kind": KINDS[rng.integers(len(KINDS))]} if rng.random() < 0.5 else {}
        answer = ask(client, bars[dropped:], asset=f"A{seed}", **body)
        if not wild:
            assert answer.status_code == 200, answer.text
        if answer.status_code == 200:
            answered += 1
            numbers = [
                it[field]
                for it in answer.json()["term_structure"]
                for field in ("rv", "volatility", "volatility_annualized", "intervals", "quantiles")
            ]
            assert "null" not in json.dumps(numbers)
        else:
            problem = answer.json()
            assert answer.status_code == 422, answer.text
            assert problem["needed"]
    assert answered > 200


def test_sessions_that_are_missing_everywhere_leave_no_outcome(client: TestClient) -> None:
    bars = made_up_bars(700, "24/7")
    answer = ask(client, bars[:-300] + bars[-300::2], calendar="24/7", horizon=22)
    assert answer.status_code == 200
    apart = ask(client, made_up_bars(700, "24/7")[::2], calendar="24/7", horizon=22)
    assert apart.status_code == 200
    assert apart.json()["calibration"]["from_history"] == 0


def test_the_errors_of_a_long_history_are_the_asset_s_own(client: TestClient) -> None:
    assert ask(client, made_up_bars(600)).json()["calibration"]["from_history"] > 100
    assert ask(client, made_up_bars(200)).json()["calibration"]["from_history"] == 0


def test_a_term_structure_is_made_of_what_each_horizon_says_alone(client: TestClient) -> None:
    bars = made_up_bars(300, "24/7")
    listed = ask(client, bars, horizons=[1, 5, 10, 22]).json()["term_structure"]
    for part in listed:
        alone = ask(client, bars, horizon=part["horizon"]).json()
        assert part == {name: alone[name] for name in part}
        assert f"QLIKE at {part['horizon']} session" in part["warnings"][-1]


def test_a_batch_answers_as_single_requests_to_the_bit(client: TestClient) -> None:
    items = [
        {
            "asset": f"A{place}",
            "history": {"bars": made_up_bars(22 + 37 * place, CALENDARS[place % 4], place)},
            "kind": KINDS[place % 5],
            "calendar": CALENDARS[place % 4],
        }
        for place in range(12)
    ]
    items += [{"asset": ASSET}, {"asset": ASSET, "model": "universal"}]
    batch = client.post("/forecast/batch", json={"items": items}).json()
    assert batch["failed"] == 0
    for item, answer in zip(items, batch["items"], strict=True):
        assert client.post("/forecast", json=item).json() == answer


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"asset": "a/b"}, "invalid_input", "asset"),
        ({"asset": None, "history": None}, "missing_field", "asset"),
        ({"calendar": "XMOON"}, "unknown_calendar", "calendar"),
        ({"kind": "bond"}, "invalid_value", "kind"),
        ({"history": {"rv": json_rv(30)}}, "missing_columns", "history"),
        ({"history": {"bars": []}}, "empty_bars", "history.bars"),
        ({"horizon": 3}, "unsupported_horizon", "horizon"),
        ({"as_of": LAST}, "as_of_with_history", "as_of"),
        ({"calendar": "24/7", "asset": ASSET}, None, None),
        ({"calendar": "XNYS", "asset": ASSET}, "asset_mismatch", "calendar"),
        ({"kind": "stock", "asset": ASSET}, "asset_mismatch", "kind"),
    ],
)
def test_what_is_refused(
    client: TestClient, changes: dict[str, Any], code: str | None, field: str | None
) -> None:
    answer = ask(client, made_up_bars(30, "24/7"), **changes)
    if code is None:
        assert answer.status_code == 200
        return
    problem = answer.json()
    assert (problem["status"], problem["code"], problem["field"]) == (422, code, field)


def test_shorter_bars_are_refused(client: TestClient) -> None:
    bars = [
        {"timestamp": f"2021-01-{day:02}T{hour:02}:00:00Z"}
        | dict.fromkeys(("open", "high", "low", "close"), 100.0 + hour)
        for day in range(1, 5)
        for hour in range(24)
    ]
    problem = ask(client, bars).json()
    assert (problem["status"], problem["code"]) == (422, "wrong_interval")
    assert "needed: daily bars, one a session" in problem["detail"]


def test_a_date_that_is_sent_twice_is_told_as_such(client: TestClient) -> None:
    bars = made_up_bars(30)
    assert ask(client, [*bars, bars[-1]]).json()["code"] == "duplicate_dates"


def test_another_model_of_an_unknown_asset_is_not_found(client: TestClient) -> None:
    for model, meant in (("har", ""), ("universl", "; did you mean 'universal'?")):
        problem = ask(client, made_up_bars(30), model=model).json()
        assert (problem["status"], problem["code"]) == (404, "unknown_model")
        assert (problem["field"], problem["found"]) == ("model", model)
        assert problem["detail"].endswith(f"answers for it{meant}; needed: auto or universal")
    without = client.post("/forecast", json={"asset": NAME, "model": "har"}).json()
    assert (without["code"], without["field"]) == ("unknown_asset", "asset")


def test_without_the_model_for_every_asset_the_refusal_says_why(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        problem = ask(client, made_up_bars(30)).json()
        assert (problem["status"], problem["code"]) == (404, "unknown_asset")
        assert "the store holds none" in problem["detail"]
        assert ask(client, made_up_bars(30), asset=None).json()["code"] == "unknown_asset"


def test_a_damaged_one_is_told_in_health(settings: Settings) -> None:
    publish_universal(settings)
    path = settings.store_folder / "universal" / "1" / "model.onnx"
    path.write_bytes(flip_byte(path.read_bytes(), -3))
    with TestClient(create_app(settings, clock)) as client:
        ready = client.get("/health/ready").json()
        assert ready["status"] == "degraded"
        (refused,) = ready["refused"]
        assert (refused["asset"], refused["model"]) == ("universal", "universal")
        assert "model.onnx has sha256" in ask(client, made_up_bars(30)).json()["detail"]


def test_a_damaged_version_gives_way_to_one_that_serves_and_the_answer_says_so(
    settings: Settings,
) -> None:
    store = UniversalStore(settings.store_folder)
    for files in (small_files(), small_files(0.5), small_files(0.5, serves=False)):
        store.publish(files)
    path = store.folder / "3" / "model.onnx"
    path.write_bytes(flip_byte(path.read_bytes(), -3))
    with TestClient(create_app(settings, clock)) as client:
        said = ask(client, made_up_bars(30)).json()
        assert said["model_version"] == 2
        assert said["degraded_reason"].startswith("version 3 of universal is refused: model.onnx")


def test_a_version_that_does_not_tell_how_it_does_serves_nobody(settings: Settings) -> None:
    UniversalStore(settings.store_folder).publish(small_files(serves=False))
    with TestClient(create_app(settings, clock)) as client:
        problem = ask(client, made_up_bars(30)).json()
        assert problem["code"] == "unknown_asset"
        assert "its manifest does not say how it did" in problem["detail"]


def test_it_does_not_hide_that_every_model_of_an_asset_is_damaged(settings: Settings) -> None:
    publish_universal(settings)
    for model in MODELS:
        damage(settings, model)
    with TestClient(create_app(settings, clock)) as client:
        for body in ({}, {"history": {"bars": json_bars(bars_of(make_series()))}}):
            answer = client.post("/forecast", json={"asset": ASSET} | body)
            assert (answer.status_code, answer.json()["code"]) == (503, "artifact_refused")


def test_it_may_be_asked_by_name_for_an_asset_with_models(client: TestClient) -> None:
    said = client.post("/forecast", json={"asset": ASSET, "model": "universal"}).json()
    assert (said["asset"], said["model"], said["degraded_reason"]) == (ASSET, "universal", None)
    bars = json_bars(bars_of(make_series()))
    sent = ask(client, bars, asset=ASSET, model="universal").json()
    assert sent["rv"] == said["rv"]
    assert sent["intervals"] == said["intervals"]
    assert client.post("/forecast", json={"asset": ASSET}).json()["model"] == "log_har"


def publish_long(settings: Settings) -> None:
    """Name a champion that needs 60 sessions."""
    predictor, series = LinearPredictor("levels", coefficients_of(HAR), 1e-5), make_series()
    windows = np.lib.stride_tricks.sliding_window_view(series.rv, LONG).copy()
    forecast = predictor.predict({"rv": windows[:, -22:]}).values
    track = ForecastTrack(
        model="long",
        as_of=series.dates[LONG - 1 : -1],
        target_dates=series.dates[LONG:],
        forecast=forecast[:-1],
        rv=series.rv[LONG:],
    )
    manifest = make_manifest(ASSET, "long", lookback=LONG)
    reference = {"rv": windows[-8:]}
    files = encode(
        manifest, linear.write({1: predictor}), {1: track}, reference, {1: forecast[-8:]}
    )
    store = Store(settings.store_folder)
    store.promote(ASSET, "long", store.publish(files))
    store.set_champion(ASSET, "long")


def test_auto_with_too_short_a_history_is_the_model_for_every_asset(settings: Settings) -> None:
    publish_universal(settings)
    publish_long(settings)
    bars = json_bars(bars_of(make_series()))
    with TestClient(create_app(settings, clock)) as client:
        assert ask(client, bars[-LONG:], asset=ASSET).json()["model"] == "long"
        short = ask(client, bars[-LONG + 1 :], asset=ASSET).json()
        assert short["model"] == "universal"
        assert short["degraded_reason"] == (
            "long needs 60 sessions and the history has 59; universal answers instead"
        )
        by_name = ask(client, bars[-59:], asset=ASSET, model="long").json()
        assert by_name["code"] == "history_too_short"
        only_rv = {"asset": ASSET, "history": {"rv": json_rv(59)}}
        assert client.post("/forecast", json=only_rv).json()["code"] == "history_too_short"
        too_few = ask(client, bars[-21:], asset=ASSET).json()
        assert too_few["code"] == "history_too_short"
        assert "universal needs 22 sessions; got 21" in too_few["detail"]
        early = str(make_series().dates[LONG - 2])
        replayed = client.get(f"/forecast/{ASSET}?as_of={early}").json()
        assert (replayed["model"], replayed["as_of"]) == ("universal", early)
        assert "has 59" in replayed["degraded_reason"]
        enough = str(make_series().dates[LONG - 1])
        assert client.get(f"/forecast/{ASSET}?as_of={enough}").json()["model"] == "long"


def test_auto_with_too_short_a_history_is_a_regression_where_none_is_for_every_asset(
    settings: Settings,
) -> None:
    publish_long(settings)
    bars = json_bars(bars_of(make_series()))
    with TestClient(create_app(settings, clock)) as client:
        questions = client.app_state["questions"]
        early = str(make_series().dates[LONG - 2])
        for short in (
            ask(client, bars[-LONG + 1 :], asset=ASSET).json(),
            client.get(f"/forecast/{ASSET}?as_of={early}").json(),
        ):
            assert (short["model"], short["degraded_reason"]) == (
                "log_har",
                "long needs 60 sessions and the history has 59; log_har answers instead",
            )
        assert ask(client, bars[-22:], asset=ASSET).json()["model"] == "log_har"
        too_few = ask(client, bars[-21:], asset=ASSET).json()
        assert "log_har with lags (1, 5, 22) needs 22 sessions; got 21" in too_few["detail"]
        only_rv = {"asset": ASSET, "history": {"rv": json_rv(59)}}
        assert "needs 60 sessions" in client.post("/forecast", json=only_rv).json()["detail"]
        # What answers may have to be opened, which is not done between other requests.
        for as_of, nobs, is_long in ((None, 60, False), (None, 59, True), (early, 0, True)):
            given: dict[str, Any] = {"asset": ASSET}
            given |= {"as_of": as_of} if as_of else {"history": {"bars": bars[-nobs:]}}
            asked = ForecastRequest.model_validate_json(json.dumps(given))
            assert questions.is_long(asked) is is_long


def test_long_histories_are_answered_beside_others(client: TestClient) -> None:
    questions: Questions = client.app_state["questions"]

    def is_long(nobs: int, **body: Any) -> bool:
        given = {"asset": NAME, "history": {"bars": made_up_bars(nobs)}} | body
        return questions.is_long(ForecastRequest.model_validate_json(json.dumps(given)))

    assert not is_long(250)
    assert is_long(251)
    assert not is_long(250, horizons=[1, 5, 10, 22])
    assert is_long(30, calendar="XTKS")  # has to be built


def test_metrics_count_by_the_model_not_by_names_of_requests(client: TestClient) -> None:
    ask(client, made_up_bars(30))
    text = client.get("/metrics").text
    assert 'asset="universal",model="universal"' in text
    assert NAME not in text


def test_a_forecast_says_that_the_model_has_seen_these_sessions(client: TestClient) -> None:
    """The small model was fitted on SHARE and COIN, 2010-01-04 to 2019-12-31."""
    bars = made_up_bars(400)
    seen = [it for it in bars if it["date"] < "2019-12-01"][-60:]
    said = ask(client, seen, asset="share").json()
    [warning] = [it for it in said["warnings"] if "in-sample" in it]
    assert warning.startswith(
        "in-sample: universal was fitted on share itself, sessions from 2010-01-04 to 2019-12-31; "
        f"it has seen {seen[-1]['date']}"
    )
    other = ask(client, seen).json()["warnings"]
    assert any(
        "universal was fitted on other assets' sessions up to 2019-12-31" in it for it in other
    )
    assert not any("itself" in it for it in other)
    later = ask(client, bars, asset="SHARE").json()["warnings"]
    assert not any("in-sample" in it for it in later)
    assert not any("itself" in it for it in ask(client, seen, asset=None).json()["warnings"])


def test_held_bars_that_it_was_fitted_on_are_told_too(client: TestClient) -> None:
    bars = made_up_bars(400)
    put = client.put("/assets/Coin/bars?calendar=XNYS&kind=stock", json={"bars": bars[:90]})
    assert put.status_code == 200, put.text
    assert bars[89]["date"] < "2019-12-31" < bars[-1]["date"]
    for query in ("", f"?as_of={bars[60]['date']}", "?horizon=5"):
        said = client.get(f"/forecast/Coin{query}").json()
        assert any("fitted on Coin itself" in it for it in said["warnings"]), query
    client.put("/assets/Coin/bars", json={"bars": bars[90:]})
    newest = client.get("/forecast/Coin").json()["warnings"]
    assert not any("in-sample" in it for it in newest)


def test_a_store_that_was_begun_before_it_was_shipped_is_given_it_at_the_start(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = UniversalStore(tmp_path / "package")
    shipped.publish(small_files())
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: shipped.root)
    monkeypatch.setattr("service.operations.seeding.open_store", open_store)
    with TestClient(create_app(settings, clock)) as client:
        assert ask(client, made_up_bars(30)).json()["model"] == "universal"
        assert client.post("/forecast", json={"asset": ASSET}).json()["model"] == "log_har"
