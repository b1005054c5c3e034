"""``POST /admin/…``, as an operator calls it."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from models_store import Store, atomic
from service.app import create_app
from service.security import audit
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.service.client import TestClient
from tests.service.security.test_guard import add_key, with_keys
from tests.service.worlds import ASSET, clock, damage

NOTHING: dict[str, list[Any]] = {"swaps": [], "champions": [], "refused": []}


@pytest.fixture
def store(settings: Settings) -> Store:
    """The first of three versions of har serves."""
    store = Store(settings.store_folder)
    for intercept in (2e-4, 3e-4):
        store.publish(make_files(ASSET, "har", intercept))
    return store


@pytest.fixture
def client(settings: Settings, store: Store) -> Iterator[TestClient]:
    """A service that looks at its store only where it is told to."""
    patient = settings.model_copy(update={"follow_seconds": 0})
    with TestClient(create_app(patient, clock)) as client:
        yield client


def ask(client: TestClient, **more: Any) -> dict[str, Any]:
    return dict(client.post("/forecast", json={"asset": ASSET, "model": "har", **more}).json())


def post(client: TestClient, path: str, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/admin/{path}", **more)
    assert answer.status_code == 200, answer.json()
    return dict(answer.json())


def promote(client: TestClient, version: int, model: str = "har") -> dict[str, Any]:
    return post(client, f"models/{ASSET}/{model}/promote", json={"version": version})


def swap(before: int | None, after: int, model: str = "har") -> dict[str, Any]:
    return {"asset": ASSET, "model": model, "served_before": before, "served": after}


def test_a_reload_tells_what_it_changed(client: TestClient, store: Store) -> None:
    assert post(client, "reload") == NOTHING
    before = ask(client)
    store.promote(ASSET, "har", 2)
    store.set_champion(ASSET, "har")
    assert ask(client) == before
    assert post(client, "reload") == {
        "swaps": [swap(1, 2)],
        "champions": [{"asset": ASSET, "champion_before": "log_har", "champion": "har"}],
        "refused": [],
    }
    assert (ask(client)["model_version"], ask(client, model="auto")["model"]) == (2, "har")
    assert post(client, "reload") == NOTHING


def test_an_asset_that_is_new_is_known_everywhere(client: TestClient, store: Store) -> None:
    assert client.get("/hurst/NEW").json()["code"] == "unknown_asset"
    for model in ("har", "log_har"):
        store.publish(make_files("NEW", model), promote=True)
    store.set_champion("NEW", "log_har")
    post(client, "reload")
    assert client.get("/hurst/NEW").json()["code"] == "no_history"
    listed = {it["asset"]: it for it in client.get("/assets").json()["assets"]}
    assert (listed["NEW"]["models"], listed["NEW"]["champion"]) == (["har", "log_har"], "log_har")
    compared = client.get("/compare/NEW").json()
    assert {it["model"] for it in compared["rows"]} == {"har", "log_har"}
    shown = client.get("/models/NEW/auto").json()
    assert (shown["model"], shown["served_version"], shown["champion"]) == ("log_har", 1, True)
    assert client.get("/health/ready").json()["models"] == 5


def test_a_promotion_and_the_way_back(client: TestClient, store: Store) -> None:
    rv = ask(client)["rv"]
    named = {"asset": ASSET, "model": "har"}
    for version in (3, 2):
        said = promote(client, version)
        assert said == named | NOTHING | {
            "promoted_version": version,
            "served_version": version,
            "swaps": [swap({3: 1, 2: 3}[version], version)],
        }
        assert store.current(ASSET, "har") == ask(client)["model_version"] == version
    for version in (3, 1):
        said = post(client, f"models/{ASSET}/har/roll-back")
        assert (said["promoted_version"], said["served_version"]) == (version, version)
        assert ask(client)["model_version"] == version
    assert ask(client)["rv"] == rv
    again = promote(client, 1)
    assert again == named | NOTHING | {"promoted_version": 1, "served_version": 1}


def test_the_same_artifact_under_another_number_is_another_version(
    client: TestClient, store: Store
) -> None:
    before = ask(client)
    assert store.publish(make_files(ASSET, "har")) == 4
    said = promote(client, 4)
    assert said["served_version"] == 4
    after = ask(client)
    assert (before["model_version"], after["model_version"]) == (1, 4)
    assert before | {"model_version": 4} == after


def test_what_cannot_be_is_refused_with_what_is_missing(client: TestClient) -> None:
    def refused(path: str, version: object = 2, **more: Any) -> tuple[int, str, object, object]:
        sent = {"json": {"version": version}} | more
        problem = client.post(f"/admin/models/{path}", **sent).json()
        return problem["status"], problem["code"], problem["field"], problem["found"]

    assert refused(f"{ASSET}/har/promote", 9) == (404, "unknown_version", "version", 9)
    assert refused(f"{ASSET}/ewma/promote") == (404, "unknown_model", "model", "ewma")
    assert refused("DOGE/har/promote") == (404, "unknown_asset", "asset", "DOGE")
    assert refused(f"{ASSET}/HAR/promote") == (422, "invalid_input", "model", "HAR")
    assert refused(f"{ASSET}/har/promote", 0) == (422, "invalid_value", "version", 0)
    assert refused(f"{ASSET}/har/promote", "2") == (422, "wrong_type", "version", "2")
    assert refused(f"{ASSET}/har/promote", json={}) == (422, "missing_field", "version", None)
    assert refused(f"{ASSET}/har/promote?x=1") == (422, "unknown_parameter", "x", "1")
    assert refused(f"{ASSET}/har/shadow", 9) == (404, "unknown_version", "version", 9)
    assert refused(f"{ASSET}/ewma/shadow") == (404, "unknown_model", "model", "ewma")
    assert refused(f"{ASSET}/har/shadow", 0) == (422, "invalid_value", "version", 0)
    assert client.delete("/admin/models/DOGE/har/shadow").json()["code"] == "unknown_asset"
    assert client.delete(f"/admin/models/{ASSET}/har/shadow?x=1").json()["code"] == (
        "unknown_parameter"
    )
    assert refused(f"{ASSET}/har/roll-back", json=None) == (404, "unknown_version", "version", 1)
    assert client.get("/admin/reload").status_code == 405
    assert ask(client)["model_version"] == 1


def test_a_damaged_version_is_not_promoted(
    client: TestClient, store: Store, settings: Settings
) -> None:
    damage(settings, "har", 2)
    refused = client.post(f"/admin/models/{ASSET}/har/promote", json={"version": 2})
    assert (refused.status_code, refused.json()["code"]) == (503, "artifact_refused")
    assert f"{ASSET}/har/2 is refused: coefficients.json" in refused.json()["detail"]
    assert (store.current(ASSET, "har"), ask(client)["model_version"]) == (1, 1)


def test_a_version_that_only_the_store_accepts_is_told_of(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was damaged between the promotion and the look."""
    before = ask(client)
    let_serve = Store._let_serve

    def and_damage(self: Store, *given: Any) -> None:
        let_serve(self, *given)
        damage(settings, "har", 2)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "_let_serve", and_damage)
        said = promote(client, 2)
    assert (said["promoted_version"], said["served_version"], said["swaps"]) == (2, 1, [])
    [refused] = said["refused"]
    assert (refused["version"], refused["served_version"]) == (2, 1)
    assert ask(client)["rv"] == before["rv"]
    damage(settings, "har", 2)  # back
    said = promote(client, 2)  # which changes nothing in the store
    assert (said["served_version"], said["swaps"], said["refused"]) == (2, [swap(1, 2)], [])


def test_a_version_on_trial_is_told_and_answers_nobody(client: TestClient, store: Store) -> None:
    path, shown = f"models/{ASSET}/har/shadow", f"/models/{ASSET}/har"
    before = ask(client)
    for version in (3, 2):
        said = post(client, path, json={"version": version})
        assert said == {"asset": ASSET, "model": "har", "shadow_version": version}
        assert client.get(shown).json()["shadow_version"] == version
    assert (ask(client), store.served(ASSET, "har")) == (before, (1,))
    assert client.get(f"/models/{ASSET}/log_har").json()["shadow_version"] is None
    for _ in range(2):
        ended = client.delete(f"/admin/{path}")
        said = {"asset": ASSET, "model": "har", "shadow_version": None}
        assert (ended.status_code, ended.json()) == (200, said)
    assert client.get(shown).json()["shadow_version"] is None


@pytest.mark.parametrize("path", ["promote", "roll-back", "shadow"])
def test_a_store_that_cannot_be_written_is_a_problem_of_its_own(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    store.promote(ASSET, "har", 2)
    post(client, "reload")

    def refuse(*_: Any) -> None:
        raise OSError(30, os.strerror(30), str(store.root))

    monkeypatch.setattr(atomic, "_write_and_flush", refuse)
    answer = client.post(
        f"/admin/models/{ASSET}/har/{path}", json=None if path == "roll-back" else {"version": 3}
    )
    assert answer.status_code == 503
    problem = answer.json()
    assert (problem["code"], problem["field"]) == ("store_not_writable", "store")
    assert problem["detail"] == "the store cannot be written: Read-only file system"
    assert problem["found"] == "Read-only file system"
    assert "python -m service models" in problem["needed"]
    assert str(store.root) not in answer.text
    assert (store.current(ASSET, "har"), ask(client)["model_version"]) == (2, 2)


def test_who_changed_what_is_written_down(
    settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TestClient(create_app(settings, clock)):
        key_id, headers = add_key(settings, "admin", name="operator")
        reader = add_key(settings, "forecast", "ingest")[1]
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(audit, "log", fresh)
    url = f"/admin/models/{ASSET}/har"
    with (
        TestClient(create_app(with_keys(settings, follow_seconds=0), clock)) as client,
        structlog.testing.capture_logs() as lines,
    ):
        paths = ("/admin/reload", *(f"{url}/{it}" for it in ("promote", "roll-back", "shadow")))
        for path in paths:
            refused = client.post(path, json={"version": 2}, headers=reader)
            assert (refused.status_code, refused.json()["needed"]) == (
                403,
                "a key with the scope admin",
            )
        client.post(f"{url}/promote", json={"version": 9}, headers=headers)
        client.post(f"{url}/promote", json={"version": 2}, headers=headers)
        client.post(f"{url}/roll-back", headers=headers)
        store.promote(ASSET, "har", 3)
        client.post("/admin/reload", headers=headers)
        client.post(f"{url}/shadow", json={"version": 2}, headers=headers)
        client.delete(f"{url}/shadow", headers=headers)
    told = [it for it in lines if it["event"] == "audit"]
    assert {(it["key"], it["name"], it["client"]) for it in told} == {
        (key_id, "operator", "testclient")
    }
    of = {"asset": ASSET, "model": "har"}
    said = [{name: it.get(name) for name in ("action", "version", "swaps", *of)} for it in told]
    assert said == [
        {"action": "promote", "version": 2, "swaps": None} | of,
        {"action": "roll back", "version": 1, "swaps": None} | of,
        {"action": "reload", "version": None, "swaps": 1, "asset": None, "model": None},
        {"action": "start shadow", "version": 2, "swaps": None} | of,
        {"action": "end shadow", "version": None, "swaps": None} | of,
    ]
