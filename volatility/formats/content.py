"""The one reader of bars: bytes or a table in any layout, to bars and what was found out."""

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from volatility.formats import delimited, documents
from volatility.formats.packing import is_excel, unpacked
from volatility.formats.reading import Inferred, Limits, Options, Reading, Unreadable
from volatility.formats.tables import Table, read_table
from volatility.formats.workbooks import EXCEL, FEATHER, PARQUET, arrow_table, excel_table, kind_of

if TYPE_CHECKING:
    import pandas as pd

_ANY = Options()
_GENEROUS = Limits()
_JSON = (b"{", b"[")
CSV, JSON = "CSV", "JSON"
_ENDINGS = {".parquet": PARQUET, ".pq": PARQUET, ".feather": FEATHER, ".xlsx": EXCEL}
_PACKED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zip": "ZIP", ".zst": "Zstandard"}
KINDS = (CSV, JSON, PARQUET, FEATHER, EXCEL)


def read(
    content: bytes | bytearray,
    options: Options = _ANY,
    limits: Limits = _GENEROUS,
    kind: str | None = None,
) -> Reading:
    """Bars of a file's content, whatever its form: told by its first bytes, not by a name.

    Parameters
    ----------
    content : CSV, JSON, Parquet, Feather or Excel, compressed or not.
    options : what is known of it.
    limits : how much is read.
    kind : one of :data:`KINDS`, where it is known: content that is not of it is refused.

    Returns
    -------
    Bars, oldest first, each time once; what was found out, and warnings of what was changed.

    Raises
    ------
    Unreadable : it is in no form that is read, or more than is read.
    InvalidBars : a column is missing, cells cannot be read, a time stands twice, or something is
        ambiguous, with the option that decides. Prices beyond that are not judged here; see
        :func:`volatility.bars.validate`.
    """
    return read_table(table_of(content, options, limits, kind), options)


def read_frame(frame: "pd.DataFrame", options: Options = _ANY) -> Reading:
    """Bars of a table of pandas, with its index or without; see :func:`read`.

    Raises
    ------
    InvalidBars : see :func:`read`.
    """
    return read_table(Table(frame, Inferred(content="table")), options)


def read_document(document: Any, options: Options = _ANY, limits: Limits = _GENEROUS) -> Reading:
    """Bars of JSON that has been parsed; see :func:`read`.

    Raises
    ------
    Unreadable, InvalidBars : see :func:`read`.
    """
    known = Inferred(content=JSON)
    return read_table(documents.table_of(document, options, limits, known), options)


def table_of(
    content: bytes | bytearray,
    options: Options = _ANY,
    limits: Limits = _GENEROUS,
    kind: str | None = None,
    named: str = "",
) -> Table:
    """The table of a file's content, before its columns are read; see :func:`read`.

    Parameters
    ----------
    content, options, limits, kind : see :func:`read`.
    named : the name of the file: content that contradicts how it ends is refused.

    Raises
    ------
    Unreadable, InvalidBars : see :func:`read`.
    """
    content, packed = unpacked(content, limits)
    *_, ending, last = ("", "", *PurePath(named.lower()).suffixes)
    if last in _PACKED:
        if packed != _PACKED[last]:
            raise Unreadable(
                f"the content is not compressed by {_PACKED[last]}, as its name says",
                code="damaged_content",
                field="body",
                found=packed,
                needed=_PACKED[last],
            )
        last = ending
    kind = kind or _ENDINGS.get(last) or _told(content)
    known = Inferred(content=kind, packed=packed)
    if kind in (PARQUET, FEATHER):
        return arrow_table(content, limits, known)
    if kind == EXCEL:
        return excel_table(content, options, limits, known)
    if kind == JSON:
        return documents.table_of(documents.parsed(content), options, limits, known)
    return delimited.table_of(content, options, limits, known)


def _told(content: bytes | bytearray) -> str:
    """What content is, by its first bytes."""
    if is_excel(content):
        return EXCEL
    begin = bytes(content[:64]).removeprefix(b"\xef\xbb\xbf").lstrip()
    return kind_of(content) or (JSON if begin.startswith(_JSON) else CSV)
