"""Bars in JSON: records, lists, columns, and what exchanges wrap around them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from volatility.bars import PRICES, no_bars
from volatility.errors import InvalidBars
from volatility.formats.headers import unlabelled
from volatility.formats.labels import ROLES, prices_named, role_of
from volatility.formats.reading import (
    MOST_COLUMNS,
    TIME,
    Inferred,
    Limits,
    Options,
    Unreadable,
)
from volatility.formats.tables import Table, labelled, one_of_tickers

if TYPE_CHECKING:
    import pandas as pd

_DEEPEST = 4  # objects around a table, of which Kraken's have two
_LEAST_PRICES = 2
_SPLIT = ("columns", "data")  # of pandas' orient=split
_FIELDS = 5


def parsed(content: bytes | bytearray) -> Any:
    """JSON of which no object has a name twice.

    Raises
    ------
    Unreadable : ``malformed_json``.
    """
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _no_json(error) from error


def add_names(found: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add a further part of an object that is read in parts.

    Raises
    ------
    Unreadable : ``malformed_json``, it has a name twice.
    """
    twice = next((name for name in more if name in found), None)
    if twice is not None:
        raise _no_json(_twice(twice))
    found.update(more)


def table_of(document: Any, options: Options, limits: Limits, known: Inferred) -> Table:
    """The table in a JSON document.

    Parameters
    ----------
    document : records, lists of fields, lists or objects by column (``split``, ``columns``,
        ``index`` of pandas), alone or within objects.

    Raises
    ------
    Unreadable : ``no_table``, ``too_many_items``, ``too_many_columns``.
    InvalidBars : ``ambiguous_ticker``, ``ambiguous_layout``.
    """
    notes: list[str] = []
    found = _table_in(document, options, notes, 0)
    if found is None:
        _refuse("no list of bars in it")
    if not found:
        raise InvalidBars([no_bars()])
    known = replace(known, notes=(*known.notes, *notes))
    name, frame = _frame(found, limits)
    if any("1. open" in str(it) for it in frame.columns):
        name = "alphavantage"
    if name == "lists":
        frame, layouts = unlabelled(frame, options)
        return Table(frame, known, layouts)
    return Table(frame, known, (name,) if name else ())


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _twice(next(name for name in found if names.count(name) > 1))
    return found


def _twice(name: str) -> ValueError:
    return ValueError(f"an object has the name {name!r} twice")


def _no_json(why: Exception) -> Unreadable:
    return Unreadable(
        f"the content is not JSON: {why}",
        code="malformed_json",
        field="body",
        needed="a JSON document (RFC 8259)",
    )


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _is_table(value: Any, is_outermost: bool) -> bool:
    """Whether a value is a table in one of the forms that are read."""
    if isinstance(value, list):
        first = value[0] if value else None
        if isinstance(first, dict):
            return is_outermost or prices_named([*first]) >= _LEAST_PRICES
        return isinstance(first, list) and len(first) >= _FIELDS
    if not isinstance(value, dict):
        return False
    if {*_SPLIT} <= value.keys():
        return isinstance(value["data"], list) and isinstance(value["columns"], list)
    inner = next(iter(value.values()), None)
    by_row = isinstance(inner, dict) and _has_prices(inner) and not _has_columns(inner, PRICES)
    return by_row or (_has_prices(value) and _has_columns(value, ROLES))


def _has_prices(value: Mapping[str, Any]) -> bool:
    return prices_named([*value]) >= _LEAST_PRICES


def _has_columns(value: Mapping[str, Any], roles: Collection[str]) -> bool:
    """Whether all that stands under names of some roles are lists or objects."""
    return all(isinstance(it, list | dict) for name, it in value.items() if role_of(name) in roles)


def _table_in(value: Any, options: Options, notes: list[str], depth: int) -> Any:
    """The only table in a document; of several, that of the ticker that is meant."""
    if _is_table(value, is_outermost=depth == 0 or bool(options.columns)):
        return value
    if value == [] or (isinstance(value, dict) and value.get("bars") == []):
        return []
    if not isinstance(value, dict) or depth >= _DEEPEST:
        return None
    found = {}
    for name, inner in value.items():
        if isinstance(inner, dict | list):
            table = _table_in(inner, options, notes, depth + 1)
            if table is not None and table != []:
                found[name] = table
    if len(found) > 1 or (depth and found and options.ticker in found):
        ticker = one_of_tickers([*found], options)
        notes.append(f"ticker {ticker}")
        return found[ticker]
    return next(iter(found.values()), None)


def _frame(value: Any, limits: Limits) -> tuple[str, "pd.DataFrame"]:
    """The table, and what it is known to be: ``lists``, a layout, or nothing."""
    if isinstance(value, list):
        limits.check_rows(len(value))
        if value and isinstance(value[0], list):
            return "lists", _of_lists(value, max(map(_length, value)))
        return "", _of_records(value)
    if {*_SPLIT} <= value.keys():
        limits.check_rows(len(value["data"]))
        labels = _labels(value["columns"])
        frame = _of_lists(value["data"], len(labels)).set_axis(labels, axis="columns")
        index = value.get("index")
        if isinstance(index, list) and len(index) == len(frame):
            frame.index = _index(index)
        return "", frame
    if prices_named([*value]) >= _LEAST_PRICES:
        return "", _of_columns(value, limits)
    limits.check_rows(len(value))
    frame = _of_records([*value.values()])
    if not any(role_of(it) == TIME for it in frame.columns):
        frame.index = _index([*value])
    return "", frame


def _of_records(records: Sequence[Any]) -> "pd.DataFrame":
    """A row a record, in the order of names of the first that has them."""
    import pandas as pd

    names: dict[str, None] = {}
    for at, record in enumerate(records):
        if not isinstance(record, dict):
            _refuse(f"bar {at} is no object, as others are")
        if not record.keys() <= names.keys():
            names.update(dict.fromkeys(record))
            _check_columns(len(names))
    columns = {name: _series([_cell(it.get(name)) for it in records]) for name in names}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(records)))


def _of_lists(rows: Sequence[Any], fields: int) -> "pd.DataFrame":
    import pandas as pd

    _check_columns(fields)
    for at, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != fields:
            _refuse(f"bar {at} is no list of {fields} values, as others are")
    columns = [_series([_cell(row[at]) for row in rows]) for at in range(fields)]
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(len(rows)))
    return frame if rows else labelled([], [str(it) for it in range(fields)])


def _of_columns(value: Mapping[str, Any], limits: Limits) -> "pd.DataFrame":
    """Lists by column, or objects by row of objects by column; what is neither is left out."""
    import pandas as pd

    _check_columns(len(value))
    tables = {name: it for name, it in value.items() if isinstance(it, list | dict)}
    lengths = {name: len(it) for name, it in tables.items()}
    if len({*lengths.values()}) > 1:
        _refuse(f"columns of unequal length, {lengths}")
    limits.check_rows(max(lengths.values()))
    by_row = [it for it in tables.values() if isinstance(it, dict)]
    if by_row and (
        len(by_row) < len(tables) or any(it.keys() != by_row[0].keys() for it in by_row)
    ):
        _refuse("columns that do not have the same rows")
    columns = {
        name: _series([_cell(cell) for cell in (it.values() if isinstance(it, dict) else it)])
        for name, it in tables.items()
    }
    frame = pd.DataFrame(columns)
    if by_row and not any(role_of(it) == TIME for it in columns):
        frame.index = _index([*by_row[0]])
    return frame


def _index(cells: Sequence[Any]) -> "pd.Index[Any]":
    """Row labels that tell the time; the name keeps them from being taken for numbers of rows."""
    import pandas as pd

    index: pd.Index[Any] = pd.Index([*map(_cell, cells)], name="index", dtype=object)
    return index


def _series(cells: Sequence[Any]) -> "pd.Series":
    import pandas as pd

    numbers = all(type(it) in (int, float) or it is None for it in cells)
    if not numbers:
        return pd.Series(cells, dtype=object)
    exact = all(type(it) is int for it in cells)
    try:
        return pd.Series(cells, dtype="int64" if exact and cells else "float64")
    except OverflowError:
        return pd.Series([*map(str, cells)], dtype=object)


def _cell(value: Any) -> Any:
    """A value as a cell; what is no scalar is shown as it is, to be refused if it is needed."""
    return (
        value if value is None or isinstance(value, str | int | float) else json.dumps(value)[:80]
    )


def _labels(values: Sequence[Any]) -> "pd.Index[Any]":
    """Labels of columns, of which some have a price and a ticker."""
    import pandas as pd

    if values and all(isinstance(it, list) and len(it) == len(values[0]) > 1 for it in values):
        return pd.MultiIndex.from_tuples([tuple(map(str, it)) for it in values])
    return pd.Index(
        [it if isinstance(it, str) else json.dumps(it)[:80] for it in values], dtype=object
    )


def _length(row: Any) -> int:
    return len(row) if isinstance(row, list) else 0


def _check_columns(number: int) -> None:
    if number > MOST_COLUMNS:
        needed = f"at most {MOST_COLUMNS} columns"
        raise Unreadable(
            f"bars have {number} fields; needed: {needed}",
            code="too_many_columns",
            field="body",
            found=number,
            needed=needed,
        )


def _refuse(found: str) -> NoReturn:
    raise Unreadable(
        f"the content is JSON, but no table of bars: {found}",
        code="no_table",
        field="body",
        found=found,
        needed="a list of objects or lists, one a bar, or an object of lists, one a column",
    )
