"""The whole command on simulated files: results, resuming, and what it refuses."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pages import commands, training_words
from tests.training.reproduction.stand_in import expect, write_stand_in
from tests.training.simulated import SMALL_CONFIG
from training import cli
from training.config import read_config
from training.reproduction import run as module
from training.reproduction.run import quick_config
from training.reproduction.units import NETWORKS

UNITS = 2 * len(NETWORKS)
# As the page prints them: by make, and then the command itself; whole, quick, or with a download.
MAKE_DOWNLOAD, MAKE_QUICK, WHOLE, QUICK, DOWNLOAD = commands("docs/reproduction.md")
PROGRAM = """
import json, sys
from training import cli
from training.reproduction import data
data.SHA256 = json.loads(sys.argv[1])
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, str]]:
    sums = write_stand_in(tmp_path / "paper")
    expect(sums, monkeypatch)
    return tmp_path / "paper", sums


def arguments(data: Path, out: Path, *more: str, command: str = WHOLE) -> list[str]:
    """Those of a command of the page, in these folders and with networks that are small."""
    common = ["--config", str(SMALL_CONFIG), "--jobs", "1", "--seeds", "1"]
    where = ["--data", str(data), "--out", str(out)]
    return [*training_words(command), *where, *common, *more]


def contents(folder: Path) -> dict[str, bytes]:
    """Everything but the parts."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "parts"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def parts(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "parts").glob("*.unit")}


def test_a_run_that_is_killed_goes_on_where_it_was(
    data: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, sums = data
    out, undisturbed = tmp_path / "out", tmp_path / "undisturbed"
    program = [sys.executable, "-c", PROGRAM, json.dumps(sums), *arguments(folder, out)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while len(parts(out)) < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
    finished = parts(out)
    assert 3 <= len(finished) < UNITS
    assert not (out / "report.md").exists()
    # As if it had been killed while it wrote: half a part is no part.
    victim = next(iter(finished))
    half = (out / "parts" / victim).read_bytes()
    (out / "parts" / victim).write_bytes(half[: len(half) // 2])
    kept = {name: changed for name, changed in finished.items() if name != victim}

    assert cli.main(arguments(folder, out, command=MAKE_DOWNLOAD)) == 0  # of what is there already
    printed = capsys.readouterr().out
    assert f"{len(kept)} of {UNITS} networks are at hand from an earlier run" in printed
    after = parts(out)
    assert len(after) == UNITS
    assert {name: after[name] for name in kept} == kept

    # Where a file is lacking, it is fetched.
    lacking = shutil.copytree(folder, tmp_path / "lacking")
    (lacking / "spx_val.csv").unlink()
    monkeypatch.setattr("training.reproduction.download.BASE_URL", f"{folder.as_uri()}/")
    assert cli.main(arguments(lacking, undisturbed, command=DOWNLOAD)) == 0
    assert (lacking / "spx_val.csv").exists()
    assert contents(out) == contents(undisturbed)


def test_everything_is_written(
    data: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(arguments(data[0], out, command=QUICK)) == 0
    printed = capsys.readouterr().out
    assert f"{UNITS} of {UNITS}: " in printed  # progress, line by line, where there is no terminal
    assert "Does any network beat HAR?" in printed
    written = contents(out)
    tables = [name for name in written if name.startswith("table_")]
    assert len(tables) == 7
    assert {"report.md", "report.html", "results.json"} <= set(written)
    assert len([name for name in written if name.startswith("figures/")]) == 4
    report = written["report.md"].decode()
    assert "This is a quick run" in report
    assert "with one seed: 7" in report
    assert json.loads(written["results.json"])["config"]["network.hidden_size"] == 8

    # Again, nothing is left to train; with one seed more, only that one is.
    before = parts(out)
    assert cli.main(arguments(data[0], out, "--seeds", "2", command=MAKE_QUICK)) == 0
    after = parts(out)
    assert {name: after[name] for name in before} == before
    assert len(after) == 2 * len(before)
    assert "with 2 seeds: 7, 8" in (out / "report.md").read_text()


def test_absent_files_are_named_and_nothing_is_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments(tmp_path / "nowhere", tmp_path / "out")) == 2
    printed = " ".join(capsys.readouterr().err.split())
    assert "lacks 8 of the paper's 8 files" in printed
    assert "github.com/ronitdhansoia/vltlty" in printed
    assert "--download fetches them" in printed
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_trained(
    data: tuple[Path, dict[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert cli.main(arguments(data[0], file)) == 2
    printed = capsys.readouterr()
    assert str(file) in printed.err
    assert "networks" not in printed.out


def test_download_comes_before_reading(
    data: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "training.reproduction.download.BASE_URL", (data[0] / "absent").as_uri() + "/"
    )
    (data[0] / "spx_val.csv").unlink()
    assert cli.main(arguments(data[0], tmp_path / "out", "--download")) == 2
    assert "spx_val.csv cannot be fetched" in " ".join(capsys.readouterr().err.split())


def test_an_interrupt_is_said_to_lose_nothing(
    data: tuple[Path, dict[str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Reproduction, "train", interrupted)
    assert cli.main(arguments(data[0], tmp_path / "out")) == 130
    assert "the same command goes on with what is left" in capsys.readouterr().out


@pytest.mark.parametrize("count", ["0", "101"])
def test_seeds_out_of_range(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["reproduce", "--seeds", count])
    assert f"{count} is not from 1 to 100" in capsys.readouterr().err


def test_a_quick_run_changes_the_epochs_alone() -> None:
    config = read_config()
    quick = quick_config(config)
    assert (quick.pretraining.epochs, quick.fine_tuning.epochs) == (6, 6)
    assert quick.network == config.network
    assert quick.fine_tuning.learning_rate == config.fine_tuning.learning_rate
