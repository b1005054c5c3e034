"""What is wrong with a text that is no table, and in which of its lines."""

import csv
import io
import re

from volatility.formats.reading import Unreadable

_LINE_END = re.compile(rb"\r\n|\r|\n")
_END = "the end"  # a line behind the text, which an open quote would take in
_TABLE = "a header line with date or timestamp, open, high, low, close; a line a bar"


def malformed(reason: str, found: str | None = None, needed: str = _TABLE) -> Unreadable:
    """Error ``malformed_csv``.

    Parameters
    ----------
    reason : what is wrong, as a clause.
    found : what a line has that it should not have.
    needed : in its place.
    """
    said = reason if needed == _TABLE else f"{reason}; needed: {needed}"
    return Unreadable(
        f"the content is not a CSV table: {said}",
        code="malformed_csv",
        field="body",
        found=found,
        needed=needed,
    )


def badly_encoded(content: bytes | bytearray, error: UnicodeDecodeError) -> Unreadable:
    """Error for a byte that is no text.

    Parameters
    ----------
    content : the text from its first line on.
    error : of decoding it, with the place of the byte.
    """
    name = error.encoding[:6].upper()  # without the order of the bytes
    line = _number_of_line(content[: error.start].decode(error.encoding, "replace").encode())
    byte = f"byte 0x{content[error.start]:02X}"
    return malformed(
        f"line {line} is not {name}: {byte}", f"{byte} in line {line}", "text in UTF-8"
    )


def fault_in(
    content: bytes | bytearray, begin: int, fields: int, delimiter: str
) -> Unreadable | None:
    """Error for the first line that is not as the others, if there is one.

    Parameters
    ----------
    content : the text from its first line on.
    begin : where the first bar does.
    fields : how many a line may have.
    delimiter : between them.
    """
    try:
        text = content[begin:].decode()
    except UnicodeDecodeError as error:
        error.start += begin
        return badly_encoded(content, error)
    lines = io.StringIO(f"{text}\n{_END}", newline="")
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    first = _number_of_line(content[:begin])
    last = next_one = 0  # record and the one behind it, by the lines before them
    try:
        for row in rows:
            if row == [_END]:
                return None
            if len(row) > fields:
                return _surplus(first + next_one, len(row), fields)
            last, next_one = next_one, rows.line_num
    except csv.Error:  # a field as long as no field is
        last = next_one
    return _open_quote(first + last)


def _surplus(line: int, number: int, fields: int) -> Unreadable:
    found = f"{number} fields"
    needed = f"at most {fields} fields, as many as there are columns"
    return malformed(f"line {line} has {found}", f"{found} in line {line}", needed)


def _open_quote(line: int) -> Unreadable:
    found = f"a quote in line {line} that does not end"
    return malformed(f"it has {found}", found, "a quote at the end of the field, too, or none")


def _number_of_line(before: bytes | bytearray) -> int:
    return 1 + len(_LINE_END.findall(before))
