"""``evaluate --panel`` and ``retrain --panel``, as a user runs them."""

import csv
import gzip
from itertools import product
from pathlib import Path

import pytest

from models_store.universal.store import UniversalStore
from tests.simulated_panel import simulated_bars
from tests.training.simulated import SMALL_CONFIG
from training.cli import main
from training.networks.strategies import STRATEGIES
from volatility.frames import to_frame
from volatility.scale_free import KINDS

PANEL = {"AAA": ("stock", "XNYS"), "BBB": ("stock", "XNYS"), "COIN": ("crypto", "24/7")}
PLAN = ("--folds", "2", "--months", "18", "--histories", "22", "--jobs", "1")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("panel"), 1_100)


def written(folder: Path, sessions: int) -> Path:
    rows = [f"{name},{kind},{calendar}" for name, (kind, calendar) in PANEL.items()]
    (folder / "assets.csv").write_text("\n".join(["asset,kind,calendar", *rows]))
    for seed, (name, (_, calendar)) in enumerate(PANEL.items()):
        frame = to_frame(simulated_bars(sessions, calendar, seed))
        frame.rename(columns={"timestamp": "date"}).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_panel_is_evaluated(panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "results"
    options = ["--panel", str(panel), "--out", str(out), "--config", str(SMALL_CONFIG)]
    assert main(["evaluate", *options, *PLAN, "--horizons", "1", "5"]) == 0
    assert "`universal_22`" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        "report.md",
        "results.csv",
        "forecasts.csv.gz",
    }
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    told = {(row["asset"], row["model"], row["horizon"]) for row in rows}
    for asset in PANEL:
        for horizon in ("1", "5"):
            for model in ("universal", "combination", "hexp", "last_value", "calendar_log_har"):
                assert (asset, model, horizon) in told
    assert all(float(row["qlike_loss"]) > 0 for row in rows)
    report = (out / "report.md").read_text()
    assert "## Five" not in report
    assert "| crypto (1) | stock (2) | all (3) |" in report
    assert "--folds 2 --months 18 --histories 22 --horizons 1 5" in report
    with gzip.open(out / "forecasts.csv.gz", "rt") as content:
        assert next(content).strip() == "asset,model,horizon,as_of,target_date,forecast,rv"


def test_transfer_from_a_panel_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out, panel = tmp_path / "results", written(tmp_path, 270)
    options = ["--panel", str(panel), "--out", str(out), "--config", str(SMALL_CONFIG)]
    transfer = [
        "--source",
        "panel",
        "--folds",
        "2",
        "--jobs",
        "1",
        "--seeds",
        "1",
        "--targets",
        "2",
    ]
    assert main(["evaluate", *options, *transfer]) == 0
    assert {path.name for path in out.iterdir()} == {"report.md", "results.csv"}
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    told = {(row["asset"], row["model"], row["sessions"]) for row in rows}
    models = (*STRATEGIES, "universal", "universal_unscaled", "scratch", "log_har")
    assert told == set(product(PANEL, models, ("60", "125", "0")))
    report = (out / "report.md").read_text()
    assert report in capsys.readouterr().out
    assert report.count("| model | 60 | 125 | all |") == 7  # thrice a part, and what was chosen
    assert "3 assets that choose, 201 forecasts" in report
    assert "--source panel --folds 2 --months 24 --targets 2" in report
    assert "3 assets, 201 forecasts" in report  # the last 67 of 270 sessions each


def test_transfer_from_a_panel_needs_one_and_chooses_its_models(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path / "o")]
    assert main(["evaluate", "--source", "panel", *out]) == 2
    panel = ["--panel", str(tmp_path), "--source", "panel"]
    assert main(["evaluate", *panel, "--models", "har", *out]) == 2
    assert main(["evaluate", *panel, "--horizons", "5", *out]) == 2
    assert not (tmp_path / "o").exists()


def test_the_universal_model_is_published(panel: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    options = ["--panel", str(panel), "--store", str(store), "--config", str(SMALL_CONFIG)]
    shipped = len(UniversalStore(store).versions())
    assert main(["retrain", *options, *PLAN]) == 0
    universal = UniversalStore(store)
    assert len(universal.versions()) > shipped
    model, refused = universal.newest()
    assert model is not None
    assert not refused
    assert [it.asset for it in model.manifest.assets] == list(PANEL)
    assert set(model.manifest.by_kind) == set(KINDS)
    record = model.manifest.by_kind["stock"][1]
    assert record.assets == 2
    assert 0.5 < record.coverage_observed["0.8"] < 1
    assert "folds, every 18 months" in record.evaluation.protocol


def test_a_panel_that_is_not_there_stops_before_anything_is_fitted(tmp_path: Path) -> None:
    assert main(["evaluate", "--panel", str(tmp_path / "none"), "--out", str(tmp_path / "o")]) == 2
    assert not (tmp_path / "o").exists()
