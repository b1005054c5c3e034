"""Files that pandas reads by other packages: Parquet and Feather by pyarrow, Excel by openpyxl."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from volatility.archives import read_member
from volatility.bars import no_bars
from volatility.errors import InvalidBars
from volatility.formats.headers import MOST_ROWS_BEFORE, header_of, unlabelled
from volatility.formats.labels import prices_named
from volatility.formats.packing import check_archive
from volatility.formats.reading import (
    MOST_CHARACTERS,
    MOST_COLUMNS,
    Inferred,
    Limits,
    Options,
    Unreadable,
)
from volatility.formats.tables import Table, chosen, labelled, one_of_tickers

if TYPE_CHECKING:
    import pandas as pd

PARQUET, FEATHER, EXCEL = "Parquet", "Feather", "Excel"
_MAGIC = {PARQUET: b"PAR1", FEATHER: b"ARROW1"}
_ROWS_AT_ONCE = 20_000
_MOST_SHEETS = 64
_SHEETS, _STRINGS = "xl/worksheets/", "xl/sharedStrings.xml"
_CELLS_A_ROW, _TAGS_A_ROW = 10, 40  # of a sheet, on average
_TAGS_A_STRING = 5
_OTHER_TAGS = 50_000  # styles, names and all else
_ROW_OR_CELL = re.compile(rb"<(?:[\w.-]+:)?(row|c)[\s/>]")
_STRING = re.compile(rb"<(?:[\w.-]+:)?si[\s/>]")
_INDEX_SHEET = 2  # of prices that a sheet's labels must name for it to be one of bars


def kind_of(content: bytes | bytearray) -> str | None:
    """Whether content is Parquet or Feather, by its first bytes."""
    return next((name for name, magic in _MAGIC.items() if content.startswith(magic)), None)


def arrow_table(content: bytes | bytearray, limits: Limits, known: Inferred) -> Table:
    """The table of Parquet or Feather, with the index that pandas wrote with it.

    Raises
    ------
    Unreadable : ``malformed_parquet``, ``too_many_items``, ``too_many_columns``,
        ``too_large_unpacked``; ``missing_package``, pyarrow is not installed.
    """
    kind = known.content
    _need("pyarrow", kind, "parquet")
    try:
        frame = _of_arrow(kind, content, limits)
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(
            f"the content is not {kind}: {error}",
            code="malformed_parquet",
            field="body",
            found=kind,
            needed="a whole file of bars",
        ) from error
    return Table(frame, known)


def excel_table(
    content: bytes | bytearray, options: Options, limits: Limits, known: Inferred
) -> Table:
    """The table of the only sheet of a workbook that has one; the option ticker may name another.

    Raises
    ------
    Unreadable : ``malformed_excel``, ``too_many_items``, ``too_many_columns``,
        ``too_large_unpacked``; ``missing_package``, openpyxl is not installed.
    InvalidBars : ``ambiguous_ticker``, several sheets have bars.
    """
    _need("openpyxl", EXCEL, "excel")
    check_archive(content, limits)
    sheets = _sheets(content, limits)
    if not any(sheets.values()):
        raise InvalidBars([no_bars()])
    heads = {
        name: header_of([[_text(it) for it in row] for row in rows[:MOST_ROWS_BEFORE]])
        for name, rows in sheets.items()
    }
    of_bars = [it for it, head in heads.items() if prices_named(head.labels) >= _INDEX_SHEET]
    name = one_of_tickers(of_bars, options) if len(of_bars) > 1 else (of_bars or [*sheets])[0]
    head, rows = heads[name], sheets[name][heads[name].rows :]
    known = replace(known, notes=(f"sheet {name}",) if len(sheets) > 1 else ())
    if not head.labels:
        frame, layouts = unlabelled(
            labelled(rows, [str(it) for it in range(_width(rows))]), options
        )
        return Table(frame, known, layouts)
    frame = labelled(rows, head.labels)
    if head.tickers:
        both = list(zip(head.labels, head.tickers, strict=True))
        notes = list(known.notes)
        part = chosen(frame, both, options, notes)
        return Table(part, replace(known, notes=tuple(notes)), ("yfinance",))
    return Table(frame, known)


def _sheets(content: bytes | bytearray, limits: Limits) -> dict[str, list[list[Any]]]:
    """Rows of each sheet of a workbook, by its title."""
    import openpyxl

    try:
        _check_parts(content, limits)
        _check_sheets(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = {it.title: list(_rows(it, limits)) for it in book.worksheets}
        book.close()
    except Unreadable:
        raise
    except Exception as error:
        raise Unreadable(
            f"the content is not {EXCEL}: {error}",
            code="malformed_excel",
            field="body",
            found=EXCEL,
            needed="a whole workbook, .xlsx",
        ) from error
    return sheets


def _check_parts(content: bytes | bytearray, limits: Limits) -> None:
    """Refuse a workbook of which openpyxl would make much more than a table of bars.

    A few bytes packed may be millions of cells, each of which takes hundreds of bytes.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            part = read_member(archive, name)
            if part.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in part[:64]:
                raise ValueError(f"{name} is not written in UTF-8")
            if name.startswith(_SHEETS):
                _check_rows(part, limits)
                _check_tags(name, part, _TAGS_A_ROW * limits.most_rows)
            elif name == _STRINGS:
                limits.check_rows(sum(1 for _ in _STRING.finditer(part)))
                _check_tags(name, part, _TAGS_A_STRING * limits.most_rows)
            elif name.endswith((".xml", ".rels")):
                _check_tags(name, part, _OTHER_TAGS)


def _check_rows(sheet: bytes, limits: Limits) -> None:
    rows = cells = of_row = 0
    for tag in _ROW_OR_CELL.finditer(sheet):
        if tag[1] == b"row":
            rows, of_row = rows + 1, 0
            limits.check_rows(rows - MOST_ROWS_BEFORE)
        else:
            cells, of_row = cells + 1, of_row + 1
            _check_columns(of_row)
    if cells > _CELLS_A_ROW * limits.most_rows:
        raise ValueError(f"a sheet has {cells} cells; at most {_CELLS_A_ROW} for each bar are read")


def _check_tags(name: str, part: bytes, most: int) -> None:
    if (number := part.count(b"<")) > most:
        raise ValueError(f"{name} has {number} tags; at most {most} are read")


def _check_sheets(content: bytes | bytearray) -> None:
    """Refuse a workbook of many sheets, or of sheets that are one and the same."""
    from openpyxl.reader.excel import ExcelReader

    reader = ExcelReader(io.BytesIO(content), read_only=True)
    reader.read_manifest()
    reader.read_workbook()
    parts = [relation.target for _, relation in reader.parser.find_sheets()]
    reader.archive.close()
    if len(set(parts)) < len(parts) or len(parts) > _MOST_SHEETS:
        raise ValueError(
            f"it has {len(parts)} sheets in {len(set(parts))} parts; needed: a part a sheet, "
            f"and at most {_MOST_SHEETS}"
        )


def _of_arrow(kind: str, content: bytes | bytearray, limits: Limits) -> "pd.DataFrame":
    import pandas as pd
    import pyarrow as pa
    from pyarrow import ipc, parquet

    source = pa.BufferReader(bytes(content))
    if kind == FEATHER:
        reader = ipc.open_file(source)
        _check_columns(len(reader.schema.names))
        parts = map(reader.get_batch, range(reader.num_record_batches))
        return pd.DataFrame(
            pa.Table.from_batches(_within(parts, limits), reader.schema).to_pandas()
        )
    said = parquet.read_metadata(source)
    _check_columns(said.num_columns)
    texts = _texts(said.schema)
    limits.check_rows(said.num_rows)
    size = sum(said.row_group(it).total_byte_size for it in range(said.num_row_groups))
    if size > limits.most_bytes:
        needed = f"at most {limits.most_bytes} bytes, unpacked"
        raise Unreadable(
            f"the content has {size} bytes, unpacked; needed: {needed}",
            code="too_large_unpacked",
            field="body",
            found=size,
            needed=needed,
        )
    # A text that stands in many rows stays one: of a kilobyte these may be gigabytes.
    file = parquet.ParquetFile(pa.BufferReader(bytes(content)), read_dictionary=texts)
    batches = _within(file.iter_batches(_ROWS_AT_ONCE, use_threads=False), limits)
    return pd.DataFrame(pa.Table.from_batches(batches, file.schema_arrow).to_pandas())


def _texts(schema: Any) -> list[str]:
    """Names of the columns of text in a Parquet file, of which each row has one cell.

    Raises
    ------
    ValueError : a row has several, or large ones, of which a few bytes may tell any number.
    """
    columns = [schema.column(at) for at in range(len(schema))]
    for it in columns:
        if it.max_repetition_level or it.length > MOST_CHARACTERS:
            raise ValueError(f"its column {it.path[:64]} has lists, or cells of {it.length} bytes")
    return [it.path for it in columns if it.physical_type == "BYTE_ARRAY"]


def _within(batches: Iterator[Any], limits: Limits) -> list[Any]:
    """Parts of a table, as long as they have no more rows than are read."""
    found, rows = [], 0
    for batch in batches:
        found.append(batch)
        rows += batch.num_rows
        limits.check_rows(rows)
    return found


def _rows(sheet: Any, limits: Limits) -> Iterator[list[Any]]:
    """Rows of a sheet, without the empty ones that Excel keeps at its end."""
    empty: list[list[Any]] = []
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        _check_columns(len(row))
        limits.check_rows(number - MOST_ROWS_BEFORE)
        cells = [_cell(it) for it in row]
        if all(it is None for it in cells):
            empty.append(cells)
            continue
        yield from empty
        empty.clear()
        yield cells


def _cell(value: Any) -> Any:
    """A cell: a date as it is written, so that no time of a day is made of it."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value) if isinstance(value, date) else value


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _width(rows: Sequence[Sequence[Any]]) -> int:
    return max(map(len, rows), default=0)


def _check_columns(number: int) -> None:
    if number > MOST_COLUMNS:
        needed = f"at most {MOST_COLUMNS} columns"
        raise Unreadable(
            f"the table has {number} columns; needed: {needed}",
            code="too_many_columns",
            field="body",
            found=number,
            needed=needed,
        )


def _need(package: str, kind: str, extra: str) -> None:
    if find_spec(package) is None:
        raise Unreadable(
            f"{kind} is read by {package}, which is not installed: "
            f"pip install 'roughcast[{extra}]'",
            code="missing_package",
            field="body",
            found=kind,
            needed=f"{package}, the extra {extra}, or CSV",
        )
