import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage, verified


def test_a_whole_store_is_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "ok"}
    answer = verified(client).get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "models": 3,
        "unverified": 0,
        "assets": 1,
        "refused": [],
        "not_as_promoted": 0,
        "store_age_seconds": pytest.approx(0, abs=60),
        "stale_sessions": {},
        "not_writable": {},
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
        answer = verified(client).get("/health/ready")
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["models"]) == ("degraded", 2)
    [refused] = answer.json()["refused"]
    assert (refused["asset"], refused["model"], refused["version"]) == (ASSET, "har", 1)
    assert name in refused["reason"]
    assert answer.json()["not_as_promoted"] == 1


def test_a_store_that_is_not_looked_at_any_more_is_warned_of(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = client.app_state["follower"]
    monkeypatch.setattr(follower, "_looked", follower._looked - 71)
    answer = verified(client).get("/health/ready").json()
    assert (answer["status"], round(answer["store_age_seconds"], -1)) == ("degraded", 70)
    [warning] = answer["warnings"]
    assert warning.startswith("the store has not been compared with what serves for 7")


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


def test_a_store_without_a_model_in_service_is_not_ready(
    settings: Settings, tmp_path: Path
) -> None:
    Store(tmp_path / "other").publish(make_files("OTHER", "har"))
    other = settings.model_copy(update={"store": tmp_path / "other"})
    with TestClient(create_app(other, clock)) as client:
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
    verified(client)
    asked = [{"asset": ASSET, "model": model} for model in MODELS]
    before = [client.post("/forecast", json=it).content for it in asked]  # which opens them
    lose(settings.store_folder)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    [warning] = answer.json()["warnings"]
    assert f"the store {settings.store_folder}" in warning
    assert [client.post("/forecast", json=it).content for it in asked] == before
    assert client.get(f"/models/{ASSET}/har").status_code == 200


def test_what_auto_means_is_open_before_it_is_asked_for(
    client: TestClient, settings: Settings
) -> None:
    verified(client)
    become_nothing(settings.store_folder)
    answer = client.post("/forecast", json={"asset": ASSET}).json()
    assert (answer["model"], answer["degraded_reason"]) == ("log_har", None)


def test_a_store_that_hangs_keeps_nothing_waiting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a folder of a network file system whose server is gone does."""
    looks, again, iterdir = [], threading.Event(), Path.iterdir
    settings = settings.model_copy(update={"database_connect_timeout": 0.2})  # two at least

    def hang(self: Path) -> Iterator[Path]:
        if self == settings.store_folder:
            looks.append(threading.current_thread())
            again.wait()
        return iterdir(self)

    with TestClient(create_app(settings, clock)) as client:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "iterdir", hang)
            answers = [client.get("/health/ready").json() for _ in range(2)]
        warning = f"the store {settings.store_folder} does not answer within 0.2 seconds"
        assert [it["warnings"] for it in answers] == [[warning]] * 2
        assert [it["status"] for it in answers] == ["degraded"] * 2
        assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
        [look] = looks  # and no thread for each question
        assert look.daemon
        again.set()
        look.join()
        assert client.get("/health/ready").json()["status"] == "ok"


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
