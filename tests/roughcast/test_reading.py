"""Bars of files and tables of any layout, in a notebook."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import roughcast
from volatility.errors import InvalidInput

FOLDER = Path(__file__).parents[1] / "volatility" / "formats" / "files"
OPTIONS = tomllib.loads(FOLDER.with_suffix(".toml").read_text())


@pytest.mark.parametrize("name", ["investing.csv", "coinbase.json", "plain.xlsx", "binance.zip"])
def test_a_file_its_content_and_what_is_in_it_are_the_same_bars(name: str) -> None:
    by_path = roughcast.read_bars(FOLDER / name)
    assert by_path.columns.tolist() == ["open", "high", "low", "close"]
    assert by_path.index.is_monotonic_increasing
    assert by_path["close"].iloc[:2].tolist() == [4697.5, 4763.25]
    pd.testing.assert_frame_equal(by_path, roughcast.read_bars((FOLDER / name).read_bytes()))
    pd.testing.assert_frame_equal(by_path, roughcast.read_bars(str(FOLDER / name)))
    assert OPTIONS[name]["layout"] in by_path.attrs["read_as"]


def test_the_options_decide() -> None:
    path = FOLDER / "yfinance_adjusted.csv"
    with pytest.raises(roughcast.RoughcastError, match="the option prices"):
        roughcast.read_bars(path)
    paid, adjusted = (roughcast.read_bars(path, prices=it) for it in ("raw", "adjusted"))
    np.testing.assert_allclose(adjusted, 0.98 * paid)
    last = roughcast.read_bars(FOLDER / "two_closes.csv", columns={"close": "Settle"})
    assert last["close"].iloc[0] == 4696.5
    with pytest.raises(roughcast.RoughcastError, match=r"no_such_file\.csv cannot be read"):
        roughcast.read_bars("no_such_file.csv")


@pytest.mark.parametrize(
    ("option", "given", "needed"),
    [
        ("format", "kracken", "; did you mean 'kraken'?"),
        ("decimal", ";", "needed: one of ., ,"),
        ("prices", "adjsted", "needed: one of raw, adjusted; did you mean 'adjusted'?"),
    ],
)
def test_an_option_that_there_is_not_is_refused(option: str, given: str, needed: str) -> None:
    options: dict[str, Any] = {option: given}
    with pytest.raises(InvalidInput) as refused:
        roughcast.read_bars(FOLDER / "plain.csv", **options)
    assert (refused.value.field, refused.value.found) == (option, given)
    assert str(refused.value).endswith(needed)


def test_a_table_as_yfinance_gives_it() -> None:
    frame = pd.read_csv(FOLDER / "plain.csv", index_col="date", parse_dates=True)
    labels = pd.MultiIndex.from_product([frame.columns.str.title(), ["SPX"]])
    bars = roughcast.read_bars(frame[::-1].set_axis(labels, axis="columns"))
    assert bars.attrs["read_as"].endswith("newest first; dropped 'Volume'; ticker SPX")
    assert bars.index.name == "date"
    assert getattr(bars.index, "tz", "none") is None
    low = frame.assign(low=frame["low"].where(frame["low"] != 4692.5, frame["open"] * 1.00005))
    mended = roughcast.read_bars(low)
    assert mended["low"].iloc[1] == frame["open"].iloc[1]
    assert "mended" in mended.attrs["warnings"][0]
    assert len(roughcast.measure(mended, calendar="XNYS", now=pd.Timestamp("2024-06-01"))) == 8
