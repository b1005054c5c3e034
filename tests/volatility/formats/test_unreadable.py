"""Content that is no table of bars: the case, what was found in it, and what is needed."""

import gzip
import io
import zipfile

import pytest

from tests.errors import details
from volatility.formats import workbooks
from volatility.formats.content import read
from volatility.formats.packing import _EXCEL
from volatility.formats.reading import Limits, Options, Unreadable


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, "date,open\n")
    return buffer.getvalue()


MANY = [f"{place}.csv" for place in range(9)]
TABLE = "a list of objects or lists, one a bar, or an object of lists, one a column"
CASES: list[tuple[bytes, str, object, str]] = [
    (
        b"\x28\xb5\x2f\xfd",
        "unknown_compression",
        "Zstandard",
        "gzip, bzip2, xz, ZIP or no compression",
    ),
    (gzip.compress(b"date", mtime=0)[:-4], "damaged_content", "gzip", "a whole file"),
    (b"PK\x03\x04", "damaged_content", "ZIP", "a whole file"),
    (zipped("a.csv", "b.csv"), "damaged_content", ["a.csv", "b.csv"], "one file of bars"),
    (zipped(*MANY), "damaged_content", MANY[:8], "one file of bars"),
    (zipped(*_EXCEL), "malformed_excel", "Excel", "a whole workbook, .xlsx"),
    (b"PAR1" + bytes(100), "malformed_parquet", "Parquet", "a whole file of bars"),
    (b'{"a": 1}', "no_table", "", TABLE),
]


@pytest.mark.parametrize(("content", "code", "found", "needed"), CASES)
def test_what_is_no_table_is_told_with_what_is(
    content: bytes, code: str, found: object, needed: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        read(content)
    field, was, said = details(refused.value)
    assert (refused.value.code, field, said) == (code, "body", needed)
    assert was == found if found != "" else str(refused.value).endswith(f": {was}")


def test_more_bytes_than_may_be_unpacked_are_refused() -> None:
    with pytest.raises(Unreadable) as refused:
        read(gzip.compress(bytes(100)), Options(), Limits(most_bytes=99))
    needed = "at most 99 bytes, unpacked"
    assert (refused.value.code, details(refused.value)) == (
        "too_large_unpacked",
        ("body", None, needed),
    )


def test_what_reads_a_workbook_is_named_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workbooks, "find_spec", lambda _: None)
    with pytest.raises(Unreadable, match=r"pip install 'roughcast\[parquet\]'") as refused:
        read(b"PAR1" + bytes(100))
    needed = "pyarrow, the extra parquet, or CSV"
    assert (refused.value.code, details(refused.value)) == (
        "missing_package",
        ("body", "Parquet", needed),
    )
