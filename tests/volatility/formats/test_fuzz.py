"""No content breaks the reader: it gives bars, or says what is wrong with it."""

import gzip
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.volatility.formats.test_files import FOLDER
from volatility.bars import PRICES
from volatility.errors import InvalidInput
from volatility.formats.content import CSV, JSON, KINDS, read
from volatility.formats.labels import FORMATS
from volatility.formats.reading import Limits, Options

LIMITS = Limits(100_000, 100)
NAMES = st.sampled_from(
    [
        "date",
        "time",
        "open",
        "high",
        "low",
        "close",
        "Price",
        "Ticker",
        "adj close",
        "x",
        "bars",
        "",
    ]
)
CELLS = st.sampled_from(
    [
        *("2024-01-02", "13/02/2024", "01/02/2024", "Feb 13, 2024", "20240102", "09:30", "Date"),
        *(
            "1",
            "1.5",
            "1,234",
            "1.234,5",
            "$2",
            "null",
            "",
            "SPY",
            '"',
            "1704067200000",
            "\x00",
            "-",
        ),
    ]
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | CELLS
OPTIONS = st.builds(
    Options,
    format=st.sampled_from(FORMATS) | st.just("auto"),
    dayfirst=st.none() | st.booleans(),
    decimal=st.sampled_from([None, ".", ","]),
    prices=st.sampled_from([None, "raw", "adjusted"]),
    ticker=st.sampled_from([None, "SPY"]),
    interval=st.sampled_from([None, 86_400, 3_600]),
)


def check(content: bytes, options: Options, kind: str | None) -> None:
    try:
        found = read(content, options, LIMITS, kind)
    except InvalidInput:
        return
    bars = found.bars
    assert (np.diff(bars.timestamps).astype(int) > 0).all()
    assert sorted(found.rows.tolist()) == list(range(len(bars)))
    assert len(str(found.inferred)) > 0


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Lines that look like those of tables, with faults."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    rows = draw(st.lists(st.lists(CELLS, max_size=7), max_size=6))
    header = draw(st.lists(st.lists(NAMES | CELLS, max_size=7), max_size=3))
    if draw(st.booleans()):
        header = [["date", *PRICES]]
        rows = [[*row, *["1"] * 5][:5] for row in rows]
    lines = [delimiter.join(row) for row in (*header, *rows)]
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines).encode()


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """JSON that looks like that of tables, with faults."""
    records = st.lists(st.dictionaries(NAMES, VALUES, max_size=8), max_size=4)
    lists = st.lists(st.lists(VALUES, max_size=8), max_size=4)
    columns = st.dictionaries(
        NAMES, st.lists(VALUES, max_size=3) | st.dictionaries(CELLS, VALUES, max_size=3)
    )
    split = st.fixed_dictionaries(
        {"columns": st.lists(NAMES | st.lists(NAMES)), "data": lists, "index": st.lists(VALUES)}
    )
    table: st.SearchStrategy[Any] = records | lists | columns | split | VALUES
    wrapped = st.dictionaries(NAMES, table | st.dictionaries(NAMES, table, max_size=2), max_size=3)
    return json.dumps(draw(table | wrapped)).encode()


@given(content=tables(), options=OPTIONS)
@settings(max_examples=100, deadline=None)
def test_no_table_breaks_it(content: bytes, options: Options) -> None:
    check(content, options, CSV)


@given(content=documents(), options=OPTIONS)
@settings(max_examples=100, deadline=None)
def test_no_document_breaks_it(content: bytes, options: Options) -> None:
    check(content, options, JSON)


@given(
    content=st.binary(max_size=200),
    begin=st.sampled_from(
        [b"", b"PAR1", b"ARROW1", b"PK\x03\x04", b"\x1f\x8b", b"\xff\xfe", b"BZh"]
    ),
    kind=st.none() | st.sampled_from(KINDS),
    is_packed=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_no_bytes_break_it(content: bytes, begin: bytes, kind: str | None, is_packed: bool) -> None:
    content = begin + content
    check(gzip.compress(content) if is_packed else content, Options(), kind)


@pytest.mark.parametrize("name", ["plain.parquet", "plain.feather", "plain.xlsx", "plain.csv.gz"])
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_no_flipped_byte_breaks_it(name: str, data: st.DataObject) -> None:
    content = bytearray((FOLDER / name).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] ^= data.draw(st.integers(1, 255))
    check(bytes(content), Options(), None)
