from models_store import Store
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import flip_byte, make_files, make_manifest
from tests.models_store.universal.small import HORIZONS, small_files, small_manifest
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage
from volatility.evaluation.intervals import LEVELS


def test_every_model_is_listed(client: TestClient, settings: Settings) -> None:
    answer = client.get("/models").json()
    assert answer["refused"] == []
    assert [model["model"] for model in answer["models"]] == sorted(MODELS)
    champion = next(model for model in answer["models"] if model["champion"])
    assert champion == {
        "asset": ASSET,
        "model": "log_har",
        "version": 1,
        "sha256": Store(settings.store_folder).load(ASSET, "log_har").sha256,
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
    Store(settings.store_folder).publish(make_files(ASSET, "har", 9e-5))
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


def test_the_model_for_every_asset_is_listed_and_shows_its_manifest(settings: Settings) -> None:
    store = UniversalStore(settings.store_folder)
    for weight in (0.5, 1.0):
        store.publish(small_files(weight))
    with TestClient(create_app(settings, clock)) as client:
        listed = client.get("/models").json()["universal"]
        shown = client.get("/models/universal").json()
        earlier = client.get("/models/universal?version=1").json()
        unknown = client.get("/models/universal?version=3").json()
    assert listed == {
        "version": 2,
        "sha256": store.load(2).sha256,
        "kinds": ["stock", "etf", "index", "fx", "crypto"],
        "measures": ["garman_klass", "parkinson"],
        "horizons": list(HORIZONS),
        "levels": list(LEVELS),
        "required_sessions": 22,
        "assets": 2,
        "training_end": "2019-12-31",
    }
    assert (shown["version"], shown["served_version"], shown["versions"]) == (2, 2, [1, 2])
    assert shown["sha256"] == listed["sha256"]
    assert shown["manifest"] == small_manifest().model_dump(mode="json")
    assert [it["asset"] for it in shown["manifest"]["assets"]] == ["SHARE", "COIN"]
    assert (earlier["version"], earlier["served_version"]) == (1, 2)
    assert (unknown["status"], unknown["code"], unknown["found"]) == (404, "unknown_version", 3)


def test_without_one_nothing_is_listed_and_the_question_is_refused(client: TestClient) -> None:
    assert client.get("/models").json()["universal"] is None
    problem = client.get("/models/universal").json()
    assert (problem["status"], problem["code"]) == (404, "unknown_model")
    assert "the store holds none" in problem["detail"]


def test_a_damaged_version_of_it_says_what_is_wrong(settings: Settings) -> None:
    store = UniversalStore(settings.store_folder)
    for _ in range(2):
        store.publish(small_files())
    path = store.folder / "2" / "model.onnx"
    path.write_bytes(flip_byte(path.read_bytes(), -3))
    with TestClient(create_app(settings, clock)) as client:
        assert client.get("/models/universal").json()["version"] == 1
        problem = client.get("/models/universal?version=2").json()
    assert (problem["status"], problem["code"]) == (503, "artifact_refused")
    assert "model.onnx has sha256" in problem["detail"]
