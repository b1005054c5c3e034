"""Whatever a writer makes of bars, the reader gives them back to the last bit."""

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from volatility.bars import DAILY, PRICES, Bars
from volatility.errors import InvalidBars
from volatility.formats.content import read, read_frame
from volatility.formats.reading import Decimal, Inferred, Options, Reading

PRICE = st.floats(1e-3, 1e6).map(lambda price: float(f"{price:.10g}"))  # what Excel has room for
Draw = Callable[[st.SearchStrategy[Any]], Any]
CASES = (str.lower, str.upper, str.title)


@st.composite
def some_bars(draw: st.DrawFn) -> Bars:
    """Bars of days or hours, of which some days or hours are missing."""
    interval = draw(st.sampled_from([DAILY, 3_600]))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 3]), min_size=3, max_size=12))
    first = draw(st.integers(13_000, 20_000))  # 2005 to 2024
    places = np.cumsum([0, 1, 1, *steps])  # so that the most frequent distance is one
    prices = np.array([sorted(draw(st.tuples(*[PRICE] * 4))) for _ in places])
    swap = np.array([draw(st.booleans()) for _ in places])
    low, below, above, high = prices.T
    stamps = (first * DAILY + places * interval).astype("M8[s]")
    opened, close = np.where(swap, above, below), np.where(swap, below, above)
    return Bars(stamps, opened, high, low, close, interval)


def frame_of(bars: Bars, case: Callable[[str], str], time: str) -> pd.DataFrame:
    columns = {case(name): getattr(bars, name) for name in PRICES}
    return pd.DataFrame({case(time): pd.DatetimeIndex(bars.timestamps), **columns, "Volume": 1.5})


def written(frame: pd.DataFrame, how: str, **options: Any) -> bytes:
    target = io.BytesIO()
    getattr(frame, how)(target, **options)
    return target.getvalue()


def csv_of(frame: pd.DataFrame, decimal: Decimal, draw: Draw) -> bytes:
    """A CSV in a dialect."""
    form = draw(st.sampled_from(["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d %b %Y %I:%M %p", None]))
    delimiter = draw(st.sampled_from([";", "\t", "|"] if decimal == "," else [",", ";", "\t", "|"]))
    text = frame.to_csv(
        index=draw(st.booleans()),
        sep=delimiter,
        decimal=decimal,
        date_format=form,
        quoting=draw(st.sampled_from([0, 1, 2])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])))


def json_of(frame: pd.DataFrame, draw: Draw) -> bytes:
    """JSON in an orientation, of which pandas itself would write too few digits."""
    time = frame.columns[0]
    texts = frame.assign(**{time: frame[time].dt.strftime("%Y-%m-%dT%H:%M:%S")})
    indexed = texts.set_index(time)
    orient = draw(st.sampled_from(["records", "list", "split", "dict", "index", "rows"]))
    if orient == "rows":
        seconds = frame[time].astype("datetime64[s]").astype("int64") * 1_000
        return json.dumps(frame.assign(**{time: seconds}).to_numpy(object).tolist()).encode()
    table = texts if orient in ("records", "list") else indexed
    return json.dumps(table.to_dict(orient=orient)).encode()


def binary_of(frame: pd.DataFrame, draw: Draw) -> bytes:
    how = draw(st.sampled_from(["to_parquet", "to_feather", "to_excel"]))
    if how == "to_feather":
        return written(frame, how)
    if how == "to_excel":
        return written(frame, how, index=draw(st.booleans()))
    return written(frame.set_index(frame.columns[0]) if draw(st.booleans()) else frame, how)


def read_or_be_told(content: bytes, options: Options, decimal: Decimal) -> Reading:
    """What is read at once, or with the option that the refusal names."""
    try:
        return read(content, options)
    except InvalidBars as refused:
        if refused.code == "ambiguous_numbers":
            return read(content, replace(options, decimal=decimal))
        if refused.code == "ambiguous_layout":
            return read(content, replace(options, format="ccxt"))
        raise


def check(found: Bars, bars: Bars) -> None:
    assert found.interval == bars.interval
    for name in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, name), getattr(bars, name))


@given(some_bars(), st.data())
@settings(max_examples=60, deadline=None)
def test_bars_come_back_from_every_writer(bars: Bars, data: st.DataObject) -> None:
    draw = data.draw
    time = draw(st.sampled_from(["date", "timestamp", "datetime", "time"]))
    frame = frame_of(bars, draw(st.sampled_from(CASES)), time)
    rows = draw(st.permutations(range(len(bars)))) if draw(st.booleans()) else range(len(bars))
    frame = frame.iloc[list(rows)].reset_index(drop=True)
    decimal: Decimal = draw(st.sampled_from([".", ","]))
    write = draw(st.sampled_from(["csv", "csv", "json", "binary"]))
    if write == "csv":
        content = csv_of(frame, decimal, draw)
    else:
        content = (json_of if write == "json" else binary_of)(frame, draw)
    if draw(st.booleans()):
        content = gzip.compress(content)
    reading = read_or_be_told(content, Options(interval=bars.interval), decimal)
    check(reading.bars, bars)
    assert reading.rows.tolist() == np.argsort(list(rows)).tolist()
    assert reading.inferred.sorted_rows == sum(it != at for at, it in enumerate(np.argsort(rows)))


@given(some_bars(), st.booleans(), st.sampled_from(CASES))
@settings(max_examples=20, deadline=None)
def test_bars_come_back_from_a_frame(bars: Bars, indexed: bool, case: Callable[[str], str]) -> None:
    frame = frame_of(bars, case, "date")
    table = frame.set_index(frame.columns[0]).rename_axis(None) if indexed else frame
    check(read_frame(table, Options(interval=bars.interval)).bars, bars)


def test_of_what_the_project_writes_itself_there_is_nothing_to_tell() -> None:
    plain = Inferred()
    assert plain.is_plain
    assert str(plain) == "CSV, plain; dates as ISO 8601; oldest first"
    told = {name: getattr(plain, name) for name in ("packed", "delimiter", "decimal", "newest")}
    assert told == dict.fromkeys(told)
    assert (plain.dropped, plain.notes) == ((), ())
    assert (plain.interval, plain.sorted_rows, plain.mended_rows) == (0, 0, 0)
