"""From a fit on a panel to a forecast, over HTTP, of an asset that was not in it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from models_store.forecast import ForecastInput
from models_store.universal.asset_model import bind
from models_store.universal.store import UniversalStore
from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import json_bars
from tests.simulated_panel import simulated_bars
from tests.universal import universal_files
from volatility.calendars import get_calendar
from volatility.series import daily_series


@pytest.mark.parametrize("nobs", [22, 60, 500])
def test_what_is_served_is_what_was_fitted(tmp_path: Path, nobs: int) -> None:
    store = UniversalStore(tmp_path / "store")
    for files in universal_files():
        store.publish(files)
    model, refused = store.newest()
    assert model is not None
    assert not refused
    bars = simulated_bars(700, "XNYS", seed=11).where(slice(-nobs, None))
    bound = bind(model, "universal", "stock", "XNYS", "garman_klass", nobs)
    series, _ = daily_series(bars, "garman_klass", get_calendar("XNYS"), bound.manifest.columns)
    expected = bound.forecast_batch([ForecastInput(series, (0.8,), 5)])[0]

    settings = Settings(store=tmp_path / "store", database_url=f"sqlite:///{tmp_path}/h.sqlite3")
    now = datetime(2024, 1, 1, tzinfo=UTC)
    body = {"asset": "NEW", "history": {"bars": json_bars(bars)}, "horizon": 5, "levels": [0.8]}
    with TestClient(create_app(settings, lambda: now)) as client:
        said = client.post("/forecast", json=body).json()
    assert said["rv"] == expected.rv
    assert said["intervals"][0]["rv"] == list(expected.intervals[0].rv)
    assert said["model_sha256"] == model.sha256
    assert np.log(said["rv"] / np.median(series.rv)) == pytest.approx(0.0, abs=2.0)
