"""Workbooks that would take much more than their bytes are refused before they are opened."""

import io
import zipfile
from collections.abc import Callable

import openpyxl
import pandas as pd
import pytest

from volatility.bars import PRICES
from volatility.formats.content import read
from volatility.formats.reading import Limits, Unreadable

FEW = Limits(most_rows=100)
SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
Change = Callable[[dict[str, bytes]], None]


def workbook(change: Change = lambda _: None) -> bytes:
    """A workbook of two bars, its parts changed."""
    written = io.BytesIO()
    frame = pd.DataFrame(2.0, pd.DatetimeIndex(["2024-01-02", "2024-01-03"]), PRICES)
    frame.to_excel(written, index_label="date")
    with zipfile.ZipFile(written) as archive:
        parts = {it: archive.read(it) for it in archive.namelist()}
    change(parts)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return changed.getvalue()


def sheet_of(rows: str) -> Change:
    inside = f"<worksheet><sheetData>{rows}</sheetData></worksheet>".encode()
    return lambda parts: parts.update({SHEET: inside})


def added(part: str, text: str) -> Change:
    return lambda parts: parts.update({part: parts.get(part, b"") + text.encode()})


def encoded(encoding: str) -> Change:
    return lambda parts: parts.update({SHEET: parts[SHEET].decode().encode(encoding)})


def with_sheets(number: int, first: int) -> Change:
    """A workbook that names as many sheets, each of its own part up to the first ones."""

    def change(parts: dict[str, bytes]) -> None:
        main, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
        begin, end = (parts[main].index(it) for it in (b"<sheet ", b"</sheets>"))
        one = parts[main][begin:end]
        for at in range(2, number + 1):
            named = one.replace(b"Sheet1", b"Sheet%d" % at).replace(
                b'sheetId="1"', b'sheetId="%d"' % at
            )
            if at <= first:
                named = named.replace(b'"rId1"', b'"own%d"' % at)
                part = b"worksheets/own%d.xml" % at
                parts["xl/" + part.decode()] = parts[SHEET]
                relation = relations_of(parts[relations]).replace(b'"rId1"', b'"own%d"' % at)
                relation = relation.replace(b"worksheets/sheet1.xml", part)
                parts[relations] = parts[relations].replace(b"</Relat", relation + b"</Relat")
            parts[main] = parts[main].replace(b"</sheets>", named + b"</sheets>")

    def relations_of(content: bytes) -> bytes:
        """The relation to the first sheet."""
        place = content.index(b"worksheets/sheet1.xml")
        begin = content.rindex(b"<Relationship ", 0, place)
        return content[begin : content.index(b"/>", begin) + 2]

    return change


def test_a_usual_one_is_read() -> None:
    assert len(read(workbook(), limits=FEW).bars) == 2
    assert len(read(workbook(added("xl/styles.xml", "<!---->" * 100)), limits=FEW).bars) == 2


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (sheet_of("<row/>" * 117), "too_many_items", "found more than 100 of them"),
        (sheet_of("<x:row />" * 117), "too_many_items", "found more than 100 of them"),
        (sheet_of(f"<row>{'<c/>' * 65}</row>"), "too_many_columns", "has 65 columns"),
        (sheet_of(f"<row>{'<c/>' * 20}</row>" * 51), "malformed_excel", "a sheet has 1020 cells"),
        (sheet_of("<f/>" * 4_000), "malformed_excel", "4004 tags; at most 4000 are read"),
        (encoded("utf-16"), "malformed_excel", "not written in UTF-8"),
        (encoded("utf-16-be"), "malformed_excel", "not written in UTF-8"),
        (lambda it: it.update({STRINGS: b"<si/>" * 101}), "too_many_items", "found more than 100"),
        (lambda it: it.update({STRINGS: b"<r/>" * 501}), "malformed_excel", "501 tags"),
        (added("xl/styles.xml", "<font/>" * 50_000), "malformed_excel", "at most 50000 are read"),
        (with_sheets(2, first=1), "malformed_excel", "2 sheets in 1 parts"),
        (with_sheets(65, first=65), "malformed_excel", "65 sheets in 65 parts"),
    ],
)
def test_one_that_would_take_much_is_not_opened(
    change: Change, code: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openpyxl, "load_workbook", None)
    with pytest.raises(Unreadable, match=said) as raised:
        read(workbook(change), limits=FEW)
    assert raised.value.code == code


def test_sheets_of_their_own_are_read() -> None:
    with pytest.raises(Exception, match="2 tickers: Sheet1, Sheet2"):
        read(workbook(with_sheets(2, first=2)), limits=FEW)


def test_an_archive_of_many_files_is_not_listed() -> None:
    members = {f"{at}.csv": b"" for at in range(1_100)}
    with pytest.raises(Unreadable, match="it has more than 1024 members") as raised:
        read(workbook(lambda parts: parts.update(members)))
    assert raised.value.code == "damaged_content"
