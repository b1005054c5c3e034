"""Where a table begins: lines before it, labels in one line or three, or none at all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from volatility.bars import no_bars
from volatility.errors import InvalidBars
from volatility.formats.labels import PLAIN, prices_named
from volatility.formats.numbers import numbers_of
from volatility.formats.order import TOLERANCE
from volatility.formats.reading import AUTO, Options, ambiguous

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS_BEFORE = 16  # among which the labels are looked for
# Of text without blanks around it. Where two repetitions may take the same characters, the time to
# find that neither fits grows as the square of their number, and no other thread runs meanwhile.
_NUMBER = re.compile(r"[+-]?[.,'\s]*\d[\d.,'\s]*(?:e[+-]?\d+)?", re.IGNORECASE)
_FIELDS = 5  # of a row without labels: the time and four prices
_LEAST_PRICES = 2  # of open, high, low and close, by which a line of labels is known
_INDEX_LABELS = ("price", "ticker")  # of pandas, above the labels of an index
_USUAL = ("time", "open", "high", "low", "close")
# Of rows without labels: the orders that there are, and whose they are by the number of fields.
_ORDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {PLAIN: _USUAL, "coinbase": ("time", "low", "high", "open", "close")}
)
_BY_FIELDS: Mapping[int, str] = MappingProxyType(
    {6: "ccxt", 7: "kraken", 8: "kraken", 12: "binance"}
)


@dataclass(frozen=True)
class Header:
    """The labels of a table.

    Parameters
    ----------
    rows : how many rows end with the last of labels.
    labels : of the columns; empty where there are none.
    tickers : of the columns, where a line tells them; "" of those that have none.
    """

    rows: int
    labels: tuple[str, ...]
    tickers: tuple[str, ...] = ()


def header_of(rows: Sequence[Sequence[str]]) -> Header:
    """Find the labels among the first rows of a table.

    Parameters
    ----------
    rows : at most :data:`MOST_ROWS_BEFORE`, as text.

    Returns
    -------
    The first row that names two prices and more; without one, no labels where the first row is of
    numbers, else those of the first row that is not empty.
    """
    named = [at for at, it in enumerate(rows) if prices_named(it) >= _LEAST_PRICES]
    if not named:
        first = next((at for at, it in enumerate(rows) if any(map(str.strip, it))), 0)
        if not rows or is_bar(rows[first]):
            return Header(first, ())
        return Header(first + 1, tuple(map(str.strip, rows[first])))
    at = named[0]
    labels = [it.strip() for it in rows[at]]
    above = rows[at - 1] if at else ()
    below = list(rows[at + 1 : at + 3])
    tickers: Sequence[str] = ()
    if labels[0].lower() in _INDEX_LABELS and _is_of_words(above, len(labels)):
        tickers = above
    elif labels[0].lower() in _INDEX_LABELS and below and _is_of_words(below[0], len(labels)):
        tickers = below.pop(0)
        at += 1
    name, *others = [it.strip() for it in below[0]] if below and below[0] else [""]
    if name and not any(others):
        labels[0] = name  # the name of the index, in a line of its own
        at += 1
    elif tickers:
        labels[0] = "index"
    return Header(
        at + 1, tuple(labels), ("", *(it.strip() for it in tickers[1:])) if tickers else ()
    )


def is_bar(row: Sequence[str]) -> bool:
    """Whether a row is a time and four numbers, and no labels."""
    cells = [it.strip() for it in row]
    return (
        len(cells) >= _FIELDS
        and bool(re.search(r"\d", cells[0]))
        and all(_NUMBER.fullmatch(it) for it in cells[1:_FIELDS])
    )


def unlabelled(
    frame: "pd.DataFrame", options: Options, delimiter: str | None = None
) -> tuple["pd.DataFrame", tuple[str, ...]]:
    """A table without labels, with those of the only order of prices that all of its rows allow.

    Parameters
    ----------
    frame : a column a field, the time first.
    options : the format, where the caller knows.
    delimiter : as in :func:`volatility.formats.numbers.numbers_of`.

    Returns
    -------
    The table with labels, and names of the layouts that it may be.

    Raises
    ------
    InvalidBars : ``ambiguous_layout``; ``empty_bars``, there are no rows.
    """
    if not len(frame):
        raise InvalidBars([no_bars()])
    fields = len(frame.columns)
    first = str(frame.iloc[0, 0])
    usual = _BY_FIELDS.get(fields, PLAIN) if re.fullmatch(r"\d+(\.\d+)?", first) else PLAIN
    if options.format != AUTO:
        order = "coinbase" if options.format == "coinbase" else PLAIN
    else:
        fitting = [name for name, it in _ORDERS.items() if _fits(frame, it, options, delimiter)]
        if len(fitting) != 1:
            found = "rows without labels, in which " + (
                "open, high, low, close fits as well as low, high, open, close"
                if fitting
                else "neither open, high, low, close fits nor low, high, open, close"
            )
            needed = (
                f"labels, or the option format: coinbase, or {usual} for open, high, low, close"
            )
            raise ambiguous("ambiguous_layout", "format", found, needed)
        order = fitting[0]
    labels = [*_ORDERS[order], *(f"field {at + 1}" for at in range(_FIELDS, fields))]
    named = frame.set_axis(labels[:fields], axis="columns")
    if order == "coinbase":
        return named, ("coinbase",)
    return named, tuple(dict.fromkeys((usual, "ccxt", "kraken", "binance", "metatrader", PLAIN)))


def _is_of_words(row: Sequence[str], fields: int) -> bool:
    """Whether a row has a word in each field but the first, as one of tickers does."""
    cells = [it.strip() for it in row]
    return len(cells) == fields and all(it and not _NUMBER.fullmatch(it) for it in cells[1:])


def _fits(
    frame: "pd.DataFrame", order: Sequence[str], options: Options, delimiter: str | None
) -> bool:
    """Whether the highs are highest and the lows lowest, if the columns stand in this order."""
    cells = {name: frame.iloc[:, at] for at, name in enumerate(order) if at}
    prices = numbers_of(cells, options, delimiter).values
    top = np.fmax(prices["open"], prices["close"]) * (1 - TOLERANCE)
    bottom = np.fmin(prices["open"], prices["close"]) * (1 + TOLERANCE)
    return bool(((prices["high"] >= top) & (prices["low"] <= bottom)).all())
