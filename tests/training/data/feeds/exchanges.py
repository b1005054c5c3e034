"""Exchanges on this machine: what they answer has the form that they document."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.training.data.feeds.server import Answer, Asked, rows_of
from training.data.feeds.exchange import open_exchange
from volatility.bars import Bars

Row = tuple[int, float, float, float, float]


@dataclass
class Market:
    """What an exchange has of its one symbol.

    Parameters
    ----------
    rows : its candles, oldest first, the one under way among them.
    most : candles of one answer.
    alter : what an answer's candles become.
    per_second : units of its times in a second, where it is not that of the documents.
    """

    rows: list[Row]
    most: int
    alter: Callable[[list[Any]], list[Any]] = field(default=lambda rows: rows)
    per_second: int | None = None

    @classmethod
    def of(cls, bars: Bars, most: int) -> "Market":
        return cls(rows_of(bars), most)


def binance(market: Market) -> Callable[[Asked], Answer]:
    """From ``startTime`` on, that included, the first ``limit`` or as many as there may be."""

    def answer(asked: Asked) -> Answer:
        if asked.path.endswith("/exchangeInfo"):
            spot = asked.path == "/api/v3/exchangeInfo"
            return Answer({"timezone": "UTC", "symbols": [_BINANCE_SYMBOL] if spot else []})
        assert asked.path == "/api/v3/klines"
        start = int(asked.query["startTime"]) / 1_000
        size = min(int(asked.query["limit"]), market.most)
        wanted = [it for it in market.rows if it[0] >= start][:size]
        units = market.per_second or 1_000
        return Answer(
            market.alter([[at * units, *map(str, prices), "1.0"] for at, *prices in wanted])
        )

    return answer


def kraken(market: Market) -> Callable[[Asked], Answer]:
    """After ``since``, that left out, of the newest ``most`` alone."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/0/public/Assets":
            return Answer({"error": [], "result": {}})
        if asked.path == "/0/public/AssetPairs":
            return Answer({"error": [], "result": {"XXBTZUSD": _KRAKEN_PAIR}})
        assert asked.path == "/0/public/OHLC"
        wanted = [it for it in market.rows[-market.most :] if it[0] > int(asked.query["since"])]
        candles = [[at, *map(str, prices), "0", "1.0", 3] for at, *prices in wanted]
        result = {"XXBTZUSD": market.alter(candles), "last": wanted[-2][0] if wanted[1:] else 0}
        return Answer({"error": [], "result": result})

    return answer


def coinbaseexchange(market: Market) -> Callable[[Asked], Answer]:
    """From ``start`` to ``end``, both included, the newest first; low before high before open."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/currencies":
            return Answer([])
        if asked.path == "/products":
            return Answer([_COINBASE_PRODUCT])
        assert asked.path == "/products/BTC-USD/candles"
        start, end = (
            datetime.fromisoformat(asked.query[it]).timestamp() for it in ("start", "end")
        )
        if (end - start) / int(asked.query["granularity"]) >= market.most:
            return Answer({"message": "granularity too small for the requested time range"}, 400)
        wanted = [it for it in market.rows if start <= it[0] <= end]
        candles = [[at, low, high, opened, close, 1.0] for at, opened, high, low, close in wanted]
        return Answer(market.alter(candles[::-1]))

    return answer


EXCHANGES = {"binance": binance, "kraken": kraken, "coinbaseexchange": coinbaseexchange}
SYMBOLS = {"binance": "BTC/USDT", "kraken": "BTC/USD", "coinbaseexchange": "BTC/USD"}


def pointed(name: str, url: str) -> Any:
    """An exchange of ``ccxt`` that asks a server here, without the real one's pauses."""
    exchange = open_exchange(name)
    exchange.urls["api"] = _moved(exchange.urls["api"], url)
    exchange.enableRateLimit = False
    return exchange


def _moved(place: Any, url: str) -> Any:
    if isinstance(place, dict):
        return {name: _moved(it, url) for name, it in place.items()}
    return url + urlsplit(place).path


_BINANCE_SYMBOL = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "baseAssetPrecision": 8,
    "quoteAsset": "USDT",
    "quotePrecision": 8,
    "orderTypes": ["LIMIT", "MARKET"],
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
    "filters": [],
    "permissions": ["SPOT"],
}
_KRAKEN_PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "aclass_base": "currency",
    "base": "XXBT",
    "aclass_quote": "currency",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "leverage_buy": [],
    "leverage_sell": [],
    "fees": [[0, 0.4]],
    "fees_maker": [[0, 0.25]],
    "ordermin": "0.0001",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}
_COINBASE_PRODUCT = {
    "id": "BTC-USD",
    "base_currency": "BTC",
    "quote_currency": "USD",
    "quote_increment": "0.01",
    "base_increment": "0.00000001",
    "display_name": "BTC-USD",
    "min_market_funds": "1",
    "margin_enabled": False,
    "post_only": False,
    "limit_only": False,
    "cancel_only": False,
    "status": "online",
    "status_message": "",
    "trading_disabled": False,
}
