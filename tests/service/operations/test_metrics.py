from datetime import timedelta

from prometheus_client.parser import text_string_to_metric_families

from service.app import create_app
from service.assets.database import HistoryStore
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, NOW, bars_of, clock, damage, held_asset
from tests.volatility.prices import chosen


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


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


def test_forecasts_are_counted_alone_and_in_batches(client: TestClient) -> None:
    client.post("/forecast", json={"asset": ASSET})
    items = [{"asset": ASSET}, {"asset": ASSET, "model": "har"}, {"asset": "DOGE"}]
    client.post("/forecast/batch", json={"items": items})
    found = samples(client)
    assert found["roughcast_forecasts_total", ASSET, "log_har"] == 2
    assert found["roughcast_forecasts_total", ASSET, "har"] == 1


def test_models_and_staleness_are_shown(settings: Settings) -> None:
    damage(settings, "last_value")
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        found = samples(client)
    assert found["roughcast_models_loaded", ASSET] == 2
    assert found[("roughcast_models_refused",)] == 1
    assert found["roughcast_stale_sessions", ASSET] == 3


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
