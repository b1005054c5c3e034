"""CONTRIBUTING.md is enough: its changes apply, in the places that it says, and do what it says."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.pages import commands

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PACKAGES = ("volatility", "models_store", "training", "service")

# What a reader would try after each change, and what comes out.
PROOFS = {
    "Add a realized measure": (
        """
        from volatility import datasets
        from volatility.calendars import get_calendar
        from volatility.series import daily_series

        dataset = datasets.load("ETH-USD")
        series, _ = daily_series(dataset.bars, "open_to_close", get_calendar("24/7"))
        print(series.measure, len(series) > 1_000)
        """,
        "open_to_close True",
    ),
    "Add a horizon": (
        """
        from dataclasses import replace
        from pathlib import Path

        from models_store.store import Store
        from tests.training.simulated import make_asset
        from training.config import read_config
        from training.data.assets import TrainingSet
        from training.models.registry import recipes
        from training.publishing.retrain import publish, train

        config, store = read_config(), Store(Path("var/trial"))
        data = TrainingSet(make_asset("TEST", nobs=700), {}, 1)
        trained = train(recipes(["har"], config), data, jobs=1, further=config.horizons[1:])
        publish(trained, store, ["har"])
        forecast = store.load("TEST", "har").forecast(data.target.series, horizon=66)
        print(forecast.horizon, forecast.rv > 0, len(forecast.intervals))
        """,
        "66 True 2",
    ),
    "Add a member of the combination": (
        """
        from tests.simulated_panel import simulated_asset
        from training.config import read_config
        from training.data.assets import TrainingSet
        from training.evaluation.study import applicable
        from training.models.registry import recipes

        asset = simulated_asset("TEST", "crypto", "24/7", 900, seed=1)
        chosen = applicable(recipes(["combination"], read_config()), asset)
        [made] = [it for it in chosen if it.name == "combination"]
        predictor = made.fit(TrainingSet(asset, {}, 1)).predictor
        print([member.model for member in predictor.members])
        """,
        "['hexp', 'ridge', 'universal', 'log_har']",
    ),
    "Add a companion": (
        """
        from pathlib import Path
        from datetime import UTC, datetime

        from tests.simulated_panel import simulated_bars
        from training.data.companions import CompanionFile, load_companions
        from volatility.frames import to_frame

        frame = to_frame(simulated_bars(60, "XNYS", seed=0)).rename(columns={"timestamp": "date"})
        frame.to_csv("vxn.csv", index=False)
        file = CompanionFile("VXN", Path("vxn.csv"))
        [vxn] = load_companions([file], datetime(2024, 1, 1, tzinfo=UTC))
        print(vxn.series.measure, vxn.calendar_name, vxn.as_companion.delay)
        """,
        "implied_variance XNYS 900",
    ),
    "Add a route": (
        """
        from datetime import UTC, datetime
        from pathlib import Path

        from service.app import create_app
        from service.settings import Settings
        from tests.service.client import TestClient

        settings = Settings(store=Path("var/store"), database_url="sqlite:///var/h.sqlite3")
        with TestClient(create_app(settings, lambda: datetime(2022, 1, 1, tzinfo=UTC))) as client:
            print(client.get("/assets/SPX/next-session").json())
            print("/assets/{asset}/next-session" in client.get("/openapi.json").json()["paths"])
        """,
        "{'asset': 'SPX', 'next_session': '2020-04-20'}\nTrue",
    ),
    "Add a kind of predictor": (
        """
        from dataclasses import dataclass
        from pathlib import Path

        from models_store.predictors.constant import ConstantPredictor
        from models_store.store import Store
        from tests.training.simulated import make_asset
        from training.config import read_config
        from training.data.assets import TrainingSet
        from training.models.recipe import Fit
        from training.models.registry import recipes
        from training.publishing.retrain import publish, train


        @dataclass(frozen=True)
        class MeanRv:
            name: str = "mean_rv"
            lookback: int = 1
            refit_every: int = 22
            columns: tuple[str, ...] = ()
            sources: tuple[str, ...] = ()
            compared_with: str | None = None
            hyperparameters = {}

            def fit(self, data):
                return Fit(ConstantPredictor(float(data.target.series.rv.mean())))


        data = TrainingSet(make_asset("TEST"), {}, 1)
        models = [*recipes(["har"], read_config()), MeanRv()]
        store = Store(Path("var/trial"))
        publish(train(models, data, jobs=1), store, ["mean_rv"])
        model = store.load("TEST", "mean_rv")
        print(model.manifest.predictor.kind, model.forecast(data.target.series).rv > 0)
        """,
        "constant True",
    ),
}

# Tests of what each change touches, which must pass with it.
CONCERNED = {
    "Add a realized measure": ["tests/volatility/test_daily_series.py"],
    "Add a horizon": ["tests/training/test_config.py"],
    "Add a member of the combination": ["tests/training/models/test_registry.py"],
    "Add a companion": [
        "tests/volatility/test_companions.py",
        "tests/training/data/test_companions.py",
    ],
    "Add a route": ["tests/service/http/test_openapi.py", "tests/service/test_api_guide.py"],
    "Add a kind of predictor": [
        "tests/service/http/test_openapi.py",
        "tests/models_store/predictors",
        "tests/models_store/test_runtime.py",
    ],
}


# Each proof in a folder of its own, and all in one process: most of what it takes are imports.
PROVE = """
import contextlib, io, json, os, sys, traceback

sys.path.insert(0, os.getcwd())
said = {}
for number, (heading, proof) in enumerate(json.load(sys.stdin).items()):
    os.mkdir(f"{sys.path[0]}/proof-{number}")
    os.chdir(f"{sys.path[0]}/proof-{number}")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        try:
            exec(proof, {"__name__": "__main__"})
        except Exception:
            traceback.print_exc(file=sys.stdout)
    said[heading] = output.getvalue()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all of the changes, alone in a folder."""
    folder = tmp_path_factory.mktemp("changed")
    left_out = shutil.ignore_patterns("__pycache__")
    for name in (*PACKAGES, "tests", "docs"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for heading in PROOFS:
        applied = run(["git", "apply", "-"], folder, diff_of(heading))
        assert applied.returncode == 0, applied.stderr
    described = run([sys.executable, "-m", "service", "--openapi"], folder, "")
    (folder / "tests/service/http/openapi.json").write_text(described.stdout)
    return folder


@pytest.fixture(scope="module")
def said(changed: Path) -> dict[str, str]:
    """What each proof prints, by heading."""
    proofs = json.dumps({heading: dedent(proof) for heading, (proof, _) in PROOFS.items()})
    done = run([sys.executable, "-c", PROVE], changed, proofs)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("heading", PROOFS)
def test_a_change_does_what_it_says(heading: str, said: dict[str, str]) -> None:
    assert said[heading].rstrip().endswith(PROOFS[heading][1]), said[heading]


@pytest.mark.parametrize("heading", PROOFS)
def test_a_change_applies_alone(heading: str) -> None:
    applied = run(["git", "apply", "--check", "-"], ROOT, diff_of(heading))
    assert applied.returncode == 0, applied.stderr


def test_what_the_changes_touch_passes_with_them(changed: Path) -> None:
    tests = sorted({test for concerned in CONCERNED.values() for test in concerned})
    tested = run([sys.executable, "-m", "pytest", "-q", *tests], changed, "")
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize("heading", PROOFS)
def test_a_change_touches_as_many_files_as_the_page_says(heading: str) -> None:
    section = section_of(heading)
    numbers = ["no file", "One file", "", "Three files", "Four files", "Five files"]
    by_hand = len(re.findall(r"^\+\+\+ b/", diff_of(heading), re.M))
    assert section.strip().startswith(numbers[by_hand + ("the last by a command" in section)])


def test_the_check_before_every_commit_is_installed(tmp_path: Path) -> None:
    _test, _check, install = commands("CONTRIBUTING.md")
    assert run(["git", "init", "--quiet"], tmp_path, "").returncode == 0
    (tmp_path / ".venv").symlink_to(sys.prefix)
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    done = run(["bash", "-c", install], tmp_path, "")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pre-commit" in (tmp_path / ".git" / "hooks" / "pre-commit").read_text()


def section_of(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def diff_of(heading: str) -> str:
    blocks = re.findall(r"```diff\n(.*?)```", section_of(heading), re.S)
    assert len(blocks) == 1
    return str(blocks[0])


def run(command: list[str], folder: Path, given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, input=given, capture_output=True, text=True, check=False
    )
