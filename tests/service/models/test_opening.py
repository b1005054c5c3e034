"""A service opens a model when it is first asked for, and few at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.forecasts.requests import ForecastRequest
from service.models.verifier import Verifier
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage, json_rv, verified


@pytest.fixture
def _unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is verified but what is asked for."""
    monkeypatch.setattr(Verifier, "_run", lambda _self: None)


def ask(client: TestClient, model: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **more})
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def ready(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/health/ready").json())


@pytest.mark.usefixtures("_unasked")
def test_a_start_verifies_one_model_and_each_request_its_own(settings: Settings) -> None:
    damage(settings, "last_value")
    with TestClient(create_app(settings, clock)) as client:
        assert (ready(client)["unverified"], ready(client)["refused"]) == (2, [])
        answer = ask(client, "log_har")
        assert answer["skill"]["baseline"] == "har"
        [refused] = ready(client)["refused"]  # whose files were to be compared
        assert (refused["model"], ready(client)["unverified"]) == ("last_value", 0)
        assert client.post("/forecast", json={"asset": ASSET, "model": "last_value"}).json()[
            "code"
        ] == ("artifact_refused")


@pytest.mark.usefixtures("_unasked")
def test_a_champion_that_is_refused_at_first_use_gives_way(settings: Settings) -> None:
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        answer = ask(client, "auto")
    assert answer["model"] == "har"
    assert answer["degraded_reason"].startswith(
        "the champion log_har is refused: coefficients.json"
    )


@pytest.mark.usefixtures("_unasked")
def test_a_model_is_not_opened_on_the_event_loop(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        questions = client.app_state["questions"]
        request = ForecastRequest(asset=ASSET, model="log_har")
        described = ForecastRequest(asset=ASSET, model="log_har", calendar="24/7")
        assert questions.is_long(request)
        ask(client, "log_har")
        assert not questions.is_long(request)
        assert questions.is_long(described)  # what `auto` is tells what is known of the asset
        ask(client, "auto")
        assert not questions.is_long(described)


def test_all_is_known_soon_after_a_start(settings: Settings) -> None:
    damage(settings, "har")
    with TestClient(create_app(settings, clock)) as client:
        listed = client.get("/models").json()
        assert [it["model"] for it in listed["models"]] == ["last_value", "log_har"]
        assert [it["model"] for it in listed["refused"]] == ["har"]
        assert ready(verified(client))["status"] == "degraded"


@pytest.fixture
def narrow(settings: Settings) -> Iterator[TestClient]:
    """A service that keeps one model open."""
    one = settings.model_copy(update={"max_open_models": 1})
    with TestClient(create_app(one, clock)) as client:
        yield verified(client)


def test_models_that_were_closed_say_the_same_again(narrow: TestClient) -> None:
    catalogue = narrow.app_state["catalogue"]
    history = {"rv": json_rv()}
    before = {model: ask(narrow, model, history=history) for model in MODELS}
    for model, answer in before.items():
        assert ask(narrow, model, history=history) == answer
        others = [it for it in MODELS if it != model]
        assert catalogue.choices.get(ASSET, model) is not None
        assert all(catalogue.choices.get(ASSET, it) is None for it in others)


def test_a_closed_model_is_refused_while_the_store_is_gone(
    narrow: TestClient, settings: Settings
) -> None:
    ask(narrow, "har")
    away = Path(f"{settings.store_folder}-away")
    settings.store_folder.rename(away)
    assert ask(narrow, "har")["model"] == "har"  # which is open
    refused = narrow.post("/forecast", json={"asset": ASSET, "model": "log_har"})
    assert (refused.status_code, refused.json()["code"]) == (503, "artifact_refused")
    away.rename(settings.store_folder)
    assert ask(narrow, "log_har")["degraded_reason"] is None
    assert ready(narrow)["refused"] == []
