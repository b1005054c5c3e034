"""Forecasts that were clipped, degraded or stale are counted by their asset."""

from datetime import timedelta

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.worlds import ASSET, NOW, clock, damage, json_rv

NAME = "roughcast_forecasts_flagged_total"
FLAGS = ("clipped", "degraded", "stale")


def flags(client: TestClient) -> dict[tuple[str, ...], float]:
    """Those that were counted; all begin at 0, with the first forecast of their asset."""
    found = {name[1:]: it for name, it in samples(client).items() if name[0] == NAME}
    assert set(found) == {(asset, flag) for asset, _ in found for flag in FLAGS}
    return {labels: number for labels, number in found.items() if number}


def test_one_that_is_as_it_should_be_is_not_counted(client: TestClient) -> None:
    for _ in range(2):
        client.post("/forecast", json={"asset": ASSET}).raise_for_status()
    assert flags(client) == {}
    assert samples(client)[NAME, ASSET, "clipped"] == 0


def test_one_is_counted_each_time_that_it_is_given(settings: Settings) -> None:
    damage(settings, "log_har")  # the champion
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        for _ in range(3):
            client.post("/forecast", json={"asset": ASSET}).raise_for_status()
        client.post("/forecast", json={"asset": ASSET, "model": "last_value"}).raise_for_status()
        items = [{"asset": ASSET}, {"asset": ASSET, "model": "last_value"}, {"asset": "DOGE"}]
        client.post("/forecast/batch", json={"items": items}).raise_for_status()
        found = flags(client)
    assert found == {(ASSET, "degraded"): 4, (ASSET, "stale"): 6}


def test_one_that_training_never_saw_is_clipped(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        usual = json_rv()
        asked = {"asset": ASSET, "model": "har", "history": {"rv": usual}}
        client.post("/forecast", json=asked).raise_for_status()
        assert flags(client) == {}
        asked["history"] = {"rv": [*usual[:-1], 9.0]}
        answer = client.post("/forecast", json=asked).json()
        found = flags(client)
    assert "clipped" in answer["warnings"][0]
    assert found == {(ASSET, "clipped"): 1}
