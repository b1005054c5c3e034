"""Assets are held before their first bars, and no longer once they are deleted."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from models_store import Store
from service.app import create_app
from service.assets.database import HeldAsset, HeldBars, HistoryStore
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.merging import Merge
from service.http.errors import BarsConflict
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.patience import eventually
from tests.service.worlds import ASSET, bars_of, clock, held_asset, json_bars
from volatility.bars import Bars
from volatility.errors import NoHistory

ALL = bars_of(make_series())
BARS = json_bars(ALL)
MINE = {"asset": "MINE", "calendar": "XNYS", "kind": "etf", "measure": "parkinson"}


def part(start: int, stop: int) -> Bars:
    return ALL.where(slice(start, stop))


@pytest.fixture
def store(settings: Settings) -> Iterator[HistoryStore]:
    store = HistoryStore(settings.database_url)
    yield store
    store.close()


def test_an_asset_is_held_before_its_first_bars(client: TestClient, settings: Settings) -> None:
    with capture_logs() as lines:
        made = client.post("/assets", json=MINE)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in MINE} == MINE
    assert (made.json()["bars"], made.json()["last_session"]) == (0, None)
    assert [it["asset"] for it in lines if it.get("action") == "register asset"] == ["MINE"]
    with TestClient(create_app(settings, clock)) as restarted:
        names = [it["asset"] for it in restarted.get("/assets").json()["assets"]]
    assert names == ["MINE", ASSET]
    assert client.get("/assets/MINE/bars").json()["code"] == "no_history"
    put = client.put("/assets/MINE/bars", json={"bars": made_up_bars(3)})
    assert (put.json()["added"], put.status_code) == (3, 200), put.text  # no calendar is asked for


def test_one_that_is_held_stays_as_it_is(client: TestClient) -> None:
    before = client.get("/assets").json()["assets"]
    again = client.post("/assets", json={"asset": ASSET, "calendar": "24/7"})
    assert (again.status_code, [again.json()]) == (200, before)


def test_what_is_left_out_is_the_usual(client: TestClient) -> None:
    made = client.post("/assets", json={"asset": "MINE", "calendar": "NYSE"}).json()
    assert (made["calendar"], made["kind"], made["measure"]) == ("XNYS", "stock", "garman_klass")
    index = client.post("/assets", json={"asset": "VIX"}).json()
    assert (index["kind"], index["measure"]) == ("index", "implied_variance")


def test_one_that_only_the_store_knows_is_held_as_its_models_say(settings: Settings) -> None:
    store = Store(settings.store_folder)
    store.promote("FRESH", "har", store.publish(make_files("FRESH")))
    with TestClient(create_app(settings, clock)) as client:
        made = client.post("/assets", json={"asset": "FRESH"})
    assert (made.status_code, made.json()["calendar"]) == (201, "24/7")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"asset": "MINE"}, 422, "unclear_calendar", "calendar"),
        (MINE | {"calendar": "NOPE"}, 422, "unknown_calendar", "calendar"),
        (MINE | {"measure": "realized_variance"}, 422, "unknown_measure", "measure"),
        (MINE | {"kind": "house"}, 422, "invalid_value", "kind"),
        (MINE | {"asset": "a/b"}, 422, "invalid_input", None),
        (MINE | {"bars": []}, 422, "unknown_field", "bars"),
        ({"asset": ASSET, "calendar": "XNYS"}, 422, "asset_mismatch", "calendar"),
    ],
)
def test_what_cannot_be_registered(
    client: TestClient, body: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    answer = client.post("/assets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert field is None or answer.json()["field"] == field
    assert [it["asset"] for it in client.get("/assets").json()["assets"]] == [ASSET]


def test_what_is_deleted_is_gone(client: TestClient, store: HistoryStore) -> None:
    path = "/assets/NEW/bars"
    client.put(path, json={"bars": BARS[:30]}).raise_for_status()
    other = [BARS[7] | {"high": 120.0}]
    client.put(f"{path}?replace=true", json={"bars": other}).raise_for_status()
    with capture_logs() as lines:
        deleted = client.delete("/assets/NEW")
    assert deleted.json() == {"asset": "NEW", "bars": 30, "replaced_bars": 1}
    [line] = [it for it in lines if it["event"] == "audit"]
    assert (line["action"], line["asset"], line["bars"]) == ("delete asset", "NEW", 30)
    assert client.get("/assets/NEW/history").json()["code"] == "unknown_asset"
    assert client.delete("/assets/NEW").status_code == 404
    assert store.assets() == [ASSET]
    assert len(store.read(ASSET).bars) == 400


def test_what_forecasts_are_made_from_is_not_deleted(client: TestClient) -> None:
    answer = client.delete(f"/assets/{ASSET}")
    assert (answer.status_code, answer.json()["code"]) == (409, "asset_in_use")
    assert "har, last_value, log_har" in answer.json()["detail"]
    assert client.post("/forecast", json={"asset": ASSET}).status_code == 200


def test_nor_is_what_is_shipped_or_has_a_model_that_does_not_serve(
    client: TestClient, settings: Settings
) -> None:
    client.put("/assets/SPX/bars?calendar=24/7", json={"bars": BARS[:3]}).raise_for_status()
    assert client.delete("/assets/SPX").json()["detail"].endswith("it is shipped")
    client.put("/assets/NEW/bars?calendar=24/7", json={"bars": BARS[:3]}).raise_for_status()
    Store(settings.store_folder).publish(make_files("NEW"))
    assert client.delete("/assets/NEW").json()["code"] == "asset_in_use"


def test_another_process_notices(settings: Settings) -> None:
    with ExitStack() as started:
        one, other = (
            started.enter_context(TestClient(create_app(settings, clock))) for _ in range(2)
        )
        one.post("/assets", json=MINE).raise_for_status()
        eventually(lambda: other.delete("/assets/MINE").status_code == 200)
        eventually(lambda: len(one.get("/assets").json()["assets"]) == 1)


@pytest.fixture
def holdings(store: HistoryStore) -> Holdings:
    holdings = Holdings(store)
    holdings.load()
    return holdings


def test_one_made_anew_is_never_taken_for_the_one_before(
    holdings: Holdings, store: HistoryStore
) -> None:
    """This process has not heard of the deletion when bars are put to the new one."""
    holdings.merge(held_asset("NEW"), part(0, 30), replace=False)
    before = holdings.get("NEW").revision
    store.delete("NEW")
    store.merge(held_asset("NEW"), part(50, 60))
    _, held = holdings.merge(held_asset("NEW"), part(60, 70), replace=False)
    assert len(held.bars) == len(holdings.get("NEW").bars) == 20
    assert held.revision > before
    store.delete("NEW")
    assert store.register(held_asset("NEW"))
    assert store.read("NEW").revision > held.revision
    assert not store.register(held_asset("NEW"))


def test_what_was_made_after_revisions_were_read_stays(
    holdings: Holdings, store: HistoryStore
) -> None:
    with store.changes() as changes:
        revisions = store.revisions(changes)
    holdings.merge(held_asset("NEW"), part(0, 30), replace=False)
    assert holdings.refresh(revisions) == []
    assert holdings.find("NEW") is not None
    store.delete("NEW")
    assert holdings.refresh(revisions) == ["NEW"]
    assert holdings.find("NEW") is None


def test_what_is_deleted_while_it_is_read_again_is_passed_over(
    holdings: Holdings, store: HistoryStore
) -> None:
    assert holdings.refresh({ASSET: 1, "GONE": 3}) == ["GONE"]
    assert holdings.assets() == [ASSET]


def test_what_is_not_held_is_neither_read_nor_deleted(store: HistoryStore) -> None:
    with pytest.raises(NoHistory, match="GONE is not held"):
        store.read("GONE")
    with pytest.raises(NoHistory, match="GONE is not held"):
        store.delete("GONE")


def test_one_that_is_held_as_something_else_is_not_registered(store: HistoryStore) -> None:
    with pytest.raises(BarsConflict):
        store.register(replace(held_asset(ASSET), calendar="XNYS", kind="stock"))
    assert store.read(ASSET).asset == held_asset(ASSET)


def test_what_cannot_be_told_to_have_models_is_not_deleted(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.put("/assets/NEW/bars?calendar=24/7", json={"bars": BARS[:3]}).raise_for_status()
    with monkeypatch.context() as patched:
        patched.setattr(Store, "models", unreadable)
        answer = client.delete("/assets/NEW")
        assert (answer.status_code, answer.json()["code"]) == (503, "artifact_refused")
    assert client.delete("/assets/NEW").status_code == 200


def unreadable(*_args: object) -> None:
    raise OSError(5, "Input/output error")


def test_one_that_is_deleted_while_bars_go_to_memory_is_not_held_there(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = holdings._after

    def deleted_meanwhile(merge: Merge, asset: HeldAsset) -> Held:
        held = after(merge, asset)
        holdings.delete("NEW")
        return held

    with monkeypatch.context() as patched:
        patched.setattr(holdings, "_after", deleted_meanwhile)
        holdings.merge(held_asset("NEW"), part(0, 30), replace=False)
    assert holdings.find("NEW") is None
    holdings.merge(held_asset("NEW"), part(0, 20), replace=False)
    assert len(holdings.get("NEW").bars) == 20


def test_one_that_is_deleted_while_it_is_read_again_is_not_held(
    holdings: Holdings, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.merge(held_asset("NEW"), part(0, 30))
    read = holdings.store.read

    def deleted_meanwhile(asset: str) -> HeldBars:
        found = read(asset)
        holdings.delete("NEW")
        return found

    monkeypatch.setattr(holdings.store, "read", deleted_meanwhile)
    holdings.refresh({ASSET: 1, "NEW": 1})
    assert holdings.find("NEW") is None
