"""The command ``roughcast``, as somebody types it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import roughcast
from roughcast.commands import application
from roughcast.commands.sparkline import sparkline
from training import cli
from volatility.errors import RoughcastError
from volatility.extras import ExtraMissing

COMMANDS = ("forecast", "hurst", "compare", "serve", "models", "keys", "retrain", "evaluate")
NARROW = 60  # columns
Told = tuple[int, str, str]
HEAVY = {"pandas", "numpy", "onnxruntime", "rich", "exchange_calendars", "training", "httpx"}
LOADED = """
import sys
from roughcast.commands import application
application.run(sys.argv[1:])
print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture
def typed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Told]:
    """What a command answers in a narrow terminal: status, output, errors."""
    monkeypatch.setenv("COLUMNS", str(NARROW))

    def run(*arguments: str) -> Told:
        status = application.run(arguments)
        return status, *capsys.readouterr()

    return run


def test_no_option_changes_the_shell(typed: Callable[..., Told]) -> None:
    status, _, errors = typed("--install-completion")
    assert status == 2
    assert "no such option" in errors.lower()


def test_help_comes_without_what_takes_time() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOADED, "--help"], capture_output=True, text=True, check=True
    )
    assert all(it in told.stdout for it in (*COMMANDS, "reproduce", "data"))
    assert not {it.partition(".")[0] for it in told.stderr.split()} & HEAVY


def test_the_program_is_the_command(csv: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "roughcast", "forecast", str(csv), "-q", "-h", "1"],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = roughcast.forecast(pd.read_csv(csv), [1]).lines()
    assert [it.split()[:2] for it in ran.stdout.splitlines()] == [it[:2] for it in expected]
    wrong = subprocess.run(
        [sys.executable, "-m", "roughcast", "forcast"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "No such command 'forcast'. Did you mean 'forecast'?" in wrong.stderr


def test_a_forecast_is_a_line_of_what_was_and_a_table(
    csv: Path, bars: pd.DataFrame, typed: Callable[..., Told]
) -> None:
    status, printed, errors = typed("forecast", str(csv))
    found = roughcast.forecast(bars.tail(120))
    assert (status, errors) == (0, "")
    line, span, _, title, _, head, *rows = printed.splitlines()
    assert set(line) <= set("▁▂▃▄▅▆▇█")
    assert len(line) == 44
    assert span.startswith("the last 44 sessions: ")
    assert title == found.title
    assert head.split()[:2] == ["sessions", "volatility"]
    assert [it.split()[1] for it in rows[:4]] == [
        f"{it.volatility_annualized:.1%}" for it in found.horizons
    ]
    assert rows[-1] == f"note: {len(found.notes) - 3} more with -v"
    assert max(map(len, printed.splitlines())) <= NARROW


def test_more_is_told_with_v_and_less_with_q(csv: Path, typed: Callable[..., Told]) -> None:
    _, plain, _ = typed("forecast", str(csv))
    _, verbose, _ = typed("forecast", str(csv), "-v", "--kind", "crypto")
    _, quiet, _ = typed("forecast", str(csv), "--quiet")
    assert "model_sha256 = " in verbose
    assert f"source = {csv}" in verbose
    assert "kind = crypto" in verbose
    assert "source = " not in plain
    assert "more with -v" not in verbose
    assert len(quiet.splitlines()) == 5


def test_json_holds_the_numbers_as_they_are(
    csv: Path, bars: pd.DataFrame, typed: Callable[..., Told]
) -> None:
    options = ["-h", "5", "--level", "0.9", "--quantile", "0.25", "--calendar", "24/7"]
    _, printed, _ = typed("forecast", str(csv), "--json", *options)
    told = json.loads(printed)
    found = roughcast.forecast(bars.tail(120), [5], levels=[0.9], quantiles=[0.25], calendar="24/7")
    assert told["as_of"] == "2021-02-03"
    [at] = told["term_structure"]
    assert at["rv"] == found.at(5).rv
    assert at["intervals"][0]["rv"] == list(found.at(5).intervals[0].rv)
    assert at["quantiles"][0]["probability"] == 0.25
    assert "history" not in told


def test_a_file_of_any_layout_is_read_with_the_options_that_decide(
    bars: pd.DataFrame, tmp_path: Path, typed: Callable[..., Told]
) -> None:
    part = bars.loc["2020-02-01":"2020-02-12"]  # in which no day is above 12
    rows = pd.concat([part, bars.loc["2020-03-01":"2020-03-12"]])
    path = tmp_path / "theirs.csv"
    days = [f"{day:%d/%m/%Y}" for day in rows.index]
    rows.set_index(pd.Index(days)).rename_axis("Datum").to_csv(path, sep=";", decimal=",")
    column = ("--column", "time=Datum")
    status, _, errors = typed("forecast", str(path), *column)
    assert status == 2
    assert "needed: the option dayfirst" in errors
    options = ("-h", "1", "--quiet", "--calendar", "24/7")
    status, printed, errors = typed("forecast", str(path), *column, "--dayfirst", *options)
    assert (status, errors) == (0, "")
    expected = roughcast.forecast(rows, [1], calendar="24/7").at(1)
    assert f"{expected.volatility_annualized:.1%}" in printed
    _, told, _ = typed("hurst", "SPX", "-v", "--calendar", "XNYS", "--measure", "parkinson")
    assert "calendar = XNYS" in told


def test_hurst_and_compare_of_a_shipped_asset(typed: Callable[..., Told]) -> None:
    status, printed, _ = typed("hurst", "ETH-USD")
    assert status == 0
    assert printed.startswith("ETH-USD: log volatility of ")
    assert "variogram_corrected" in printed
    assert max(map(len, printed.splitlines())) <= NARROW
    _, told, _ = typed("hurst", "ETH-USD", "--json", "--measure", "parkinson")
    assert json.loads(told)["measure"] == "parkinson"
    status, printed, _ = typed("compare", "ETH-USD", "-m", "har", "-m", "ewma", "-h", "5")
    assert status == 0
    assert "5 sessions ahead" in printed
    assert "ewma" in printed
    assert max(map(len, printed.splitlines())) <= NARROW
    _, told, _ = typed("compare", "ETH-USD", "-m", "har", "--json")
    assert {it["model"] for it in json.loads(told)["rows"]} >= {"har", "log_har"}
    assert json.loads(told)["excluded"] == []


def test_models_that_are_left_out_are_told_as_over_http(
    typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "misaligned: a day off"
    found = replace(roughcast.compare(roughcast.dataset("ETH-USD"), ["har"]), left_out={"x": said})
    monkeypatch.setattr("roughcast.comparing.compare", lambda *_, **__: found)
    _, told, _ = typed("compare", "ETH-USD", "--json")
    assert json.loads(told)["excluded"] == [{"model": "x", "reason": said}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("forecast", "SPY"), "did you mean 'SPX'?"),
        (("forecast", "nothing.csv"), "needed: a file of bars, or one of SPX"),
        (("forecast", "SPX", "-h", "3"), "it forecasts [1, 5, 10, 22] sessions ahead"),
        (("forecast", "SPX", "--level", "0.8", "--level", "0.8"), "each level once, as in [0.8]"),
        (("compare", "SPX", "-m", "harr"), "did you mean 'har'?"),
        (("forecast", "SPX", "--horzon", "3"), "--horizon"),
        (("evaluate", "--horizns", "3"), "did you mean '--horizons'?"),
        (("evaluate", "--models", "garhc"), "did you mean 'garch'?"),
        (("data",), "the following arguments are required: action"),
    ],
)
def test_what_is_misspelled_is_told_with_what_was_meant(
    arguments: tuple[str, ...], said: str, typed: Callable[..., Told]
) -> None:
    status, printed, errors = typed(*arguments)
    assert status == 2
    assert said in " ".join(errors.split())
    assert printed == ""


def test_a_file_beside_is_named_where_one_is_misspelled(
    csv: Path, typed: Callable[..., Told]
) -> None:
    _, _, errors = typed("forecast", str(csv.with_name("mien.csv")))
    assert "did you mean 'mine.csv'?" in errors


def test_the_version_is_the_package_s(typed: Callable[..., Told]) -> None:
    assert typed("--version") == (0, f"roughcast {version('roughcast')}\n", "")


@pytest.mark.parametrize("command", ["retrain", "evaluate", "reproduce", "data"])
def test_what_training_does_is_passed_on(
    command: str, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def main(arguments: list[str], program: str) -> int:
        given.append((arguments, program))
        return 1

    monkeypatch.setattr(cli, "main", main)
    assert typed(command, "--models", "har", "-v", "--help")[0] == 1
    assert given == [([command, "--models", "har", "-v", "--help"], "roughcast")]


@pytest.mark.parametrize(
    ("command", "passed"), [("serve", []), ("models", ["models"]), ("keys", ["keys"])]
)
def test_the_service_takes_the_place_of_the_process(
    command: str, passed: list[str], typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _path, words: started.append(words))
    typed(command, "list", "--help")
    assert started == [[sys.executable, "-m", "service", *passed, "list", "--help"]]


def test_a_missing_extra_is_told_with_what_installs_it(
    typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("volatility.extras._is_installed", lambda name: name != "statsmodels")
    status, _, errors = typed("compare", "SPX")
    assert status == 2
    assert "pip install 'roughcast[training]'" in errors
    with pytest.raises(ExtraMissing):
        roughcast.fit("har", roughcast.measure(roughcast.dataset("SPX")))


@pytest.mark.parametrize("stopped_in", ["forecast", "evaluate"])
def test_ctrl_c_leaves_a_sentence(
    stopped_in: str, typed: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("roughcast.forecasting.forecast", stop)
    monkeypatch.setattr(cli, "import_module", stop)
    status, _, errors = typed(stopped_in, *(["SPX"] if stopped_in == "forecast" else []))
    assert status == 130
    assert errors.strip().startswith("stopped: ")
    assert len(errors.strip().splitlines()) == 1


def test_a_long_run_that_is_stopped_says_how_it_goes_on(tmp_path: Path) -> None:
    """A real one, with workers, by the signal that a terminal sends to all of its processes."""
    words = ["evaluate", "--asset", "ETH-USD", "--models", "garch", "gjr", "--jobs", "1"]
    # A test in the background of a shell has been told to ignore the signal, and so would it.
    heeding = ["env", "--default-signal=INT", sys.executable, "-m", "roughcast"]
    process = subprocess.Popen(
        [*heeding, *words, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    while "sessions of garman_klass" not in process.stdout.readline():
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.strip() == (
        "stopped: results from before are as they were; the same command goes on with what is left"
    )
    assert not (tmp_path / "out").exists()


def test_a_line_of_blocks_has_one_a_value() -> None:
    assert sparkline(np.array([0.0, 1.0, 3.9, 4.0, 8.0])) == "▁▂▄▅█"
    assert sparkline(np.array([2.0, 2.0])) == "▁▁"


def test_errors_of_this_package_are_of_one_tree() -> None:
    assert roughcast.RoughcastError is RoughcastError
