"""Days of a desk: a session closes, its bar comes in, and tomorrow is forecast."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np

from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, SetClock, bars_of, json_bars
from volatility.series import DatedSeries

DAY = timedelta(days=1)


def days_after(rv: np.ndarray) -> list[dict[str, object]]:
    """Bars of the sessions after those of the world, each with this Garman-Klass variance."""
    dates = make_series().dates[-1] + 1 + np.arange(len(rv))
    return json_bars(bars_of(DatedSeries(rv, "garman_klass", dates)))


def live(
    client: TestClient, clock: SetClock, bars: list[dict[str, object]], **asked: Any
) -> Iterator[dict[str, Any]]:
    """The forecast before each bar, which comes in a day later."""
    for bar in bars:
        answer = client.post("/forecast", json={"asset": ASSET, **asked})
        assert answer.status_code == 200, answer.text
        yield answer.json()
        clock.now += DAY
        client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]}).raise_for_status()


def performance(client: TestClient, **asked: Any) -> dict[str, dict[str, Any]]:
    """Live performance by model."""
    answer = client.get(f"/performance/{ASSET}", params=asked)
    assert answer.status_code == 200, answer.text
    return {it["model"]: it for it in answer.json()["models"]}
