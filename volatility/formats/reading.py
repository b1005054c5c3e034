"""How bars are to be read, and what came of it.

::

    InvalidInput
    └── Unreadable    the content is of no form that bars are read from; each case has its code

What is ambiguous is refused as :class:`volatility.errors.InvalidBars`, by a finding that names the
option that decides: ``ambiguous_layout``, ``ambiguous_column``, ``ambiguous_dates``,
``ambiguous_numbers``, ``ambiguous_ticker``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from volatility.arrays import IndexArray
from volatility.bars import PRICES, Bars
from volatility.errors import Finding, InvalidBars, InvalidInput

AUTO = "auto"
ISO, AS_TIMES = "ISO 8601", "times"  # how dates are written: the latter of columns of times
TIME = "time"
COLUMNS = (TIME, *PRICES)  # that an option may name
PricesOption = Literal["raw", "adjusted"]
Decimal = Literal[".", ","]
MOST_COLUMNS = 64
MOST_CHARACTERS = 256  # of a price or a time
_SHOWN = 40  # characters of a name or a cell that a message has: a file may hold secrets


class Unreadable(InvalidInput):
    """The content is no table of bars in any form that is read."""

    code = "unreadable_content"


@dataclass(frozen=True)
class Options:
    """What the caller knows of the content; None where it is to be found out.

    Parameters
    ----------
    format : a name of :data:`volatility.formats.labels.FORMATS`: the content is refused if it is of
        another layout. ``auto`` takes any.
    dayfirst : whether 01/02/2024 is the first of February.
    decimal : what stands before the fraction of a price.
    prices : of a close beside an adjusted close: the prices that were paid (``raw``), or all four
        times what was adjusted.
    ticker : which one is meant, where the content has several.
    columns : labels of the columns, by what they are: ``open``, ``high``, ``low``, ``close``,
        ``time``.
    interval : seconds a bar spans; None for the most frequent distance between bars, where a day or
        more is daily.
    """

    format: str = AUTO
    dayfirst: bool | None = None
    decimal: Decimal | None = None
    prices: PricesOption | None = None
    ticker: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    interval: int | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether the content is to speak for itself."""
        said = (self.dayfirst, self.decimal, self.prices, self.ticker)
        return self.format == AUTO and not self.columns and all(it is None for it in said)


@dataclass(frozen=True)
class Limits:
    """How much is read.

    Parameters
    ----------
    most_bytes : of the content, unpacked.
    most_rows : of its table.
    """

    most_bytes: int = 2**31
    most_rows: int = 20_000_000

    def check_rows(self, number: int) -> None:
        """Refuse a table of more rows.

        Raises
        ------
        Unreadable : ``too_many_items``.
        """
        if number > self.most_rows:
            needed = f"at most {self.most_rows} bars at once"
            raise Unreadable(
                f"bars: found more than {self.most_rows} of them; needed: {needed}",
                code="too_many_items",
                field="bars",
                needed=needed,
            )


@dataclass(frozen=True)
class Inferred:
    """What was found out about the content.

    Parameters
    ----------
    layout : whose it is, a name of :data:`volatility.formats.labels.FORMATS`.
    content : what it is: CSV, JSON, Parquet, Feather or Excel.
    packed : how it was compressed, if it was.
    delimiter : between the fields of a line, of CSV.
    decimal : what stands before the fraction of a price; None where prices are numbers already.
    dates : how they are written: ``ISO 8601``, ``day/month/year``, ``Unix ms``, …
    order : of the rows.
    interval : seconds a bar spans.
    dropped : labels of the columns that were not needed.
    sorted_rows : how many rows stood elsewhere.
    mended_rows : in how many the high was raised, or the low lowered, by at most 1e-4 of itself, to
        hold the open and the close.
    notes : whatever else was decided.
    newest : of daily bars, the time in UTC that the newest came with, if it is not midnight.
    """

    layout: str = "plain"
    content: str = "CSV"
    packed: str | None = None
    delimiter: str | None = None
    decimal: Decimal | None = None
    dates: str = ISO
    order: Literal["oldest first", "newest first", "unsorted"] = "oldest first"
    interval: int = 0
    dropped: tuple[str, ...] = ()
    sorted_rows: int = 0
    mended_rows: int = 0
    notes: tuple[str, ...] = ()
    newest: np.datetime64 | None = None

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to tell: what was needed, as the project itself writes it."""
        usual = replace(
            Inferred(content=self.content, interval=self.interval),
            packed=self.packed,
            mended_rows=self.mended_rows,  # of which a finding tells
            newest=self.newest,
            decimal=self.decimal if self.decimal != "," else None,
            delimiter=self.delimiter if self.delimiter == "," else None,
            dates=self.dates if self.dates == AS_TIMES else ISO,
        )
        return self == usual

    def __str__(self) -> str:
        """In one line, without what goes without saying."""
        delimiter = {None: "", ",": ""}.get(self.delimiter, f"fields by {self.delimiter!r}")
        said = (
            f"{self.content}, {self.layout}",
            f"unpacked from {self.packed}" if self.packed else "",
            delimiter,
            "decimal commas" if self.decimal == "," else "",
            f"dates as {self.dates}",
            self.order,
            f"dropped {', '.join(map(repr, self.dropped))}" if self.dropped else "",
            *self.notes,
        )
        return "; ".join(filter(None, said))


@dataclass(frozen=True)
class Reading:
    """Bars, and how they were read.

    Parameters
    ----------
    bars : (n,), oldest first, each time once.
    rows : (n,) where each bar stood among the bars of the content.
    inferred : what was found out.
    findings : warnings, of what was changed.
    time_name : what bars call theirs, ``date`` or ``timestamp``.
    """

    bars: Bars
    rows: IndexArray = field(repr=False)
    inferred: Inferred
    findings: tuple[Finding, ...] = ()
    time_name: str = "date"

    @property
    def told(self) -> tuple[Finding, ...]:
        """Warnings, before them how the content was read, where that is not plain."""
        if self.inferred.is_plain:
            return self.findings
        needed = "the options for how bars are written, where it is not so"
        found = f"read as {self.inferred}"
        return (Finding("read_as", "warning", "bars", found, needed), *self.findings)

    def packed_by(self, compression: str | None) -> "Reading":
        """The same, of content that was compressed."""
        return replace(self, inferred=replace(self.inferred, packed=compression))

    def counted_as_given(self, error: InvalidBars) -> InvalidBars:
        """An error about :attr:`bars` that counts them as the content did."""
        return InvalidBars([self._as_given(it) for it in error.findings])

    def _as_given(self, finding: Finding) -> Finding:
        if finding.index is None:
            return finding
        index = int(self.rows[finding.index])
        found = finding.found.replace(f"at bar {finding.index} (", f"at bar {index} (")
        return replace(finding, index=index, found=found)


def columns_from(pairs: Sequence[str]) -> dict[str, str]:
    """Labels of columns by what they are, from text such as ``close=PX_LAST``.

    Raises
    ------
    InvalidInput : a text is not of this form, or names no column of bars.
    """
    found = {}
    for pair in pairs:
        role, _, label = pair.partition("=")
        if role not in COLUMNS or not label.strip():
            needed = f"one of {', '.join(COLUMNS)}, =, and a label, such as close=PX_LAST"
            raise InvalidInput(
                f"columns: found {pair!r}; needed: {needed}",
                field="columns",
                found=pair,
                needed=needed,
            )
        found[role] = label.strip()
    return found


def ambiguous(
    code: str, name: str, found: str, needed: str, index: int | None = None
) -> InvalidBars:
    """Error for what may mean two things; ``needed`` names the option that decides."""
    return InvalidBars([Finding(code, "error", name, found, needed, index)])


def listed(names: Sequence[object], most: int = 8) -> str:
    """Names in a sentence, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


def shown(cell: object) -> str:
    """A name or a cell as a message has it: the beginning of a long one."""
    text = str(cell)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def no_table(found: str) -> Unreadable:
    """Error for content that is no table of bars.

    Parameters
    ----------
    found : of what kind it is and how large, never what it says.
    """
    needed = "a table with date or timestamp, open, high, low, close, such as CSV or Parquet"
    return Unreadable(
        f"the content is no table of bars: {found}; needed: {needed}",
        code="no_table",
        field="body",
        found=found,
        needed=needed,
    )
