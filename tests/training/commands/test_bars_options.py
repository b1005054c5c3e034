"""How a file of bars is written, as options say it, and as a command line repeats it."""

import argparse

import pytest

from training.commands.bars_options import add_bars_options, is_given, options_of, words_of
from volatility.errors import InvalidInput


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_bars_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--dayfirst"],
        ["--no-dayfirst"],
        ["--format", "yfinance"],
        ["--decimal", ","],
        ["--prices", "adjusted"],
        ["--ticker", "SPY"],
        ["--columns", "close=PX_LAST", "time=Day"],
        [
            "--no-dayfirst",
            "--format",
            "yfinance",
            "--decimal",
            ".",
            "--prices",
            "raw",
            "--ticker",
            "A",
        ],
    ],
)
def test_what_was_said_is_repeated_and_nothing_else(words: list[str]) -> None:
    assert words_of(given(*words)) == words
    assert is_given(given(*words)) is bool(words)


def test_each_option_says_its_own() -> None:
    words = ["--format", "yfinance", "--dayfirst", "--decimal", ",", "--prices", "raw"]
    said = options_of(given(*words, "--ticker", "SPY", "--columns", "close=PX_LAST"))
    assert (said.format, said.dayfirst, said.decimal) == ("yfinance", True, ",")
    assert (said.prices, said.ticker, dict(said.columns)) == ("raw", "SPY", {"close": "PX_LAST"})


def test_what_is_usual_need_not_be_said() -> None:
    assert words_of(given("--format", "auto")) == []
    assert not is_given(given("--format", "auto"))


def test_a_column_needs_a_label() -> None:
    with pytest.raises(InvalidInput, match="close"):
        options_of(given("--columns", "close"))
