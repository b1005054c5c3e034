"""Text that is no table: the line at fault, what is in it, and what is needed in its place."""

import pytest

from tests.errors import details
from volatility.formats.content import read
from volatility.formats.reading import Unreadable

HEADER = b"date,open,high,low,close\n"
BAR = b"2024-01-02,1,2,1,2\n"
AT_MOST = "at most 5 fields, as many as there are columns"
QUOTE = "a quote at the end of the field, too, or none"


def refused(content: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(content)
    assert caught.value.code == "malformed_csv"
    return caught.value


@pytest.mark.parametrize(
    ("content", "found", "needed"),
    [
        (HEADER + 2 * BAR + b"2024-01-04,1,2,1,2,3,4\n", "7 fields in line 4", AT_MOST),
        (HEADER + b"2024-01-04,1,2,1,2,3\n", "6 fields in line 2", AT_MOST),
        (b"From X\n\n" + HEADER + b"\n" + b"2024-01-04,1,2,1,2,3\n", "6 fields in line 5", AT_MOST),
        (HEADER + b'2024-01-02,1,"2\n",1,2\n2,1,2,1,2,3\n', "6 fields in line 4", AT_MOST),
        ((HEADER + BAR + b"1,1,2,1,2,3\n").replace(b"\n", b"\r"), "6 fields in line 3", AT_MOST),
        (HEADER + BAR + b"2024-01-03,1,2,1,2\xe9\n", "byte 0xE9 in line 3", "text in UTF-8"),
        (
            HEADER + BAR + b'2024-01-03,"1,2,1,2\n' + BAR,
            "a quote in line 3 that does not end",
            QUOTE,
        ),
        (HEADER + BAR + b'"' + b"x" * 200_000, "a quote in line 3 that does not end", QUOTE),
    ],
)
def test_the_line_at_fault_is_that_of_the_file(content: bytes, found: str, needed: str) -> None:
    error = refused(content)
    assert details(error) == ("body", found, needed)
    assert str(error).endswith(f"; needed: {needed}")


def test_utf_16_that_ends_within_a_letter_is_told_with_its_line() -> None:
    error = refused((HEADER + BAR).decode().encode("utf-16")[:-1])
    assert details(error) == ("body", "byte 0x0A in line 2", "text in UTF-8")
    assert "line 2 is not UTF-16: byte 0x0A" in str(error)


def test_what_is_wrong_is_not_said_in_the_words_of_pandas() -> None:
    error = refused(HEADER + 2 * BAR + b"2024-01-04,1,2,1,2,3,4\n")
    assert str(error) == f"the content is not a CSV table: line 4 has 7 fields; needed: {AT_MOST}"
