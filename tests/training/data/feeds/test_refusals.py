"""Each refusal of a feed says the field at fault, what was found there and what is needed."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import ccxt
import httpx
import numpy as np
import pytest

from tests.errors import details
from tests.training.data.feeds.memory import Memory, Scripted, all_of, empty, holding, plan, pull
from tests.training.data.feeds.server import walk
from training.commands.data_pull import _nothing
from training.data.feeds.exchange import ExchangeFeed, _check_midnight, open_exchange
from training.data.feeds.pulling import BarsContradict, Begin
from training.data.feeds.service_target import IngestingService
from training.data.feeds.source import FeedRefused
from training.data.feeds.yahoo import INTERVALS, YahooFeed
from training.data.held_bars import BarsService
from training.data.running_service import RunningService, UnusableService
from volatility.bars import PRICES, Bars

HOURS = walk("2026-10-01", 200, 3_600)  # to 2026-10-09 07:00
HELD = HOURS.where(slice(100))  # to 2026-10-05 03:00
AFTER = "2026-10-09T08:30:00"
Told = tuple[str | None, object, str | None]


def pulled(bars: Bars, target: Memory, **asked: Any) -> Callable[[], object]:
    """What a source gives of some bars is put."""
    return lambda: pull(Scripted([all_of(bars)], bars.interval), target, plan(AFTER, **asked))


def scaled(factor: float, *names: str) -> Bars:
    prices = {name: getattr(HOURS, name) * (factor if name in names else 1) for name in PRICES}
    return Bars(timestamps=HOURS.timestamps, interval=3_600, **prices)


def prices_of(bars: Bars) -> str:
    return ", ".join(f"{name} {float(getattr(bars, name)[99])!r}" for name in PRICES)


LATER = Bars(
    timestamps=HOURS.timestamps + np.timedelta64(365, "D"),
    interval=3_600,
    **{name: getattr(HOURS, name) for name in PRICES},
)
REST = HOURS.where(np.arange(200) != 99)
PULLING: dict[str, tuple[Callable[[], object], str, Told]] = {
    "a first bar": (
        pulled(HOURS, empty(3_600)),
        "feed_refused",
        ("since", None, "--since and a date"),
    ),
    "bars between": (
        pulled(HOURS, holding(HELD), since="2026-10-06"),
        "feed_refused",
        ("since", "2026-10-06T00:00:00", "2026-10-05T03:00:00 or earlier"),
    ),
    "a time ahead": (
        pulled(LATER, empty(3_600), since="2026-10-01"),
        "implausible_times",
        (
            "timestamps",
            "a bar that opens at 2027-10-01T00:00:00",
            "bars that open by 2026-10-09T08:30:00 UTC, which this machine's clock says it is",
        ),
    ),
    "another price": (
        pulled(scaled(1.5, "high"), holding(HELD)),
        "bars_contradict",
        ("bars", prices_of(scaled(1.5, "high")), prices_of(HOURS)),
    ),
    "another factor": (
        pulled(scaled(0.25, *PRICES), holding(HELD)),
        "bars_rescaled",
        ("bars", prices_of(scaled(0.25, *PRICES)), prices_of(HOURS)),
    ),
    "a bar left out": (
        pulled(REST, holding(HELD)),
        "bar_left_out",
        (
            "bars",
            "2026-10-05T03:00:00",
            "the source that the bars held are from, as far back as they reach",
        ),
    ),
}


@pytest.mark.parametrize(("refused", "code", "told"), PULLING.values(), ids=list(PULLING))
def test_bars_that_cannot_be_put(refused: Callable[[], object], code: str, told: Told) -> None:
    with pytest.raises((FeedRefused, BarsContradict)) as error:
        refused()
    assert (error.value.code, details(error.value)) == (code, told)
    if code == "bar_left_out":
        assert str(error.value).endswith(f"of the same prices; needed: {told[2]}, or --replace")


def exchange(**differs: Any) -> Any:
    """One that has hours of six symbols."""
    markets = dict.fromkeys([f"{it}/USD" for it in "FEDCBA"])
    has = {"fetchOHLCV": True}
    usual = {"id": "there", "has": has, "timeframes": {"1h": 1}, "load_markets": lambda: markets}
    return SimpleNamespace(**{**usual, **differs})


def refusing() -> None:
    raise ccxt.BadSymbol("no such thing")


EXCHANGES: list[tuple[Callable[[], object], str, Told]] = [
    (
        lambda: ExchangeFeed.of(exchange(has={"fetchOHLCV": "emulated"}), "A/USD", "1h"),
        "there gives out no candles",
        ("exchange", "there", "one that does"),
    ),
    (
        lambda: ExchangeFeed.of(exchange(), "A/USD", "1d"),
        "there has no bars of 1d",
        ("interval", "1d", "one of ['1h']"),
    ),
    (
        lambda: ExchangeFeed.of(exchange(), "G/USD", "1h"),
        "there has no symbol G/USD",
        (
            "symbol",
            "G/USD",
            "one of its 6 symbols, such as ['A/USD', 'B/USD', 'C/USD', 'D/USD', 'E/USD']",
        ),
    ),
    (
        lambda: ExchangeFeed.of(exchange(load_markets=refusing), "A/USD", "1h"),
        "there refuses: no such thing",
        ("symbol", None, "what it gives out"),
    ),
    (
        lambda: open_exchange("qqqqqq"),
        "ccxt knows no exchange 'qqqqqq'",
        (
            "exchange",
            "qqqqqq",
            f"one of the {len(ccxt.exchanges)} names in ccxt.exchanges, such as binance",
        ),
    ),
    (
        lambda: _check_midnight(np.array(["2026-10-01", "2026-10-02T01:00"], "M8[s]"), "there"),
        "there gives a daily bar that opens at 2026-10-02T01:00:00 UTC",
        (
            "interval",
            "a daily bar that opens at 2026-10-02T01:00:00",
            "days from midnight to midnight UTC",
        ),
    ),
    (
        lambda: YahooFeed.of("SPY", "7h"),
        "Yahoo has no bars of 7h",
        ("interval", "7h", f"one of {list(INTERVALS)}"),
    ),
]


@pytest.mark.parametrize(("refused", "said", "told"), EXCHANGES)
def test_what_a_source_does_not_have(refused: Callable[[], object], said: str, told: Told) -> None:
    with pytest.raises(FeedRefused) as error:
        refused()
    assert (str(error.value), details(error.value)) == (f"{said}; needed: {told[2]}", told)


def test_a_symbol_of_which_nothing_has_closed() -> None:
    source: Any = SimpleNamespace(name="there")
    start = np.datetime64("2026-10-01T00:00:00")
    error = _nothing("A/USD", source, Begin(start, HOURS, True, start, False))
    assert str(error) == (
        "there gives no bar of A/USD that opens at 2026-10-01T00:00:00 or later and has closed"
    )
    needed = "an earlier --since, or a symbol that is traded"
    assert details(error) == ("since", "2026-10-01T00:00:00", needed)


KINDS = pytest.mark.parametrize("kind", [BarsService, IngestingService])


@KINDS
@pytest.mark.parametrize(
    ("status", "why", "needed"),
    [
        (404, "it answers 404 to /assets: none", "status 200"),
        (201, "it answers 201 to /assets: none", "status 200"),
        (401, "it refuses with 401", "in ROUGHCAST_API_KEY a key with "),
        (403, "it refuses with 403", "in ROUGHCAST_API_KEY a key with "),
    ],
)
def test_what_a_service_answers(
    kind: type[RunningService], status: int, why: str, needed: str
) -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(status, json={"detail": "none"}))
    with pytest.raises(UnusableService) as error:
        kind("http://there", transport=answers).ask("/assets")
    assert str(error.value) == f"{kind.vain} http://there: {why}"
    more = kind.scopes if needed.endswith(" ") else ""
    assert details(error.value) == (kind.option, "http://there", needed + more)


def test_what_no_service_answers() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there", request=request)

    service = BarsService("http://there", transport=httpx.MockTransport(silent))
    with pytest.raises(UnusableService, match=r"it does not answer: nobody there$") as error:
        service.ask("/assets")
    assert details(error.value) == ("from_service", "http://there", "a running service")


@KINDS
@pytest.mark.parametrize(
    ("refuse", "why", "told"),
    [
        (
            lambda service: service.not_ours(KeyError("a")),
            "what it answers is not understood: KeyError('a')",
            (None, "http://there", "a service of the same version"),
        ),
        (
            lambda service: service.refuse("it is odd", "another", "asset", ""),
            "it is odd",
            ("asset", "", "another"),
        ),
    ],
)
def test_what_is_no_service_of_ours(
    kind: type[RunningService], refuse: Callable[[RunningService], object], why: str, told: Told
) -> None:
    with pytest.raises(UnusableService) as error:
        refuse(kind("http://there"))
    assert str(error.value) == f"{kind.vain} http://there: {why}"
    assert details(error.value) == (told[0] or kind.option, *told[1:])


@KINDS
def test_what_is_no_address(kind: type[RunningService]) -> None:
    with pytest.raises(UnusableService) as error:
        kind.at("there")
    needed = "http:// or https://, a host and perhaps a port, such as http://127.0.0.1:8000"
    assert details(error.value) == (kind.option, "something else", needed)
    assert error.value.code == "unusable_service"


def test_a_service_that_holds_nothing() -> None:
    answers = httpx.MockTransport(lambda _: httpx.Response(200, json={"assets": []}))
    with pytest.raises(UnusableService) as error:
        BarsService("http://there", transport=answers).sessions()
    needed = "bars, by PUT /assets/{asset}/bars"
    assert details(error.value) == ("from_service", "http://there", needed)
