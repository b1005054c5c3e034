import ast
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from tests.training.simulated import make_asset, small_config
from training import commands
from training.commands.console import FitsProgress, echo, introduce
from training.config import flatten
from training.models.registry import recipes
from volatility.errors import Finding

OURS = (  # calls that print tables, numbers and questions of ours, or escape what is not
    "console.print(f'\\n[bold]{target.asset}[/bold]: {escape(_describe(target))}')",
    "console.print(table)",
    "console.print(fitting_table(console, title, comparison, EXPLANATION, FURTHER))",
    "console.print(f'{done} of {total} networks are at hand from an earlier run')",
    "console.print(f'\\n[bold]{answer.question}[/bold]')",
)


def test_what_an_asset_cannot_have_is_told_with_the_reason() -> None:
    console = Console(width=100)
    chosen = recipes(["har", "lhar", "transfer"], small_config())
    with console.capture() as captured:
        introduce(make_asset("SOURCE"), (), chosen, console)
    assert captured.get().splitlines()[2:] == [
        "  without lhar: its bars give no return",
        "  without transfer: SOURCE is what it learns from",
    ]


def test_data_are_introduced_with_their_companions_and_notes() -> None:
    asset = make_asset("MINE", nobs=40)
    first, *_, last = asset.series.dates
    beside = make_asset("VIX", nobs=30)
    target = replace(asset, companions=(beside,), source="[mine].csv")
    note = Finding("odd", "warning", "low", "a [bold] price", "a price")
    console = Console(width=200)
    with console.capture() as captured:
        introduce(target, (note,), (), console)
    told = f"40 sessions of garman_klass, {first} to {last}, calendar 24/7"
    other = f"30 sessions of garman_klass, {first} to {beside.series.dates[-1]}, calendar 24/7"
    assert captured.get().splitlines() == [
        "",
        f"MINE: {told}, from [mine].csv",
        f"  companion VIX: {other}, from {beside.source}",
        f"  note: {note}",
    ]


def test_settings_are_told_where_that_is_asked_for() -> None:
    config, console = small_config(), Console(width=200)
    with console.capture() as captured:
        echo(Namespace(verbose=False), config, console, panel="many")
    assert captured.get() == ""
    with console.capture() as captured:
        echo(Namespace(verbose=True), config, console, panel="[many]", horizons=[1, 5])
    settings = flatten(config) | {"panel": "[many]", "horizons": "[1, 5]"}
    assert captured.get().splitlines() == [f"{name} = {it}" for name, it in settings.items()]


def test_each_frequency_of_refitting_has_its_bar() -> None:
    console = Console(width=100)
    (*_, har, _, lstm) = recipes(["lstm"], small_config())
    with console.capture() as captured, FitsProgress(console, {22: 3, 150: 2}) as progress:
        for recipe in (lstm, har, har, har):
            progress.advance(recipe)
    lines = captured.get().splitlines()
    assert any("every 150 sessions" in line and "1/2 fits" in line for line in lines)
    assert any("every 22 sessions" in line and "3/3 fits" in line for line in lines)


def test_what_others_have_named_is_read_as_no_markup() -> None:
    """A folder may be called ``[/x]``, which would end a command with an error."""
    for path in sorted(Path(commands.__file__).parent.glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".print")):
                continue
            said = ast.unparse(call)
            is_plain = any(
                it.arg == "markup" and not ast.literal_eval(it.value) for it in call.keywords
            )
            is_ours = all(isinstance(it, ast.Constant) for it in call.args)
            assert is_plain or is_ours or said in OURS, f"{path.name}: {said}"
