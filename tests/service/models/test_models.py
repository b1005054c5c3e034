from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_manifest
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage


def test_every_model_is_listed(client: TestClient, settings: Settings) -> None:
    answer = client.get("/models").json()
    assert answer["refused"] == []
    assert [model["model"] for model in answer["models"]] == sorted(MODELS)
    champion = next(model for model in answer["models"] if model["champion"])
    assert champion == {
        "asset": ASSET,
        "model": "log_har",
        "version": 1,
        "sha256": Store(settings.store).load(ASSET, "log_har").sha256,
        "champion": True,
        "measure": "garman_klass",
        "horizons": [1],
        "levels": [0.8, 0.95],
        "required_sessions": 22,
        "columns": [],
        "training_end": "2021-02-03",
    }


def test_a_model_shows_its_manifest(client: TestClient) -> None:
    answer = client.get(f"/models/{ASSET}/har").json()
    assert (answer["version"], answer["served_version"], answer["versions"]) == (1, 1, [1])
    assert answer["champion"] is False
    assert answer["manifest"] == make_manifest(ASSET, "har").model_dump(mode="json")


def test_auto_is_the_champion(client: TestClient) -> None:
    answer = client.get(f"/models/{ASSET}/auto").json()
    assert answer == client.get(f"/models/{ASSET}/log_har").json()
    assert answer["served_version"] == 1
    assert client.get(f"/models/{ASSET}/auto?version=1").json() == answer


def test_a_version_that_does_not_serve_can_be_read(settings: Settings) -> None:
    Store(settings.store).publish(make_files(ASSET, "har", 9e-5))
    with TestClient(create_app(settings, clock)) as client:
        answer = client.get(f"/models/{ASSET}/har?version=2").json()
        served = client.get(f"/models/{ASSET}/har").json()
    assert (answer["version"], answer["served_version"], answer["versions"]) == (2, 1, [1, 2])
    assert answer["sha256"] != served["sha256"]


def test_what_was_refused_is_listed_and_cannot_be_asked(settings: Settings) -> None:
    damage(settings, "har")
    with TestClient(create_app(settings, clock)) as client:
        [refused] = client.get("/models").json()["refused"]
        answers = [
            client.get(f"/models/{ASSET}/har"),
            client.get(f"/models/{ASSET}/har?version=1"),
            client.post("/forecast", json={"asset": ASSET, "model": "har"}),
        ]
    assert (refused["asset"], refused["model"], refused["version"]) == (ASSET, "har", 1)
    assert refused["served_version"] is None
    assert refused["reason"].startswith("coefficients.json has sha256")
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "artifact_refused")
        assert "coefficients.json has sha256" in answer.json()["detail"]
