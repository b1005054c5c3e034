"""An asset nobody has seen: a user's CSV is retrained on, served and forecast."""

from pathlib import Path

import numpy as np

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.training.simulated import SMALL_CONFIG, write_bars
from training import cli
from volatility.evaluation.compare import BENCHMARKS


def test_from_a_csv_to_a_forecast(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    store = tmp_path / "store"
    store.mkdir()
    command = ["retrain", "--asset", "MINE", "--bars", str(bars), "--models", "ewma"]
    options = ["--store", str(store), "--config", str(SMALL_CONFIG), "--jobs", "1"]
    assert cli.main([*command, *options]) == 0

    settings = Settings(store=store, database_url=f"sqlite:///{tmp_path / 'history.sqlite3'}")
    with TestClient(create_app(settings)) as client:
        before = client.post("/forecast", json={"asset": "MINE"})
        assert (before.status_code, before.json()["code"]) == (404, "no_history")

        added = client.put(
            "/assets/MINE/bars", content=bars.read_bytes(), headers={"Content-Type": "text/csv"}
        )
        assert (added.status_code, added.json()["added"]) == (200, 600)

        answer = client.post("/forecast", json={"asset": "MINE"}).json()
        assert answer["as_of"] == "2019-08-23"  # 600 days from 2018-01-01
        assert answer["target_date"] == "2019-08-24"
        assert answer["stale_sessions"] > 2000
        assert 0 < answer["rv"] < 0.01
        assert answer["skill"]["nobs"] == 150

        table = client.get("/compare/MINE").json()
        assert {row["model"] for row in table["rows"]} == {*BENCHMARKS, "ewma"}

        report = client.get("/hurst/MINE").json()
        assert len(report["estimates"]) == 6
        assert all(np.isfinite(each["hurst"]) for each in report["estimates"])
