"""The day of a desk, from an asset that nobody knows to an alarm, with nothing restarted."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from models_store import Store
from models_store.shipped import shipped_artifacts
from service.assets.database import HistoryStore
from service.assets.holdings import shipped
from service.http.clock import microseconds
from service.ledger.records import Record
from service.ledger.store import LedgerStore
from service.security.keys import make_key
from service.security.store import KeyStore
from service.settings import Settings
from tests.service.answering import answering, eventually
from tests.service.conftest import database_url, postgres  # noqa: F401 - fixtures
from tests.service.worlds import bars_of, json_bars
from tests.training.data.feeds.exchanges import EXCHANGES, SYMBOLS, Market, Row, pointed
from tests.training.data.feeds.server import local
from tests.training.simulated import LOG_HAR, SMALL_CONFIG
from training import cli
from training.commands import data_pull
from volatility.bars import PRICES
from volatility.series import DatedSeries
from volatility.simulation.regression import har_process

ASSET = "DESK"
DAY = timedelta(days=1)
YESTERDAY = np.datetime64("today", "D") - 1
KNOWN, FURTHER = 900, 60  # sessions before today, and after
FITTED, CALM = 1_500, 20 * 252


class RunningClock:
    """A clock that goes on, and can be put ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Desk:
    """A service with keys, and whoever asks it.

    Parameters
    ----------
    url, key : where it answers, and to whom.
    clock : by which its sessions close.
    store, ledger : its models, and what it has forecast.
    """

    url: str
    key: str
    clock: RunningClock
    store: Store
    ledger: LedgerStore

    def ask(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.key}"}
        answer = httpx.request(method, self.url + path, headers=headers, timeout=30, **body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def forecast(self, **asked: Any) -> dict[str, Any]:
        return self.ask("POST", "/forecast", json={"asset": ASSET, **asked})

    def next_day(self, bar: dict[str, object]) -> None:
        self.clock.ahead += DAY
        self.ask("PUT", f"/assets/{ASSET}/bars", json={"bars": [bar]})

    def live(self, model: str) -> dict[str, Any]:
        [row] = [
            it for it in self.ask("GET", f"/performance/{ASSET}")["models"] if it["model"] == model
        ]
        return dict(row)


@contextmanager
def fresh_machine(folder: Path, database_url: str) -> Iterator[Desk]:  # noqa: F811 - not the fixture
    """A service with the model for every asset, no other model, and the shipped bars."""
    store = folder / "store"
    shutil.copytree(shipped_artifacts() / "universal", store / "universal")
    settings = Settings(
        store=store,
        database_url=database_url,
        authentication="keys",
        follow_seconds=0.2,
    )
    history = HistoryStore(database_url)
    history.prepare(shipped())
    key, text = make_key("desk", ("forecast", "ingest"), 0)
    KeyStore(history.database).add(key)
    clock = RunningClock()
    with answering(settings, clock) as url, pytest.MonkeyPatch.context() as patched:
        patched.setenv("ROUGHCAST_API_KEY", text)
        yield Desk(url, text, clock, Store(store), LedgerStore(history.database))
    history.close()


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:  # noqa: F811 - the fixture
    with fresh_machine(tmp_path, database_url) as desk:
        yield desk


def simulated(seed: int = 1) -> list[dict[str, object]]:
    """Bars of days of which the last `FURTHER` are yet to come."""
    rng = np.random.default_rng(seed)
    rv = har_process(LOG_HAR, KNOWN + FURTHER, rng, scale="logs", residual_std=0.5)[0]
    dates = YESTERDAY + np.arange(1 - KNOWN, FURTHER + 1)
    return json_bars(bars_of(DatedSeries(rv, "garman_klass", dates), drift=0.3))


def candle(bar: dict[str, object]) -> Row:
    """A bar as an exchange has it."""
    opened, high, low, close = (float(str(bar[price])) for price in PRICES)
    return int(np.datetime64(str(bar["date"]), "s").astype(int)), opened, high, low, close


def test_a_day_after_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = simulated()
    known, further = bars[:KNOWN], bars[KNOWN:]
    desk.ask("POST", "/assets", json={"asset": ASSET, "calendar": "24/7", "kind": "crypto"})

    # Its bars come from an exchange.
    candles = Market([candle(it) for it in known], 1_000)
    with local(EXCHANGES["binance"](candles)) as exchange:
        monkeypatch.setattr(data_pull, "open_exchange", lambda name: pointed(name, exchange.url))
        since = str(known[0]["date"])
        source = ["--exchange", "binance", "--symbol", SYMBOLS["binance"], "--since", since]
        assert cli.main(["data", "pull", *source, "--asset", ASSET, "--to-service", desk.url]) == 0

    # Nothing was fitted on it, and it is forecast.
    first = desk.forecast()
    assert (first["model"], first["as_of"]) == ("universal", str(YESTERDAY))

    # A retrain from the service's own bars publishes what serves by itself.
    retrain = ["retrain", "--asset", ASSET, "--from-service", desk.url, "--models", "hexp", "ridge"]
    small = ["--config", str(SMALL_CONFIG), "--jobs", "1", "--store", str(desk.store.root)]
    assert cli.main([*retrain, *small]) == 0
    champion = desk.store.champion(ASSET)
    assert champion is not None
    # The first look may fall between the last model published and the champion named.
    as_meant = (champion, None)
    eventually(lambda: itemgetter("model", "degraded_reason")(desk.forecast()) == as_meant)
    second = desk.forecast(quantiles=[0.05, 0.95])
    assert itemgetter("model", "degraded_reason")(second) == as_meant

    # Tomorrow's bar is the score of today's forecasts.
    desk.next_day(further[0])
    row = desk.live(champion)
    assert (row["nobs"], row["end"]) == (1, second["target_date"])
    assert row["promised_qlike"] is not None
    assert set(row["against"]) == {"har", "calendar_log_har"} - {champion}
    record = desk.ask("GET", f"/forecasts/{second['forecast_id']}")
    assert record["answer"] == second
    assert record["outcome"]["rv"] == desk.ask("GET", f"/assets/{ASSET}/history")["rv"][-1]

    # A correction changes no forecast that was made before it.
    corrected = known[-1] | {"high": float(str(known[-1]["high"])) * 1.05}
    desk.ask("PUT", f"/assets/{ASSET}/bars?replace=true", json={"bars": [corrected]})
    for answer in (first, second):
        again = desk.ask("GET", f"/forecasts/{answer['forecast_id']}/replay")
        assert (again["identical"], again["differences"]) == (True, [])
        assert again["answer"]["rv"] == answer["rv"]
    replay = desk.forecast(as_of=str(YESTERDAY), model=champion)
    assert replay["rv"] != second["rv"]

    # Calm days raise nothing; days that swing between calm and crisis do.
    for bar in further[1:20]:
        desk.forecast()
        desk.next_day(bar)
    row = desk.live(champion)
    assert row["nobs"] == 20
    assert not any(it["raised"] for it in row["alarms"].values())
    rv = np.exp(-9.0) * np.where(np.arange(FURTHER - 20) % 2, 0.01, 60.0)
    dates = np.array([it["date"] for it in further[20:]], "datetime64[D]")
    for bar in json_bars(bars_of(DatedSeries(rv, "garman_klass", dates))):
        desk.forecast()
        desk.next_day(bar)
        if desk.live(champion)["alarms"]["qlike"]["active"]:
            break
    alarm = desk.live(champion)["alarms"]["qlike"]
    assert alarm["active"]
    assert np.datetime64(alarm["raised"][0]) >= dates[0]
    eventually(lambda: any("qlike" in it for it in desk.ask("GET", "/health/ready")["warnings"]))


def test_twenty_calm_years_raise_no_alarm(tmp_path: Path) -> None:
    """Of a model that was fitted on years before, with the series going on as it was."""
    with fresh_machine(tmp_path, f"sqlite:///{tmp_path}/history.sqlite3") as desk:
        row = twenty_years_of(desk)
    assert row["nobs"] == CALM
    assert row["qlike_loss"] == pytest.approx(row["promised_qlike"], rel=0.15)
    assert {name: it["raised"] for name, it in row["alarms"].items()} == {
        "qlike": [],
        "coverage": [],
    }


def twenty_years_of(desk: Desk) -> dict[str, Any]:
    """The live performance of a log-HAR that is asked every day."""
    rng = np.random.default_rng(4)
    rv = har_process(LOG_HAR, FITTED + CALM, rng, scale="logs", residual_std=0.5)[0]
    dates = YESTERDAY + np.arange(1 - FITTED - CALM, 1)
    bars = json_bars(bars_of(DatedSeries(rv, "garman_klass", dates)))
    path = f"/assets/{ASSET}/bars?calendar=24/7&kind=crypto"
    desk.ask("PUT", path, json={"bars": bars[:FITTED]})
    retrain = ["retrain", "--asset", ASSET, "--from-service", desk.url, "--models", "log_har"]
    small = ["--config", str(SMALL_CONFIG), "--jobs", "1", "--store", str(desk.store.root)]
    assert cli.main([*retrain, *small]) == 0
    desk.ask("PUT", path, json={"bars": bars[FITTED:]})
    # What each day's request would have been answered: a day is replayed with nothing after it.
    asked = {"asset": ASSET, "model": "log_har", "levels": [0.8]}
    items = [asked | {"as_of": str(it)} for it in dates[FITTED - 1 : -1]]
    eventually(lambda: desk.forecast()["model"] == "log_har")
    said = desk.ask("POST", "/forecast/batch", json={"items": items})
    assert said["failed"] == 0
    desk.ledger.add([as_if_asked_then(it) for it in said["items"]])
    window = {"start": str(dates[0]), "end": str(dates[-1])}
    found = desk.ask("GET", f"/performance/{ASSET}", params=window)["models"]
    [row] = [it for it in found if it["model"] == "log_har"]
    return dict(row)


def as_if_asked_then(answer: dict[str, Any]) -> Record:
    """The record of a replayed day, as of a request on that day."""
    as_of, target = (date.fromisoformat(answer[it]) for it in ("as_of", "target_date"))
    issued_at = microseconds(datetime.combine(target, datetime.min.time()))
    return Record(
        forecast_id=answer["forecast_id"][::-1],  # another: the replay itself is recorded, too
        asset=ASSET,
        model=answer["model"],
        model_version=answer["model_version"],
        model_sha256=answer["model_sha256"],
        horizon=1,
        as_of=as_of,
        target_date=target,
        last_closed=as_of,
        asked_as_of=None,
        issued_at=issued_at,
        last_issued_at=issued_at,
        levels=(0.8,),
        known_at={ASSET: issued_at},
        role="answer",
        answer=json.dumps(answer).encode(),
    )


@pytest.mark.parametrize("path", ["a day", "a retrain"])
def test_the_page_draws_what_there_is(path: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    section = page.split(f"\n## The path of {path}\n")[1].split("\n## ")[0]
    steps = re.findall(
        r"`((?:service|training|models_store|volatility)\.[\w.]+):([\w.]+)`", section
    )
    assert len(steps) >= 7
    for module, name in steps:
        assert attrgetter(name)(import_module(module)) is not None
