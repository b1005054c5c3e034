"""The commands that the documentation gives for fresh bars, run as they stand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
import time_machine

from models_store import Store
from service.assets.database import HistoryStore
from tests.models_store.artifacts import make_files
from tests.pages import commands, training_words
from tests.service.operating import operate
from tests.service.processes import serving
from tests.service.worlds import settings_in
from tests.training.data.feeds.exchanges import EXCHANGES, Market, pointed
from tests.training.data.feeds.server import local, walk
from tests.training.data.feeds.yahoo_chart import Chart, serving_yahoo
from tests.training.simulated import SMALL_CONFIG
from training import cli
from training.commands import data_pull
from training.data.bars_file import read_bars
from volatility.calendars import get_calendar

NOW = datetime(2024, 12, 3, 0, 10, tzinfo=UTC)  # of the session of December 2 all has closed
SESSIONS = get_calendar("XNYS").sessions(np.datetime64("2010-01-04"), np.datetime64("2024-12-02"))
SHARES = replace(walk("2010-01-04", len(SESSIONS), 86_400), timestamps=SESSIONS.astype("M8[s]"))
DAYS = walk("2018-01-01", 2_529, 86_400)  # to 2024-12-03, which is under way
HOURS = walk("2024-10-01", 1_513, 3_600)  # to 2024-12-03 00:00
MARKETS = {"binance": Market.of(DAYS, 1_000), "coinbaseexchange": Market.of(HOURS, 300)}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service that holds nothing, exchanges and Yahoo, on this machine and at one time."""
    settings = settings_in(tmp_path / "service")
    store = Store(settings.store_folder)
    store.promote("A", "har", store.publish(make_files("A", "har", 1e-5)))
    HistoryStore(settings.database_url).prepare([])
    urls = {}
    with (
        serving(settings) as service,
        local(EXCHANGES["binance"](MARKETS["binance"])) as binance,
        local(EXCHANGES["coinbaseexchange"](MARKETS["coinbaseexchange"])) as coinbase,
        serving_yahoo(Chart(SHARES)),
        time_machine.travel(NOW, tick=False),
    ):
        urls = {"binance": binance.url, "coinbaseexchange": coinbase.url}
        monkeypatch.setattr(data_pull, "open_exchange", lambda name: pointed(name, urls[name]))
        monkeypatch.chdir(tmp_path)
        (tmp_path / "var" / "store").mkdir(parents=True)
        yield f"http://127.0.0.1:{service.port}"


def run(command: str, world: str) -> int:
    here = command.replace("http://127.0.0.1:8000", world)
    if here.startswith("python -m service "):
        return operate(here)
    words = training_words(here)
    small = ["--config", str(SMALL_CONFIG), "--jobs", "1"] if words[0] == "retrain" else []
    return cli.main([*words, *small])


def test_the_schedule_of_operations_does_what_it_says(world: str) -> None:
    schedule = commands("docs/operations.md", "Fresh bars")
    assert len(schedule) == 7
    for command in schedule:
        assert run(command, world) == 0, command
    held = {it["asset"]: it for it in httpx.get(f"{world}/assets").json()["assets"]}
    assert {name: held[name]["bars"] for name in ("BTC-USDT", "SPY")} == {
        "BTC-USDT": len(DAYS) - 1,
        "SPY": len(SHARES),
    }
    assert (held["SPY"]["calendar"], held["SPY"]["kind"]) == ("XNYS", "etf")
    assert len(read_bars(Path("var/btc.csv"))) == len(HOURS) - 1
    published = Store(Path("var/store"))
    for asset in ("BTC-USDT", "SPY"):
        assert "combination" in published.models(asset)


def test_so_do_the_commands_for_models_of_one_s_own(world: str) -> None:
    pulls = commands("docs/own-models.md", "Bars from elsewhere")
    assert len(pulls) == 2
    for command in pulls:
        assert run(command, world) == 0, command
    assert httpx.get(f"{world}/forecast/BTC-USDT").json()["as_of"] == "2024-12-02"
    assert len(read_bars(Path("spy.csv"))) == len(SHARES)
