"""The commands of training that pages print: evaluations, and models of one's own assets.

They run on few sessions, with small networks, without the drawing of figures, and where a page asks
for every model with one.
"""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models_store import Store
from service.assets.database import HistoryStore
from service.settings import Settings
from tests.pages import commands, mentions, training_words
from tests.service.answering import answering
from tests.simulated_panel import simulated_bars
from tests.training.simulated import SMALL_CONFIG, write_bars
from training import cli
from volatility import datasets
from volatility.bars import Bars
from volatility.frames import to_frame

SESSIONS = 620
FEW = ["--config", str(SMALL_CONFIG), "--jobs", "1"]
ONE = ["--models", "ewma"]
load = datasets.load


def shortened(name: str) -> datasets.Dataset:
    """Sessions of a shipped asset, of the time that all are of."""
    dataset = load(name)
    bars = dataset.bars
    until = np.searchsorted(bars.timestamps, np.datetime64("2020-01-17"))
    nobs = SESSIONS * (24 if name.endswith("-1H") else 1)
    return replace(dataset, bars=bars.where(slice(max(until - nobs, 0), until)))


def write(bars: Bars, path: Path) -> None:
    to_frame(bars).rename(columns={"timestamp": "date"}).to_csv(path, index=False)


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the files are that the pages name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("volatility.datasets.load", shortened)
    monkeypatch.setattr("training.evaluation.figures.to_svg", lambda _figure: b"<svg/>")
    (tmp_path / "var" / "store").mkdir(parents=True)
    write_bars(tmp_path / "mine.csv", nobs=SESSIONS)
    write(simulated_bars(SESSIONS, "XNYS", seed=0), tmp_path / "spy.csv")
    write(simulated_bars(SESSIONS + 100, "XNYS", seed=9, first="2017-06-01"), tmp_path / "vix.csv")


def run(command: str, *more: str) -> None:
    assert cli.main([*training_words(command), *FEW, *more]) == 0, command


def evaluated(folder: str = "var/evaluation") -> pd.DataFrame:
    return pd.read_csv(Path(folder) / "results.csv")


def test_evaluations_are_made_of_what_they_name() -> None:
    every, horizons, models, transfer, own = commands(
        "docs/evaluation.md", "Which model forecasts best, and is the difference luck?"
    )
    run(every, *ONE)
    assert set(evaluated()["asset"]) == set(datasets.NAMES)
    run(horizons, *ONE)
    assert set(evaluated()["horizon"]) == {1, 5, 22}
    run(models)
    assert {"lhar", "rfsv"} <= set(evaluated()["model"])
    run(transfer)
    assert {"transfer", "transfer_full", "lstm"} <= set(evaluated()["model"])
    run(own, *ONE)
    assert set(evaluated("var/mine")["asset"]) == {"MINE"}


def test_models_look_at_companions() -> None:
    retrain, evaluate = commands("docs/companions.md", "Companions")
    run(retrain)
    assert "hexp_companions" in Store(Path("var/store")).models("SPY")
    run(evaluate)
    assert {"hexp_companions", "hexp"} <= set(evaluated()["model"])


def test_what_is_named_is_fitted_and_published(capsys: pytest.CaptureFixture[str]) -> None:
    (some,) = mentions("docs/models.md")
    run(some)
    assert {"harq", "garch"} <= set(Store(Path("var/store")).models("BTC-USD-1H"))
    (every,) = mentions("docs/architecture.md", "The path of a retrain")
    run(every, *ONE)
    assert set(datasets.NAMES) <= set(Store(Path("var/store")).assets())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_models_are_fitted_on_an_own_asset_and_serve(tmp_path: Path) -> None:
    retrain, *asked, again = commands("docs/own-models.md", "Fit models on your own asset")
    run(retrain, *ONE)
    champion = Store(Path("var/store")).champion("MINE")
    settings = Settings(
        store=tmp_path / "var/store", database_url=f"sqlite:///{tmp_path}/h.sqlite3"
    )
    HistoryStore(settings.database_url).prepare([])
    with answering(settings, lambda: datetime.now(UTC)) as url:
        merged, forecast = (json.loads(typed(at(url, it))) for it in asked)
        assert merged["added"] == SESSIONS
        assert (forecast["asset"], forecast["model"]) == ("MINE", champion)
        run(at(url, again), *ONE)


def at(url: str, command: str) -> str:
    """A command that asks the service where it is."""
    return command.replace("http://127.0.0.1:8000", url)


def typed(command: str) -> str:
    command = re.sub("^curl ", "curl --fail-with-body ", command)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_own_assets_are_compared() -> None:
    own, transfer = commands("docs/own-models.md", "Comparing")
    run(own, *ONE)
    assert set(evaluated()["horizon"]) == {1, 5}
    *_, same, _own = commands(
        "docs/evaluation.md", "Which model forecasts best, and is the difference luck?"
    )  # which has been run above
    assert training_words(transfer) == training_words(same)
