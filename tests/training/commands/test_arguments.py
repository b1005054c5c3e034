"""What each command takes: every option's default, and which numbers it accepts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from training import cli
from training.models.registry import MODELS

ASSETS = {
    "asset": None,
    "bars": None,
    "from_service": None,
    "calendar": None,
    "measure": None,
    "outside_sessions": None,
    "format": "auto",
    "dayfirst": None,
    "decimal": None,
    "prices": None,
    "ticker": None,
    "columns": None,
}
FITTING = {
    "models": list(MODELS),
    "source": None,
    "companion": [],
    "config": None,
    "seed": None,
    "seeds": None,
    "jobs": -1,
    "backend": "joblib",
    "scheduler": None,
}
OUTPUT = {"verbose": False, "quiet": False}
STORE = {"store": Path("var/store"), "store_mirror": None}
PANEL = {"panel": None, "folds": 3, "months": 24, "histories": [22, 60, 125]}
DEFAULTS: dict[str, dict[str, Any]] = {
    "retrain": {**ASSETS, **FITTING, **PANEL, "horizons": None, "to_service": None, **STORE},
    "evaluate": {
        **ASSETS,
        **FITTING,
        **PANEL,
        "horizons": [1],
        "out": Path("var/evaluation"),
        "targets": None,
    },
    "reproduce": {
        "data": Path("var/paper"),
        "out": Path("var/reproduction"),
        "download": False,
        "quick": False,
        "seeds": None,
        "config": None,
        "jobs": -1,
    },
    "results": {**STORE, "store": None, "page": Path("docs/results.md")},
}


def parsed(*arguments: str) -> dict[str, Any]:
    return vars(cli.make_parser().parse_args(arguments))


@pytest.mark.parametrize("command", DEFAULTS)
def test_without_options_a_command_does_what_is_usual(command: str) -> None:
    assert parsed(command) == {"command": command, **OUTPUT, **DEFAULTS[command]}


def test_every_command_says_more_or_less_if_asked_to() -> None:
    for command in DEFAULTS:
        found = parsed(command, "-v", "-q")
        assert (found["verbose"], found["quiet"]) == (True, True)
    pull = ("pull", "--symbol", "BTC/USD", "--yahoo", "--to-file", "a.csv")
    for given in (("data", *pull, "-q"), ("data", "-q", *pull)):
        assert (parsed(*given)["verbose"], parsed(*given)["quiet"]) == (False, True)


def test_artifacts_are_signed_by_a_key_that_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    expected = {"command": "sign", **STORE, "key": Path("mine.pem")}
    assert parsed("sign", "--key", "mine.pem") == {**OUTPUT, **expected}
    with pytest.raises(SystemExit):
        parsed("sign")
    assert "required: --key" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["retrain", "evaluate"])
def test_every_option_is_read_as_what_it_is(command: str) -> None:
    given = {
        "--asset": "A",
        "--target": "B",
        "--bars": "a.csv",
        "--from-service": "http://127.0.0.1:8000",
        "--calendar": "XNYS",
        "--measure": "parkinson",
        "--outside-sessions": "drop",
        "--format": "yfinance",
        "--no-dayfirst": "",
        "--decimal": ",",
        "--prices": "adjusted",
        "--ticker": "SPY",
        "--columns": "close=Last time=When",
        "--models": "har lhar",
        "--source": "SPX",
        "--companion": "VIX=vix.csv",
        "--config": "mine.toml",
        "--seed": "-5",
        "--seeds": "2",
        "--jobs": "-2",
        "--backend": "dask",
        "--scheduler": "tcp://127.0.0.1:1",
        "--panel": "many",
        "--folds": "5",
        "--months": "12",
        "--histories": "30 40",
        "--horizons": "5 22",
    }
    found = parsed(command, *(it for pair in given.items() for it in " ".join(pair).split()))
    expected = {
        "asset": ["A", "B"],
        "bars": Path("a.csv"),
        "from_service": "http://127.0.0.1:8000",
        "calendar": "XNYS",
        "measure": "parkinson",
        "outside_sessions": "drop",
        "format": "yfinance",
        "dayfirst": False,
        "decimal": ",",
        "prices": "adjusted",
        "ticker": "SPY",
        "columns": ["close=Last", "time=When"],
        "models": ["har", "lhar"],
        "source": "SPX",
        "companion": ["VIX=vix.csv"],
        "config": Path("mine.toml"),
        "seed": -5,
        "seeds": 2,
        "jobs": -2,
        "backend": "dask",
        "scheduler": "tcp://127.0.0.1:1",
        "panel": Path("many"),
        "folds": 5,
        "months": 12,
        "histories": [30, 40],
        "horizons": [5, 22],
    }
    assert found == {**DEFAULTS[command], "command": command, **OUTPUT, **expected}
    assert parsed(command, "--histories")["histories"] == []


@pytest.mark.parametrize(
    ("command", "option", "lowest", "highest", "needed"),
    [
        ("retrain", "horizons", 1, None, "'{}' is not a number of sessions, of 1 or more"),
        ("evaluate", "horizons", 1, None, "'{}' is not a number of sessions, of 1 or more"),
        ("evaluate", "targets", 1, None, "'{}' is not a number of assets, of 1 or more"),
        ("evaluate", "months", 1, None, "'{}' is not a number of months, of 1 or more"),
        ("evaluate", "folds", 2, 20, "{} is not from 2 to 20"),
        ("evaluate", "histories", 22, 249, "{} is not from 22 to 249"),
        ("evaluate", "seed", -(2**63), 2**63 - 1, f"{{}} is not from {-(2**63)} to {2**63 - 1}"),
        ("evaluate", "seeds", 1, 16, "{} is not from 1 to 16"),
        ("reproduce", "seeds", 1, 100, "{} is not from 1 to 100"),
    ],
)
def test_a_number_is_accepted_between_both_ends(
    command: str,
    option: str,
    lowest: int,
    highest: int | None,
    needed: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    beyond = [lowest - 1] if highest is None else [lowest - 1, highest + 1]
    for number in (lowest, 10**6 if highest is None else highest):
        found = parsed(command, f"--{option}", str(number))[option]
        assert found in (number, [number])
    for number in beyond:
        with pytest.raises(SystemExit):
            parsed(command, f"--{option}={number}")
        said = f"argument --{option}: {needed.format(number)}"
        assert said in re.sub(r"\s+", " ", capsys.readouterr().err)


@pytest.mark.parametrize("option", ["horizons", "targets", "months"])
def test_what_is_no_number_is_refused_in_words(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed("evaluate", f"--{option}", "many")
    assert "'many' is not a number of" in capsys.readouterr().err


def test_no_processes_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed("retrain", "--jobs", "1")["jobs"] == 1
    with pytest.raises(SystemExit):
        parsed("retrain", "--jobs", "0")
    assert "argument --jobs: 0 processes can do nothing" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--outside-sessions", "--backend"])
def test_what_is_none_of_the_choices_is_refused(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed("retrain", option, "keep")
    assert f"argument {option}: invalid choice: 'keep'" in capsys.readouterr().err
    for choice in {"--outside-sessions": ("refuse", "drop"), "--backend": ("joblib", "dask")}[
        option
    ]:
        assert choice in parsed("retrain", option, choice).values()


PULL = ("data", "pull", "--symbol", "BTC/USD")
PULLED: dict[str, Any] = {
    "command": "data",
    "action": "pull",
    "exchange": None,
    "yahoo": False,
    "symbol": "BTC/USD",
    "to_service": None,
    "to_file": None,
    "asset": None,
    "interval": "1d",
    "since": None,
    "calendar": None,
    "kind": None,
    "replace": False,
    "outside_sessions": "refuse",
    **OUTPUT,
}


def test_bars_are_fetched_from_one_place_to_another() -> None:
    kraken = parsed(*PULL, "--exchange", "kraken", "--to-file", "a.csv")
    assert kraken == {**PULLED, "exchange": "kraken", "to_file": Path("a.csv")}
    yahoo = parsed(*PULL, "--yahoo", "--to-service", "http://there")
    assert yahoo == {**PULLED, "yahoo": True, "to_service": "http://there"}
    more = "--asset A --interval 1h --calendar XNYS --kind etf --replace --outside-sessions drop"
    assert parsed(*PULL, "--yahoo", "--to-file", "a.csv", *more.split()) == {
        **PULLED,
        "yahoo": True,
        "to_file": Path("a.csv"),
        "asset": "A",
        "interval": "1h",
        "calendar": "XNYS",
        "kind": "etf",
        "replace": True,
        "outside_sessions": "drop",
    }


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--to-file", "a.csv"], "one of the arguments --exchange --yahoo is required"),
        (["--yahoo"], "one of the arguments --to-service --to-file is required"),
        (["--yahoo", "--exchange", "kraken", "--to-file", "a.csv"], "not allowed with"),
        (["--yahoo", "--to-service", "b", "--to-file", "a.csv"], "not allowed with"),
        (
            ["--yahoo", "--to-file", "a.csv", "--since", "last year"],
            "'last year' is not a date such as 2021-10-28, or a time such as",
        ),
    ],
)
def test_a_source_and_a_target_are_needed(
    given: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parsed(*PULL, *given)
    assert why in re.sub(r"\s+", " ", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-10-28", datetime(2021, 10, 28, tzinfo=UTC)),
        ("2021-10-28T13:00:00", datetime(2021, 10, 28, 13, tzinfo=UTC)),
        ("2021-10-28T13:00:00Z", datetime(2021, 10, 28, 13, tzinfo=UTC)),
        ("2021-10-28T13:00:00+02:00", datetime(2021, 10, 28, 11, tzinfo=UTC)),
    ],
)
def test_a_time_is_in_utc(text: str, moment: datetime) -> None:
    found = parsed(*PULL, "--yahoo", "--to-file", "a.csv", "--since", text)["since"]
    assert (found, found.utcoffset()) == (moment, timedelta(0))


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    printed = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert printed.startswith("usage: python -m training [-h] command")
    for name, command in cli.COMMANDS.items():
        assert f"{name} {command.help}" in printed
    with pytest.raises(SystemExit):
        parsed()
    assert "arguments are required: command" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["retrain", "results"])
def test_a_store_is_a_folder_or_a_url(command: str) -> None:
    assert parsed(command, "--store", "models")["store"] == Path("models")
    there = parsed(command, "--store", "s3://bucket/models", "--store-mirror", "here")
    assert (there["store"], there["store_mirror"]) == ("s3://bucket/models", Path("here"))
