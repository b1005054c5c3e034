"""Models are asked before they serve, so that the first request finds all that it needs."""

from collections.abc import Iterator
from typing import Any

import pytest

from models_store import Store
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.forecasts.forecaster import forecast
from service.forecasts.requests import ForecastRequest
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock, verified


@pytest.fixture
def store(settings: Settings) -> Store:
    """At each of three horizons there is a second version of har."""
    store = Store(settings.store_folder)
    for intercept in (1e-5, 3e-4):
        files = make_files(ASSET, "har", intercept, further=(5, 22))
        store.publish(files)
    store.promote(ASSET, "har", 2)
    UniversalStore(store.root).publish(small_files())
    return store


@pytest.fixture
def client(settings: Settings, store: Store) -> Iterator[TestClient]:
    patient = settings.model_copy(update={"follow_seconds": 0})
    with TestClient(create_app(patient, clock)) as client:
        yield verified(client)


def ask(client: TestClient, **asked: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", **asked})
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def reload(client: TestClient) -> None:
    client.post("/admin/reload").raise_for_status()


def test_answers_are_there_at_the_horizons_that_were_asked_for(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {horizon: ask(client, horizon=horizon) for horizon in (1, 22)}
    store.promote(ASSET, "har", 3)
    reload(client)
    made: list[int] = []

    def making(asked: Any) -> Any:
        made.append(asked.horizon)
        return forecast(asked)

    monkeypatch.setattr("service.forecasts.encoding.forecast", making)
    after = {horizon: ask(client, horizon=horizon) for horizon in (1, 22)}
    assert made == []  # as their bytes are kept
    assert [it["model_version"] for it in (*before.values(), *after.values())] == [2, 2, 3, 3]
    for horizon in before:
        assert before[horizon]["rv"] != after[horizon]["rv"]
    assert ask(client, horizon=5)["model_version"] == 3
    assert made == [5]


def test_no_first_request_has_to_wait(client: TestClient, store: Store) -> None:
    for model in ("har", "auto"):
        ask(client, model=model)
    store.promote(ASSET, "har", 3)
    store.set_champion(ASSET, "har")
    reload(client)
    questions = client.app_state["questions"]
    for model in ("har", "auto"):
        assert not questions.is_long(ForecastRequest(asset=ASSET, model=model))


def test_the_model_for_every_asset_knows_the_errors_that_its_outcomes_tell(
    client: TestClient, store: Store
) -> None:
    bars = {"bars": made_up_bars(700)}
    client.put("/assets/MINE/bars?kind=stock", json=bars).raise_for_status()
    questions = client.app_state["questions"]
    asked = [ForecastRequest(asset="MINE", horizon=horizon) for horizon in (1, 5)]
    ask(client, asset="MINE", model="auto", horizon=1)
    before = ask(client, asset="MINE", model="auto")
    UniversalStore(store.root).publish(small_files(0.5))
    reload(client)
    assert [questions.is_long(it) for it in asked] == [False, False]  # one look serves all horizons
    after = ask(client, asset="MINE", model="auto")
    assert (before["model_version"], after["model_version"]) == (1, 2)
    assert before["rv"] != after["rv"]
    assert after["calibration"]["from_history"] == 450


def test_what_cannot_be_asked_keeps_no_model_from_serving(
    client: TestClient, settings: Settings, store: Store
) -> None:
    ask(client)
    client.app_state["holdings"].find(ASSET).bars.close[:] = float("nan")
    client.app_state["holdings"].find(ASSET)._series.clear()
    store.promote(ASSET, "har", 3)
    reload(client)
    assert client.app_state["catalogue"].choices.get(ASSET, "har").model.version == 3


def test_an_asset_of_which_nothing_is_held_is_not_asked(client: TestClient, store: Store) -> None:
    store.publish(make_files("BARE", "har"), promote=True)
    store.set_champion("BARE", "har")
    reload(client)
    assert client.app_state["catalogue"].choices.get("BARE", "auto").model.version == 1
    rv = [2e-4] * 22
    assert ask(client, asset="BARE", history={"rv": rv})["model_version"] == 1


def test_what_stays_of_models_that_are_gone_is_bounded(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.assets.held._MOST_CALIBRATIONS", 3)
    ask(client)
    held = client.app_state["holdings"].find(ASSET)
    for number in range(5):
        version = store.publish(make_files(ASSET, "har", (number + 5) * 1e-5), promote=True)
        reload(client)
    assert len(held._calibrations) == 3
    assert (store.load(ASSET, "har", version).sha256, 1) in held._calibrations
