import argparse
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from tests.training.simulated import SMALL_CONFIG, make_asset, small_config
from training import cli
from training.commands.options import (
    FitsProgress,
    add_assets,
    add_fitting,
    assets_of,
    check_writable,
    config_of,
    load_sources,
    tell_left_out,
)
from training.models.registry import recipes
from volatility.datasets import NAMES
from volatility.errors import InvalidInput


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_assets(parser)
    add_fitting(parser)
    return parser.parse_args(["--config", str(SMALL_CONFIG), *arguments])


def test_an_asset_and_a_target_are_the_same() -> None:
    options = parse("--asset", "SPX", "--target", "ETH-USD", "--asset", "SPX")
    assert assets_of(options) == (["SPX", "ETH-USD"], None)
    assert assets_of(parse()) == (list(NAMES), None)


def test_options_override_the_configuration() -> None:
    config = config_of(parse("--seed", "5", "--source", "ETH-USD"))
    assert (config.seed, config.transfer.source) == (5, "ETH-USD")
    assert config_of(parse()) == small_config()


def test_a_source_that_nothing_learns_from_is_refused() -> None:
    options = parse("--source", "ETH-USD", "--models", "har")
    chosen = recipes(options.models, config_of(options))
    with pytest.raises(InvalidInput, match=r"none of \['har'\] is"):
        load_sources(chosen, options, datetime.now(UTC))


def test_what_an_asset_cannot_have_is_told_with_the_reason() -> None:
    console = Console(width=100)
    chosen = recipes(["har", "lhar", "transfer"], small_config())
    with console.capture() as captured:
        tell_left_out(chosen, make_asset("SOURCE"), console)
    assert captured.get().splitlines() == [
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


def test_a_folder_is_tried_and_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


@pytest.mark.parametrize(("command", "option"), [("retrain", "--store"), ("evaluate", "--out")])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_fitted(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    place = file if command == "retrain" else file / "out"
    arguments = ["--asset", "ETH-USD", "--models", "har", "--jobs", "1", option, str(place)]
    assert cli.main([command, *arguments]) == 2
    printed = capsys.readouterr()
    assert str(file) in printed.err
    assert "sessions of" not in printed.out
    assert file.read_text() == "mine"
