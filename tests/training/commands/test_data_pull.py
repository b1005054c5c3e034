"""``training data pull`` from exchanges and Yahoo on this machine, into files and a service."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest
import time_machine
from rich.console import Console

from models_store import Store
from service.assets.database import HistoryStore
from tests.models_store.artifacts import make_files
from tests.service.processes import serving
from tests.service.worlds import settings_in
from tests.training.data.feeds.exchanges import EXCHANGES, SYMBOLS, Market, pointed
from tests.training.data.feeds.memory import same
from tests.training.data.feeds.server import Answer, Asked, Local, local, rows_of, walk
from tests.training.data.feeds.yahoo_chart import Chart, serving_yahoo
from training import cli
from training.commands import data_pull
from training.data.bars_file import read_bars
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar
from volatility.errors import InvalidInput

HOURS = walk("2024-10-01", 1_500, 3_600)  # to 2024-12-02 11:00
DAYS = walk("2024-01-01", 340, 86_400)  # to 2024-12-05
NOW = "2024-12-02T12:30:00"  # the last hour has closed; of the days, that of December 1
SESSIONS = get_calendar("XNYS").sessions(np.datetime64("2024-10-01"), np.datetime64("2024-12-02"))
SHARES = replace(
    walk("2024-10-01", len(SESSIONS), 86_400), timestamps=SESSIONS.astype("datetime64[s]")
)


@contextmanager
def exchange(name: str, market: Market, now: str = NOW) -> Iterator[Local]:
    """An exchange here, at a time: it has the candles that have begun."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    begun = [it for it in market.rows if it[0] <= moment.timestamp()]
    with (
        local(EXCHANGES[name](replace(market, rows=begun))) as served,
        pytest.MonkeyPatch.context() as patched,
        time_machine.travel(moment, tick=False),
    ):
        patched.setattr(data_pull, "open_exchange", lambda name: pointed(name, served.url))
        patched.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=lambda _: None))
        yield served


@contextmanager
def yahoo(chart: Chart, now: str = "2024-12-02T12:30:00") -> Iterator[Local]:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    with serving_yahoo(chart) as served, time_machine.travel(moment, tick=False):
        yield served


def hourly(path: Path, name: str = "binance", *more: str) -> list[str]:
    source = ["--exchange", name, "--symbol", SYMBOLS[name], "--interval", "1h"]
    return ["data", "pull", *source, "--to-file", str(path), *more]


def daily(path: Path, *more: str) -> list[str]:
    source = ["--yahoo", "--symbol", "SPY", "--calendar", "XNYS"]
    return ["data", "pull", *source, "--to-file", str(path), *more]


def changed(bars: Bars, at: int, **prices: float) -> Bars:
    columns = {name: getattr(bars, name).copy() for name in PRICES}
    for name, price in prices.items():
        columns[name][at] = price
    return replace(bars, **columns)


def candles(served: Local) -> list[Asked]:
    return [it for it in served.asked if re.search("klines|OHLC|candles", it.path)]


@pytest.mark.parametrize(
    ("name", "most", "pages"), [("binance", 1_000, 2), ("coinbaseexchange", 300, 6)]
)
def test_all_bars_that_have_closed_are_fetched_page_by_page(
    name: str, most: int, pages: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    under_way = walk("2024-10-01", 1_501, 3_600)  # one more, which has not closed
    with exchange(name, Market.of(under_way, most)) as served:
        assert cli.main(hourly(path, name, "--since", "2024-10-01")) == 0
        assert len(candles(served)) == pages
    same(read_bars(path), under_way.where(slice(1_500)))
    printed = capsys.readouterr().out
    assert f"{SYMBOLS[name]} of {name}, from 2024-10-01T00:00:00 on, to {path}" in printed
    assert printed.endswith("1500 bars added, 0 replaced\n")


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_second_pull_adds_what_has_closed_since(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    market = Market.of(HOURS, 300)
    with exchange(name, market, "2024-11-28T09:59:59"):
        assert cli.main(hourly(path, name, "--since", "2024-11-27")) == 0
    first = read_bars(path)
    assert first.timestamps[-1] == np.datetime64("2024-11-28T08:00:00")
    with exchange(name, market, "2024-11-30T10:00:00") as served:
        assert cli.main(hourly(path, name)) == 0
        assert len(candles(served)) == 1
        assert cli.main(hourly(path, name)) == 0
    bars = read_bars(path)
    since = HOURS.timestamps >= np.datetime64("2024-11-27")
    closed = HOURS.timestamps <= np.datetime64("2024-11-30T09:00:00")
    same(bars, HOURS.where(since & closed))
    printed = capsys.readouterr().out
    assert "2024-11-28T09:00:00Z to 2024-11-30T09:00:00Z: 49 added, 0 replaced" in printed
    assert printed.endswith("nothing new: no bar has closed since the newest one held\n")


def test_a_page_that_is_smaller_than_asked_for_loses_nothing(tmp_path: Path) -> None:
    with exchange("binance", Market.of(HOURS, most=37)) as served:
        assert cli.main(hourly(tmp_path / "a.csv", "binance", "--since", "2024-10-01")) == 0
        assert len(candles(served)) > 1_500 / 37
    same(read_bars(tmp_path / "a.csv"), HOURS)


@pytest.mark.parametrize("name", ["binance", "coinbaseexchange"])
def test_an_outage_and_hours_without_trades_stay_missing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An outage of a month, over which coinbase has only empty pages, and single hours."""
    kept = np.ones(len(HOURS), bool)
    kept[300:1_020] = False
    kept[[5, 6, 1_200, 1_400]] = False
    path = tmp_path / "mine.csv"
    with exchange(name, Market.of(HOURS.where(kept), 300)):
        assert cli.main(hourly(path, name, "--since", "2024-10-01")) == 0
    same(read_bars(path), HOURS.where(kept))
    said = f"{int(kept.sum())} bars added, 0 replaced; 724 missing, which {name} left out\n"
    assert capsys.readouterr().out.endswith(said)


def test_what_an_exchange_keeps_no_longer_is_not_told_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kraken has the newest 720 alone; who fetches once a month goes on, who waits does not."""
    path = tmp_path / "mine.csv"
    with exchange("kraken", Market.of(HOURS, 720)):
        assert cli.main(hourly(path, "kraken", "--since", "2024-10-01")) == 0
    same(read_bars(path), HOURS.where(slice(780, None)))
    assert capsys.readouterr().out.endswith("720 bars added, 0 replaced\n")
    path.write_text("\n".join(path.read_text().splitlines()[:20]) + "\n")
    with exchange("kraken", Market.of(HOURS.where(slice(100, None)), 600)):
        assert cli.main(hourly(path, "kraken")) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "error: the bar of 2024-11-03T06:00:00, which is held, is not among thos"
    )


Rows = list[Any]


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (lambda rows: [*rows, rows[-1]], "a time that another bar has"),
        (lambda rows: [*rows[:7], rows[6], *rows[7:]], "a time that another bar has at bar 7"),
        (
            lambda rows: [*rows[:7], [*rows[7][:3], "0.0", *rows[7][4:]], *rows[8:]],
            "low: 0.0 at bar 7",
        ),
        (lambda rows: [[*it[:1], "-1.0", *it[2:]] for it in rows], "open: -1.0 at bar 0"),
        (lambda rows: [[*it[:2], *it[3:1:-1], *it[4:]] for it in rows], "high .* below low"),
        (lambda rows: [[*it[:4], None, *it[5:]] for it in rows], "close: nan at bar 0"),
    ],
)
def test_candles_that_are_wrong_are_refused_with_what_was_found(
    alter: Callable[[Rows], Rows],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "mine.csv"
    market = Market.of(HOURS, 1_000)
    market.alter = alter
    with exchange("binance", market):
        assert cli.main(hourly(path, "binance", "--since", "2024-10-01")) == 2
    assert re.search(f"^error: .*{told}", capsys.readouterr().err)
    assert not path.exists()


def test_candles_in_any_order_are_put_in_order(tmp_path: Path) -> None:
    """As coinbase documents it; ``ccxt`` sorts what an exchange gives."""
    market = Market.of(HOURS, 1_000)
    market.alter = lambda rows: random.Random(0).sample(rows, len(rows))
    with exchange("binance", market):
        assert cli.main(hourly(tmp_path / "a.csv", "binance", "--since", "2024-10-01")) == 0
    same(read_bars(tmp_path / "a.csv"), HOURS)


@pytest.mark.parametrize("units", [1, 1_000_000])
def test_another_unit_of_time_changes_nothing(units: int, tmp_path: Path) -> None:
    market = Market.of(HOURS, 1_000)
    market.per_second = units
    with exchange("binance", market):
        assert cli.main(hourly(tmp_path / "a.csv", "binance", "--since", "2024-10-01")) == 0
    same(read_bars(tmp_path / "a.csv"), HOURS)


def test_a_candle_that_was_corrected_is_told_and_replaced_if_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    with exchange("binance", Market.of(HOURS, 1_000), "2024-11-01T00:00:00"):
        assert cli.main(hourly(path, "binance", "--since", "2024-10-01")) == 0
    held = read_bars(path)
    corrected = changed(HOURS, len(held) - 1, high=999.0)
    with exchange("binance", Market.of(corrected, 1_000)):
        assert cli.main(hourly(path, "binance")) == 2
        assert "If the source is right, give --replace" in capsys.readouterr().err
        same(read_bars(path), held)
        assert cli.main(hourly(path, "binance", "--replace")) == 0
    same(read_bars(path), corrected)
    assert "756 bars added, 1 replaced" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2024-12-02T20:59:59", "2024-11-29"),  # a Monday, half a second before the close
        ("2024-12-02T21:00:00", "2024-12-02"),
        ("2024-11-29T17:59:59", "2024-11-27"),  # the day after Thanksgiving closes at 13:00
        ("2024-11-29T18:00:00", "2024-11-29"),
        ("2024-12-01T12:00:00", "2024-11-29"),  # a Sunday, on which nothing is under way
    ],
)
def test_a_session_is_taken_once_it_has_closed(now: str, last: str, tmp_path: Path) -> None:
    path = tmp_path / "spy.csv"
    with yahoo(Chart(SHARES.where(np.datetime64(now[:10]) >= SESSIONS)), now):
        assert cli.main(daily(path, "--since", "2024-10-01")) == 0
    same(read_bars(path), SHARES.where(np.datetime64(last) >= SESSIONS))


def test_a_split_between_two_pulls_is_told_and_not_mixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spy.csv"
    with yahoo(Chart(SHARES), "2024-11-01T12:00:00"):
        assert cli.main(daily(path, "--since", "2024-10-01")) == 0
    before = path.read_text()
    split = replace(SHARES, **{name: getattr(SHARES, name) / 4 for name in PRICES})
    with yahoo(Chart(split), "2024-12-03T00:00:00"):
        for more in ([], ["--replace"], ["--replace", "--since", "2024-10-15"]):
            capsys.readouterr()
            assert cli.main(daily(path, *more)) == 2
            told = capsys.readouterr().err
            assert ": all four are 4 times those, as a split" in told
            assert "Fetch all again: --replace --since 2024-10-01T00:00:00" in told
            assert path.read_text() == before
        again = ["--replace", "--since", "2024-10-01T00:00:00"]
        assert cli.main(daily(path, *again)) == 0
    same(read_bars(path), split)
    assert capsys.readouterr().out.endswith("21 bars added, 23 replaced\n")


def test_a_dividend_between_two_pulls_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spy.csv"
    for now, factor in (("2024-11-01T12:00:00", 1.0), ("2024-12-03T00:00:00", 0.98)):
        with yahoo(Chart(SHARES, dividend_factor=factor), now):
            assert cli.main(daily(path, "--since", "2024-10-01")) == 0
    same(read_bars(path), SHARES)


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A service that holds nothing yet."""
    settings = settings_in(tmp_path / "service")
    store = Store(settings.store_folder)
    store.promote("A", "har", store.publish(make_files("A", "har", 1e-5)))
    HistoryStore(settings.database_url).prepare([])
    with serving(settings) as served:
        yield f"http://127.0.0.1:{served.port}"


def to_service(url: str, *more: str) -> list[str]:
    source = ["--exchange", "binance", "--symbol", "BTC/USDT"]
    return ["data", "pull", *source, "--to-service", url, *more]


def test_a_service_is_kept_fresh(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """From nothing to a forecast of the next day, and from there day by day."""
    for now, held, last in (
        ("2024-11-30T00:05:00", 334, "2024-11-29"),
        ("2024-12-01T00:05:00", 335, "2024-11-30"),
        ("2024-12-05T00:05:00", 339, "2024-12-04"),
    ):
        with exchange("binance", Market.of(DAYS, 100), now):
            assert cli.main(to_service(url, "--since", "2024-01-01")) == 0
        (asset,) = (
            it for it in httpx.get(f"{url}/assets").json()["assets"] if it["asset"] == "BTC-USDT"
        )
        assert (asset["bars"], asset["last_session"]) == (held, last)
        assert (asset["calendar"], asset["kind"]) == ("24/7", "crypto")
        assert httpx.get(f"{url}/forecast/BTC-USDT").json()["as_of"] == last
    printed = capsys.readouterr().out
    assert f"BTC/USDT of binance, from 2024-01-01T00:00:00 on, to {url}\n" in printed
    assert "note: measure garman_klass is taken, as none is given" in printed
    assert printed.endswith(
        "2024-12-01 to 2024-12-04: 4 added, 0 replaced\n4 bars added, 0 replaced\n"
    )


def test_what_an_asset_is_can_be_said(url: str) -> None:
    with yahoo(Chart(SHARES), "2024-12-03T00:00:00"):
        source = ["data", "pull", "--yahoo", "--symbol", "SPY", "--to-service", url]
        said = ["--asset", "MINE", "--calendar", "XNYS", "--kind", "etf"]
        assert cli.main([*source, *said, "--since", "2024-10-01"]) == 0
        assert cli.main([*source, "--asset", "MINE"]) == 0  # the service knows by now
    (asset,) = (it for it in httpx.get(f"{url}/assets").json()["assets"] if it["asset"] == "MINE")
    assert (asset["calendar"], asset["kind"], asset["bars"]) == ("XNYS", "etf", len(SHARES))


PULL = """
import sys
from datetime import UTC, datetime
import time_machine
from rich.console import Console
from tests.training.data.feeds.exchanges import pointed
from training import cli
from training.commands import data_pull

url, now, *arguments = sys.argv[1:]
data_pull.open_exchange = lambda name: pointed(name, url)
with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=UTC), tick=False):
    sys.exit(cli.main(arguments))
"""


@pytest.mark.parametrize("where", ["file", "service"])
def test_a_pull_killed_at_any_moment_goes_on_where_it_was(
    where: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What was put stays, and of what was under way no more than a page is fetched again."""
    days = walk("2022-01-01", 1_000, 86_400)
    path, rng = tmp_path / "mine.csv", random.Random(1)
    if where == "service":
        target = ["--to-service", request.getfixturevalue("url")]
    else:
        target = ["--to-file", str(path)]
    command = ["data", "pull", "--exchange", "binance", "--symbol", "BTC/USDT", *target]

    def held() -> int:
        if where == "file":
            return max(0, path.read_bytes().count(b"\n") - 1) if path.exists() else 0
        assets = httpx.get(f"{target[1]}/assets").json()["assets"]
        return next((it["bars"] for it in assets if it["asset"] == "BTC-USDT"), 0)

    with local(EXCHANGES["binance"](Market.of(days, 20))) as served:

        def start() -> "subprocess.Popen[bytes]":
            program = [sys.executable, "-c", PULL, served.url, "2024-12-01T00:00:00", *command]
            return subprocess.Popen(
                [*program, "--since", "2022-01-01"], stdout=subprocess.DEVNULL, env=os.environ
            )

        interrupted, before = 0, 0
        for _ in range(3):
            served.asked.clear()
            process, asked = start(), rng.randint(1, 12)
            while len(candles(served)) < asked and process.poll() is None:
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.01))
            process.send_signal(signal.SIGKILL)
            interrupted += process.wait() == -signal.SIGKILL
            now = held()
            pages = len(candles(served))
            # Each page but the last, which may be under way, was put: 19 new bars of 20 or so.
            assert before + 18 * (pages - 1) <= now <= before + 20 * pages
            before = now
        assert interrupted >= 2
        served.asked.clear()
        assert start().wait() == 0
        assert held() == 1_000
    if where == "file":
        same(read_bars(path), days)


def test_no_more_than_a_page_is_in_memory(tmp_path: Path) -> None:
    """Ten times as many pages take no more of it."""
    import tracemalloc

    peaks = []
    for hours in (2_000, 20_000):
        bars = walk("2020-01-01", hours, 3_600)
        now = str(bars.timestamps[-1] + np.timedelta64(3_600, "s"))
        with exchange("binance", Market(rows_of(bars), 1_000), now):
            arguments = hourly(tmp_path / f"{hours}.csv", "binance", "--since", "2020-01-01")
            tracemalloc.start()
            assert cli.main(arguments) == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--kind", "crypto"], "--kind goes with --to-service"),
        (["--asset", "MINE"], "--asset goes with --to-service"),
        (["--calendar", "NOWHERE"], "calendar 'NOWHERE'"),
        ([], "mine.csv holds no bars yet; needed: --since and a date"),
        (
            ["--since", "2024-12-02T12:00:00"],
            "binance gives no bar of BTC/USDT that opens at 2024-",
        ),
        (["--interval", "1w", "--since", "2024-10-01"], "bars of 604800 seconds"),
        (["--interval", "2d"], "binance has no bars of 2d"),
        (["--symbol", "BTC/XYZ"], "binance has no symbol BTC/XYZ"),
    ],
)
def test_wrong_arguments_are_explained(
    more: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with exchange("binance", Market.of(HOURS, 1_000)):
        assert cli.main([*hourly(tmp_path / "mine.csv"), *more]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "mine.csv").exists()


@pytest.mark.parametrize(
    ("more", "field", "found", "needed"),
    [
        (["--kind", "etf"], "kind", "etf", "--to-service"),
        (
            ["--since", "2024-12-02T12:00:00"],
            "since",
            "2024-12-02T12:00:00",
            "an earlier --since, or a symbol that is traded",
        ),
    ],
)
def test_what_is_needed_is_said(
    more: list[str], field: str, found: str, needed: str, tmp_path: Path
) -> None:
    options = cli.make_parser().parse_args([*hourly(tmp_path / "mine.csv"), *more])
    with exchange("binance", Market.of(HOURS, 1_000)), pytest.raises(InvalidInput) as refused:
        data_pull.run(options, Console())
    error = refused.value
    assert (error.field, error.found, error.needed) == (field, found, needed)
    told = (
        "binance gives no bar of BTC/USDT that opens at 2024-12-02T12:00:00 or later and has closed"
    )
    assert field == "kind" or str(error) == told


def test_whose_sessions_bars_of_yahoo_are_of_must_be_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "spy.csv")
    with yahoo(Chart(SHARES)):
        assert cli.main(["data", "pull", "--yahoo", "--symbol", "SPY", "--to-file", path]) == 2
    assert capsys.readouterr().err == (
        "error: nothing says whose sessions the bars are of, and so which of them have closed; say "
        "it, such as --calendar XNYS\n"
    )


def test_a_symbol_that_is_no_name_needs_one(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["data", "pull", "--yahoo", "--symbol", "^GSPC", "--to-service", "http://127.0.0.1:9"]
    assert cli.main(command) == 2
    assert "asset name '^GSPC' must be" in capsys.readouterr().err


def test_bars_outside_of_sessions_are_dropped_where_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Candles of weekends on a calendar that has none; those of the last wait for its Monday."""
    path = tmp_path / "mine.csv"
    arguments = ["data", "pull", "--exchange", "binance", "--symbol", "BTC/USDT", "--calendar"]
    week = [*arguments, "24/5", "--to-file", str(path), "--since", "2024-11-20"]
    with exchange("binance", Market.of(DAYS, 100)):
        assert cli.main(week) == 2
        assert "a day without a session" in capsys.readouterr().err
        assert cli.main([*week, "--outside-sessions", "drop"]) == 0
    bars = read_bars(path)
    assert not {5, 6} & {it.weekday() for it in bars.dates.astype(object)}
    assert capsys.readouterr().out.endswith(
        "8 bars added, 0 replaced; 2 outside of sessions dropped\n"
    )


def test_what_fails_and_passes_is_not_noticed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        served = stack.enter_context(exchange("binance", Market.of(HOURS, 1_000)))
        served.failing = [Answer("", 503), None, Answer({}, 429)]
        assert cli.main(hourly(tmp_path / "a.csv", "binance", "--since", "2024-10-01")) == 0
    same(read_bars(tmp_path / "a.csv"), HOURS)


def test_what_fails_for_good_keeps_what_was_put(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.csv"
    with exchange("binance", Market.of(HOURS, 500)) as served:
        real = served.answers

        def until_the_third(asked: Asked) -> Answer:
            return real(asked) if len(candles(served)) < 3 else Answer("", 500)

        served.answers = until_the_third
        assert cli.main(hourly(path, "binance", "--since", "2024-10-01")) == 2
    assert re.search(
        r"^error: binance does not answer: .*500.*; asked 6 times\. What was sent before is kept, "
        "and the same command, given later, goes on from there",
        capsys.readouterr().err,
    )
    same(read_bars(path), HOURS.where(slice(998)))
