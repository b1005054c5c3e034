from types import SimpleNamespace
from typing import Any

import pytest

from service.app import create_app
from service.operations.collectors.readiness import ReadinessMetrics
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.operations.samples import samples, samples_of
from tests.service.worlds import clock

READY = ("roughcast_ready",)


@pytest.mark.parametrize(
    ("numbers", "universal", "in_step", "draining", "ready"),
    [
        ({"A": 2}, None, True, False, 1),
        ({}, 3, True, False, 1),
        ({}, None, True, False, 0),
        ({"A": 0}, None, True, False, 0),
        ({"A": 2}, 3, False, False, 0),
        ({"A": 2}, 3, True, True, 0),
    ],
)
def test_it_takes_models_a_database_and_time(
    numbers: dict[str, int], universal: int | None, in_step: bool, draining: bool, ready: int
) -> None:
    catalogue: Any = SimpleNamespace(
        numbers=lambda: numbers, universal=SimpleNamespace(version=universal)
    )
    watcher: Any = SimpleNamespace(in_step=in_step)
    begun: Any = SimpleNamespace(begun=draining)
    assert samples_of(ReadinessMetrics(catalogue, watcher, begun))[READY] == ready


def test_a_service_that_stops_is_not(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        assert samples(client)[READY] == 1
        client.app_state["draining"].begun = True
        assert samples(client)[READY] == 0
