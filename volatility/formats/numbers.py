"""Prices as they are written: with points or commas, by thousands, with a currency."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from volatility.arrays import BoolArray, FloatArray, IndexArray
from volatility.errors import Finding, InvalidBars
from volatility.formats.reading import MOST_CHARACTERS, Decimal, Options, ambiguous, shown

if TYPE_CHECKING:
    import pandas as pd

# Not pyarrow's, whose regular expressions are others, and which not every service has.
TEXT: Final = "string[python]"
ROWS_AT_ONCE = 20_000  # that are read in some ten milliseconds, during which no other thread runs
_COMMAS, _POINTS = (rf"[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+" for mark in (",", r"\."))  # 1,234
_CURRENCY = r"^[\s$€£¥]+|[\s$€£¥]+$"


class Numbers(NamedTuple):
    """Columns of prices, and how they were written."""

    values: Mapping[str, FloatArray]
    decimal: Decimal | None


def numbers_of(
    columns: "Mapping[str, pd.Series]", options: Options, delimiter: str | None = None
) -> Numbers:
    """Prices of columns, which are numbers or text.

    Parameters
    ----------
    columns : (n,) each, by name. An empty cell is NaN, for :func:`volatility.bars.validate` to
        tell of.
    options : the decimal mark, where the caller knows.
    delimiter : of the fields, where they come from text: by semicolons goes with decimal commas.

    Raises
    ------
    InvalidBars : ``unparsable_numbers``, ``ambiguous_numbers``.
    """
    texts = {name: _text(it, name) for name, it in columns.items() if not _is_numeric(it)}
    numeric = [
        it.to_numpy(np.float64, na_value=np.nan) for it in columns.values() if _is_numeric(it)
    ]
    decimal = options.decimal or _decimal(texts, numeric, delimiter)
    values = {
        name: _numbers(texts[name], name, decimal)
        if name in texts
        else it.to_numpy(np.float64, na_value=np.nan)
        for name, it in columns.items()
    }
    return Numbers(values, decimal if texts else None)


def refuse_unreadable(
    column: "pd.Series", unreadable: BoolArray, name: str, needed: str, first: int = 0
) -> None:
    """Refuse a column with cells that cannot be read.

    Parameters
    ----------
    column, unreadable : (n,) cells, and which of them.
    name : what the column is: ``time``, or a price.
    first : number of the first cell.

    Raises
    ------
    InvalidBars : ``unparsable_dates`` or ``unparsable_numbers``.
    """
    if not unreadable.any():
        return
    index = int(np.argmax(unreadable))
    code = "unparsable_dates" if name == "time" else "unparsable_numbers"
    found = f"{shown(column.iloc[index])!r} at bar {first + index}"
    count = int(np.count_nonzero(unreadable))
    raise InvalidBars([Finding(code, "error", name, found, needed, first + index, count)])


def refuse_long(column: "pd.Series", name: str, first: int = 0) -> None:
    """Refuse a column with text that is too long for what it is to be.

    An array of text takes as much for each cell as for the longest, and patterns that are tried on
    it may take a time that grows as the square of its length.

    Parameters
    ----------
    column, name, first : see :func:`refuse_unreadable`.

    Raises
    ------
    InvalidBars : ``unparsable_dates`` or ``unparsable_numbers``.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype):  # each text once, however often it stands
        lengths = np.append(_lengths(column.cat.categories), 0)[column.cat.codes]
    else:
        lengths = _lengths(column)
    needed = f"at most {MOST_CHARACTERS} characters"
    refuse_unreadable(column, lengths > MOST_CHARACTERS, name, needed, first)


def _lengths(cells: "Iterable[Any]") -> IndexArray:
    return np.array([len(str(it)) for it in cells], dtype=np.int64)


def in_parts(column: "pd.Series") -> "Iterator[tuple[int, pd.Series]]":
    """A column some rows at a time, and the number of the first of each."""
    for first in range(0, max(len(column), 1), ROWS_AT_ONCE):
        yield first, column.iloc[first : first + ROWS_AT_ONCE]


def _is_numeric(column: "pd.Series") -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _text(column: "pd.Series", name: str) -> "pd.Series":
    """Cells of text, without blanks and currencies; an empty one is missing."""
    import pandas as pd

    parts = []
    for first, part in in_parts(column):
        refuse_long(part, name, first)
        parts.append(part.astype(TEXT).str.replace(_CURRENCY, "", regex=True))
    text: pd.Series[Any] = pd.concat(parts)
    return text.mask(text.isin(["", "null", "None", "nan", "NaN"]))


def _decimal(
    texts: "Mapping[str, pd.Series]", numeric: list[FloatArray], delimiter: str | None
) -> Decimal:
    """The decimal mark that all cells agree with.

    A comma before groups of three digits may be of thousands, which numbers with a point rule out.
    """
    doubtful: tuple[str, str, int] | None = None
    marks: set[Decimal] = set()
    if any(np.any(it[np.isfinite(it)] % 1) for it in numeric):
        marks.add(".")
    for name, text in texts.items():
        for first, part in in_parts(text):
            found, unclear = _marks(part, delimiter)
            marks |= found
            if unclear is not None and doubtful is None:
                doubtful = (name, str(part.iloc[unclear]), first + unclear)
    if len(marks) == 1:
        return marks.pop()
    if marks or doubtful:
        name, cell, index = doubtful or (next(iter(texts)), "both . and , before fractions", 0)
        raise ambiguous(
            "ambiguous_numbers",
            name,
            f"{cell} at bar {index}: a thousand, or a number with a fraction",
            "the option decimal, '.' or ','",
            index,
        )
    return "."


def _marks(text: "pd.Series", delimiter: str | None) -> tuple[set[Decimal], int | None]:
    """Decimal marks that cells prove, and the first cell that may be read with either."""
    text = text.fillna("")
    commas, points = text.str.count(","), text.str.count(r"\.")
    both = (commas > 0) & (points > 0)
    marks: set[Decimal] = set()
    last_is_comma = text.str.rfind(",") > text.str.rfind(".")
    if (both & last_is_comma).any() or (points > 1).any():
        marks.add(",")
    if (both & ~last_is_comma).any() or (commas > 1).any():
        marks.add(".")
    alone = (commas == 1) & ~both
    grouped = text.str.fullmatch(_COMMAS)
    if (alone & ~grouped).any():
        marks.add(",")
    dotted = (points == 1) & ~both
    in_groups = text.str.fullmatch(_POINTS)
    if (dotted & (~in_groups | (delimiter != ";"))).any():
        marks.add(".")
    unclear = (alone & grouped) | (dotted & in_groups & (delimiter == ";"))
    doubtful = unclear.to_numpy(np.bool_)
    return marks, int(np.argmax(doubtful)) if doubtful.any() else None


def _numbers(text: "pd.Series", name: str, decimal: Decimal) -> FloatArray:
    import pandas as pd

    parts = []
    thousands = "," if decimal == "." else "."
    for first, part in in_parts(text):
        plain = part.str.replace(_grouping(thousands), "", regex=True)
        plain = plain.str.replace(decimal, ".", regex=False)
        numbers = pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        # An empty cell is a missing price, which validate reports; text is not a price at all.
        unreadable = np.isnan(numbers) & part.notna().to_numpy()
        refuse_unreadable(part, unreadable, name, "numbers", first)
        parts.append(numbers)
    return np.concatenate(parts)


def _grouping(mark: str) -> str:
    """What tells thousands apart, where three digits follow: a comma, a blank, an apostrophe."""
    return rf"(?<=\d)[\{mark}'\s\u00a0\u202f](?=\d{{3}}(?:\D|$))"
