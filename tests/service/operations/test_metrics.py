from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models_store import Refusal, Store
from service.app import create_app
from service.assets.database import HistoryStore
from service.operations import metrics
from service.operations.metrics import Metrics
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.worlds import (
    ASSET,
    NOW,
    bars_of,
    clock,
    damage,
    held_asset,
    json_bars,
    verified,
)
from tests.volatility.prices import chosen

DEPENDENT = {"roughcast_memory_limit_bytes"}  # on the machine
SERVED = ("served", "promoted")


def test_requests_are_counted_by_route_and_status(client: TestClient) -> None:
    for _ in range(3):
        client.get(f"/compare/{ASSET}")
    client.get("/compare/DOGE")
    client.get("/nowhere/at/all")
    found = samples(client)
    assert found["roughcast_requests_total", "GET", "/compare/{asset}", "200"] == 3
    assert found["roughcast_requests_total", "GET", "/compare/{asset}", "404"] == 1
    assert found["roughcast_requests_total", "GET", "unmatched", "404"] == 1
    assert found["roughcast_request_seconds_count", "GET", "/compare/{asset}"] == 4
    assert found["roughcast_request_seconds_sum", "GET", "/compare/{asset}"] > 0
    assert found[("roughcast_requests_in_flight",)] == 1  # that for the metrics


def test_forecasts_are_counted_alone_and_in_batches(client: TestClient) -> None:
    client.post("/forecast", json={"asset": ASSET})
    items = [{"asset": ASSET}, {"asset": ASSET, "model": "har"}, {"asset": "DOGE"}]
    client.post("/forecast/batch", json={"items": items})
    found = samples(client)
    assert found["roughcast_forecasts_total", ASSET, "log_har"] == 2
    assert found["roughcast_forecasts_total", ASSET, "har"] == 1


def test_room_is_shown_for_the_store_and_the_history(client: TestClient) -> None:
    found = samples(client)
    for content in ("store", "history"):
        free, size = (found[f"roughcast_disk_{it}_bytes", content] for it in ("free", "size"))
        assert 0 < free < size


def test_models_and_staleness_are_shown(settings: Settings) -> None:
    damage(settings, "last_value")
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        found = samples(verified(client))
    assert found["roughcast_models_loaded", ASSET] == 2
    assert found[("roughcast_models_refused",)] == 1
    assert found[("roughcast_models_unverified",)] == 0
    assert found["roughcast_stale_sessions", ASSET] == 3


def test_what_serves_in_place_of_what_is_promoted_is_shown(settings: Settings) -> None:
    Store(settings.store_folder).publish(make_files(ASSET, "har", 2e-5), promote=True)
    damage(settings, "har", 2)
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        found = samples(verified(client))
        versions = [found[f"roughcast_{it}_version", ASSET, "har"] for it in SERVED]
        assert versions == [1, 2]
        assert [found[f"roughcast_{it}_version", ASSET, "log_har"] for it in SERVED] == [0, 1]
        assert ("roughcast_served_version", ASSET, "last_value") not in found
        assert found[("roughcast_models_not_as_promoted",)] == 2
        assert (found[("roughcast_swaps_total",)], found[("roughcast_swaps_refused_total",)]) == (
            0,
            0,
        )
        assert 0 <= found[("roughcast_store_age_seconds",)] < 60
        Store(settings.store_folder).promote(ASSET, "har", 1)
        client.post("/admin/reload").raise_for_status()
        found = samples(client)
    assert ("roughcast_served_version", ASSET, "har") not in found
    assert ("roughcast_promoted_version", ASSET, "har") not in found
    assert found[("roughcast_models_not_as_promoted",)] == 1


def test_swaps_are_counted(settings: Settings) -> None:
    store = Store(settings.store_folder)
    for intercept in (2e-5, 3e-5):
        store.publish(make_files(ASSET, "har", intercept))
    damage(settings, "har", 3)
    with TestClient(create_app(settings, clock)) as client:
        for promote in (lambda: store.promote(ASSET, "har", 2), lambda: spoil(store)):
            promote()
            client.post("/admin/reload").raise_for_status()
        found = samples(client)
    assert found[("roughcast_swaps_total",)] == 1
    assert found[("roughcast_swaps_refused_total",)] == 1
    assert found["roughcast_promoted_version", ASSET, "har"] == 3
    assert found["roughcast_served_version", ASSET, "har"] == 2


def spoil(store: Store) -> None:
    """Let the damaged version be promoted, as by hand."""
    path = store.root / ASSET / "har" / "current"
    path.write_text(path.read_text().replace('"version": 2', '"version": 3'))


def test_of_many_that_differ_some_are_shown_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_SHOWN", 2)
    counted = Metrics()
    refusals = [Refusal("A", f"model_{number}", 2, "damaged", 1) for number in range(3)]
    counted.set_promoted([*refusals, Refusal("A", "pointer", None, "damaged", 1)], 4.0)
    shown = counted.exposition().decode()
    assert shown.count("roughcast_served_version{") == 2
    assert "roughcast_models_not_as_promoted 4.0" in shown
    assert "roughcast_store_age_seconds 4.0" in shown
    counted.set_promoted([Refusal("A", "pointer", None, "damaged", 1)], 0.0)
    shown = counted.exposition().decode()
    assert shown.count("roughcast_promoted_version{") == 0
    assert 'roughcast_served_version{asset="A",model="pointer"} 1.0' in shown


def test_an_asset_that_is_known_and_has_no_bars_is_passed_over(settings: Settings) -> None:
    history = HistoryStore(settings.database_url)
    history.merge(held_asset("BARE"), chosen(bars_of(make_series()), slice(0)))
    history.close()
    with TestClient(create_app(settings, clock)) as client:
        found = samples(client)
        assets = {it["asset"]: it for it in client.get("/assets").json()["assets"]}
    assert found["roughcast_stale_sessions", ASSET] == 0
    assert ("roughcast_stale_sessions", "BARE") not in found
    assert (assets["BARE"]["bars"], assets["BARE"]["stale_sessions"]) == (0, None)


def test_two_applications_count_for_themselves(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as one:
        one.get(f"/compare/{ASSET}")
    with TestClient(create_app(settings, clock)) as other:
        assert ("roughcast_requests_total", "GET", "/compare/{asset}", "200") not in samples(other)


def test_of_one_that_is_deleted_no_staleness_is_shown(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        bars = json_bars(bars_of(make_series(30)))
        client.put("/assets/NEW/bars", json={"bars": bars}).raise_for_status()
        assert ("roughcast_stale_sessions", "NEW") in samples(client)
        client.delete("/assets/NEW").raise_for_status()
        found = samples(client)
    assert ("roughcast_stale_sessions", "NEW") not in found
    assert ("roughcast_stale_sessions", ASSET) in found


def test_each_number_is_told_by_the_labels_that_dashboards_ask_for(client: TestClient) -> None:
    client.post("/forecast", json={"asset": ASSET})
    found = {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if not sample.name.startswith("process_") and sample.name not in DEPENDENT
    }
    route = {"method", "route"}
    assert found == {
        "roughcast_requests_total": route | {"status"},
        "roughcast_requests_in_flight": set(),
        "roughcast_request_seconds_bucket": route | {"le"},
        "roughcast_request_seconds_count": route,
        "roughcast_request_seconds_sum": route,
        "roughcast_forecasts_total": {"asset", "model"},
        "roughcast_forecasts_created": {"asset", "model"},
        "roughcast_connections_open": set(),
        "roughcast_connections_refused_total": {"reason"},
        "roughcast_forecasts_flagged_total": {"asset", "flag"},
        "roughcast_event_loop_lag_seconds_bucket": {"le"},
        "roughcast_event_loop_lag_seconds_count": set(),
        "roughcast_event_loop_lag_seconds_sum": set(),
        "roughcast_lane_threads": {"lane"},
        "roughcast_lane_busy": {"lane"},
        "roughcast_lane_waiting": {"lane"},
        "roughcast_lane_refused_total": {"lane"},
        "roughcast_database_seconds_bucket": {"operation", "le"},
        "roughcast_database_seconds_count": {"operation"},
        "roughcast_database_seconds_sum": {"operation"},
        "roughcast_database_failures_total": {"operation"},
        "roughcast_bars_total": {"outcome"},
        "roughcast_ready": set(),
        "roughcast_release_info": {"version"},
        "roughcast_model_trained_until_timestamp_seconds": {"asset", "model"},
        "roughcast_disk_size_bytes": {"content"},
        "roughcast_disk_free_bytes": {"content"},
        "roughcast_models_loaded": {"asset"},
        "roughcast_models_refused": set(),
        "roughcast_models_unverified": set(),
        "roughcast_models_not_as_promoted": set(),
        "roughcast_swaps_total": set(),
        "roughcast_swaps_refused_total": set(),
        "roughcast_store_age_seconds": set(),
        "roughcast_stale_sessions": {"asset"},
        "roughcast_history_in_step": set(),
        "roughcast_ledger_lost_total": set(),
        "roughcast_ledger_waiting": set(),
        "roughcast_ledger_written_total": set(),
    }
