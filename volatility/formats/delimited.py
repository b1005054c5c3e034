"""Tables in text: CSV by commas, semicolons, tabs or bars, with lines before and behind."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from volatility.formats.headers import MOST_ROWS_BEFORE, Header, header_of, is_bar, unlabelled
from volatility.formats.labels import prices_named, role_of
from volatility.formats.malformed import badly_encoded, fault_in, malformed
from volatility.formats.numbers import ROWS_AT_ONCE
from volatility.formats.reading import (
    MOST_COLUMNS,
    Inferred,
    Limits,
    Options,
    Unreadable,
    no_table,
    shown,
)
from volatility.formats.tables import Table, chosen

if TYPE_CHECKING:
    import pandas as pd

DELIMITERS = (",", ";", "\t", "|")
_HEAD = 64 * 1024  # bytes in which the labels are looked for
_LINE = re.compile(rb"([^\r\n]*)(\r\n|\r|\n|\Z)")
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))  # of what Excel calls Unicode
_DATE_IN_WORDS = re.compile(r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\W+\d", re.I)
_UTF8_MARK = b"\xef\xbb\xbf"
# What somebody may give in place of a table, by its first bytes in lower case.
_KINDS = (
    (b"%pdf", "a PDF"),
    (b"<!doctype html", "a page of HTML"),
    (b"<html", "a page of HTML"),
    (b"<", "XML"),
    (b"\x89png", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an Excel before 2007, or a document"),
    (b"sqlite format 3", "a database of SQLite"),
)


def table_of(
    content: bytes | bytearray, options: Options, limits: Limits, known: Inferred
) -> Table:
    """The table of a text.

    Raises
    ------
    Unreadable : ``malformed_csv``, ``no_table``, ``too_many_columns``, ``too_many_items``.
    InvalidBars : ``ambiguous_layout``, ``ambiguous_ticker``.
    """
    content = _utf8(content)
    lines = list(_first_lines(content))
    delimiter = _delimiter([text for text, _ in lines])
    rows = [_split(text, delimiter) for text, _ in lines]
    header = header_of(rows)
    end = lines[header.rows - 1][1] if header.rows else 0
    if not any(map(any, rows)):
        raise malformed("it has no line with a word in it")
    fields = len(header.labels or rows[header.rows])
    if header.labels and not options.columns and not _is_of_bars(rows, header):
        raise no_table(f"{described(content)} in which no column has a name that bars have")
    last = _last_line(content, delimiter, fields)
    check_lines(content, delimiter, limits, header.rows)
    notes = () if last is None else (f"left out the last line, {shown(last[0])!r}",)
    frame = _frame(content[: last[1]] if last else content, end, fields, delimiter, options, rows)
    known = replace(known, delimiter=delimiter, notes=notes)
    if not header.labels:
        if not len(frame):
            raise malformed("it has no line")
        frame, layouts = unlabelled(frame, options, delimiter)
        return Table(frame, known, layouts)
    return Table(*_labelled(frame, header, options, known))


def _is_of_bars(rows: Sequence[Sequence[str]], header: Header) -> bool:
    """Whether a column has a name that bars have, or the first row below the names is a bar."""
    below = rows[header.rows : header.rows + 1]
    return any(map(role_of, header.labels)) or any(map(is_bar, below))


def described(content: bytes | bytearray) -> str:
    """Of what kind content is, and how large, without what it says."""
    head = bytes(content[:_HEAD])
    begin = head.lstrip().lower()
    named = next((kind for mark, kind in _KINDS if begin.startswith(mark)), None)
    kind = named or ("binary data" if b"\0" in head else "text")
    return f"{kind}, {len(content):,} bytes,"


def check_lines(
    content: bytes | bytearray, delimiter: str, limits: Limits, labels: int = 1
) -> None:
    """Refuse what pandas would take long to find out is no table of bars.

    Parameters
    ----------
    content : the text.
    delimiter : of its fields.
    limits : how many lines are read.
    labels : how many come before the first bar.

    Raises
    ------
    Unreadable : ``too_many_columns``, in any of its lines; ``too_many_items``.
    """
    mark = delimiter.encode()
    text = io.BytesIO(content if b"\n" in content else content.replace(b"\r", b"\n"))
    for number, line in enumerate(text):
        _check_fields(line.count(mark), number)
        if number >= limits.most_rows + max(labels, 1):
            limits.check_rows(number)


def _check_fields(delimiters: int, number: int) -> None:
    if delimiters >= MOST_COLUMNS:
        needed = f"at most {MOST_COLUMNS} columns"
        raise Unreadable(
            f"line {number + 1} of the CSV has {delimiters + 1} fields; needed: {needed}",
            code="too_many_columns",
            field="body",
            found=delimiters + 1,
            needed=needed,
        )


def _utf8(content: bytes | bytearray) -> bytes | bytearray:
    """The text in UTF-8, without a mark of the order of its bytes."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content[len(mark) :].decode(encoding).encode()
            except UnicodeDecodeError as error:
                raise badly_encoded(content[len(mark) :], error) from None
    return content[len(_UTF8_MARK) :] if content.startswith(_UTF8_MARK) else content


def _first_lines(content: bytes | bytearray) -> Iterator[tuple[str, int]]:
    """The first lines, without their ends, and where the next begins."""
    head = bytes(content[:_HEAD])
    at = 0
    for _ in range(MOST_ROWS_BEFORE):
        match = _LINE.match(head, at)
        if match is None or match.end() == at:
            return
        at = match.end()
        yield match[1].decode("utf-8", "replace"), at


def _delimiter(lines: Sequence[str]) -> str:
    """What parts the fields: by which most prices are named, and then by which there are most."""
    for number, line in enumerate(lines):
        for mark in DELIMITERS:
            _check_fields(line.count(mark), number)
    split = {mark: [_split(line, mark) for line in lines] for mark in DELIMITERS}

    def fitness(mark: str) -> tuple[int, bool, int]:
        rows = split[mark]
        named = max(map(prices_named, rows), default=0)
        return named, any(map(is_bar, rows)), max(map(len, rows), default=0)

    return max(DELIMITERS, key=fitness)


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.replace("\0", "")], delimiter=delimiter), [])
    except csv.Error as error:
        raise malformed(str(error)) from error


def _last_line(content: bytes | bytearray, delimiter: str, fields: int) -> tuple[str, int] | None:
    """A last line of words, such as where the table is from, and where it begins.

    Its other fields are empty, as spreadsheets save them. A date without prices is a bar.
    """
    tail = bytes(content[-1_024:]).rstrip()
    begin = max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1
    line = tail[begin:].decode("utf-8", "replace")
    first, *others = _split(line, delimiter) or [""]
    if not begin or fields < len(DELIMITERS) or any(others):
        return None
    if not re.match(r"[A-Za-z]", first) or (others and _DATE_IN_WORDS.match(first)):
        return None
    return first, max(0, len(content) - 1_024) + begin


def _frame(
    content: bytes | bytearray,
    begin: int,
    fields: int,
    delimiter: str,
    options: Options,
    rows: Sequence[Sequence[str]],
) -> "pd.DataFrame":
    """The lines from ``begin`` on, as pandas reads them, or as they are written."""
    import pandas as pd

    as_written = delimiter == ";" or options.decimal is not None or _has_commas(rows)
    text = io.BytesIO(content)
    text.seek(begin)
    empty = pd.DataFrame(columns=range(fields))
    if not content[begin : begin + _HEAD].strip():
        return empty
    try:
        parts = pd.read_csv(
            text,
            sep=delimiter,
            header=None,
            names=list(range(fields)),
            dtype=str if as_written else None,
            low_memory=False,
            chunksize=ROWS_AT_ONCE,
            skipinitialspace=True,
        )
        frame = pd.concat(list(parts))
    except ValueError as error:  # whatever pandas raises for text that is not a table
        fault = fault_in(content, begin, fields, delimiter)
        raise fault or malformed(str(error).strip()) from error
    if not np.array_equal(frame.index, np.arange(len(frame))):  # where it puts surplus fields
        fault = fault_in(content, begin, fields, delimiter)
        raise fault or malformed("its lines have more fields than its header")
    return frame


def _has_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether fields have commas, which mean what pandas does not know."""
    return any("," in cell for row in rows[1:] for cell in row[1:])


def _labelled(
    frame: "pd.DataFrame", header: Header, options: Options, known: Inferred
) -> tuple["pd.DataFrame", Inferred, tuple[str, ...]]:
    """The table under its labels, of one ticker."""
    import pandas as pd

    if not header.tickers:
        frame.columns = pd.Index(header.labels, dtype=object)
        return frame, known, ()
    labels = list(zip(header.labels, header.tickers, strict=True))
    notes = list(known.notes)
    part = chosen(frame, labels, options, notes)
    return part, replace(known, notes=tuple(notes)), ("yfinance",)
