"""Numbers and times as they are written, and what cannot be told from them."""

import numpy as np
import pandas as pd
import pytest

from volatility.errors import InvalidBars
from volatility.formats import times
from volatility.formats.numbers import numbers_of
from volatility.formats.reading import Options
from volatility.formats.times import times_of, with_clock

NOTHING = Options()


@pytest.mark.parametrize(
    ("cells", "delimiter", "values", "decimal"),
    [
        (["1,234.5", "999.25"], ",", [1234.5, 999.25], "."),
        (["1.234,5", "999,25"], ";", [1234.5, 999.25], ","),
        (["1,234", "999.5"], ",", [1234, 999.5], "."),  # the second has a point before its fraction
        (["1,234", "999,5"], ";", [1.234, 999.5], ","),  # the second has no thousands
        (["1,234,567", "1,234"], ";", [1_234_567, 1_234], "."),
        (["1.234.567", "1.234"], ";", [1_234_567, 1_234], ","),
        (["0,123", "0,456"], ";", [0.123, 0.456], ","),
        (["1.234", "5.678"], ",", [1.234, 5.678], "."),
        (["12.5", "1.234"], ";", [12.5, 1.234], "."),
        (["$1,234.50", " 7.25 € "], ",", [1234.5, 7.25], "."),
        (["1 234,5", "1\u202f234,5"], ";", [1234.5, 1234.5], ","),
        (["1'234.5", "7"], ";", [1234.5, 7], "."),
        (["-1,234.5", "+2.5"], ",", [-1234.5, 2.5], "."),
        (["1e3", "2.5E-1"], ",", [1000, 0.25], "."),
        (["10", "20"], ";", [10, 20], "."),
        (["", "null", None, "7.5"], ",", [np.nan, np.nan, np.nan, 7.5], "."),
    ],
)
def test_numbers(cells, delimiter, values, decimal) -> None:
    found = numbers_of({"open": pd.Series(cells, dtype=object)}, NOTHING, delimiter)
    np.testing.assert_array_equal(found.values["open"], values)
    assert found.decimal == decimal


@pytest.mark.parametrize(
    ("cells", "delimiter", "found"),
    [
        (["10", "1,234"], ",", "1,234 at bar 1"),
        (["1.234", "5.678"], ";", "1.234 at bar 0"),
        (["1,234.5", "1.234,5"], ";", "both . and , before fractions at bar 0"),
    ],
)
def test_numbers_that_may_be_two(cells, delimiter, found) -> None:
    columns = {"high": pd.Series(cells, dtype=object)}
    with pytest.raises(InvalidBars, match="the option decimal") as refused:
        numbers_of(columns, NOTHING, delimiter)
    assert (refused.value.code, refused.value.field) == ("ambiguous_numbers", "high")
    assert found in str(refused.value)


def test_one_column_tells_of_the_others() -> None:
    columns: dict[str, pd.Series] = {"low": pd.Series(["1,234"]), "close": pd.Series(["1,234.5"])}
    assert numbers_of(columns, NOTHING).values["low"].tolist() == [1234.0]
    columns = {"low": pd.Series(["1,234"]), "close": pd.Series([np.nan, 1234.5])}
    assert numbers_of(columns, NOTHING).values["low"].tolist() == [1234.0]
    columns = {"low": pd.Series(["1,234"]), "close": pd.Series([np.nan, 1234.0])}
    with pytest.raises(InvalidBars):
        numbers_of(columns, NOTHING)
    said = numbers_of({"low": pd.Series(["1,234", "5.678,5"])}, Options(decimal=","))
    assert said.values["low"].tolist() == [1.234, 5678.5]


@pytest.mark.parametrize("cell", ["1,23,4", "12,34", "1.2.3", "ten", "1-2", "5%"])
def test_numbers_that_are_none(cell: str) -> None:
    with pytest.raises(InvalidBars, match=f"{cell!r} at bar 1; needed: numbers") as refused:
        numbers_of({"open": pd.Series(["1.5", cell])}, Options(decimal="."))
    assert refused.value.code == "unparsable_numbers"


@pytest.mark.parametrize(
    ("cells", "expected", "form"),
    [
        (["13/02/2024", "01/03/2024"], "2024-02-13", "day/month/year"),
        (["02/13/2024", "03/01/2024"], "2024-02-13", "month/day/year"),
        (["13.2.2024", "1.3.2024"], "2024-02-13", "day/month/year"),
        (["13-02-2024 9:30", "01-03-2024 16:00"], "2024-02-13T09:30", "day/month/year"),
        (["2/13/2024 4:05 PM", "3/1/2024 12:00 am"], "2024-02-13T16:05", "month/day/year"),
        (["2024/2/13", "2024/3/1"], "2024-02-13", "year/month/day"),
        (["2024.02.13 09:30", "2024.03.01 16:00"], "2024-02-13T09:30", "year/month/day"),
        (["Feb 13, 2024", "Mar 01, 2024"], "2024-02-13", "month day, year"),
        (["February 13 2024", "March 1 2024"], "2024-02-13", "month day, year"),
        (["Tue Feb 13 2024", "Fri Mar 1 2024"], "2024-02-13", "month day, year"),
        (["13-Feb-2024", "1-Mar-2024"], "2024-02-13", "day month year"),
        (["13 february 2024 9:30:15", "1 march 2024"], "2024-02-13T09:30:15", "day month year"),
        (["2024-02-13 09-PM", "2024-03-01 12-AM"], "2024-02-13T21:00", "ISO 8601"),
        (["20240213", "20240301"], "2024-02-13", "digits"),
        ([20240213093015, 20240301000000], "2024-02-13T09:30:15", "digits"),
        ([1707782400, 1707868800], "2024-02-13", "Unix s"),
        ([1707782400.0, 1707868800.0], "2024-02-13", "Unix s"),
        (["1707782400000", "1707868800000"], "2024-02-13", "Unix ms"),
        ([1707782400000, 1707868800000000], "2024-02-13", "Unix ms and us"),
        ([1707782400000000000, 1707868800000000000], "2024-02-13", "Unix ns"),
        ([315532800, 4102444799], "1980-01-01", "Unix s"),
    ],
)
def test_times(cells, expected, form) -> None:
    found = times_of(pd.Series(cells), NOTHING)
    assert found.utc[0] == found.wall[0] == np.datetime64(expected)
    assert found.form == form
    assert found.alone.tolist() == [form != "digits" or len(str(cells[0])) == 8] * 2 or (
        "T" in expected or form.startswith("Unix")
    )


def test_which_times_are_dates_alone() -> None:
    cells = pd.Series(["2024-02-13", "2024-02-14T00:00"])
    assert times_of(cells, NOTHING).alone.tolist() == [True, False]
    assert times_of(pd.Series([1707782400]), NOTHING).alone.tolist() == [False]
    assert times_of(pd.Series([20240213]), NOTHING).alone.tolist() == [True]
    assert times_of(pd.Series([202402130930]), NOTHING).utc[0] == np.datetime64("2024-02-13T09:30")
    assert times_of(pd.Series(["13/02/2024"]), NOTHING).alone.tolist() == [True]


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["13/02/2024", "Feb 14, 2024"], "'Feb 14, 2024' at bar 1"),
        (["Feb 13, 2024", "Fbe 14, 2024"], "'Fbe 14, 2024' at bar 1"),
        (["2024-02-13", "14/02/2024"], "'14/02/2024' at bar 1"),
        (["13/02/2024", None], "'None' at bar 1"),
        (["13/02/2024", "31/02/2024"], "'31/02/2024' at bar 1"),
        (["01/02/24", "02/02/24"], "'01/02/24' at bar 0"),  # of which century, and in which order?
        ([1707782400, 17077824], "'17077824' at bar 1"),
        ([315532799, 1707782400], "'315532799' at bar 0"),
        ([4102444800, 1707782400], "'4102444800' at bar 0"),
        ([20241301, 20240213], "'20241301' at bar 0"),
        (["Q1 2024"], "'Q1 2024' at bar 0"),
        ([45335, 45336], "'45335' at bar 0"),  # days as Excel counts them
    ],
)
def test_times_that_are_none(cells, found) -> None:
    with pytest.raises(InvalidBars) as refused:
        times_of(pd.Series(cells, dtype=object), NOTHING)
    assert refused.value.code == "unparsable_dates"
    assert found in str(refused.value)


def test_the_order_of_day_and_month() -> None:
    both = pd.Series(["01/02/2024", "12/12/2024"])
    with pytest.raises(InvalidBars, match="no day above 12: day or month first"):
        times_of(both, NOTHING)
    assert str(times_of(both, Options(dayfirst=True)).utc[0])[:10] == "2024-02-01"
    assert str(times_of(both, Options(dayfirst=False)).utc[0])[:10] == "2024-01-02"
    with pytest.raises(InvalidBars, match="both orders within one column"):
        times_of(pd.Series(["13/02/2024", "02/13/2024"]), NOTHING)
    with pytest.raises(InvalidBars, match=r"'02/13/2024' at bar 1"):
        times_of(pd.Series(["13/02/2024", "02/13/2024"]), Options(dayfirst=True))


def test_a_date_and_a_time_of_day() -> None:
    dates = pd.Series([20240213, 20240213, 20240213, 20240213])
    for clock in (["00:00", "9:30", "09:30:15", "16:00"], [0, 93000, 93015, 160000]):
        found = times_of(with_clock(dates, pd.Series(clock)), NOTHING).utc
        times = ["T00:00", "T09:30", "T09:30:15", "T16:00"]
        assert found.tolist() == [np.datetime64(f"2024-02-13{it}", "s").item() for it in times]
    found = times_of(with_clock(dates[:2], pd.Series(["0930", "1600"])), NOTHING).utc
    assert str(found[0]) == "2024-02-13T09:30:00"
    with pytest.raises(InvalidBars, match="the second is no time of day"):
        with_clock(dates[:2], pd.Series(["1", "2"]))


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-02-13", "2024-02-14"],
        ["2024-02-13T09:30:00", "2024-02-14 09:30:01"],
        ["2024-02-13T09:30:00Z", "2024-02-14 09:30:01Z"],
    ],
)
def test_the_usual_times_are_read_as_all_are(cells) -> None:
    column = pd.Series(cells)
    usual = times._of_usual(column)
    slowly = times._of_iso(column.astype("string[python]"), column, 0)
    for other in slowly:
        np.testing.assert_array_equal(usual[0], other)
    assert usual[1].tolist() == [len(cells[0]) == 10] * 2


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "2024-13-01",
            "2024-02-30",
            "2024/02/01",
            "2024-02-1",
            "2024-02-0x",
            "2024-02-\u0661\u0661",
        ),
        *("2024-02-01T09:30", "2024-02-01T09:30:00+", "2024-02-01x09:30:00", "2024-02-01T25:00:00"),
        None,
    ],
)
def test_other_times_are_left_to_what_tells_of_them(cell) -> None:
    assert times._of_usual(pd.Series(["2024-02-01", cell], dtype=object)) is None
    assert times._of_usual(pd.Series([cell], dtype=object)) is None
