"""``evaluate --panel`` and ``retrain --panel``, as a user runs them."""

import csv
import gzip
import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from distributed import Client, LocalCluster
from rich.console import Console

from models_store.shipped import shipped_artifacts
from models_store.store import Store
from models_store.universal.store import UniversalStore
from tests.pages import commands, training_words
from tests.simulated_panel import simulated_bars
from tests.training.simulated import SMALL_CONFIG
from training.cli import main, make_parser
from training.commands import evaluate, retrain, retrain_panel
from training.evaluation.panel.transfer import TransferPlan
from training.models.pooled.transfer import Setting
from training.networks.strategies import STRATEGIES
from volatility.errors import InvalidInput
from volatility.evaluation.compare import BENCHMARKS
from volatility.frames import to_frame
from volatility.scale_free import KINDS

PANEL = {"AAA": ("stock", "XNYS"), "BBB": ("stock", "XNYS"), "COIN": ("crypto", "24/7")}
# As the page prints them.
_REQUEST, TRANSFER, EVALUATE, RETRAIN = commands("docs/universal.md")
PLAN = ("--folds", "2", "--months", "18", "--histories", "22", "--jobs", "1")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("panel"), 1_100)


def words_of(command: str, panel: Path) -> list[str]:
    return training_words(command.replace("DIR", str(panel)))


def written(folder: Path, sessions: int) -> Path:
    rows = [f"{name},{kind},{calendar}" for name, (kind, calendar) in PANEL.items()]
    (folder / "assets.csv").write_text("\n".join(["asset,kind,calendar", *rows]))
    for seed, (name, (_, calendar)) in enumerate(PANEL.items()):
        frame = to_frame(simulated_bars(sessions, calendar, seed))
        frame.rename(columns={"timestamp": "date"}).to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_panel_is_evaluated(panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "results"
    options = ["--out", str(out), "--config", str(SMALL_CONFIG), *PLAN]
    assert main([*words_of(EVALUATE, panel), *options, "--horizons", "1", "5"]) == 0
    assert "`universal_22`" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {
        "report.html",
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
    report, page = (out / "report.md").read_text(), (out / "report.html").read_text()
    assert '<h2 id="5-sessions-ahead">5 sessions ahead</h2>' in page
    assert "## Five" not in report
    assert "| crypto (1) | stock (2) | all (3) |" in report
    assert "--folds 2 --months 18 --histories 22 --horizons 1 5" in report
    with gzip.open(out / "forecasts.csv.gz", "rt") as content:
        assert next(content).strip() == "asset,model,horizon,as_of,target_date,forecast,rv"


def test_a_panel_is_evaluated_with_companions_beside(
    panel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.models.pooled.market._FEWEST", 100)
    out, vix = tmp_path / "results", tmp_path / "vix.csv"
    frame = to_frame(simulated_bars(1_300, "XNYS", seed=9, first="2017-06-01"))
    frame.rename(columns={"timestamp": "date"}).to_csv(vix, index=False)
    options = ["--panel", str(panel), "--out", str(out), "--config", str(SMALL_CONFIG)]
    assert main(["evaluate", *options, *PLAN, "--companion", f"VIX={vix}"]) == 0
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    loss = {(row["asset"], row["model"]): row["qlike_loss"] for row in rows}
    for model in ("universal", "combination", "hexp"):
        assert loss["AAA", model] != loss["AAA", f"{model}_companions"]
        # A coin looks at no implied volatility, and has no other coin beside it.
    assert loss["COIN", "universal"] == loss["COIN", "universal_companions"]
    assert loss["COIN", "combination"] == loss["COIN", "combination_companions"]
    assert ("COIN", "hexp_companions") not in loss
    assert f"--companion VIX={vix}" in (out / "report.md").read_text()
    retrain = ["retrain", "--panel", str(panel), "--companion", f"VIX={vix}"]
    assert main([*retrain, "--store", str(tmp_path / "store")]) == 2


def test_transfer_from_a_panel_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out, panel = tmp_path / "results", written(tmp_path, 270)
    options = ["--out", str(out), "--config", str(SMALL_CONFIG), "--folds", "2", "--jobs", "1"]
    assert main([*words_of(TRANSFER, panel), *options, "--targets", "2"]) == 0
    assert {path.name for path in out.iterdir()} == {
        "report.html",
        "report.md",
        "results.csv",
    }
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    told = {(row["asset"], row["model"], row["sessions"]) for row in rows}
    models = (*STRATEGIES, "universal", "universal_unscaled", "scratch", "log_har")
    assert told == set(product(PANEL, models, ("60", "125", "0")))
    report = (out / "report.md").read_text()
    assert report in capsys.readouterr().out
    assert report.count("| model | 60 | 125 | all |") == 7  # thrice a part, and what was chosen
    assert "3 assets that choose, 204 forecasts" in report  # their third 68 of 270 sessions
    assert "--source panel --folds 2 --months 24 --targets 2" in report
    assert "3 assets, 201 forecasts" in report  # the last 67 of 270 sessions each


def test_transfer_within_one_calendar_is_evaluated_without_the_quarter_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = (Setting(1, 10.0), Setting(2, 10.0))
    plan = partial(TransferPlan, lengths=(60,), epochs=(1, 2), scratch=scratch)
    monkeypatch.setattr("training.commands.evaluate_transfer.TransferPlan", plan)
    out, stocks = tmp_path / "results", written(tmp_path, 270)
    (stocks / "assets.csv").write_text("asset,kind,calendar\nAAA,stock,XNYS\nBBB,stock,XNYS")
    options = ["--panel", str(stocks), "--out", str(out), "--config", str(SMALL_CONFIG)]
    transfer = ["--source", "panel", "--folds", "2", "--jobs", "1", "--seeds", "1"]
    assert main(["evaluate", *options, *transfer, "--targets", "1"]) == 0
    report = (out / "report.md").read_text()
    assert "The quarter before" not in report
    assert "## What was chosen" in report


def test_a_panel_without_a_source_is_refused_before_anything_is_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("training.commands.evaluate_transfer.fit_sources")
    alone = written(tmp_path, 270)
    (alone / "assets.csv").write_text("asset,kind,calendar\nAAA,stock,XNYS")
    options = ["--panel", str(alone), "--source", "panel", "--out", str(tmp_path / "results")]
    assert main(["evaluate", *options]) == 2
    assert "nothing can be transferred to the selection part" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "field", "found"),
    [
        ("evaluate --source panel", "source", "panel"),
        ("evaluate --panel P --source panel --models har", "models", ["har"]),
        ("evaluate --panel P --source panel --horizons 5", "horizons", [5]),
        ("evaluate --panel P --source panel --companion VIX", "companion", ["VIX"]),
        ("evaluate --panel P --source panel --histories 22", "histories", [22]),
        ("evaluate --panel P --source SPX", "source", "SPX"),
        ("evaluate --panel P --targets 2", "targets", 2),
        ("evaluate --targets 2", "targets", 2),
        ("evaluate --asset SPX --folds 2", "folds", 2),
        ("evaluate --months 12", "months", 12),
        ("evaluate --histories", "histories", []),
        ("evaluate --panel P --asset SPX", "asset", ["SPX"]),
        ("retrain --panel P --outside-sessions drop", "outside_sessions", "drop"),
        ("retrain --panel P --source panel", "source", "panel"),
        ("retrain --panel P --models har --source SPX", "source", "SPX"),
        ("retrain --panel P --companion VIX", "companion", ["VIX"]),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    arguments: str, field: str, found: object
) -> None:
    options = make_parser().parse_args(arguments.split())
    command = {"evaluate": evaluate, "retrain": retrain}[options.command]
    with pytest.raises(InvalidInput) as refused:
        command.run(options, Console())
    assert (refused.value.field, refused.value.found) == (field, found)
    assert refused.value.needed


def with_thin(panel: Path, folder: Path) -> Path:
    """The panel, a stock of which every 15th day is missing, and one that is new."""
    shutil.copytree(panel, folder)
    with (folder / "assets.csv").open("a") as table:
        table.write("\nTHIN,stock,24/7\nNEW,stock,XNYS")
    head, *days = (panel / "COIN.csv").read_text().splitlines()
    kept = [day for place, day in enumerate(days) if place % 15]
    (folder / "THIN.csv").write_text("\n".join([head, *kept]))
    (folder / "NEW.csv").write_text("\n".join((panel / "AAA.csv").read_text().splitlines()[:11]))
    return folder


def test_what_is_too_short_for_a_horizon_is_left_out_and_told(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out, thin = tmp_path / "results", with_thin(panel, tmp_path / "panel")
    options = ["--panel", str(thin), "--out", str(out), "--config", str(SMALL_CONFIG)]
    plan = [*PLAN, "--models", "hexp", "--horizons", "1", "22"]
    assert main(["evaluate", *options, *plan]) == 0
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    told = {(row["asset"], row["horizon"]) for row in rows}
    assert told == {*product(PANEL, ("1", "22")), ("THIN", "1")}
    with gzip.open(out / "forecasts.csv.gz", "rt") as content:
        assert {tuple(it.split(",")[::2][:2]) for it in content} == told | {("asset", "horizon")}
    report = (out / "report.md").read_text()
    assert report.count("\n- ") == 3
    assert "- THIN, 22 ahead: of THIN's" in report
    assert "- NEW, 1 ahead: NEW has 10 sessions" in report
    assert "left out: NEW, 22 ahead: NEW has 10 sessions" in capsys.readouterr().out


def test_where_others_have_no_target_at_a_horizon_own_models_alone_forecast(
    panel: Path, tmp_path: Path
) -> None:
    out, thin = tmp_path / "results", with_thin(panel, tmp_path / "panel")
    (thin / "assets.csv").write_text("asset,kind,calendar\nAAA,stock,XNYS\nTHIN,stock,24/7")
    options = ["--panel", str(thin), "--out", str(out), "--config", str(SMALL_CONFIG)]
    plan = [*PLAN, "--models", "ewma", "--horizons", "1", "22"]
    assert main(["evaluate", *options, *plan]) == 0
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    universal = {(row["asset"], row["horizon"]) for row in rows if row["model"] == "universal"}
    assert universal == {("THIN", "1")}  # by fits on AAA, which alone has targets at 22
    assert ("AAA", "ewma") in {(row["asset"], row["model"]) for row in rows}
    assert "- AAA: no fit of the universal model" in (out / "report.md").read_text()


def test_a_horizon_at_which_nothing_can_be_evaluated_is_refused_before_any_fit(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("training.commands.evaluate_panel.forecast_studies")
    out, thin = tmp_path / "results", with_thin(panel, tmp_path / "panel")
    (thin / "assets.csv").write_text("asset,kind,calendar\nTHIN,stock,24/7\nNEW,stock,XNYS")
    options = ["--panel", str(thin), "--out", str(out)]
    assert main(["evaluate", *options, "--horizons", "1", "22"]) == 2
    assert "no asset of the panel can be evaluated 22 ahead" in capsys.readouterr().err


def test_the_universal_model_is_published(
    panel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    store = Path("var/store")
    shipped = len(UniversalStore(store).versions())
    words = words_of(RETRAIN, panel.absolute())
    options = ["--config", str(SMALL_CONFIG), *PLAN, "--horizons", "1", "5"]
    assert main([*words, *options]) == 0
    universal = UniversalStore(store)
    assert len(universal.versions()) > shipped
    model, refused = universal.newest()
    assert model is not None
    assert model.horizons == (1, 5)  # the configuration has 1 alone
    assert not refused
    assert [it.asset for it in model.manifest.assets] == list(PANEL)
    assert set(model.manifest.by_kind) == set(KINDS)
    record = model.manifest.by_kind["stock"][1]
    assert record.assets == 2
    assert 0.5 < record.coverage_observed["0.8"] < 1
    assert "folds, every 18 months" in record.evaluation.protocol
    short = model.manifest.short_histories["stock"][22]
    assert set(short) == set(model.horizons)
    assert short[1].evaluation.nobs == record.evaluation.nobs
    assert short[1].log_har_change != record.log_har_change


def evaluated(panel: Path, out: Path, *where: str) -> dict[str, bytes]:
    options = ["--panel", str(panel), "--out", str(out), "--config", str(SMALL_CONFIG)]
    plan = ["--folds", "2", "--months", "18", "--histories", "--models", "hexp"]
    assert main(["evaluate", *options, *plan, *where]) == 0
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


def test_a_dask_cluster_gives_the_same_bytes(
    panel: Path, tmp_path: Path, cluster: LocalCluster
) -> None:
    here = evaluated(panel, tmp_path / "here", "--jobs", "1")
    before = cluster.scheduler.transition_counter  # of tasks from state to state
    where = ("--backend", "dask", "--scheduler", cluster.scheduler_address)
    assert evaluated(panel, tmp_path / "there", *where) == here
    assert cluster.scheduler.transition_counter > before + 20


def test_models_of_their_own_are_published_for_each_asset(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / "store").mkdir()  # an empty store: the shipped models are not needed here
    short = tmp_path / "panel"
    shutil.copytree(panel, short)
    with (short / "assets.csv").open("a") as table:
        table.write("\nNEW,stock,XNYS")
    lines = (short / "AAA.csv").read_text().splitlines()
    (short / "NEW.csv").write_text("\n".join(lines[:400]))
    common = ["retrain", "--store", str(tmp_path / "store"), "--config", str(SMALL_CONFIG)]
    own = ["--models", "hexp", "ewma", "--horizons", "1", "5", "--jobs", "2"]
    assert main([*common, "--panel", str(short), *own]) == 1  # of one there is too little
    said = capsys.readouterr().out
    assert re.search(r"NEW: NEW has \d+ sessions; a retrain", said)
    assert re.search(r"AAA: 6 models in service, champion \w+", said)
    store = Store(tmp_path / "store")
    assert store.assets() == sorted(PANEL)
    shipped = UniversalStore(shipped_artifacts()).versions()
    assert UniversalStore(store.root).versions() in ([], shipped)  # and none of this panel
    for asset in PANEL:
        assert set(store.models(asset)) == {*BENCHMARKS, "hexp", "ewma"}
        assert store.champion(asset) in store.models(asset)
        assert store.load(asset, "hexp").manifest.horizons == (1, 5)
    alone = Store(tmp_path / "alone")
    alone.root.mkdir()
    bars = ["--asset", "AAA", "--bars", str(panel / "AAA.csv"), "--store", str(alone.root)]
    calendar = ["--calendar", "XNYS", "--measure", "garman_klass", "--jobs", "1"]
    assert main([*common, *bars, *calendar, "--models", "hexp", "--horizons", "1", "5"]) == 0
    one, other = (it.load("AAA", "hexp").track.forecast for it in (store, alone))
    assert np.array_equal(one, other)


def test_an_asset_that_cannot_be_fitted_is_named_and_keeps_none_of_the_others_from_it(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    pegged = tmp_path / "panel"
    shutil.copytree(panel, pegged)
    (pegged / "assets.csv").write_text("asset,kind,calendar\nPEG,crypto,24/7\nCOIN,crypto,24/7")
    frame = pd.read_csv(pegged / "COIN.csv")
    spread = 1e-3 + 1e-3 * np.random.default_rng(0).random(len(frame))
    frame = frame.assign(open=1.0, close=1.0, high=1.0 + spread, low=1.0 - spread)
    frame.to_csv(pegged / "PEG.csv", index=False)
    (tmp_path / "store").mkdir()
    options = ["--store", str(tmp_path / "store"), "--config", str(SMALL_CONFIG), "--jobs", "1"]
    models = ["--models", "garch", "--horizons", "1"]
    assert main(["retrain", "--panel", str(pegged), *options, *models]) == 1
    said = capsys.readouterr().out
    assert "PEG: all" in said
    assert "returns are zero" in said
    assert Store(tmp_path / "store").assets() == ["COIN"]


def test_what_a_cluster_has_trained_is_published_here(
    panel: Path, tmp_path: Path, cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    own = ["--config", str(SMALL_CONFIG), "--models", "ewma", "--horizons", "1", "5"]
    for name in ("here", "there"):
        Path(name).mkdir()  # empty stores: the shipped models are not needed here
    common = ["retrain", "--panel", str(panel), *own]
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.run(os.chdir, str(elsewhere))
    where = ("--backend", "dask", "--scheduler", cluster.scheduler_address)
    assert main([*common, "--store", "there", *where]) == 0
    assert main([*common, "--store", "here", "--jobs", "1"]) == 0
    here, there = Store(Path("here")), Store(Path("there"))
    assert there.assets() == here.assets() == sorted(PANEL)
    assert not list(elsewhere.iterdir())
    for asset in PANEL:
        assert there.champion(asset) == here.champion(asset)
        one, other = (it.load(asset, "ewma").manifest for it in (here, there))
        assert one == other


def test_too_small_a_panel_is_refused_before_anything_is_fitted(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrain_panel, "evaluate_panel", None)  # not reached
    panel, store = written(tmp_path, 60), tmp_path / "store"
    options = ["--panel", str(panel), "--store", str(store), "--config", str(SMALL_CONFIG)]
    assert main(["retrain", *options, *PLAN]) == 2
    said = capsys.readouterr().err
    assert re.search(r"have \d\d outcomes of forecasts at horizon 1; intervals need 100", said)


def test_a_model_that_learns_from_another_asset_is_none_of_a_panel(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    options = ["--panel", str(panel), "--store", str(tmp_path / "store")]
    assert main(["retrain", *options, "--models", "transfer"]) == 2
    assert "transfer learns from another asset" in capsys.readouterr().err


def test_models_that_learn_from_another_asset_are_refused_for_a_panel(
    panel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("evaluate", "retrain"):
        where = ["--out", str(tmp_path / "o")] if command == "evaluate" else []
        where += ["--store", str(tmp_path / "store")] if command == "retrain" else []
        assert main([command, "--panel", str(panel), "--models", "transfer", *where]) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert "transfer learns from another asset, which a panel has none of" in said
    assert not (tmp_path / "o").exists()


def test_a_panel_that_is_not_there_stops_before_anything_is_fitted(tmp_path: Path) -> None:
    assert main(["evaluate", "--panel", str(tmp_path / "none"), "--out", str(tmp_path / "o")]) == 2
    assert not (tmp_path / "o").exists()
