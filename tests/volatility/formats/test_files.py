"""Files as exchanges and vendors emit them; ``files.toml`` tells where each is documented."""

import re
import tomllib
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from volatility.bars import DAILY, Bars, validate
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars
from volatility.formats.content import read, table_of
from volatility.formats.labels import FORMATS
from volatility.formats.reading import Options, Reading
from volatility.formats.tables import read_table

FOLDER = Path(__file__).parent / "files"
FILES: dict[str, dict[str, Any]] = tomllib.loads(FOLDER.with_suffix(".toml").read_text())
READ = [name for name, it in FILES.items() if "refused" not in it]
REFUSED = [name for name, it in FILES.items() if "refused" in it]
NOW = datetime(2024, 6, 1, tzinfo=UTC)

DAYS = ["05", "08", "09", "10", "11", "12", "16", "17"]
PRICES = {
    "open": [4702.25, 4693.75, 4741.5, 4759.25, 4792.5, 4791.75, 4772.5, 4739.25],
    "high": [4721.5, 4764.75, 4765.5, 4790.25, 4798.75, 4802.5, 4782.25, 4744.5],
    "low": [4682.25, 4692.5, 4730.25, 4756.5, 4739.75, 4768.25, 4747.5, 4714.75],
    "close": [4697.5, 4763.25, 4756.75, 4783.5, 4780.25, 4783.75, 4766.5, 4739.25],
}


def bars_in(name: str, options: Options) -> Reading:
    content = (FOLDER / name).read_bytes()
    reading = read_table(table_of(content, options, named=name), options)
    calendar = get_calendar("XNYS" if reading.bars.is_daily else "24/7")
    validate(reading.bars, calendar, NOW)
    return reading


def check(bars: Bars, name: str) -> None:
    """The bars are those that all files have, if some have fewer of them, or other times."""
    known = {it: np.array(values)[: len(bars)] for it, values in PRICES.items()}
    if name == "thousand_or_fraction.csv":
        known = {it: np.floor(values) for it, values in known.items()}
    if name == "high_just_below_close.csv":
        known["high"][1] = known["close"][1]
    if name == "open_is_low.json":
        known |= {"open": known["low"], "close": known["high"]}
    for it, values in known.items():
        np.testing.assert_array_equal(getattr(bars, it), values)
    if bars.interval == DAILY:
        expected = np.array([f"2024-01-{day}" for day in DAYS[: len(bars)]], "M8[s]")
    else:
        first = "2024-01-25" if name == "dukascopy.csv" else "2024-01-05"
        expected = np.datetime64(first, "s") + np.arange(8) * np.timedelta64(3_600, "s")
    np.testing.assert_array_equal(bars.timestamps, expected)


def test_every_file_is_told_of_and_every_format_has_one() -> None:
    assert {it.name for it in FOLDER.iterdir()} == FILES.keys()
    assert len(FILES) >= 30
    assert {it["layout"] for it in FILES.values()} | {"auto"} == {*FORMATS}


def test_the_page_has_every_format_option_and_code() -> None:
    page = (FOLDER.parents[3] / "docs" / "formats.md").read_text()
    named = {*re.findall(r"^\| `(\w+)` \|", page, re.M)}
    options = {it.name for it in fields(Options)} - {"interval"}
    assert named == {*FORMATS} - {"auto"} | options
    for name in options:
        assert f"`--{name}" in page or f"`--{name}`" in page
    for it in FILES.values():
        assert f"`{it.get('refused', 'plain')}`" in page


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_to_the_last_bit_and_its_layout_told(name: str) -> None:
    expected = FILES[name]
    reading = bars_in(name, Options())
    check(reading.bars, name)
    inferred = reading.inferred
    assert inferred.layout == expected["layout"]
    assert inferred.mended_rows == expected.get("mended", 0)
    assert inferred.interval == reading.bars.interval
    if "sorted" in expected:
        assert (inferred.order, inferred.sorted_rows) == ("unsorted", expected["sorted"])
    assert len(reading.rows) == 8
    again = bars_in(name, Options(format=inferred.layout))
    check(again.bars, name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_may_mean_two_things_is_refused_with_what_decides(name: str) -> None:
    expected = FILES[name]
    with pytest.raises(InvalidBars) as refused:
        bars_in(name, Options())
    assert refused.value.code == expected["refused"]
    options = expected.get("options")
    if options is None:
        assert "at bar 3 (2024-01-10)" in str(refused.value) or "bars 2 and 5" in str(refused.value)
        return
    for option in options:
        assert f"option {option}" in str(refused.value)
    check(bars_in(name, Options(**options)).bars, name)


def test_the_other_choice_is_another_file() -> None:
    content = (FOLDER / "day_or_month_first.csv").read_bytes()
    for dayfirst, second in ((True, "2024-01-08"), (False, "2024-08-01")):
        assert str(read(content, Options(dayfirst=dayfirst)).bars.dates[1]) == second
    adjusted = bars_in("yfinance_adjusted.csv", Options(prices="adjusted")).bars
    np.testing.assert_allclose(adjusted.high, 0.98 * np.array(PRICES["high"]))
    fractions = bars_in("thousand_or_fraction.csv", Options(decimal=",")).bars
    np.testing.assert_allclose(fractions.low, np.floor(PRICES["low"]) / 1_000)
    doubled = bars_in("yfinance_two_tickers.csv", Options(ticker="NDX")).bars
    np.testing.assert_array_equal(doubled.open, 2 * np.array(PRICES["open"]))
    settled = bars_in("two_closes.csv", Options(columns={"close": "Settle"})).bars
    np.testing.assert_array_equal(settled.close, np.array(PRICES["close"]) - 1)
    swapped = bars_in("open_is_low.json", Options(format="coinbase")).bars
    np.testing.assert_array_equal(swapped.open, PRICES["low"])


def test_a_layout_that_is_not_the_one_asked_for_is_refused() -> None:
    with pytest.raises(InvalidBars, match="a table as of investing; needed: the layout of nasdaq"):
        bars_in("investing.csv", Options(format="nasdaq"))
