"""Which columns, which rows and which order a table of bars has."""

import bz2
import gzip
import io
import lzma
import zipfile
from dataclasses import replace
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from volatility.bars import PRICES
from volatility.errors import InvalidBars, InvalidInput
from volatility.formats.content import read, read_document, read_frame, table_of
from volatility.formats.headers import header_of
from volatility.formats.labels import normal, role_of
from volatility.formats.order import settled
from volatility.formats.packing import unpacked
from volatility.formats.reading import (
    Inferred,
    Limits,
    Options,
    Unreadable,
    columns_from,
    listed,
)

CSV = b"date,open,high,low,close\n2024-01-02,1,3,1,2\n2024-01-03,2,4,2,3\n"
FRAME = pd.read_csv(io.BytesIO(CSV))


def refused(content: bytes, options: Options | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(content, options or Options())
    return caught.value


@pytest.mark.parametrize(
    ("label", "name", "role"),
    [
        (" <OPEN> ", "open", "open"),
        ("1a. open (USD)", "open", "open"),
        ("PX_LAST", "px last", "close"),
        ("Adj. Close", "adj close", "adjusted"),
        ("Close*", "close", "close"),
        ("Open  Time", "open time", "time"),
        ("Volume", "volume", None),
        ("10. high", "high", "high"),
    ],
)
def test_labels(label: str, name: str, role: str | None) -> None:
    assert (normal(label), role_of(label)) == (name, role)


def test_where_labels_are_found() -> None:
    plain = ["Date", "Open", "High", "Low", "Close"]
    row = ["2024-01-02", "1", "3", "1", "2"]
    assert header_of([plain, row]).rows == 1
    assert header_of([["made by", ""], [], plain, row]).rows == 3
    assert header_of([row, row]).labels == ()
    assert header_of([["a", "b"], ["1", "2"]]) == replace(header_of([plain]), labels=("a", "b"))
    assert header_of([]).rows == 0
    tickers = [["Price", "Open", "Close"], ["Ticker", "A", "B"], ["Date", "", ""]]
    found = header_of(tickers)
    assert (found.rows, found.labels, found.tickers) == (
        3,
        ("Date", "Open", "Close"),
        ("", "A", "B"),
    )
    unnamed = header_of([*tickers[:2], ["2024-01-02", "1", "2"]])
    assert (unnamed.rows, unnamed.labels[0]) == (2, "index")


def test_columns_of_times_are_compared() -> None:
    same = FRAME.assign(timestamp=["2024-01-02T00:00Z", "2024-01-03T00:00Z"])
    assert read_frame(same).bars.is_daily
    hours = FRAME.assign(timestamp=["2024-01-02T10:00", "2024-01-02T11:00"])
    with pytest.raises(InvalidBars, match="which differ: date and timestamp") as other:
        read_frame(hours)
    assert other.value.code == "ambiguous_column"
    days = hours.assign(date=["2024-01-02", "2024-01-02"])
    assert read_frame(days).bars.interval == 3_600
    said = read_frame(hours, Options(columns={"time": "timestamp"}))
    assert said.bars.interval == 3_600
    assert said.inferred.dropped == ("date",)


def test_labels_that_the_caller_names() -> None:
    named = FRAME.rename(columns={"close": "Fix", "date": "When"})
    options = Options(columns=columns_from(["close=Fix", "time=When"]))
    assert read_frame(named, options).bars.close.tolist() == [2.0, 3.0]
    with pytest.raises(InvalidBars, match="a column 'Mid', which the option columns names for low"):
        read_frame(FRAME, Options(columns={"low": "Mid"}))
    exchanged = read_frame(FRAME, Options(columns={"high": "low", "low": "high"}))
    assert exchanged.bars.low.tolist() == [3.0, 4.0]
    for text in ("close", "close=", "mid=Mid", "=Mid"):
        with pytest.raises(InvalidInput, match="such as close=PX_LAST"):
            columns_from([text])
    assert not options.says_nothing
    assert Options(interval=86_400).says_nothing


def test_indices_of_tables() -> None:
    times = pd.to_datetime(FRAME["date"])
    prices = FRAME[list(PRICES)]
    for index in (
        pd.DatetimeIndex(times),
        pd.Index(FRAME["date"]),
        pd.Index(FRAME["date"], name="x"),
    ):
        assert read_frame(prices.set_index(index)).bars.close.tolist() == [2.0, 3.0]
    both = pd.MultiIndex.from_arrays([times, ["A", "A"]], names=["date", "ticker"])
    assert read_frame(prices.set_index(both)).inferred.notes == ("ticker A",)
    with pytest.raises(InvalidBars, match="date, timestamp, datetime or time"):
        read_frame(prices)
    filtered = FRAME.set_index(pd.Index([5, 9]))
    assert len(read_frame(filtered).bars) == 2


def test_rows_are_sorted_and_named_by_where_they_stood() -> None:
    newest = read_frame(FRAME[::-1])
    assert (newest.inferred.order, newest.rows.tolist(), newest.findings) == (
        "newest first",
        [1, 0],
        (),
    )
    three = pd.concat([FRAME, FRAME.tail(1).assign(date="2024-01-01")])
    mixed = read_frame(three)
    assert (mixed.inferred.order, mixed.rows.tolist()) == ("unsorted", [2, 0, 1])
    [moved] = mixed.findings
    assert (moved.code, moved.index, moved.count) == ("sorted_rows", 0, 3)
    wrong = three.assign(low=[9.0, 2.0, 2.0])
    with pytest.raises(InvalidBars, match=r"high 3.0 below low 9.0 at bar 0 \(2024-01-02\)"):
        read_frame(wrong)


@pytest.mark.parametrize(("gap", "is_mended"), [(0.99e-4, True), (1.01e-4, False)])
@pytest.mark.parametrize("side", ["high", "low"])
def test_a_rounding_is_mended_and_no_more(gap: float, is_mended: bool, side: str) -> None:
    bars = read_frame(FRAME).bars
    value = 100.0
    beyond = value * (1 - gap) if side == "high" else value * (1 + gap)
    flat = np.full(2, value)
    part = {"open": flat, "high": flat, "low": flat, "close": flat} | {
        side: np.array([value, beyond])
    }
    found = settled(replace(bars, **part), Inferred())
    assert (getattr(found.bars, side)[1] == value) == is_mended
    assert found.inferred.mended_rows == is_mended
    for finding in found.findings:
        assert (finding.code, finding.index, finding.count) == ("mended_range", 1, 1)
        assert str(finding).startswith(f"high: open {value}")


def test_what_is_read_is_told_in_a_line() -> None:
    content = b"Date;Price;Open;High;Low;Vol.;Change %\n13.02.2024;2,5;1,5;3,5;1,5;1K;0%\n"
    content += b"12.02.2024;2,5;1,5;3,5;1,5;1K;0%\nSource: nobody\n"
    found = read(gzip.compress(content))
    assert str(found.inferred) == (
        "CSV, investing; unpacked from gzip; fields by ';'; decimal commas; dates as "
        "day/month/year; newest first; dropped 'Vol.', 'Change %'; left out the last line, "
        "'Source: nobody'"
    )
    assert not found.inferred.is_plain
    plain = read(CSV).inferred
    assert plain.is_plain
    assert str(plain) == "CSV, plain; dates as ISO 8601; oldest first"
    for other in ({"order": "unsorted"}, {"dropped": ("x",)}, {"notes": ("x",)}, {"decimal": ","}):
        assert not replace(plain, **other).is_plain
    assert replace(plain, packed="gzip", mended_rows=3, dates="times").is_plain
    assert listed(range(10), 3) == "0, 1, 2 and 7 more"


def test_a_last_line_of_words_may_have_empty_fields() -> None:
    lines = b"date,open,high,low,close\n2024-02-12,1.5,3,1,2\n2024-02-13,2,4,1,3\n"
    found = read(lines + b"Source: nobody,,,,\n")
    assert len(found.bars) == 2
    assert found.inferred.notes == ("left out the last line, 'Source: nobody'",)
    with pytest.raises(InvalidInput) as refused:
        read(lines + b"Source: nobody,1,,,\n")
    assert refused.value.code == "unparsable_dates"
    in_words = lines.replace(b"2024-02-12", b'"Feb 12, 2024"').replace(
        b"2024-02-13", b'"Feb 13, 2024"'
    )
    found = read(in_words + b'"Feb 14, 2024",,,,\n')  # a bar without prices is a bar
    assert len(found.bars) == 3
    assert np.isnan(found.bars.close[-1])


def test_compressed_content_and_its_name() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bars.csv", CSV)
    for content, packed in (
        (gzip.compress(CSV), "gzip"),
        (gzip.compress(CSV[:30]) + gzip.compress(CSV[30:]), "gzip"),
        (bz2.compress(CSV), "bzip2"),
        (lzma.compress(CSV), "xz"),
        (archive.getvalue(), "ZIP"),
    ):
        assert read(content).inferred.packed == packed
        with pytest.raises(Unreadable, match=f"more than {len(CSV) - 1} bytes, unpacked"):
            read(content, limits=Limits(most_bytes=len(CSV) - 1))
        read(content, limits=Limits(most_bytes=len(CSV)))
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("more.csv", CSV)
    assert "has 2 files" in str(refused(archive.getvalue()))
    assert refused(b"\x28\xb5\x2f\xfd").code == "unknown_compression"
    assert refused(b"PK\x03\x04").code == "damaged_content"
    assert len(table_of(CSV, named="bars.csv").frame) == 2
    with pytest.raises(Unreadable, match="not compressed by gzip, as its name says"):
        table_of(CSV, named="bars.csv.GZ")
    with pytest.raises(Unreadable, match="the content is not Parquet"):
        table_of(gzip.compress(CSV), named="bars.parquet.gz")


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_what_is_of_many_empty_parts_is_refused(module: Any) -> None:
    parts = [module.compress(it) for it in (CSV[:30], CSV[30:])]
    empty = module.compress(b"")
    assert len(read(empty * 511 + parts[0] + empty * 511 + parts[1]).bars) == 2
    error = refused(empty * 512 + parts[0] + empty * 511 + parts[1])
    assert error.code == "damaged_content"
    assert "it has 1025 parts, and 30 bytes in those before" in str(error)


def test_what_was_compressed_in_many_parts_is_read() -> None:
    part = gzip.compress(bytes(4_096))
    assert unpacked(part * 2_000, Limits()) == (bytes(4_096 * 2_000), "gzip")
    with pytest.raises(Unreadable, match="it has 2049 parts, and 4194304 bytes"):
        unpacked(part * 1_024 + gzip.compress(b"") * 1_025, Limits())


@pytest.mark.parametrize("orient", ["list", "dict", "index", "records", "split"])
@pytest.mark.parametrize("around", [(), ("data",), ("result", "data"), ("a", "b", "c", "d")])
def test_tables_within_objects_are_found(orient: Any, around: tuple[str, ...]) -> None:
    document: Any = FRAME.to_dict(orient)
    for name in reversed(around):
        document = {name: document}
    found = read_document(document).bars
    assert found.dates.astype(str).tolist() == ["2024-01-02", "2024-01-03"]
    assert {it: getattr(found, it).tolist() for it in PRICES} == FRAME[[*PRICES]].to_dict("list")


@pytest.mark.parametrize("more", [{"pair": ["BTC", "USD"]}, {"symbol": {"a": 1}}, {"adj": [1]}])
def test_rows_may_have_lists_and_objects_that_bars_do_not_need(more: dict[str, Any]) -> None:
    rows = {day: row | more for day, row in FRAME.set_index("date").to_dict("index").items()}
    assert read_document(rows).bars.close.tolist() == FRAME["close"].tolist()


def test_an_index_of_times_is_read_as_times() -> None:
    days = pd.Index([*pd.to_datetime(FRAME["date"])], dtype=object)
    for index in (days, pd.DatetimeIndex(days)):
        found = read_frame(FRAME[[*PRICES]].set_axis(index))
        assert found.inferred.dates == "times"
        assert found.bars.dates.astype(str).tolist() == FRAME["date"].tolist()


def test_documents_that_are_no_tables() -> None:
    for content, code in (
        (b"{}", "no_table"),
        (b'{"a": 1}', "no_table"),
        (b"[1]", "no_table"),
        (b'["a"]', "no_table"),
        (b"[[1, 2]]", "no_table"),
        (b'[{"open": 1}, 2]', "no_table"),
        (b"[" * 5_000, "malformed_json"),
        (b'{"date": ["2024-01-02"], "open": {"0": 1}, "close": [1]}', "no_table"),
        (b'{"open": {"0": 1}, "close": {"1": 1}}', "no_table"),
        (b'[{"open": 1, "open": 2}]', "malformed_json"),
        (b'{"a": [[1,2,3,4,5]], "b": [[1,2,3,4,5]]}', "ambiguous_ticker"),
    ):
        assert refused(content).code == code, content
    with pytest.raises(InvalidBars, match="no bars"):
        read_document({"bars": []})
    nested = {"date": "2024-01-02", "open": {"a": 1}, "high": 1, "low": 1, "close": 1}
    with pytest.raises(InvalidBars, match=r"'\{\"a\": 1\}' at bar 0; needed: numbers"):
        read_document([nested], Options(interval=86_400))


def test_the_name_that_an_object_has_twice_is_told() -> None:
    error = refused(b'[{"open": 1, "high": 2, "low": 1, "high": 2, "low": 1}]')
    assert "an object has the name 'high' twice" in str(error)


def test_tables_in_text_that_are_none() -> None:
    assert refused(b"").code == "malformed_csv"
    assert refused(b"\n\n").code == "malformed_csv"
    assert refused(CSV + b"2024-01-04,1,2,3,4,5\n").code == "malformed_csv"
    assert refused(b"\xff\xfe\x00\xd8").code == "malformed_csv"
    assert refused(b"a,b\n1,2\n").code == "no_table"
    assert refused(b"date,b\n1,2\n").code == "missing_column"
    assert refused(b"date,open,high,low,close\n").code == "empty_bars"
    assert refused(CSV + b'"' + b"x" * 200_000).code == "malformed_csv"
    assert refused(b"date,open,high,low,close\n\xff,1,1,1,1\n").code == "malformed_csv"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"root:$6$%s:19000:0:99999:7:::\nbin:*:19000::::::\n", "text"),
        (b"TOKEN=%s\n", "text"),
        (b"Dear %s, all\nis, well\n", "text"),
        (b"%%PDF-1.7\n%s", "a PDF"),
        (b"\n <!DOCTYPE html><html><title>%s", "a page of HTML"),
        (b"\x00\x01%s", "binary data"),
    ],
)
def test_what_is_no_table_is_described_and_not_quoted(content: bytes, kind: str) -> None:
    content = content % (b"secret" * 13)
    found = refused(content)
    assert isinstance(found, Unreadable)
    assert found.code == "no_table"
    assert str(found.found).startswith(f"{kind}, {len(content)} bytes")
    assert "secret" not in f"{found} {found.found}"


@pytest.mark.parametrize(
    "content",
    [
        b"date,open,high,low,close\n2024-01-01,1,1,1,1\n2024-01-02,%s,1,1,1\n",
        b"date,open,high,low,close\n2024-01-01,1,1,1,1\n%s,1,1,1,1\n",
        b"date,%s,open\n2024-01-01,1,1\n",
        b"date,open,high,low,close,ticker\n2024-01-01,1,1,1,1,%s\n2024-01-02,1,1,1,1,B\n",
    ],
)
def test_of_a_cell_forty_characters_are_quoted(content: bytes) -> None:
    told = str(refused(content % (b"x" * 300)))
    assert f"{'x' * 39}…" in told
    assert "x" * 40 not in told


def test_a_time_that_stands_twice_is_told_with_its_rows() -> None:
    days = [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 1, *range(6, 28)]
    content = b"date,open,high,low,close\n"
    rows = [b"2024-03-%02d,1,3,1,2\n" % day for day in days]
    found = refused(content + b"".join(rows))
    assert found.found == (
        "bars 0 and 1 and 10 are of 2024-03-01; bars 2 and 3 are of 2024-03-02; bars 4 and 5 are "
        "of 2024-03-03; 2 more times stand twice"
    )
    assert isinstance(found, InvalidBars)
    assert (found.findings[0].index, found.findings[0].count) == (1, 6)
    hours = b"time,open,high,low,close\n" + b"".join(
        b"2024-01-02T%02d:00,1,3,1,2.%d\n" % (it, it) for it in range(5)
    )
    assert refused(hours, Options(interval=86_400)).code == "wrong_interval"


def test_workbooks_without_bars() -> None:
    book = openpyxl.Workbook()
    written = io.BytesIO()
    book.save(written)
    assert refused(written.getvalue()).code == "empty_bars"
    book.create_sheet("Notes").append(["made up"])
    written = io.BytesIO()
    book.save(written)
    assert refused(written.getvalue()).code == "empty_bars"
    for title in ("A", "B"):
        sheet = book.create_sheet(title)
        for row in (["Date", *PRICES], ["2024-01-02", 1, 3, 1, 2]):
            sheet.append(row)
    written = io.BytesIO()
    book.save(written)
    assert refused(written.getvalue()).code == "ambiguous_ticker"
    found = read(written.getvalue(), Options(ticker="B", interval=86_400))
    assert found.inferred.notes == ("sheet B",)
