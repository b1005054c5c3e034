"""What the columns of a table of bars are called, and by whom."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from volatility.bars import PRICES
from volatility.errors import Finding, InvalidBars
from volatility.formats.reading import AUTO, MOST_CHARACTERS, TIME, Options, ambiguous, listed

TIMES = ("date", "timestamp", "datetime", "time")
ADJUSTED, TICKER, CLOCK = "adjusted", "ticker", "clock"
PLAIN = "plain"
FORMATS = (
    AUTO,
    PLAIN,
    "alphavantage",
    "binance",
    "bloomberg",
    "ccxt",
    "coinbase",
    "cryptodatadownload",
    "investing",
    "kraken",
    "metatrader",
    "nasdaq",
    "stooq",
    "yfinance",
)
# What a column may be called, in the form of `normal`, by what it is. English, as vendors write it,
# and the German of banks and stock exchanges.
_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TIME: (
            *TIMES,
            *("dates", "open time", "opentime", "date time", "date/time", "trade date"),
            *("unix", "unix time", "unix timestamp", "epoch", "start", "t", "ts"),
            *("gmt time", "datum"),
        ),
        "open": ("open", "o", "px open", "open price", "opening price", "erster", "eröffnung"),
        "high": ("high", "h", "px high", "high price", "hoch"),
        "low": ("low", "l", "px low", "low price", "tief"),
        "close": (
            *("close", "c", "px last", "close price", "closing price", "close/last", "last"),
            *("last price", "price", "settle", "settlement price", "schluss", "schlusskurs"),
        ),
        ADJUSTED: ("adj close", "adjclose", "adjusted close"),
        TICKER: ("ticker", "symbol", "asset", "instrument", "tic", "isin", "pair"),
    }
)
ROLES = frozenset(_NAMES)  # what columns can be
_ROLES = {name: role for role, names in _NAMES.items() for name in names}
_INDEX = frozenset({"", "index", "level 0", "unnamed: 0"})  # of what pandas wrote without a name
# Whose a layout is, by names that only they give to their columns, as written but for the case.
_MARKS = (
    ("bloomberg", {"px_open", "px_high", "px_low", "px_last"}),
    ("investing", {"price", "open", "high", "low", "change %"}),
    ("nasdaq", {"close/last"}),
    ("alphavantage", {"1. open", "2. high", "3. low", "4. close"}),
    ("cryptodatadownload", {"unix", "date", "symbol", "open"}),
    ("binance", {"open_time", "close_time"}),
    ("binance", {"open time", "close time"}),
    ("stooq", {"<ticker>", "<date>", "<open>"}),
    ("metatrader", {"<date>", "<open>"}),
    ("coinbase", {"start", "low", "high", "open", "close"}),
    ("yfinance", {"dividends", "stock splits"}),
    ("yfinance", {"adj close"}),
)


@dataclass(frozen=True)
class Columns:
    """Places of the columns that bars are made of.

    Parameters
    ----------
    time : of each column that tells the time, the first being that which counts; none where the
        index of the table does.
    clock : of the time of day, where it stands beside the date.
    prices : of open, high, low and close.
    adjusted : of the adjusted close.
    ticker : of what each row is of.
    dropped : labels of all others.
    """

    time: tuple[int, ...]
    clock: int | None
    prices: Mapping[str, int]
    adjusted: int | None
    ticker: int | None
    dropped: tuple[str, ...]


def normal(label: object) -> str:
    """A label in the form in which names are compared: ``"1a. open (USD)"`` is ``open``."""
    text = str(label).strip().strip("<>*\"'").lower()
    if len(text) > MOST_CHARACTERS:  # no name, and long for the pattern below
        return text
    text = re.sub(r"^\d+[ab]?\. ", "", text).replace("_", " ").replace("adj.", "adj")
    return re.sub(r"\s*[(\[].*[)\]]$", "", " ".join(text.split()))


def role_of(label: object) -> str | None:
    """What a column of this label is: a price, the time, …; None for what bars do not need."""
    return _ROLES.get(normal(label))


def prices_named(labels: Sequence[object]) -> int:
    """How many of open, high, low and close have a column by these labels."""
    return len({role_of(it) for it in labels} & {*PRICES})


def layout_of(labels: Sequence[object]) -> str:
    """Whose layout these labels are, a name of :data:`FORMATS`."""
    written = {str(it).strip().lower() for it in labels}
    return next((name for name, marks in _MARKS if marks <= written), PLAIN)


def check_format(found: Sequence[str], options: Options) -> None:
    """Refuse a layout that is not the one asked for.

    Parameters
    ----------
    found : names of what it may be.

    Raises
    ------
    InvalidBars : ``ambiguous_layout``.
    """
    if options.format not in (AUTO, *found):
        needed = f"the layout of {options.format}, or the option format: {found[0]} or {AUTO}"
        raise ambiguous("ambiguous_layout", "format", f"a table as of {listed(found)}", needed)


def columns_of(labels: Sequence[object], options: Options, indexed: bool = False) -> Columns:
    """Find the columns of a table.

    Parameters
    ----------
    labels : of all of its columns, in their order.
    options : which labels are meant, where the caller knows.
    indexed : whether the table has an index that may tell the time.

    Raises
    ------
    InvalidBars : ``missing_column``, ``ambiguous_column``, all of them.
    """
    found = _places(labels, options)
    time = found.get(TIME, [])
    if not time and not indexed:
        time = [at for at, it in enumerate(labels[:1]) if normal(it) in _INDEX]
    findings = [
        *(_missing(name, labels) for name in PRICES if name not in found),
        *(_twice(name, labels, places) for name, places in found.items() if _differ(name, places)),
        *([_missing(TIME, labels)] if not time and not indexed else ()),
    ]
    if findings:
        raise InvalidBars(sorted(findings, key=lambda it: it.code != "missing_column"))
    prices = {name: found[name][0] for name in PRICES}
    clock = _clock(labels, time, options)
    adjusted, ticker = (found.get(it, [None])[0] for it in (ADJUSTED, TICKER))
    used = {*time, *prices.values(), adjusted, ticker}
    dropped = tuple(str(it) for at, it in enumerate(labels) if at not in used)
    times = tuple(it for it in time if it != clock)
    return Columns(times, clock, prices, adjusted, ticker, dropped)


def _places(labels: Sequence[object], options: Options) -> dict[str, list[int]]:
    """Places of the columns by what they are."""
    found: dict[str, list[int]] = {}
    for at, label in enumerate(labels):
        role = role_of(label)
        if role is not None and role not in options.columns:
            found.setdefault(role, []).append(at)
    written = [str(it).strip() for it in labels]
    for role, label in options.columns.items():
        if label not in written:
            raise InvalidBars([_absent(role, label, labels)])
        for places in found.values():  # a label means one thing
            places[:] = [at for at in places if written[at] != label]
        found[role] = [at for at, it in enumerate(written) if it == label]
    return {role: places for role, places in found.items() if places}


def _differ(name: str, places: Sequence[int]) -> bool:
    """Whether there is a choice; of times they are compared, when they are read."""
    return name != TIME and len(places) > 1


def _clock(labels: Sequence[object], time: Sequence[int], options: Options) -> int | None:
    """The column of the time of day: ``time`` beside ``date``."""
    if len(time) < 2 or TIME in options.columns:
        return None
    names = [normal(labels[at]) for at in time]
    return time[names.index("time")] if {"date", "time"} <= {*names} else None


def _missing(name: str, labels: Sequence[object]) -> Finding:
    shown = listed(labels, len(labels)) or "none"
    called = ", ".join(TIMES[:-1]) + f" or {TIMES[-1]}" if name == TIME else name
    needed = f"a column named {called}, in any case, or the option columns"
    return Finding("missing_column", "error", called, f"columns {shown}", needed)


def _absent(role: str, label: str, labels: Sequence[object]) -> Finding:
    found = f"columns {listed(labels, len(labels)) or 'none'}"
    needed = f"a column {label!r}, which the option columns names for {role}"
    return Finding("missing_column", "error", role, found, needed)


def _twice(name: str, labels: Sequence[object], places: Sequence[int]) -> Finding:
    shown = " and ".join(listed([labels[at]]) for at in places)
    found = f"more than one such column: {shown}"
    needed = "one column of times and one of each price, or the option columns to say which"
    return Finding("ambiguous_column", "error", name, found, needed)
