"""Cells and labels that are much longer than a price: refused before they take time or memory."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from volatility.errors import InvalidBars
from volatility.formats.content import read
from volatility.formats.headers import is_bar
from volatility.formats.labels import role_of
from volatility.formats.reading import Unreadable

HEADER = "date,open,high,low,close"
# Of so many characters a pattern that tries all pairs of places would take minutes.
MANY = 200_000


def line(day: str = "2024-01-02", price: str = "1.5", columns: int = 4) -> str:
    return ",".join([day, *[price] * columns])


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        (f"{HEADER}\n{line()}\n{line('2024-01-' + '3' * 300)}", "unparsable_dates", "time"),
        (
            f"{HEADER}\n{line()}\n{line('2024-01-03', '1' * 300 + 'x')}",
            "unparsable_numbers",
            "open",
        ),
        (f"{HEADER}\n{line('x' * 300)}\n{line()}", "unparsable_dates", "time"),
        (f"date,time,{HEADER[5:]}\n{line('20240102,' + '9' * 300)}", "unparsable_dates", "time"),
        (f"date,time,{HEADER[5:]}\n{line('2' * 300 + ',930')}", "unparsable_dates", "time"),
    ],
)
def test_a_long_cell_is_refused_by_its_length(text: str, code: str, field: str) -> None:
    with pytest.raises(InvalidBars) as raised:
        read(text.encode())
    [finding] = raised.value.findings
    assert (finding.code, finding.field) == (code, field)
    assert finding.needed == "at most 256 characters"
    assert len(finding.found) < 300


def test_a_cell_of_just_so_many_characters_is_a_number() -> None:
    price = "1." + "0" * 254
    rows = [line(f"2024-01-0{it}", price) for it in (2, 3)]
    assert (
        read("\n".join([HEADER.replace(",", ";"), *rows]).replace(",", ";").encode()).bars.close[0]
        == 1
    )
    with pytest.raises(InvalidBars, match="at most 256 characters"):
        read("\n".join([HEADER, *rows]).replace(",", ";").replace("1.", "1.0").encode())


@pytest.mark.parametrize(
    "cell", ["1" * MANY + "x", "1" + " " * MANY + "x", " " * MANY, "1e" * MANY, "." * MANY]
)
def test_whether_a_long_cell_is_a_number_is_told_at_once(cell: str) -> None:
    assert not is_bar(["2024-01-02", cell, "1", "1", "1"])


def test_a_row_of_numbers_is_a_bar_however_they_are_written() -> None:
    assert is_bar(["2024-01-02", " 1,234.5 ", "+1'000", "-.5e-3", "1 000,5"])
    assert not is_bar(["2024-01-02", "1", "1", "1", "e5"])


def test_a_long_label_is_no_name_and_is_not_told_in_full() -> None:
    assert role_of("(" * MANY) is None
    assert role_of(" " * MANY + "open (USD)") == "open"
    content = json.dumps({"date": [1], "open": [1], "high": [1], "low": [1], "(" * MANY: [1]})
    with pytest.raises(InvalidBars) as raised:
        read(content.encode())
    assert all(len(it.found) < 200 for it in raised.value.findings)


def written(table: dict[str, object], **options: object) -> bytes:
    content = io.BytesIO()
    prices = {name: np.full(len(table["date"]), 2.0) for name in ("open", "high", "low", "close")}  # type: ignore[arg-type]
    parquet.write_table(pa.table(table | prices), content, store_schema=False, **options)
    return content.getvalue()


def test_one_text_of_many_rows_of_parquet_is_read_once() -> None:
    rows = pa.array(np.zeros(1_000, np.int32))
    content = written({"date": pa.DictionaryArray.from_arrays(rows, ["x" * 100_000])})
    assert len(content) < 20_000
    before = pa.default_memory_pool().max_memory()
    with pytest.raises(InvalidBars, match="at most 256 characters"):
        read(content)
    assert pa.default_memory_pool().max_memory() - before < 20_000_000  # and not 100 MB


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (pa.array([[1] * 1_000] * 3), r"its column date\.list\.element has lists"),
        (pa.array([b"x" * 257] * 3, pa.binary(257)), "its column date has .* cells of 257 bytes"),
    ],
)
def test_what_may_be_any_number_of_values_is_not_read_from_parquet(
    cells: pa.Array, said: str
) -> None:
    with pytest.raises(Unreadable, match=said) as raised:
        read(written({"date": cells}))
    assert raised.value.code == "malformed_parquet"
