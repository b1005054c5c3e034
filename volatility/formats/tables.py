"""From a table of cells to bars: which columns, which times, which numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from volatility.arrays import FloatArray
from volatility.bars import DAILY, PRICES, Bars, no_bars
from volatility.errors import Finding, InvalidBars
from volatility.formats.labels import Columns, check_format, columns_of, layout_of, prices_named
from volatility.formats.numbers import numbers_of
from volatility.formats.order import settled
from volatility.formats.reading import Inferred, Options, Reading, ambiguous, listed
from volatility.formats.times import (
    Times,
    interval_of,
    refuse_dates_alone,
    times_of,
    with_clock,
)

if TYPE_CHECKING:
    import pandas as pd

_SAME = 1e-6  # relative: adjusted closes that differ by less are rounded ones
_PAID, _ADJUSTED = "prices as they were paid", "all prices times what the close was adjusted by"
_ADJUSTED_COLUMNS = "the option prices: raw for those that were paid, or adjusted"


@dataclass(frozen=True)
class Table:
    """Cells of a table, and where they come from.

    Parameters
    ----------
    frame : a row a bar; its labels may stand twice.
    inferred : what is known of the content already.
    layouts : names of whose it may be; empty where its labels tell.
    """

    frame: "pd.DataFrame"
    inferred: Inferred
    layouts: tuple[str, ...] = ()


def read_table(table: Table, options: Options) -> Reading:
    """Bars of a table, oldest first, each time once.

    Raises
    ------
    InvalidBars : what is wrong or ambiguous, with the option that decides.
    """
    bars, inferred = bars_of(table, options)
    return settled(bars, inferred)


def bars_of(table: Table, options: Options) -> tuple[Bars, Inferred]:
    """Bars of a table in the order of its rows, as they are written.

    Raises
    ------
    InvalidBars : see :func:`read_table`.
    """
    notes: list[str] = []
    frame = _flat(table.frame, options, notes)
    layouts = table.layouts or (layout_of(list(frame.columns)),)
    check_format(layouts, options)
    indexed = not _is_counted(frame.index)
    columns = columns_of(list(frame.columns), options, indexed)
    if not len(frame):
        raise InvalidBars([no_bars()])
    frame = _of_one_ticker(frame, columns, options, notes)
    times = _times(frame, columns, options)
    cells = {name: frame.iloc[:, columns.prices[name]] for name in PRICES}
    numbers = numbers_of(cells, options, table.inferred.delimiter)
    values = numbers.values
    if columns.adjusted is not None:
        closes = frame.iloc[:, columns.adjusted]
        factor = _factor(closes, values["close"], options, table.inferred.delimiter)
        if factor is not None:
            values = {name: it * factor for name, it in values.items()}
        notes.append(_PAID if factor is None else _ADJUSTED)
    interval = interval_of(times.utc) if options.interval is None else options.interval
    if options.interval is not None and interval < DAILY:
        written = frame.iloc[:, columns.time[0]] if columns.time else _row_labels(frame)
        refuse_dates_alone(written, times.alone)
    stamps = times.wall.astype("datetime64[D]") if interval == DAILY else times.utc
    inferred = replace(
        table.inferred,
        layout=layouts[0],
        decimal=numbers.decimal,
        dates=times.form,
        interval=interval,
        dropped=columns.dropped,
        notes=(*table.inferred.notes, *notes),
        newest=_time_of_newest(times) if interval == DAILY else None,
    )
    prices = {name: values[name] for name in PRICES}
    return Bars(timestamps=stamps, interval=interval, **prices), inferred


def _time_of_newest(times: Times) -> np.datetime64 | None:
    """When the newest bar is said to be, in UTC; None at midnight, by whichever clock."""
    at = int(np.argmax(times.utc))
    both = (times.utc[at], times.wall[at])
    return None if any(it == it.astype("datetime64[D]") for it in both) else times.utc[at]


def _flat(frame: "pd.DataFrame", options: Options, notes: list[str]) -> "pd.DataFrame":
    """A table whose columns have one label each, where they had a price and a ticker.

    Raises
    ------
    InvalidBars : ``ambiguous_ticker``, there are several.
    """
    import pandas as pd

    if isinstance(frame.index, pd.MultiIndex):
        frame = frame.reset_index()
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    labels = [tuple(map(str, it)) for it in frame.columns]
    return chosen(frame, labels, options, notes)


def chosen(
    frame: "pd.DataFrame", labels: Sequence[tuple[str, ...]], options: Options, notes: list[str]
) -> "pd.DataFrame":
    """The columns of one ticker, of a table whose labels have a price and a ticker, in any order.

    Parameters
    ----------
    frame : the table.
    labels : of each of its columns; those that have no ticker have an empty one.
    notes : to which the ticker is added.

    Raises
    ------
    InvalidBars : ``ambiguous_ticker``, there are several.
    """
    levels = list(zip(*labels, strict=True))
    names = max(levels, key=prices_named)
    others = [it for it in levels if it is not names]
    tickers = [" ".join(filter(None, it)) for it in zip(*others, strict=True)]
    known = [it for it in dict.fromkeys(tickers) if it]
    wanted = one_of_tickers(known, options)
    notes.append(f"ticker {wanted}")
    kept = [at for at, it in enumerate(tickers) if it in ("", wanted)]
    part = frame.iloc[:, kept]
    part.columns = [names[at] for at in kept]
    return part


def one_of_tickers(known: Sequence[str], options: Options) -> str:
    """The ticker that is meant; empty where there is none.

    Raises
    ------
    InvalidBars : ``ambiguous_ticker``, there are several, or not the one asked for.
    """
    if options.ticker is not None and options.ticker in known:
        return options.ticker
    if len(known) > 1 or (known and options.ticker is not None):
        found = f"{len(known)} tickers: {listed(known)}" if len(known) > 1 else f"{known[0]} alone"
        needed = "the bars of one, or the option ticker to say which"
        raise ambiguous("ambiguous_ticker", "ticker", found, needed)
    return known[0] if known else ""


def _is_counted(index: "pd.Index[Any]") -> bool:
    """Whether an index only counts rows, or what is left of them."""
    import pandas as pd

    return index.name is None and (
        isinstance(index, pd.RangeIndex) or pd.api.types.is_integer_dtype(index)
    )


def _of_one_ticker(
    frame: "pd.DataFrame", columns: Columns, options: Options, notes: list[str]
) -> "pd.DataFrame":
    if columns.ticker is None:
        return frame
    cells = frame.iloc[:, columns.ticker].astype("string").fillna("")
    known = list(dict.fromkeys(cells.tolist()))
    wanted = one_of_tickers(known, options)
    notes.append(f"ticker {wanted}")
    return frame if len(known) == 1 else frame[(cells == wanted).to_numpy()]


def _row_labels(frame: "pd.DataFrame") -> "pd.Series":
    """As a column; text stays what it is, in which pandas would look for more, in one call."""
    import pandas as pd

    index = frame.index
    if index.dtype == object and len(index) and isinstance(index[0], str):
        return pd.Series(index.array, dtype=object, name=index.name)
    return index.to_series()


def _times(frame: "pd.DataFrame", columns: Columns, options: Options) -> Times:
    """Times of the rows; of several columns of times, that which tells most."""
    if not columns.time:
        return times_of(_row_labels(frame), options)
    cells = [frame.iloc[:, at] for at in columns.time]
    if columns.clock is not None:
        cells = [with_clock(cells[0], frame.iloc[:, columns.clock])]
    read = [times_of(it, options) for it in cells]
    finest = next((it for it in read if not _are_days(it.wall)), read[0])
    for other in read:
        if not any(_agree(other, it) for it in (finest.utc, finest.wall)):
            labels = " and ".join(str(frame.columns[at]) for at in columns.time)
            found = f"more than one column of times, which differ: {labels}"
            needed = "one column of times, or the option columns to say which"
            raise ambiguous("ambiguous_column", "time", found, needed)
    return finest


def _are_days(stamps: "np.ndarray[Any, Any]") -> bool:
    return bool((stamps == stamps.astype("datetime64[D]")).all())


def _agree(times: Times, others: "np.ndarray[Any, Any]") -> bool:
    """Whether times are others, or their dates."""
    days = others.astype("datetime64[D]")
    return any(
        bool((it == other).all()) for it in (times.utc, times.wall) for other in (others, days)
    )


def _factor(
    column: "pd.Series", close: FloatArray, options: Options, delimiter: str | None
) -> FloatArray | None:
    """What prices are multiplied by; None where they stay as they are.

    Raises
    ------
    InvalidBars : ``ambiguous_column``.
    """
    if options.prices == "raw":
        return None
    adjusted = numbers_of({"adjusted": column}, options, delimiter).values["adjusted"]
    if options.prices == "adjusted":
        factor: FloatArray = adjusted / close
        return factor
    unlike = np.abs(adjusted - close) > _SAME * close
    if not unlike.any():
        return None
    index, count = int(np.argmax(unlike)), int(np.count_nonzero(unlike))
    found = (
        f"an adjusted close of {adjusted[index]} beside a close of {close[index]} at bar {index}"
    )
    raise InvalidBars(
        [Finding("ambiguous_column", "error", "close", found, _ADJUSTED_COLUMNS, index, count)]
    )


def labelled(rows: Iterable[Sequence[Any]], labels: Sequence[str]) -> "pd.DataFrame":
    """A table of rows under labels that may stand twice; short rows end in empty cells."""
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    frame = frame.reindex(columns=range(len(labels)))
    frame.columns = pd.Index(labels, dtype=object)
    return frame
