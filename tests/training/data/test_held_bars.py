"""Bars of a service that runs, and what is said of one that does not, or says something else."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest

from models_store import Store
from service.assets.database import HeldAsset, HeldBars, HistoryStore
from tests.models_store.artifacts import make_files, make_series
from tests.service.processes import serving
from tests.service.worlds import bars_of, first_held, settings_in
from tests.training.simulated import SMALL_CONFIG, make_asset
from tests.volatility.session_bars import session_bars
from training import cli
from training.commands.preparation import Preparation
from training.data import held_bars
from training.data.held_bars import BarsService
from training.data.running_service import KEY, UnusableService
from volatility.errors import InvalidInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHORT, LONG, FREQUENT = "SHORT", "LONG", "FREQUENT"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that holds daily bars, few and many, and shorter ones of an exchange."""
    settings = settings_in(tmp_path_factory.mktemp("service"))
    store = Store(settings.store_folder)
    store.promote(SHORT, "har", store.publish(make_files(SHORT, "har", 1e-5)))
    half_hours = session_bars("2021-01-04", "2021-03-01", 1_800)
    exchange = HeldAsset(FREQUENT, "XNYS", "realized_variance", 1_800, "simulated", "stock")
    history = HistoryStore(settings.database_url)
    history.prepare(
        [
            first_held(bars_of(make_series()), SHORT),
            first_held(bars_of(make_asset(nobs=600).series), LONG),
            HeldBars(exchange, half_hours, revision=1),
        ]
    )
    history.close()
    with serving(settings) as served:
        yield f"http://127.0.0.1:{served.port}"


@pytest.fixture(scope="module")
def service(url: str) -> BarsService:
    """As it was when the first test asked: each moment takes two seconds to be in the past."""
    return BarsService.at(url)


def test_what_a_service_holds_is_named(service: BarsService) -> None:
    assert list(service.sessions()) == [FREQUENT, LONG, SHORT]


@pytest.mark.parametrize(
    ("asset", "calendar", "kind"), [(SHORT, "24/7", "crypto"), (FREQUENT, "XNYS", "stock")]
)
def test_an_asset_is_what_the_service_forecasts_from(
    service: BarsService, url: str, asset: str, calendar: str, kind: str
) -> None:
    data, _ = service.load(asset, NOW)
    held = httpx.get(f"{url}/assets/{asset}/history").json()
    assert data.series.rv.tolist() == held["rv"]
    assert data.series.dates.astype(str).tolist() == held["dates"]
    assert (data.asset, data.calendar_name, data.kind) == (asset, calendar, kind)
    assert data.series.measure == held["measure"]
    assert data.bar_interval == (1_800 if asset == FREQUENT else 86_400)


@pytest.mark.parametrize("asset", [SHORT, FREQUENT])
@pytest.mark.parametrize("page", [1, 31, 64])
def test_pages_are_put_together(
    service: BarsService, url: str, asset: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = service.load(asset, NOW)
    if page == 1:  # as many as there are: the page before is empty
        page = len(httpx.get(f"{url}/assets/{asset}/bars").json()["bars"])
    monkeypatch.setattr(held_bars, "PAGE", page)
    again, _ = service.load(asset, NOW)
    assert again.source == whole.source
    np.testing.assert_array_equal(again.series.dates, whole.series.dates)
    np.testing.assert_array_equal(again.series.rv, whole.series.rv)


def test_bars_are_those_that_were_known_at_one_moment(url: str) -> None:
    service = BarsService.at(url)
    before, _ = service.load(SHORT, NOW)
    httpx.put(
        f"{url}/assets/{SHORT}/bars?replace=true",
        json={"bars": [{"date": "2021-02-03", "open": 1, "high": 3, "low": 1, "close": 1}]},
    ).raise_for_status()
    again, _ = service.load(SHORT, NOW)
    assert again.series.rv[-1] == before.series.rv[-1]
    corrected, _ = BarsService.at(url).load(SHORT, NOW)
    assert corrected.series.rv[-1] > 100 * before.series.rv[-1]
    assert f"{service.known_at:%Y-%m-%dT%H:%M:%SZ}" in again.source


def test_models_are_fitted_on_what_a_service_holds(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    options = ("--config", str(SMALL_CONFIG), "--models", "har", "--jobs", "1", "--horizons", "1")
    assert cli.main(["retrain", "--from-service", url, *options, "--store", str(store)]) == 0
    printed = capsys.readouterr().out
    assert f"left out: {SHORT}: " in printed
    assert f"left out: {FREQUENT}: " in printed
    manifest = Store(store).load(LONG, "har").manifest
    assert manifest.training.source.startswith("bars held by a service, as known at 20")
    assert manifest.calendar == "24/7"


def test_assets_that_are_named_must_be_long_enough(
    url: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_bars, "_SECOND", timedelta(0))  # what it holds was always known
    monkeypatch.setattr(time, "sleep", lambda _: None)
    command = ["retrain", "--from-service", url, "--asset", SHORT, "--store", str(tmp_path)]
    assert cli.main([*command, "--config", str(SMALL_CONFIG), "--models", "har"]) != 0
    assert "a retrain or an evaluation needs 500" in capsys.readouterr().err


LISTED = {
    "assets": [
        {
            "asset": "A",
            "bars": 3,
            "calendar": "24/7",
            "measure": "garman_klass",
            "kind": "crypto",
            "sessions": 2,
            "bar_interval": 86_400,
        },
        {
            "asset": "EMPTY",
            "bars": 0,
            "sessions": 0,
            "bar_interval": 86_400,
            "calendar": "24/7",
            "measure": "garman_klass",
            "kind": "crypto",
        },
    ]
}
DATE = {"date": "Mon, 30 Nov 2026 02:00:00 GMT"}


def answering(
    answers: Callable[[httpx.Request], httpx.Response], monkeypatch: pytest.MonkeyPatch
) -> BarsService:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return BarsService("http://there", transport=httpx.MockTransport(answers))


def refuse(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def elsewhere(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/assets":
        return httpx.Response(200, json=LISTED, headers=DATE)
    text = "date,open,high,low,close\n2021-01-01,1,1,1,1\n"
    return httpx.Response(200, text=text, headers={"link": '<http://else/?end=1>; rel="next"'})


def broken_bars(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/assets":
        return httpx.Response(200, json=LISTED, headers=DATE)
    return httpx.Response(200, text="")


@pytest.mark.parametrize(
    ("answers", "why", "needed"),
    [
        (refuse, "it does not answer: connection refused", "a running service"),
        (
            lambda _: httpx.Response(401, json={"detail": "no key"}),
            "it refuses with 401",
            f"in {KEY} a key with the scope forecast",
        ),
        (
            lambda _: httpx.Response(503, json={"detail": "the database does not answer"}),
            "it answers 503 to /assets: the database does not answer",
            "status 200",
        ),
        (
            lambda _: httpx.Response(502, text="<html>bad gateway"),
            "it answers 502 to /assets: <html>bad gateway",
            "status 200",
        ),
        (
            lambda _: httpx.Response(307, headers={"location": "http://elsewhere"}),
            "it answers 307 to /assets: ",
            "status 200",
        ),
        (lambda _: httpx.Response(200, text="hello"), "is not understood", "of the same version"),
        (lambda _: httpx.Response(200, json=[]), "is not understood", "of the same version"),
        (
            lambda _: httpx.Response(200, json={"assets": [{"asset": "A"}]}),
            "is not understood: KeyError",
            "of the same version",
        ),
        (
            lambda _: httpx.Response(200, json=LISTED),  # no header tells the time
            "is not understood: KeyError",
            "of the same version",
        ),
        (elsewhere, "the next page is at http://else", "of the same version"),
        (broken_bars, "is not understood: EmptyDataError", "of the same version"),
    ],
)
def test_what_is_no_service_is_refused(
    answers: Callable[[httpx.Request], httpx.Response],
    why: str,
    needed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UnusableService) as refused:
        answering(answers, monkeypatch).load("A", NOW)
    assert refused.value.field == "from_service"
    assert refused.value.found == "http://there"
    assert why in str(refused.value)
    assert needed in str(refused.value.needed)


@pytest.mark.parametrize("asset", ["B", "EMPTY"])
def test_an_asset_that_is_not_held_is_refused(asset: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableService) as refused:
        answering(broken_bars, monkeypatch).load(asset, NOW)
    assert (refused.value.field, refused.value.found) == ("asset", asset)
    assert refused.value.needed == "one of ['A']"


def test_a_service_without_bars_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = answering(lambda _: httpx.Response(200, json={"assets": []}), monkeypatch)
    with pytest.raises(UnusableService, match="it holds no bars of any asset"):
        nothing.sessions()


def test_fewer_bars_than_are_held_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def behind(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/assets":
            return httpx.Response(200, json=LISTED, headers=DATE)
        text = "date,open,high,low,close\n2021-01-01,1,1,1,1\n2021-01-02,1,1,1,1\n"
        return httpx.Response(200, text=text)

    with pytest.raises(UnusableService, match="of 3 bars of A only 2 were known") as refused:
        answering(behind, monkeypatch).load("A", NOW)
    assert refused.value.needed == "the header date of the service's own clock"


def test_bars_of_a_file_and_of_a_service_are_one_too_many() -> None:
    command = ["retrain", "--asset", "A", "--bars", "a.csv", "--from-service", "http://there"]
    with pytest.raises(InvalidInput) as refused:
        Preparation.of(cli.make_parser().parse_args(command))
    assert (refused.value.field, refused.value.found) == ("from_service", "a.csv")
