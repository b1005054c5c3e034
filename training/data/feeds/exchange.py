"""Candles of an exchange, by ``ccxt``."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from training.data.feeds.retrying import PassingFailure, patiently, told_delay
from training.data.feeds.source import FeedRefused, Page, opening_times
from volatility.arrays import DateArray
from volatility.bars import DAILY, PRICES, Bars
from volatility.names import did_you_mean

if TYPE_CHECKING:
    import ccxt

FEWEST = 100  # candles that every exchange gives at once, where ccxt does not know how many
_TIMEOUT = 30_000  # milliseconds, for each answer
_FIELDS = 1 + len(PRICES)  # of a candle that count: when it opens, and prices


@dataclass(frozen=True)
class ExchangeFeed:
    """Candles of one symbol, page by page.

    Parameters
    ----------
    exchange : of ``ccxt``, which keeps to its limit of requests.
    symbol : as ``ccxt`` writes it, such as ``BTC/USDT``.
    timeframe : as ``ccxt`` writes it, such as ``1h``.
    limit : most candles that are asked for at once.
    """

    exchange: "ccxt.Exchange"
    symbol: str
    timeframe: str
    limit: int

    @classmethod
    def of(cls, exchange: "ccxt.Exchange", symbol: str, timeframe: str) -> "ExchangeFeed":
        """Candles that an exchange is known to have.

        Raises
        ------
        FeedRefused : it has none, or not of this symbol or length.
        Unavailable : it does not answer.
        """
        name = str(exchange.id)
        if exchange.has.get("fetchOHLCV") is not True:
            raise _refused("exchange", name, f"{name} gives out no candles", "one that does")
        if timeframe not in exchange.timeframes:
            needed = f"one of {list(exchange.timeframes)}"
            raise _refused("interval", timeframe, f"{name} has no bars of {timeframe}", needed)
        markets = _ask(exchange, exchange.load_markets)
        if symbol not in markets:
            needed = f"one of its {len(markets)} symbols, such as {sorted(markets)[:5]}"
            raise _refused("symbol", symbol, f"{name} has no symbol {symbol}", needed)
        limit = exchange.feature_value(symbol, "fetchOHLCV", "limit") or FEWEST
        return cls(exchange, symbol, timeframe, int(limit))

    @property
    def name(self) -> str:
        """The exchange's, as ``ccxt`` writes it."""
        return str(self.exchange.id)

    @property
    def interval(self) -> int:
        """Seconds that a candle spans."""
        return int(self.exchange.parse_timeframe(self.timeframe))

    def page(self, start: np.datetime64) -> Page:
        """Up to :attr:`limit` candles; see :meth:`training.data.feeds.source.Source.page`."""
        first = int(start.astype("datetime64[s]").astype(np.int64))
        # From one earlier on: some exchanges leave out the candle that opens at the time asked for.
        since = (first - self.interval) * 1_000

        def fetch() -> list[list[Any]]:
            candles: list[list[Any]] = self.exchange.fetch_ohlcv(
                self.symbol, self.timeframe, since, self.limit
            )
            return candles

        bars = self._bars(_ask(self.exchange, fetch))
        bars = bars.where(bars.timestamps >= start)
        if len(bars) and bars.timestamps.max() > start:
            return Page(bars, bars.timestamps.max())
        # None after the one asked for. An exchange may have looked no further than the fewest.
        empty = min(self.limit, FEWEST) - 2  # without the one before, and the one asked for
        return Page(bars, start + np.timedelta64(empty * self.interval, "s"))

    def _bars(self, candles: list[list[Any]]) -> Bars:
        table = np.array([it[:_FIELDS] for it in candles], np.float64).reshape(-1, _FIELDS)
        stamps = opening_times(table[:, 0], self.name)
        if self.interval == DAILY:
            _check_midnight(stamps, self.name)
        prices = dict(zip(PRICES, table[:, 1:].T, strict=True))
        return Bars(timestamps=stamps, interval=self.interval, **prices)


class _Unfiltered:
    """Of an exchange: leave to :class:`ExchangeFeed` which candles are before the time asked for.

    ``ccxt`` compares with milliseconds, and would find none in candles that count in seconds.
    """

    def filter_by_since_limit(self, array: list[Any], *_: Any, **__: Any) -> list[Any]:
        """All candles that were given."""
        return array


def open_exchange(name: str) -> "ccxt.Exchange":
    """An exchange by the name that ``ccxt`` has for it.

    Raises
    ------
    FeedRefused : there is none of that name.
    """
    import ccxt

    if name not in ccxt.exchanges:
        hint = did_you_mean(name, ccxt.exchanges)
        needed = f"one of the {len(ccxt.exchanges)} names in ccxt.exchanges, such as binance"
        raise _refused("exchange", name, f"ccxt knows no exchange {name!r}{hint}", needed)
    unfiltered = type(name, (_Unfiltered, getattr(ccxt, name)), {})
    return unfiltered({"timeout": _TIMEOUT, "enableRateLimit": True})


def _ask(exchange: "ccxt.Exchange", request: Any) -> Any:
    """What the exchange answers, asked again where it may answer later."""
    import ccxt

    def once() -> Any:
        exchange.last_response_headers = None  # it keeps those of the answer before
        try:
            return request()
        except ccxt.OperationFailed as error:  # no answer, too many requests, a fault of its own
            headers = exchange.last_response_headers or {}
            after = told_delay(headers.get("Retry-After"))
            raise PassingFailure(str(error), after) from error
        except ccxt.BaseError as error:
            what = f"{exchange.id} refuses: {error}"
            raise _refused("symbol", None, what, "what it gives out") from error

    return patiently(once, str(exchange.id))


def _check_midnight(stamps: DateArray, name: str) -> None:
    """Refuse days of another clock: the date of such a bar would be that of another day."""
    off = stamps != stamps.astype("datetime64[D]")
    if off.any():
        found = f"a daily bar that opens at {stamps[off][0]}"
        raise _refused(
            "interval", found, f"{name} gives {found} UTC", "days from midnight to midnight UTC"
        )


def _refused(field: str, found: object, what: str, needed: str) -> FeedRefused:
    return FeedRefused(f"{what}; needed: {needed}", field=field, found=found, needed=needed)
