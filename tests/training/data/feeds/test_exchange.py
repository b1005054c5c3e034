"""Candles of exchanges, which differ in units, order, limits and which candle comes first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import ccxt
import numpy as np
import pytest

from tests.training.data.feeds.exchanges import EXCHANGES, SYMBOLS, Market, pointed
from tests.training.data.feeds.memory import same
from tests.training.data.feeds.server import Answer, Local, local, walk
from training.data.feeds.exchange import FEWEST, ExchangeFeed, open_exchange
from training.data.feeds.retrying import Unavailable
from training.data.feeds.source import FeedRefused
from volatility.bars import PRICES

HOUR = np.timedelta64(3_600, "s")
BARS = walk("2026-10-01", 900, 3_600)
AT = BARS.timestamps[100]


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long is waited for what may pass, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=waited.append))
    return waited


@contextmanager
def feed(name: str, market: Market, timeframe: str = "1h") -> Iterator[tuple[ExchangeFeed, Local]]:
    with local(EXCHANGES[name](market)) as served:
        found = ExchangeFeed.of(pointed(name, served.url), SYMBOLS[name], timeframe)
        served.asked.clear()
        yield found, served


@pytest.mark.parametrize(
    ("name", "limit", "given"),
    [
        ("binance", 1_000, slice(100, None)),
        ("kraken", 720, slice(180, None)),  # the newest alone, from whenever they are asked for
        ("coinbaseexchange", 300, slice(100, 399)),  # one is spent on the candle before
    ],
)
def test_a_page_begins_with_the_candle_of_the_time_asked_for(
    name: str, limit: int, given: slice
) -> None:
    """Whether an exchange counts it in or not, in whichever order and unit it answers."""
    with feed(name, Market.of(BARS, limit)) as (found, served):
        assert (found.name, found.interval, found.limit) == (name, 3_600, limit)
        page = found.page(AT)
        same(page.bars, BARS.where(given))
        assert page.through == BARS.timestamps[given][-1]
        assert len(served.asked) == 1
        late = found.page(BARS.timestamps[-3])
        same(late.bars, BARS.where(slice(-3, None)))


@pytest.mark.parametrize("name", EXCHANGES)
def test_each_price_is_in_its_place(name: str) -> None:
    """Coinbase gives low, high, open and close, the others open, high, low and close."""
    with feed(name, Market.of(BARS, 300)) as (found, _):
        page = found.page(BARS.timestamps[-1])
        last = page.bars.where(slice(0, 1))
        assert [getattr(last, it)[0] for it in PRICES] == [getattr(BARS, it)[-1] for it in PRICES]


def test_fewer_candles_than_asked_for_are_told_to_reach_as_far_as_they_do() -> None:
    with feed("binance", Market.of(BARS, most=7)) as (found, _):
        page = found.page(AT)
        same(page.bars, BARS.where(slice(100, 106)))
        assert page.through == BARS.timestamps[105]


def test_candles_before_the_time_asked_for_are_left_out() -> None:
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        found.page(AT)
        since = int(served.asked[0].query["startTime"])
        assert since == (AT - HOUR).astype(np.int64) * 1_000


@pytest.mark.parametrize("outage", [slice(101, 600), slice(100, 600)])
def test_where_nothing_was_traded_the_next_page_is_a_step_away(outage: slice) -> None:
    """With the candle asked for alone, or without any."""
    kept = np.ones(len(BARS), bool)
    kept[outage] = False
    with feed("coinbaseexchange", Market.of(BARS.where(kept), 300)) as (found, served):
        page = found.page(AT)
        assert len(page.bars) == outage.start - 100
        assert page.through == AT + (FEWEST - 2) * HOUR
        again = found.page(page.through)
        asked = np.datetime64(served.asked[1].query["start"].rstrip("Z"), "s")
        assert asked == page.through - HOUR
        assert len(again.bars) == 0


def test_a_step_is_no_longer_than_a_page() -> None:
    with feed("binance", Market(rows=[], most=1_000)) as (found, _):
        small = ExchangeFeed(found.exchange, found.symbol, found.timeframe, limit=10)
        assert small.page(AT).through == AT + 8 * HOUR


@pytest.mark.parametrize("units", [1, 1_000, 1_000_000])
def test_times_may_be_in_another_unit_than_documented(units: int) -> None:
    market = Market.of(BARS, 1_000)
    market.per_second = units
    with feed("binance", market) as (found, _):
        same(found.page(AT).bars, BARS.where(slice(100, None)))


@pytest.mark.parametrize("units", [60, 1_000_000_000])
def test_times_in_no_known_unit_are_refused(units: int) -> None:
    market = Market.of(BARS, 1_000)
    market.per_second = units
    with (
        feed("binance", market) as (found, _),
        pytest.raises(FeedRefused, match=r"binance gives bars that open at .* no time in any unit"),
    ):
        found.page(AT)


def test_a_day_from_another_midnight_is_refused() -> None:
    """Its date would be that of another day: so some exchanges count, by Beijing's clock."""
    days = walk("2026-09-01T16:00:00", 40, 86_400)
    told = "binance gives a daily bar that opens at 2026-09-11T16:00:00 UTC; needed: days from mid"
    with (
        feed("binance", Market.of(days, 1_000), "1d") as (found, _),
        pytest.raises(FeedRefused, match=told) as refused,
    ):
        found.page(days.timestamps[11])
    assert refused.value.field == "interval"


def test_days_from_midnight_to_midnight_are_read() -> None:
    days = walk("2026-09-01", 40, 86_400)
    with feed("binance", Market.of(days, 1_000), "1d") as (found, _):
        same(found.page(days.timestamps[11]).bars, days.where(slice(11, None)))


def test_a_price_that_is_not_there_is_none() -> None:
    def without(rows: list[Any]) -> list[Any]:
        return [[*it[:3], None, *it[4:]] for it in rows]

    market = Market.of(BARS, 5)
    market.alter = without
    with feed("binance", market) as (found, _):
        page = found.page(AT)
        assert np.isnan(page.bars.low).all()
        same(page.bars.where(slice(0)), BARS.where(slice(0)))


PASSING: list[Answer | None] = [
    Answer({"code": -1003, "msg": "Too much request weight used"}, 429, {"Retry-After": "3"}),
    Answer("<html>bad gateway", 502),
    None,
    Answer("", 503),
]


def test_what_may_pass_is_asked_again(waits: list[float]) -> None:
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        served.failing = list(PASSING)
        same(found.page(AT).bars, BARS.where(slice(100, None)))
        assert len(served.asked) == 5
    assert waits == [3.0, 2.0, 4.0, 8.0]


def test_what_does_not_pass_is_told(waits: list[float]) -> None:
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        served.failing = [Answer("", 503)] * 9
        with pytest.raises(Unavailable, match=r"^binance does not answer: .*503.*; asked 6 times"):
            found.page(AT)
        assert len(served.asked) == 6
    assert sum(waits) == 31.0


def test_a_ban_is_not_waited_for(waits: list[float]) -> None:
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        served.failing = [Answer({}, 418, {"Retry-After": "600"})]
        with pytest.raises(Unavailable, match="it asks to wait for 600 seconds"):
            found.page(AT)
        assert len(served.asked) == 1
    assert waits == []


def test_a_delay_is_that_of_the_answer_that_failed(waits: list[float]) -> None:
    """An answer that never came tells none, whatever was told before."""
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        served.failing = [Answer("", 503, {"Retry-After": "50"}), None]
        found.page(AT)
    assert waits == [50.0, 2.0]


def test_a_refusal_is_told_at_once(waits: list[float]) -> None:
    with feed("binance", Market.of(BARS, 1_000)) as (found, served):
        served.failing = [Answer({"code": -1121, "msg": "Invalid symbol."}, 400)]
        with pytest.raises(FeedRefused, match=r"binance refuses: binance .*Invalid symbol"):
            found.page(AT)
        assert len(served.asked) == 1
    assert waits == []


def opened(symbol: str, timeframe: str) -> Callable[[Local], ExchangeFeed]:
    return lambda served: ExchangeFeed.of(pointed("kraken", served.url), symbol, timeframe)


@pytest.mark.parametrize(
    ("open_feed", "field", "found", "told"),
    [
        (opened("BTC/USD", "7h"), "interval", "7h", r"kraken has no bars of 7h; needed: one of \["),
        (
            opened("BTC-USD", "1h"),
            "symbol",
            "BTC-USD",
            r"kraken has no symbol BTC-USD; needed: one of its 1 symbols, such as \['BTC/USD'\]",
        ),
    ],
)
def test_what_an_exchange_does_not_have_is_refused(
    open_feed: Callable[[Local], ExchangeFeed], field: str, found: str, told: str
) -> None:
    with (
        local(EXCHANGES["kraken"](Market.of(BARS, 720))) as served,
        pytest.raises(FeedRefused, match=told) as refused,
    ):
        open_feed(served)
    assert (refused.value.field, refused.value.found) == (field, found)


def test_an_exchange_without_candles_is_refused() -> None:
    without = next(
        it for it in ccxt.exchanges if getattr(ccxt, it)().has.get("fetchOHLCV") is not True
    )
    told = f"^{without} gives out no candles; needed: one that does"
    with pytest.raises(FeedRefused, match=told) as refused:
        ExchangeFeed.of(open_exchange(without), "BTC/USD", "1d")
    assert (refused.value.field, refused.value.found) == ("exchange", without)


def test_an_unknown_exchange_is_refused() -> None:
    said = r"no exchange 'binanc'; did you mean 'binance'\?; needed: one of the \d+ names"
    with pytest.raises(FeedRefused, match=said) as error:
        open_exchange("binanc")
    assert len(str(error.value)) < 200
    with pytest.raises(FeedRefused, match="no exchange 'qqqqqq'; needed: one of"):
        open_exchange("qqqqqq")


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_limit_of_requests_is_the_library_s(name: str) -> None:
    exchange = open_exchange(name)
    assert exchange.enableRateLimit is True
    assert exchange.rateLimit >= 50  # milliseconds
    assert exchange.timeout == 30_000


def test_where_a_limit_is_not_known_few_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with local(EXCHANGES["kraken"](Market.of(BARS, 720))) as served:
        exchange = pointed("kraken", served.url)
        monkeypatch.setattr(exchange, "feature_value", lambda *_: None)
        assert ExchangeFeed.of(exchange, "BTC/USD", "1h").limit == FEWEST
