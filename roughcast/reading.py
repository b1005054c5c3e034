"""Files and tables of bars in any layout, as the other functions take them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd

from roughcast.frames import indexed, wrong_value
from volatility.formats.content import read, read_document, read_frame
from volatility.formats.labels import FORMATS
from volatility.formats.reading import Decimal, Options, PricesOption, Reading
from volatility.names import did_you_mean


def read_bars(
    source: str | Path | bytes | pd.DataFrame | list[object] | Mapping[str, object],
    format: str = "auto",  # noqa: A002 - as the command line and the service call it
    *,
    dayfirst: bool | None = None,
    decimal: Decimal | None = None,
    prices: PricesOption | None = None,
    ticker: str | None = None,
    columns: Mapping[str, str] | None = None,
    interval: int | None = None,
) -> pd.DataFrame:
    """Bars in any layout that exchanges, vendors, pandas and Excel write: docs/formats.md has them.

    Parameters
    ----------
    source : path of a file, compressed or not; the content of one; a table, such as ``yfinance``
        gives; or JSON that has been parsed, such as the lists of ``ccxt``.
    format : whose layout it has, such as ``investing``; another one is refused.
    dayfirst : whether 01/02/2024 is the first of February; needed where no day is above 12.
    decimal : what stands before the fraction of a price; needed where all are as 1,234.
    prices : of a close beside an adjusted close: as they were paid, or all four adjusted; needed
        where they differ.
    ticker : which one is meant, of several.
    columns : labels of columns, by ``time``, ``open``, ``high``, ``low`` and ``close``.
    interval : seconds a bar spans; left out, the most frequent distance, a day at most.

    Returns
    -------
    Open, high, low and close by time in UTC, oldest first. Its ``attrs`` hold ``read_as``, how it
    was read in words, and ``warnings``, what was changed.

    Raises
    ------
    RoughcastError : the file cannot be read; a column is missing; or something may mean two things,
        with the option that decides.

    Examples
    --------
    >>> import roughcast
    >>> candles = [[1704412800000, 10, 12, 9, 11, 5], [1704499200000, 11, 13, 10, 12, 7]]
    >>> bars = roughcast.read_bars(candles)
    >>> bars.attrs["read_as"]
    "JSON, ccxt; dates as Unix ms; oldest first; dropped 'field 6'"
    >>> bars["close"].tolist()
    [11.0, 12.0]
    """
    _check_one_of("format", format, FORMATS)
    if decimal is not None:
        _check_one_of("decimal", decimal, get_args(Decimal))
    if prices is not None:
        _check_one_of("prices", prices, get_args(PricesOption))
    options = Options(format, dayfirst, decimal, prices, ticker, dict(columns or {}), interval)
    reading = _read(source, options)
    frame = indexed(reading.bars)
    frame.attrs = {
        "read_as": str(reading.inferred),
        "warnings": tuple(map(str, reading.findings)),
    }
    return frame


def _check_one_of(name: str, given: object, known: Sequence[str]) -> None:
    if given not in known:
        raise wrong_value(
            given, name, f"one of {', '.join(known)}{did_you_mean(str(given), known)}"
        )


def _read(
    source: str | Path | bytes | pd.DataFrame | list[object] | Mapping[str, object],
    options: Options,
) -> Reading:
    if isinstance(source, pd.DataFrame):
        return read_frame(source, options)
    if isinstance(source, bytes):
        return read(source, options)
    if isinstance(source, str | Path):
        from training.data.bars_file import read_file

        return read_file(Path(source), options)
    return read_document(source, options)
