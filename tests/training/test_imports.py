"""What is loaded, and when: torch only where a network is asked for, for help numpy alone."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.training.simulated import SMALL_CONFIG, write_bars
from training.cli import COMMANDS
from training.models.registry import LINEAR, MODELS, NEURAL, POOLED
from volatility.extras import PACKAGES

OF_NETWORKS = PACKAGES["networks"]
SLOW = {
    *PACKAGES["training"],
    *OF_NETWORKS,
    *PACKAGES["providers"],
    *("exchange_calendars", "onnxruntime", "pandas", "pydantic", "pywt", "sqlalchemy"),
}
RUN_AND_TELL = """
import sys
from training import cli
try:
    status = cli.main(sys.argv[1:])
except SystemExit as stopped:
    status = stopped.code
loaded = {name.partition(".")[0] for name in sys.modules}
print("loaded:", *sorted(loaded))
sys.exit(status)
"""
HIDE = """
import sys

hidden, *arguments = sys.argv[1:]

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden.split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from training import cli
"""
WITHOUT_PACKAGES = f"{HIDE}sys.exit(cli.main(arguments))"
# Each command in a fork of a process that has loaded what all commands load.
MANY_WITHOUT_PACKAGES = f"""{HIDE}
import contextlib, io, json, os

def told(command):
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        with os.fdopen(ours) as pipe:
            return json.load(pipe)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(command)
        except SystemExit as stopped:
            status = stopped.code
    loaded = sorted({{name.partition(".")[0] for name in sys.modules}})
    with os.fdopen(theirs, "w") as pipe:
        json.dump([status, out.getvalue(), err.getvalue(), loaded], pipe)
    os._exit(0)

print(json.dumps([told(it.split()) for it in arguments]))
"""


class Told(NamedTuple):
    """How a command ended, and which packages its process had loaded by then."""

    status: int
    stdout: str
    stderr: str
    loaded: list[str]


@cache
def told(packages: Iterable[str], commands: Sequence[str]) -> dict[str, Told]:
    """What each of several commands does where packages are not installed."""
    done = run(MANY_WITHOUT_PACKAGES, " ".join(packages), *commands)
    assert done.returncode == 0, done.stderr
    return {it: Told(*of) for it, of in zip(commands, json.loads(done.stdout), strict=True)}


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


def run_without(extra: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(WITHOUT_PACKAGES, " ".join(PACKAGES[extra]), *arguments)


def retrain(bars: Path, store: Path, *more: str) -> list[str]:
    store.mkdir()
    asset = ["--asset", "MINE", "--bars", str(bars), "--config", str(SMALL_CONFIG)]
    return ["retrain", *asset, "--store", str(store), *more]


HELP = ("--help", *(f"{name} --help" for name in COMMANDS))


@pytest.mark.parametrize("command", HELP)
def test_help_loads_no_library_but_numpy(command: str) -> None:
    done = told((), HELP)[command]
    assert done.status == 0, done.stderr
    assert {"training", "numpy"} <= set(done.loaded)
    assert not set(done.loaded) & SLOW


def test_reading_a_csv_loads_no_torch(tmp_path: Path) -> None:
    program = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from training.data.bars_file import BarsFile, load_asset
data, _ = load_asset("MINE", BarsFile(Path(sys.argv[1])), datetime.now(UTC))
print(len(data.series), "torch" in sys.modules)
"""
    done = run(program, str(write_bars(tmp_path / "mine.csv")))
    assert done.stdout.split() == ["600", "False"], done.stderr


def test_a_retrain_of_linear_models_loads_no_torch_in_any_process(tmp_path: Path) -> None:
    """Its packages are replaced by ones that tell who loads them: workers load them from there."""
    for package in OF_NETWORKS:
        stand_in = f"open({str(tmp_path / 'told')!r}, 'a').write({package!r})\n"
        (tmp_path / f"{package}.py").write_text(stand_in)
    bars = write_bars(tmp_path / "mine.csv")
    models = ["--models", "har", "log_har", "garch", "rfsv", "--jobs", "2"]
    arguments = retrain(bars, tmp_path / "store", *models)
    done = run(RUN_AND_TELL, *arguments, PYTHONPATH=os.pathsep.join([str(tmp_path), "."]))
    assert done.returncode == 0, done.stderr
    assert not set(done.stdout.splitlines()[-1].split()) & set(OF_NETWORKS)
    assert not (tmp_path / "told").exists()


@pytest.mark.parametrize(
    ("models", "named"), [(["--models", "har", "transformer"], "transformer"), ([], "lstm")]
)
def test_a_network_without_the_extra_is_told_in_one_line(
    models: list[str], named: str, tmp_path: Path
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    done = run_without("networks", *retrain(bars, tmp_path / "store", *models))
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {named} needs the extra 'networks': pip install 'roughcast[networks]', "
        "or name other models with --models\n"
    )
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["reproduce", "results"])
def test_a_command_about_networks_needs_the_extra(command: str) -> None:
    done = told(OF_NETWORKS, ("reproduce", "results"))[command]
    assert done.status == 2
    assert done.stderr == (
        f"error: {command} needs the extra 'networks': pip install 'roughcast[networks]'\n"
    )


PULL = "data pull --exchange kraken --symbol BTC/USD --to-file a.csv"
WHOLE = {it: {"sign": "sign --key a.pem", "data": PULL}.get(it, it) for it in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_the_extra_training_is_told_in_one_line(command: str) -> None:
    done = told(PACKAGES["training"], (*HELP, *WHOLE.values()))
    assert done[WHOLE[command]].status == 2
    assert done[WHOLE[command]].stderr == (
        f"error: {command} needs the extra 'training': pip install 'roughcast[training]'\n"
    )
    assert done[f"{command} --help"].status == 0


def test_a_cluster_without_the_extra_is_told_in_one_line() -> None:
    done = run_without("dask", "evaluate", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: --backend dask needs the extra 'dask': pip install 'roughcast[dask]'\n"
    )


@pytest.mark.parametrize("source", [("--exchange", "kraken"), ("--yahoo",)])
def test_bars_of_elsewhere_without_the_extra_are_told_in_one_line(source: tuple[str, ...]) -> None:
    command = ("data", "pull", *source, "--symbol", "BTC/USD", "--to-file", "a.csv")
    done = run_without("providers", *command)
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: data pull needs the extra 'providers': pip install 'roughcast[providers]'\n"
    )


def test_an_exchange_is_asked_without_yahoo_s_library() -> None:
    command = ["data", "pull", "--exchange", "nowhere", "--symbol", "A/B", "--to-file", "a.csv"]
    done = run(RUN_AND_TELL, *command)
    assert "error: ccxt knows no exchange 'nowhere'" in done.stderr
    loaded = set(done.stdout.splitlines()[-1].split()[1:])
    assert "ccxt" in loaded
    assert not loaded & {"yfinance", "curl_cffi", "torch", "onnx"}


def test_the_packages_of_the_extras_are_those_that_are_declared() -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    declared = tomllib.loads(pyproject.read_text())["project"]["optional-dependencies"]
    for extra, packages in PACKAGES.items():
        names = [re.split("[>=]", requirement)[0] for requirement in declared[extra]]
        assert sorted(names) == sorted(packages)


def test_linear_models_are_fitted_and_published_without_the_extra(tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    arguments = retrain(bars, tmp_path / "store", "--models", *LINEAR, "--jobs", "1")
    done = run_without("networks", *arguments)
    assert done.returncode == 0, done.stderr
    assert "without harj: its bars give no" in done.stdout


def test_what_needs_the_extra_is_where_torch_may_be() -> None:
    assert {*LINEAR, *POOLED, *NEURAL} == set(MODELS)
    assert all(place.startswith("training.models.linear.") for place in LINEAR.values())
    assert all(place.startswith("training.models.neural.") for place in NEURAL.values())
