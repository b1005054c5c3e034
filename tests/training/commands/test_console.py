from rich.console import Console

from tests.training.simulated import make_asset, small_config
from training.commands.console import FitsProgress, introduce
from training.models.registry import recipes


def test_what_an_asset_cannot_have_is_told_with_the_reason() -> None:
    console = Console(width=100)
    chosen = recipes(["har", "lhar", "transfer"], small_config())
    with console.capture() as captured:
        introduce(make_asset("SOURCE"), (), chosen, console)
    assert captured.get().splitlines()[2:] == [
        "  without lhar: its bars give no return",
        "  without transfer: SOURCE is what it learns from",
    ]


def test_each_frequency_of_refitting_has_its_bar() -> None:
    console = Console(width=100)
    (*_, har, _, lstm) = recipes(["lstm"], small_config())
    with console.capture() as captured, FitsProgress(console, {22: 3, 150: 2}) as progress:
        for recipe in (lstm, har, har, har):
            progress.advance(recipe)
    lines = captured.get().splitlines()
    assert any("every 150 sessions" in line and "1/2 fits" in line for line in lines)
    assert any("every 22 sessions" in line and "3/3 fits" in line for line in lines)
