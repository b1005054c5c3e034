"""``auto`` where models fail as they are computed: the next one answers, and says why."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from models_store import Store
from models_store.errors import computing
from service.app import create_app
from service.forecasts.ladder import descend_in_batch
from service.settings import Settings
from tests.models_store.artifacts import LEVERAGE, make_files, make_series
from tests.service.any_asset import publish_universal
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, clock, damage, json_bars, json_rv
from volatility.arrays import Prediction, Windows
from volatility.errors import OutsideCalendar
from volatility.regressors import LinearPredictor

Fail = Callable[..., None]
SECRET = "of the host"


def raises(_windows: Windows) -> Prediction:
    raise RuntimeError(f"[ONNXRuntimeError] : 1 : FAIL : {SECRET}")


def says_infinity(windows: Windows) -> Prediction:
    return Prediction(np.full(len(windows["rv"]), np.inf), {})


def says_nan(windows: Windows) -> Prediction:
    return Prediction(np.full(len(windows["rv"]), np.nan), {})


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock)) as client:
        yield client


@pytest.fixture
def fail(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Have models of the world fail from now on."""
    return failing(client, monkeypatch)


def failing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Fail:
    catalogue = client.app_state["catalogue"]
    failing: dict[int, Callable[[Windows], Prediction]] = {}
    predict = LinearPredictor.predict

    def predict_or_fail(self: LinearPredictor, windows: Windows) -> Prediction:
        return failing.get(id(self), lambda it: predict(self, it))(windows)

    monkeypatch.setattr(LinearPredictor, "predict", predict_or_fail)

    def fail_from_now_on(*names: str, how: Callable[[Windows], Prediction] = raises) -> None:
        failing.clear()
        failing.update({id(catalogue.find(ASSET, name).predictors[1]): how for name in names})

    return fail_from_now_on


def ask(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, **more})
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_a_model_that_cannot_be_explained_fails_as_one_that_cannot_forecast(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(*_given: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(LinearPredictor, "explain", explain)
    body = {"asset": ASSET, "model": "har", "explain": True}
    answer = client.post("/forecast", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "prediction_failed")
    assert SECRET not in answer.text


def test_what_a_model_refuses_is_no_failure() -> None:
    with pytest.raises(OutsideCalendar, match="a day lies outside"), computing("har"):
        raise OutsideCalendar("a day lies outside of the calendar")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (raises, "RuntimeError"),
        (says_nan, "it says what is no number"),
        (says_infinity, "it says what is no number"),
    ],
)
def test_the_next_of_the_ladder_answers(
    client: TestClient, fail: Fail, how: Callable, why: str
) -> None:
    fail("log_har", how=how)
    answer = ask(client)
    assert answer["model"] == "har"
    assert answer["degraded_reason"] == f"log_har failed to forecast: {why}; har answers instead"
    assert answer["rv"] == ask(client, model="har")["rv"]
    fail()
    assert (ask(client)["model"], ask(client)["degraded_reason"]) == ("log_har", None)


def test_the_last_of_the_ladder_answers_where_all_others_fail(
    client: TestClient, fail: Fail
) -> None:
    fail("log_har", "har")
    answer = ask(client, history={"rv": json_rv()})
    assert answer["model"] == "last_value"
    assert answer["degraded_reason"] == (
        "log_har failed to forecast: RuntimeError; har failed to forecast: RuntimeError; "
        "last_value answers instead"
    )


def test_why_another_was_chosen_is_told_beside_why_it_failed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        before = ask(client)["degraded_reason"]
        failing(client, monkeypatch)("har")
        answers = [ask(client, levels=[0.8]), ask(client, horizons=[1])]
    assert before.startswith("the champion log_har is refused: coefficients.json")
    for answer in answers:
        assert answer["model"] == "last_value"
        assert answer["degraded_reason"] == (
            f"{before}; har failed to forecast: RuntimeError; last_value answers instead"
        )


def told(logs: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    failed = [it for it in logs if it["event"] == "prediction failed"]
    assert {it["log_level"] for it in failed} <= {"warning"}
    assert all(SECRET in str(it["exc_info"].__cause__) for it in failed)
    return [(it["asset"], it["model"], it["reason"], it["failures"]) for it in failed]


def test_each_model_that_fails_is_logged(client: TestClient, fail: Fail) -> None:
    fail("log_har", "har")
    with capture_logs() as logs:
        assert ask(client)["model"] == "last_value"
    assert told(logs) == [
        (ASSET, name, f"{name} failed to forecast: RuntimeError", 1) for name in ("log_har", "har")
    ]


def test_a_batch_logs_each_model_that_fails_once(client: TestClient, fail: Fail) -> None:
    fail("log_har", "har")
    items = [*[{"asset": ASSET, "history": {"rv": json_rv()}}] * 3, {"asset": ASSET}]
    items.append({"asset": ASSET, "model": "har"})
    with capture_logs() as logs:
        answer = client.post("/forecast/batch", json={"items": items}).json()
    assert [it.get("model") for it in answer["items"]] == ["last_value"] * 4 + [None]
    assert [(model, number) for _, model, _, number in told(logs)] == [("log_har", 4), ("har", 5)]


def check_failed(problem: dict[str, Any], model: str) -> None:
    assert problem["code"] == "prediction_failed"
    assert problem["detail"] == f"{model} failed to forecast: RuntimeError"
    assert SECRET not in str(problem)


def test_none_left_is_an_error_of_the_first(client: TestClient, fail: Fail) -> None:
    fail("log_har", "har", "last_value")
    answer = client.post("/forecast", json={"asset": ASSET})
    assert answer.status_code == 503
    check_failed(answer.json(), "log_har")


def test_a_model_that_is_asked_for_by_name_fails(client: TestClient, fail: Fail) -> None:
    fail("log_har")
    answer = client.get(f"/forecast/{ASSET}?model=log_har")
    assert answer.status_code == 503
    check_failed(answer.json(), "log_har")


def test_a_term_structure_degrades_as_a_whole(client: TestClient, fail: Fail) -> None:
    fail("log_har")
    answer = ask(client, horizons=[1])
    assert (answer["model"], len(answer["term_structure"])) == ("har", 1)
    assert answer["degraded_reason"].endswith("har answers instead")


def test_in_a_batch_each_item_degrades_by_itself(client: TestClient, fail: Fail) -> None:
    def fails_over_calm(windows: Windows) -> Prediction:
        calm = windows["rv"].mean(axis=1) < 1e-4
        return Prediction(np.where(calm, np.nan, np.log(windows["rv"].mean(axis=1))), {})

    fail("log_har", how=fails_over_calm)
    rough, calm = ({"rv": [variance] * 22} for variance in (2e-4, 5e-5))
    items = [
        {"asset": ASSET, "history": rough},
        {"asset": ASSET, "history": calm},
        {"asset": ASSET, "history": calm, "model": "log_har"},
        {"asset": ASSET, "history": {"rv": [1e-4] * 3}},
    ]
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert [it.get("model") for it in answer["items"][:2]] == ["log_har", "har"]
    assert answer["items"][0]["degraded_reason"] is None
    assert [it["code"] for it in answer["items"][2:]] == ["prediction_failed", "history_too_short"]
    assert answer["failed"] == 2


def test_others_are_asked_in_a_thread_and_not_on_the_event_loop(
    client: TestClient, fail: Fail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may have to be opened, and compared, which takes up to a second."""
    asked: list[bool] = []

    def descending(*given: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asked.append(True)
        else:
            asked.append(False)
        return descend_in_batch(*given)

    monkeypatch.setattr("service.forecasts.batch.descend_in_batch", descending)
    ask(client)  # which opens the model
    items = [{"asset": ASSET}] * 3
    assert client.post("/forecast/batch", json={"items": items}).json()["failed"] == 0
    assert asked == []
    fail("log_har")
    new = [{"asset": ASSET, "levels": [0.95]}] * 3
    answer = client.post("/forecast/batch", json={"items": new}).json()
    assert [it["model"] for it in answer["items"]] == ["har"] * 3
    assert asked == [True]


def test_in_a_batch_what_a_model_refuses_as_it_computes_fails_alone(
    client: TestClient, fail: Fail
) -> None:
    def refuses_calm(windows: Windows) -> Prediction:
        if (windows["rv"].mean(axis=1) < 1e-4).any():
            raise OutsideCalendar("a day lies outside of the calendar")
        return Prediction(windows["rv"].mean(axis=1), {})

    fail("log_har", how=refuses_calm)
    histories = [{"rv": [variance] * 22} for variance in (2e-4, 5e-5, 3e-4)]
    histories.append({"rv": [1e-4] * 3})
    items = [{"asset": ASSET, "history": it} for it in histories]
    answer = client.post("/forecast/batch", json={"items": items})
    assert answer.status_code == 200, answer.text
    found = answer.json()["items"]
    assert [it.get("code") for it in found] == [None, "outside_calendar", None, "history_too_short"]
    assert found[0] == ask(client, history=histories[0])
    assert found[2]["rv"] > found[0]["rv"]


@pytest.fixture
def degraded(settings: Settings) -> Iterator[TestClient]:
    """A service whose champion is refused, with a model for every asset."""
    publish_universal(settings)
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        yield client


def test_the_model_for_every_asset_is_the_first_rung(degraded: TestClient) -> None:
    answer = ask(degraded, history={"bars": json_bars(bars_of(make_series()))})
    assert answer["model"] == "universal"
    assert answer["degraded_reason"].startswith("the champion log_har is refused: coefficients")
    assert answer["degraded_reason"].endswith("; universal answers instead")


def test_what_it_cannot_answer_the_next_does(degraded: TestClient) -> None:
    answer = ask(degraded, history={"rv": json_rv()})
    assert answer["model"] == "har"
    assert answer["degraded_reason"].endswith("; har answers instead")


def test_a_fault_of_the_request_is_told_of_as_ever(degraded: TestClient) -> None:
    answer = degraded.post(
        "/forecast", json={"asset": ASSET, "model": "universal"} | {"history": {"rv": json_rv()}}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_columns")


def test_an_earlier_version_of_the_champion_is_no_stand_in(settings: Settings) -> None:
    store = Store(settings.store_folder)
    for intercept in (1e-5, 2e-5):
        files = make_files(ASSET, "leverage", intercept, coefficients=LEVERAGE)
        store.promote(ASSET, "leverage", store.publish(files))
    store.set_champion(ASSET, "leverage")
    damage(settings, "leverage", version=2)
    with TestClient(create_app(settings, clock)) as client:
        reason = ask(client)["degraded_reason"]
        answer = client.post("/forecast", json={"asset": ASSET, "history": {"rv": json_rv()}})
    assert reason.startswith("version 2 of leverage is refused")
    assert (answer.status_code, answer.json()["code"]) == (422, "missing_columns")
