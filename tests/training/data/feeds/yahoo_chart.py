"""Yahoo's chart endpoint on this machine, in the form that Yahoo answers in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

from tests.training.data.feeds.server import Answer, Asked, Local, local
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar


@dataclass
class Chart:
    """What Yahoo has of its one symbol, of an exchange in New York.

    Parameters
    ----------
    bars : with the one under way; of daily ones the date is New York's.
    dividend_factor : of ``adjclose``, before the newest bar.
    alter : what an answer's result becomes.
    """

    bars: Bars
    symbol: str = "SPY"
    dividend_factor: float = 0.99
    alter: Callable[[dict[str, Any]], dict[str, Any]] = field(default=lambda result: result)

    def times(self) -> np.ndarray:
        """Seconds; of a daily bar, those of its session's open."""
        if not self.bars.is_daily:
            return self.bars.timestamps.astype(np.int64)
        calendar = get_calendar("XNYS")
        return calendar.opens[calendar.positions(self.bars.dates)].astype(np.int64)


def yahoo(chart: Chart) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        if asked.path.startswith("/v10/finance/quoteSummary/"):
            error = {
                "code": "Not Found",
                "description": f"Quote not found for symbol: {asked.path}",
            }
            return Answer({"quoteSummary": {"result": None, "error": error}}, 404)
        if not asked.path.startswith("/v8/finance/chart/"):
            return Answer("a crumb" if asked.path.endswith("getcrumb") else "", 200)
        symbol = asked.path.rpartition("/")[2]
        if symbol != chart.symbol:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Answer({"chart": {"result": None, "error": error}}, 404)
        times = chart.times()
        bounds = [int(asked.query.get(it, 0)) for it in ("period1", "period2")]
        wanted = slice(*np.searchsorted(times, bounds).tolist())
        result = _result(chart, wanted)
        if "timestamp" in result:
            result = chart.alter(result)
        return Answer({"chart": {"result": [result], "error": None}})

    return answer


@contextmanager
def serving_yahoo(chart: Chart) -> Iterator[Local]:
    """Send what ``yfinance`` asks of any host to a server here; it has no setting for that."""
    from curl_cffi import requests
    from yfinance import cache, data

    ask = requests.Session.request
    with local(yahoo(chart)) as served, pytest.MonkeyPatch.context() as patched:

        def moved(self: Any, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
            parts = urlsplit(url)
            assert str(parts.hostname).endswith("yahoo.com")
            return ask(self, method, served.url + parts.path, *args, **kwargs)

        patched.setattr(requests.Session, "request", moved)
        # What was answered before is not remembered: on disk, in the process, in its only YfData.
        patched.setattr(cache, "get_tz_cache", cache._TzCacheDummy)
        patched.setattr(cache, "get_cookie_cache", cache._CookieCacheDummy)
        patched.setattr(data.SingletonMeta, "_instances", {})
        data.YfData.cache_get.cache_clear()
        yield served


def _result(chart: Chart, wanted: slice) -> dict[str, Any]:
    bars = chart.bars.where(wanted)
    if not len(bars):
        return {"meta": _meta(chart), "indicators": {"quote": [{}]}}
    prices = {name: getattr(bars, name).tolist() for name in PRICES}
    indicators: dict[str, Any] = {"quote": [prices | {"volume": [1_000] * len(bars)}]}
    if bars.is_daily:
        factors = np.where(np.arange(len(bars)) < len(bars) - 1, chart.dividend_factor, 1.0)
        indicators["adjclose"] = [{"adjclose": (bars.close * factors).tolist()}]
    times = chart.times()[wanted].tolist()
    return {"meta": _meta(chart), "timestamp": times, "indicators": indicators}


def _meta(chart: Chart) -> dict[str, Any]:
    calendar = get_calendar("XNYS")
    days = np.unique(chart.bars.dates)
    places = calendar.positions(days)
    periods = [
        [{"timezone": "EST", "gmtoffset": -18_000, "start": int(opens), "end": int(closes)}]
        for opens, closes in zip(
            calendar.opens[places].astype(np.int64),
            calendar.closes[places].astype(np.int64),
            strict=True,
        )
    ]
    meta = {
        "currency": "USD",
        "symbol": chart.symbol,
        "exchangeName": "PCX",
        "instrumentType": "ETF",
        "firstTradeDate": 728_317_800,
        "regularMarketTime": int(chart.times()[-1]),
        "gmtoffset": -18_000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
        "validRanges": ["1d", "5d", "1mo", "1y", "max"],
    }
    return meta if chart.bars.is_daily else meta | {"tradingPeriods": periods}
