"""What is loaded, and when: torch only where a network is asked for, for help numpy alone."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.training.simulated import SMALL_CONFIG, write_bars
from training.cli import COMMANDS
from training.models.extras import PACKAGES
from training.models.registry import LINEAR, MODELS, NEURAL, POOLED

OF_NETWORKS = PACKAGES["networks"]
SLOW = {
    *PACKAGES["training"],
    *OF_NETWORKS,
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
WITHOUT_PACKAGES = """
import sys

hidden, *arguments = sys.argv[1:]

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden.split():
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
from training import cli
sys.exit(cli.main(arguments))
"""


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


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_loads_no_library_but_numpy(command: list[str]) -> None:
    done = run(RUN_AND_TELL, *command, "--help")
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.splitlines()[-1].split()[1:])
    assert {"training", "numpy"} <= loaded
    assert not loaded & SLOW


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


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_retrain_of_linear_models_loads_no_torch_in_any_process(
    jobs: str, tmp_path: Path
) -> None:
    """Its packages are replaced by ones that tell who loads them: workers load them from there."""
    for package in OF_NETWORKS:
        stand_in = f"open({str(tmp_path / 'told')!r}, 'a').write({package!r})\n"
        (tmp_path / f"{package}.py").write_text(stand_in)
    bars = write_bars(tmp_path / "mine.csv")
    models = ["--models", "har", "log_har", "garch", "rfsv", "--jobs", jobs]
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
    done = run_without("networks", command)
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {command} needs the extra 'networks': pip install 'roughcast[networks]'\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_without_the_extra_training_is_told_in_one_line(command: str) -> None:
    done = run_without("training", command, *(["--key", "a.pem"] if command == "sign" else []))
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {command} needs the extra 'training': pip install 'roughcast[training]'\n"
    )
    assert run_without("training", command, "--help").returncode == 0


def test_a_cluster_without_the_extra_is_told_in_one_line() -> None:
    done = run_without("dask", "evaluate", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: --backend dask needs the extra 'dask': pip install 'roughcast[dask]'\n"
    )


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
