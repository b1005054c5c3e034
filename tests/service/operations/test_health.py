import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage


def test_a_whole_store_is_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "models": 3,
        "assets": 1,
        "refused": [],
        "stale_sessions": {},
        "warnings": [],
    }


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "coefficients.json", "evaluation.npz", "reference.npz", "SHA256SUMS"],
)
def test_one_flipped_bit_degrades_the_service_and_the_rest_serves(
    settings: Settings, name: str
) -> None:
    damage(settings, "har", name=name)
    with TestClient(create_app(settings, clock)) as client:
        answer = client.get("/health/ready")
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["models"]) == ("degraded", 2)
    [refused] = answer.json()["refused"]
    assert (refused["asset"], refused["model"], refused["version"]) == (ASSET, "har", 1)
    assert name in refused["reason"]


def test_a_store_of_refused_models_is_not_ready(settings: Settings) -> None:
    for model in MODELS:
        damage(settings, model)
    with TestClient(create_app(settings, clock)) as client:
        answer = client.get("/health/ready")
        forecast = client.post("/forecast", json={"asset": ASSET})
        live = client.get("/health/live")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert all(f"{ASSET}/{model}: coefficients.json" in answer.json()["detail"] for model in MODELS)
    assert (forecast.status_code, forecast.json()["code"]) == (503, "artifact_refused")
    assert live.status_code == 200


def test_an_empty_store_is_not_ready(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    empty = settings.model_copy(update={"store": tmp_path / "nothing"})
    with TestClient(create_app(empty, clock)) as client:
        answer = client.get("/health/ready")
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 404
    assert answer.status_code == 503
    assert "holds no models in service" in answer.json()["detail"]


def become_nothing(store: Path) -> None:
    shutil.rmtree(store)


def become_empty(store: Path) -> None:
    shutil.rmtree(store)
    store.mkdir()


def become_unreadable(store: Path) -> None:
    shutil.rmtree(store)
    store.touch()


@pytest.mark.parametrize("lose", [become_nothing, become_empty, become_unreadable])
def test_models_that_are_loaded_serve_without_their_store(
    client: TestClient, settings: Settings, lose: Callable[[Path], None]
) -> None:
    lose(settings.store)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    [warning] = answer.json()["warnings"]
    assert f"the store {settings.store}" in warning
    for model in MODELS:
        asked = {"asset": ASSET, "model": model}
        assert client.post("/forecast", json=asked).json()["model"] == model
    assert client.get(f"/models/{ASSET}/har").status_code == 200


def test_a_history_that_does_not_answer_is_not_ready(
    client: TestClient, settings: Settings
) -> None:
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    for path in database.parent.glob(f"{database.name}*"):
        path.unlink()
    database.mkdir()
    client.app_state["holdings"].store.close()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert "the history database cannot be opened" in answer.json()["detail"]
    # Held history is in memory: forecasts go on.
    assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
