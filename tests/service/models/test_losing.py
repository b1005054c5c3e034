"""Models whose store cannot be read for a while, and what answers meanwhile."""

import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from models_store import Refusal, Store, artifact
from models_store.rack import Rack
from models_store.universal import artifact as universal_artifact
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.forecasts.requests import ForecastRequest
from service.models import verifier
from service.models.catalogue import AUTO, Catalogue
from service.models.turning import Turner
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.service.any_asset import made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.worlds import (
    ASSET,
    MODELS,
    clock,
    damage,
    json_rv,
    publish_shifted,
    verified,
)

OTHER = "AHEAD"  # sorted before ASSET, so that it is what is kept open


@pytest.fixture
def one(settings: Settings) -> Settings:
    """Two assets, and room for one model."""
    Store(settings.store_folder).publish(make_files(OTHER, "har"), promote=True)
    Store(settings.store_folder).set_champion(OTHER, "har")
    return settings.model_copy(update={"max_open_models": 1})


@pytest.fixture
def _unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is verified but what is asked for."""
    monkeypatch.setattr(verifier.Verifier, "_run", lambda _self: None)


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is lost is tried again but by requests."""
    monkeypatch.setattr(verifier, "_BETWEEN", 3600.0)


def lose(client: TestClient, settings: Settings) -> Path:
    """Take the store away while no model of ASSET is open, and return where it is."""
    verified(client)
    soon(lambda: client.app_state["catalogue"].is_compared(ASSET, 1))  # the last thing after that
    history = {"rv": json_rv()}
    said = client.post("/forecast", json={"asset": OTHER, "model": "har", "history": history})
    assert said.status_code == 200
    away = Path(f"{settings.store_folder}-away")
    settings.store_folder.rename(away)
    return away


def ready(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/health/ready").json())


def soon(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to hold")


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.usefixtures("_patient")
def test_an_asset_whose_models_are_all_lost_is_refused(one: Settings) -> None:
    with TestClient(create_app(one, clock)) as client:
        away = lose(client, one)
        refused = (503, "artifact_refused")
        for _ in range(2):  # once what is lost is found out, and once it is known
            assert code_of(client.post("/forecast", json={"asset": ASSET})) == refused
            assert code_of(client.get(f"/compare/{ASSET}")) == refused
            assert code_of(client.get(f"/models/{ASSET}/auto")) == refused
            assert code_of(client.get(f"/models/{ASSET}/har")) == refused
        assert ready(client)["models"] == 1
        assert {it["model"] for it in ready(client)["refused"]} == set(MODELS)
        assert [it["asset"] for it in client.get("/models").json()["models"]] == [OTHER]
        questions = client.app_state["questions"]
        assert questions.is_long(ForecastRequest(asset=ASSET))  # which tries to read them
        away.rename(one.store)
        assert client.post("/forecast", json={"asset": ASSET}).json()["degraded_reason"] is None


@pytest.mark.usefixtures("_patient")
def test_the_comparison_of_an_asset_that_is_found_lost_is_refused(one: Settings) -> None:
    with TestClient(create_app(one, clock)) as client:
        lose(client, one)
        catalogue = client.app_state["catalogue"]
        catalogue.standings._known.clear()
        assert code_of(client.get(f"/compare/{ASSET}")) == (503, "artifact_refused")


@pytest.mark.usefixtures("_patient")
def test_the_model_for_every_asset_answers_for_models_that_are_all_lost(one: Settings) -> None:
    publish_universal(one)
    with TestClient(create_app(one, clock)) as client:
        away = lose(client, one)
        for _ in range(2):
            said = client.post("/forecast", json={"asset": ASSET}).json()
            assert said["model"] == "universal"
            assert said["degraded_reason"] == (
                "the champion log_har is refused: its folder is absent; universal answers instead"
            )
            shown = client.get(f"/models/{ASSET}/auto").json()
            assert (shown["asset"], shown["model"]) == (ASSET, "universal")
            assert shown["manifest"]["asset"] == "universal"
        away.rename(one.store)
        shown = client.get(f"/models/{ASSET}/auto").json()
        assert (shown["asset"], shown["model"], shown["versions"]) == (ASSET, "log_har", [1])
        said = client.post("/forecast", json={"asset": ASSET}).json()
        assert (said["model"], said["degraded_reason"]) == ("log_har", None)


def test_what_was_lost_is_back_without_being_asked_for(
    one: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_BETWEEN", 0.05)
    with TestClient(create_app(one, clock)) as client:
        away = lose(client, one)
        client.get(f"/models/{ASSET}/har")
        client.get(f"/compare/{ASSET}")
        assert len(ready(client)["refused"]) > 0
        away.rename(one.store)
        soon(lambda: ready(client)["refused"] == [])
        assert ready(client)["models"] == 4
        soon(lambda: client.app_state["catalogue"].is_compared(ASSET, 1))


@pytest.mark.usefixtures("_unasked")
def test_a_model_that_serves_stays_open_while_another_is_lost(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        catalogue = client.app_state["catalogue"]
        folder = settings.store_folder / ASSET / "last_value" / "1"
        folder.rename(folder.with_name("away"))
        assert catalogue.resolve(ASSET, "log_har").degraded_reason is None
        assert catalogue.resolve(ASSET, AUTO).degraded_reason is None
        assert catalogue.shelf.is_lost(ASSET, "last_value")
        assert catalogue.is_open(ASSET, "log_har")
        assert catalogue.is_open(ASSET, AUTO)


@pytest.mark.usefixtures("_unasked")
def test_a_champion_that_is_lost_is_tried_by_each_request(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        catalogue = client.app_state["catalogue"]
        folder = settings.store_folder / ASSET / "log_har" / "1"
        folder.rename(folder.with_name("away"))
        for _ in range(2):
            assert catalogue.resolve(ASSET, AUTO).model.manifest.model == "har"
            assert not catalogue.is_open(ASSET, AUTO)
        folder.with_name("away").rename(folder)
        assert catalogue.resolve(ASSET, AUTO).model.manifest.model == "log_har"


def test_readiness_tells_of_comparisons_that_nobody_asked_for(one: Settings) -> None:
    publish_shifted(one, "har")
    with TestClient(create_app(one, clock)) as client:
        soon(lambda: any("misaligned" in it for it in ready(client)["warnings"]))


@pytest.mark.usefixtures("_unasked")
def test_a_model_that_was_verified_is_not_opened_to_be_verified(
    one: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []
    load = artifact.load

    def counted(folder: Path, *given: Any, **more: Any) -> Any:
        loads.append(folder)
        return load(folder, *given, **more)

    monkeypatch.setattr(artifact, "load", counted)
    catalogue = Catalogue(Store(one.store_folder), 1)
    catalogue.prepare(OTHER, "har")
    for _ in range(2):
        catalogue.prepare(ASSET, "har")
    assert [it.parts[-3:-1] for it in loads] == [(OTHER, "har"), (ASSET, "har")]


@pytest.fixture
def flapping(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    """Models of which something else is refused whenever one is looked at."""
    catalogue = Catalogue(Store(settings.store_folder))
    numbers, evidence, opens = count(), Rack.evidence, Rack.open

    def refuse() -> None:
        refusal = Refusal(ASSET, "none", None, f"reason {next(numbers)}", None)
        catalogue.shelf.refuse(ASSET, "none", refusal)

    def evidence_of(rack: Rack) -> Any:
        refuse()
        return evidence(rack)

    def opened(rack: Rack, model: str) -> Any:
        refuse()
        return opens(rack, model)

    monkeypatch.setattr(Rack, "evidence", evidence_of)
    monkeypatch.setattr(Rack, "open", opened)
    return catalogue


def test_a_store_that_comes_and_goes_keeps_nobody_waiting(flapping: Catalogue) -> None:
    assert flapping.resolve(ASSET, "har").model.manifest.model == "har"
    assert flapping.comparison(ASSET).versions.keys() == MODELS.keys()
    assert not flapping.is_open(ASSET, "har")


def test_a_manifest_that_is_neither_there_nor_listed_is_told_of(settings: Settings) -> None:
    folder = settings.store_folder / ASSET / "har" / "1"
    sums = (folder / "SHA256SUMS").read_text().splitlines(keepends=True)
    (folder / "SHA256SUMS").write_text("".join(it for it in sums if "manifest" not in it))
    (folder / "manifest.json").unlink()
    os.mkfifo(settings.store_folder / ASSET / "last_value" / "1" / "pipe")
    with TestClient(create_app(settings, clock)) as client:
        for path in ("/models", f"/models/{ASSET}/auto", f"/compare/{ASSET}"):
            assert client.get(path).status_code == 200
        assert client.post("/forecast", json={"asset": ASSET}).json()["model"] == "log_har"
        assert code_of(client.post("/forecast", json={"asset": ASSET, "model": "har"})) == (
            503,
            "artifact_refused",
        )
        said = ready(verified(client))
        assert (said["status"], said["models"]) == ("degraded", 1)
        assert {it["model"]: it["reason"] for it in said["refused"]} == {
            "har": "manifest.json is missing",
            "last_value": "pipe is no regular file",
        }


def test_what_stands_in_is_shown_with_its_own_versions(settings: Settings) -> None:
    publish_universal(settings)
    publish_universal(settings)
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        shown = client.get(f"/models/{ASSET}/auto").json()
    told = {it: shown[it] for it in ("asset", "model", "version", "versions", "champion")}
    assert told == {
        "asset": ASSET,
        "model": "universal",
        "version": 2,
        "versions": [1, 2],
        "champion": False,
    }


def test_the_model_for_every_asset_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its newest version cannot be read at the start: the one before serves until it can."""
    for _ in range(2):
        publish_universal(settings)
    monkeypatch.setattr(verifier, "_BETWEEN", 0.05)
    load, is_away = universal_artifact.load, True

    def loading(folder: Path, version: int, *more: Any) -> Any:
        if version == 2 and is_away:
            raise OSError(5, "Input/output error")
        return load(folder, version, *more)

    monkeypatch.setattr(universal_artifact, "load", loading)
    question = {"history": {"bars": made_up_bars(60)}}
    with TestClient(create_app(settings, clock)) as client:
        said = client.post("/forecast", json=question).json()
        assert said["model_version"] == 1
        assert "version 2 of universal is refused: Input/output error" in said["degraded_reason"]
        assert [it["version"] for it in ready(client)["refused"]] == [2]
        is_away = False
        soon(lambda: ready(client)["refused"] == [])
        said = client.post("/forecast", json=question).json()
        assert (said["model_version"], said["degraded_reason"]) == (2, None)
        assert client.get("/models/universal").json()["served_version"] == 2


def test_the_model_for_every_asset_is_tried_again_where_none_serves(settings: Settings) -> None:
    publish_universal(settings)

    def unreadable(_self: object) -> list[int]:
        raise OSError(5, "Input/output error")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(UniversalStore, "versions", unreadable)
        catalogue = Catalogue(Store(settings.store_folder))
        turner = Turner(catalogue)
        assert catalogue.shelf.lost() == [("universal", "universal")]
        assert not turner.retry("universal", "universal")
        assert "its folder cannot be read" in catalogue.universal.why_absent
    assert turner.retry("universal", "universal")
    assert (catalogue.universal.version, catalogue.shelf.lost()) == (1, [])


def test_an_asset_whose_folder_could_not_be_listed_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_BETWEEN", 0.05)
    models, is_away = Store.models, True

    def listing(store: Store, asset: str) -> list[str]:
        if asset == ASSET and is_away:
            raise OSError(5, "Input/output error")
        return models(store, asset)

    monkeypatch.setattr(Store, "models", listing)
    with TestClient(create_app(settings, clock)) as client:
        assert code_of(client.post("/forecast", json={"asset": ASSET})) == (503, "artifact_refused")
        is_away = False
        soon(lambda: client.get("/health/ready").status_code == 200)
        soon(lambda: not ready(client)["unverified"])
        assert (ready(client)["refused"], ready(client)["models"]) == ([], len(MODELS))
        said = client.post("/forecast", json={"asset": ASSET}).json()
        assert (said["model"], said["degraded_reason"]) == ("log_har", None)
        assert client.get(f"/compare/{ASSET}").status_code == 200
