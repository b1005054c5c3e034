"""What is printed where nobody looks on, and what a command ends with."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tests.training.simulated import small_config
from training import cli
from training.commands import results
from training.commands.console import echo
from volatility.errors import InvalidInput


def ran(monkeypatch: pytest.MonkeyPatch, is_terminal: bool, result: object = 0) -> Console:
    """The console that a command is given."""
    given: list[Console] = []

    def run(_options: argparse.Namespace, console: Console) -> object:
        given.append(console)
        return result

    monkeypatch.setattr(cli, "import_module", lambda _name: SimpleNamespace(run=run))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    assert cli.main(["sign", "--key", "mine.pem"]) == result
    return given[0]


def test_tables_are_not_folded_in_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(monkeypatch, is_terminal=False).width == 140


def test_on_a_terminal_they_are_as_wide_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "77")
    assert ran(monkeypatch, is_terminal=True).width == 77


@pytest.mark.parametrize("command", cli.COMMANDS.values(), ids=list(cli.COMMANDS))
def test_what_runs_a_command_is_there(command: cli.Command) -> None:
    found = find_spec(command.module)
    assert found is not None
    assert found.origin is not None
    assert "\ndef run(" in Path(found.origin).read_text()


def test_the_exit_status_is_the_command_s(monkeypatch: pytest.MonkeyPatch) -> None:
    ran(monkeypatch, is_terminal=False, result=1)


def test_nothing_is_printed_if_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet: list[bool] = []

    def run(_options: argparse.Namespace, console: Console) -> int:
        quiet.append(console.quiet)
        return 0

    monkeypatch.setattr(cli, "import_module", lambda _name: SimpleNamespace(run=run))
    for more in ([], ["--quiet"]):
        cli.main(["sign", "--key", "mine.pem", *more])
    assert quiet == [False, True]


@pytest.mark.parametrize("error", [InvalidInput("it is wrong"), OSError("the disk is full")])
def test_what_stops_a_command_is_told_and_ends_with_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(_options: object) -> Any:
        raise error

    monkeypatch.setattr(cli, "_run", fail)
    assert cli.main(["sign", "--key", "mine.pem"]) == 2
    assert capsys.readouterr().err == f"error: {error}\n"


def test_all_that_decides_an_outcome_is_printed_if_asked_for() -> None:
    console = Console(width=80)
    plain, verbose = (
        cli.make_parser().parse_args(["evaluate", *options]) for options in ([], ["--verbose"])
    )
    with console.capture() as captured:
        echo(plain, small_config(), console, panel=Path("[bold]"))
    assert captured.get() == ""
    with console.capture() as captured:
        echo(verbose, small_config(), console, panel=Path("[bold]"), horizons=[1, 5])
    lines = captured.get().splitlines()
    assert {"seed = 7", "fine_tuning.epochs = 2", "horizons = [1, 5]"} <= set(lines)
    assert "panel = [bold]" in lines


def test_results_are_written_into_their_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = (
        "before\n<!-- results: made by `python -m training results` -->\nold\n"
        "<!-- end of results -->\nbehind"
    )
    page = tmp_path / "results.md"
    page.write_text(marked)
    read: list[Path] = []

    def found(store: Any) -> str:
        read.append(store.root)
        return "tables of what was found"

    monkeypatch.setattr(results, "tables", found)
    given = ["results", "--store", str(tmp_path), "--page", str(page)]
    options = cli.make_parser().parse_args(given)
    console = Console(width=300)
    with console.capture() as captured:
        assert results.run(options, console) == 0
    assert read == [tmp_path]
    assert str(page) in captured.get()
    assert page.read_text() == marked.replace("\nold\n", "\n\ntables of what was found\n")
