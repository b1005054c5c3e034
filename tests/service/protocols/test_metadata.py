"""Models say of themselves what they take, and are ready only if they can answer."""

from pathlib import Path
from typing import Any

import pytest

from models_store import Store
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.assets.database import HeldAsset, HistoryStore
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.any_asset import publish_universal
from tests.service.client import TestClient
from tests.service.protocols.speaking import bars, infer, numbers
from tests.service.worlds import ASSET, bars_of, clock, damage, json_bars, json_rv, verified

ONE, TWO = [-1], [-1, -1]
OUTPUTS = [
    ("rv", "FP64", ONE),
    ("volatility_annualized", "FP64", ONE),
    ("lower", "FP64", TWO),
    ("upper", "FP64", TWO),
    ("forecast_id", "BYTES", ONE),
    ("model", "BYTES", ONE),
    ("as_of", "BYTES", ONE),
    ("target_date", "BYTES", ONE),
    ("warnings", "BYTES", ONE),
]
PRICES = [(name, "FP64", TWO) for name in ("open", "high", "low", "close")]
BARS = [("date", "BYTES", TWO), *PRICES]
RV = [("rv", "FP64", TWO)]


def tensors(told: list[dict[str, Any]]) -> list[tuple[str, str, list[int]]]:
    return [(it["name"], it["datatype"], it["shape"]) for it in told]


@pytest.mark.parametrize(
    ("name", "inputs", "versions"),
    [
        ("TEST~har", [*RV, *BARS], ["1"]),
        ("TEST~auto", [*RV, *BARS], ["1"]),
        ("TEST~leverage", BARS, ["1"]),
        ("TEST~universal", BARS, ["1"]),
        ("universal", BARS, ["1"]),
        ("NEW~auto", BARS, ["1"]),
    ],
)
def test_a_model_describes_its_tensors(
    served: TestClient, name: str, inputs: Any, versions: list[str]
) -> None:
    for path in (f"/v2/models/{name}", f"/v2/models/{name}/versions/1"):
        told = served.get(path).json()
        assert (told["name"], told["versions"], told["platform"]) == (name, versions, "roughcast")
        assert tensors(told["inputs"]) == inputs
        assert tensors(told["outputs"]) == OUTPUTS


def test_what_it_describes_is_what_it_answers(served: TestClient) -> None:
    told = served.get("/v2/models/TEST~har").json()
    records = json_bars(bars_of(make_series()))[-30:]
    found = infer(served, "TEST~har", *bars([records]))
    assert list(found) == [name for name, *_ in tensors(told["outputs"])]
    assert list(infer(served, "TEST~har", numbers("rv", [json_rv()]))) == list(found)


@pytest.mark.parametrize("name", ["TEST~har", "TEST~auto", "universal", "NEW~universal"])
@pytest.mark.parametrize("version", ["", "/versions/1"])
def test_a_model_that_can_answer_is_ready(served: TestClient, name: str, version: str) -> None:
    answer = served.get(f"/v2/models/{name}{version}/ready")
    assert (answer.status_code, answer.json()) == (200, {"name": name, "ready": True})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("TEST~oracle", "TEST has no model 'oracle'"),
        ("NEW~har", "there is no asset 'NEW' with models"),
        ("TEST", "there is no model 'TEST'"),
        ("TEST~har/versions/2", "TEST/har has no version 2"),
        ("universal/versions/7", "has no version 7"),
        ("NEW~auto/versions/7", "has no version 7"),
    ],
)
def test_one_that_is_not_there_is_not_ready(served: TestClient, name: str, said: str) -> None:
    for path in (f"/v2/models/{name}/ready", f"/v2/models/{name}"):
        answer = served.get(path)
        assert answer.status_code == 404
        assert said in answer.json()["error"]


def test_a_version_must_be_a_number(served: TestClient) -> None:
    for version in ("0", "x", str(2**31)):
        answer = served.get(f"/v2/models/TEST~har/versions/{version}")
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("version: Input should be")


@pytest.fixture
def damaged(settings: Settings) -> Settings:
    """One model of two versions, the newer damaged; one of one, damaged."""
    store = Store(settings.store_folder)
    store.promote(ASSET, "har", store.publish(make_files(ASSET, "har", 3e-5)))
    damage(settings, "har", version=2)
    damage(settings, "last_value")
    return settings


def test_a_damaged_model_is_not_ready_and_its_version_before_is(damaged: Settings) -> None:
    with TestClient(create_app(damaged, clock)) as client:
        verified(client)
        answer = client.get("/v2/models/TEST~last_value/ready")
        assert answer.status_code == 503
        assert (
            "TEST/last_value/1 is refused: coefficients.json has sha256" in answer.json()["error"]
        )
        assert client.get("/v2/models/TEST~har/ready").status_code == 200
        assert client.get("/v2/models/TEST~har/versions/2/ready").status_code == 503
        assert client.get("/v2/models/TEST~har/versions/1").json()["versions"] == ["1", "2"]
        found = client.post("/v2/repository/index").json()
        states = {it["name"]: (it["version"], it["state"]) for it in found}
        assert states == {
            "TEST~har": ("1", "READY"),
            "TEST~log_har": ("1", "READY"),
            "TEST~last_value": ("1", "UNAVAILABLE"),
        }
        reasons = {it["name"]: it["reason"][:28] for it in found}
        damage_found = "coefficients.json has sha256"
        assert reasons == {
            "TEST~har": damage_found,
            "TEST~log_har": "",
            "TEST~last_value": damage_found,
        }
        ready = client.post("/v2/repository/index", json={"ready": True}).json()
        assert [it["name"] for it in ready] == ["TEST~har", "TEST~log_har"]


def test_the_model_for_every_asset_is_listed_too(served: TestClient) -> None:
    found = served.post("/v2/repository/index", content=b"").json()
    assert [it["name"] for it in found] == [
        "TEST~har",
        "TEST~last_value",
        "TEST~leverage",
        "TEST~log_har",
        "TEST~regimes",
        "universal",
    ]
    assert {it["state"] for it in found} == {"READY"}


def test_an_index_is_asked_for_as_the_protocol_has_it(served: TestClient) -> None:
    answer = served.post("/v2/repository/index", json={"ready": 1})
    assert answer.status_code == 422
    assert answer.json()["error"] == "ready: Input should be a valid boolean"


def test_nothing_stands_for_assets_that_the_model_for_every_asset_does_not_know(
    settings: Settings,
) -> None:
    """Of bars shorter than a day, and of any where it does not serve."""
    history = HistoryStore(settings.database_url)
    history.register(HeldAsset("HOURS", "24/7", "realized_variance", 3_600, "made up", "crypto"))
    history.close()
    with TestClient(create_app(settings, clock)) as client:
        answer = client.get("/v2/models/universal/ready")
        assert answer.status_code == 404
        assert "the model for every asset is not in service" in answer.json()["error"]
    publish_universal(settings)
    with TestClient(create_app(settings, clock)) as client:
        assert client.get("/v2/models/universal/ready").status_code == 200
        assert client.get("/v2/models/HOURS~auto/ready").status_code == 404


def test_a_damaged_model_for_every_asset_is_listed(settings: Settings, tmp_path: Path) -> None:
    publish_universal(settings)
    folder = UniversalStore(settings.store_folder).root / "universal"
    [path] = folder.rglob("SHA256SUMS")
    path.write_text("nothing\n")
    with TestClient(create_app(settings, clock)) as client:
        found = verified(client).post("/v2/repository/index").json()
        last = found[-1]
        assert (last["name"], last["version"], last["state"]) == ("universal", "1", "UNAVAILABLE")
        assert last["reason"]
