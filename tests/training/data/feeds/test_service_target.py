"""Bars are put to a service that runs, which has them or has none of them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from models_store import Store
from service.assets.database import HeldAsset, HeldBars, HistoryStore
from service.security.keys import make_key
from service.security.store import KeyStore
from tests.models_store.artifacts import make_files
from tests.service.processes import serving
from tests.service.worlds import settings_in
from tests.training.data.feeds.memory import same
from tests.training.data.feeds.server import walk
from training.data.feeds.retrying import Unavailable
from training.data.feeds.service_target import IngestingService, ServiceTarget
from training.data.feeds.targets import EARLIEST, Put, UnusableTarget
from training.data.running_service import UnusableService
from volatility.bars import Bars
from volatility.rows import empty_bars

DAYS = walk("2024-10-01", 40, 86_400)
HOURS = walk("2024-10-01", 48, 3_600)
HOURLY, MODELLED = "HOURLY", "MODELLED"
SAID = {"calendar": "24/7", "kind": "crypto"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = settings_in(tmp_path_factory.mktemp("service"))
    store = Store(settings.store_folder)
    store.promote(MODELLED, "har", store.publish(make_files(MODELLED, "har", 1e-5)))
    history = HistoryStore(settings.database_url)
    hourly = HeldAsset(HOURLY, "24/7", "realized_variance", 3_600, "simulated", "crypto")
    history.prepare([HeldBars(hourly, HOURS.where(slice(24)), revision=1)])
    history.close()
    with serving(settings) as served:
        yield f"http://127.0.0.1:{served.port}"


def target(url: str, asset: str, interval: int = 86_400, **described: str) -> ServiceTarget:
    return ServiceTarget(IngestingService(url), asset, interval, described)


def part(bars: Bars, first: int, end: int) -> Bars:
    return bars.where(slice(first, end))


def test_a_new_asset_is_made_by_its_first_bars(url: str) -> None:
    new = target(url, "NEW", calendar="24/7", kind="crypto")
    assert (new.name, new.known) == (url, None)
    same(new.newest(), empty_bars(86_400))
    same(new.first_from(EARLIEST), empty_bars(86_400))
    put = new.put(empty_bars(86_400), part(DAYS, 0, 20), replace=False)
    assert (put.added, put.replaced) == (20, 0)
    assert "measure garman_klass is taken, as none is given" in put.warnings

    again = target(url, "NEW", calendar="24/7", kind="crypto")
    assert again.known is not None
    assert (again.known["calendar"], again.known["kind"]) == ("24/7", "crypto")
    same(again.newest(), part(DAYS, 19, 20))
    same(again.first_from(EARLIEST), part(DAYS, 0, 1))
    same(again.first_from(DAYS.timestamps[7]), part(DAYS, 7, 8))
    same(again.first_from(DAYS.timestamps[7] + 1), part(DAYS, 8, 9))
    same(again.first_from(DAYS.timestamps[20]), empty_bars(86_400))
    assert again.put(part(DAYS, 19, 20), part(DAYS, 20, 40), replace=False) == Put(20, 0)
    assert held(url, "NEW") == 40


def held(url: str, asset: str) -> Any:
    listed = httpx.get(f"{url}/assets").json()["assets"]
    return next((it["bars"] for it in listed if it["asset"] == asset), None)


def test_shorter_bars_have_times(url: str) -> None:
    hourly = target(url, HOURLY, 3_600)
    same(hourly.newest(), part(HOURS, 23, 24))
    same(hourly.first_from(HOURS.timestamps[5]), part(HOURS, 5, 6))
    assert hourly.put(part(HOURS, 23, 24), part(HOURS, 24, 48), replace=False).added == 24
    same(target(url, HOURLY, 3_600).newest(), part(HOURS, 47, 48))


def test_an_asset_that_has_models_and_no_bars_is_known(url: str) -> None:
    modelled = target(url, MODELLED)
    assert modelled.known is not None
    same(modelled.newest(), empty_bars(86_400))


def test_one_flat_bar_can_be_put_after_another_that_was_not(url: str) -> None:
    """Alone it would be refused, as prices that never move."""
    one = np.full(1, 100.0)
    flat = Bars(DAYS.timestamps[5:6], one, one, one, one, 86_400)
    new = target(url, "FLAT", 86_400, **SAID)
    new.put(empty_bars(86_400), part(DAYS, 0, 5), replace=False)
    assert target(url, "FLAT").put(part(DAYS, 4, 5), flat, replace=False).added == 1


def test_a_bar_that_contradicts_is_refused_and_none_of_the_others_put(url: str) -> None:
    """Whoever put it since this process looked."""
    new = target(url, "OTHER", 86_400, **SAID)
    new.put(empty_bars(86_400), part(DAYS, 0, 5), replace=False)
    other = walk("2024-10-01", 40, 86_400, seed=1)
    told = r"it answers 409 to /assets/OTHER/bars\S*: 1 of the bars given for OTHER contradict"
    with pytest.raises(UnusableService, match=told) as refused:
        new.put(part(other, 4, 5), part(other, 5, 9), replace=False)
    assert refused.value.field == "to_service"
    assert held(url, "OTHER") == 5
    assert new.put(empty_bars(86_400), part(other, 4, 9), replace=True) == Put(4, 1)
    same(target(url, "OTHER").first_from(DAYS.timestamps[4]), part(other, 4, 5))


@pytest.mark.parametrize(
    ("asset", "interval", "told", "needed"),
    [
        (HOURLY, 86_400, "HOURLY has bars of 3600 seconds at http", "bars of 3600 seconds"),
        (MODELLED, 3_600, "MODELLED has bars of 86400 seconds at http", "bars of 86400 seconds"),
        ("NOBODY", 3_600, "NOBODY is new, and would hold daily bars at", "bars of 86400 seconds"),
    ],
)
def test_bars_of_another_length_are_refused(
    asset: str, interval: int, told: str, needed: str, url: str
) -> None:
    """A service reads bars by the length that it has of the asset, an hour's as a day's."""
    with pytest.raises(UnusableTarget, match=told) as refused:
        target(url, asset, interval).newest()
    assert (refused.value.field, refused.value.found) == ("interval", interval)
    assert refused.value.needed == needed


def test_a_calendar_that_is_not_the_asset_s_is_refused(url: str) -> None:
    wrong = target(url, HOURLY, 3_600, calendar="XNYS")
    with pytest.raises(UnusableService, match="calendar 'XNYS' is given for HOURLY, which is kn"):
        wrong.put(empty_bars(3_600), part(HOURS, 0, 2), replace=False)


def test_a_key_is_needed_where_the_service_asks_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_in(tmp_path)
    store = Store(settings.store_folder)
    store.promote(MODELLED, "har", store.publish(make_files(MODELLED, "har", 1e-5)))
    history = HistoryStore(settings.database_url)
    history.prepare([])
    reader, reading = make_key("reader", ["forecast"], 0)
    feed, feeding = make_key("feed", ["forecast", "ingest"], 0)
    for key in (reader, feed):
        KeyStore(history.database).add(key)
    history.close()
    with serving(settings, AUTHENTICATION="keys") as served:
        for text, refused in ((None, "401"), (reading, "403"), (feeding, None)):
            service = IngestingService(f"http://127.0.0.1:{served.port}", text)
            new = ServiceTarget(service, "NEW", 86_400, SAID)
            if refused is None:
                assert new.put(empty_bars(86_400), part(DAYS, 0, 9), replace=False).added == 9
                continue
            with pytest.raises(UnusableService, match=f"it refuses with {refused}") as error:
                new.put(empty_bars(86_400), part(DAYS, 0, 9), replace=False)
            assert error.value.needed == (
                "in ROUGHCAST_API_KEY a key with the scopes forecast and ingest"
            )


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=waited.append))
    return waited


LISTED = {"assets": [{"asset": "A", "bars": 3, "calendar": "24/7", "bar_interval": 86_400}]}
MERGED = {"added": 2, "replaced": 0, "warnings": []}


def answering(answers: Callable[[httpx.Request], httpx.Response]) -> ServiceTarget:
    service = IngestingService("http://there", transport=httpx.MockTransport(answers))
    return ServiceTarget(service, "A", 86_400, {})


def test_what_may_pass_is_asked_again(waits: list[float]) -> None:
    """A request that was carried out, and whose answer was lost, is harmless the second time."""
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        if len(bodies) == 1:
            raise httpx.ReadTimeout("")
        if len(bodies) == 2:
            return httpx.Response(503, json={"detail": "locked"}, headers={"Retry-After": "7"})
        if len(bodies) == 3:
            return httpx.Response(429, json={"detail": "often"})
        return httpx.Response(200, json=MERGED)

    assert answering(answer).put(empty_bars(86_400), part(DAYS, 0, 2), replace=False) == Put(2, 0)
    assert waits == [1.0, 7.0, 4.0]
    assert len(set(bodies)) == 1


def test_what_does_not_pass_is_told(waits: list[float]) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(503, json={"detail": "the database does not answer"})

    told = "http://there does not answer: it answers 503: the database does not answer; asked 6"
    with pytest.raises(Unavailable, match=told):
        answering(refuse).newest()
    assert sum(waits) == 31.0


def test_who_never_answers_is_named_by_what_failed(waits: list[float]) -> None:
    def hang(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    with pytest.raises(Unavailable, match="http://there does not answer: ReadTimeout; asked 6"):
        answering(hang).newest()


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        (lambda _: httpx.Response(200, text="hello"), "is not understood: JSONDecodeError"),
        (lambda _: httpx.Response(200, json={"assets": [{}]}), "is not understood: KeyError"),
        (lambda _: httpx.Response(200, json=[]), "is not understood: TypeError"),
        (
            lambda it: (
                httpx.Response(200, json=LISTED)
                if it.url.path == "/assets"
                else httpx.Response(200, text="")
            ),
            "is not understood: EmptyDataError",
        ),
        (lambda _: httpx.Response(307, headers={"location": "http://else"}), "it answers 307 to"),
        (lambda _: httpx.Response(404, json={"detail": "none"}), "it answers 404 to /assets: none"),
    ],
)
def test_what_is_no_service_is_refused(
    answers: Callable[[httpx.Request], httpx.Response], told: str
) -> None:
    with pytest.raises(UnusableService, match=told) as refused:
        answering(answers).newest()
    assert str(refused.value).startswith("bars cannot be put to http://there: ")
    assert (refused.value.field, refused.value.found) == ("to_service", "http://there")


def test_an_answer_to_bars_that_is_none_is_refused() -> None:
    with pytest.raises(UnusableService, match="is not understood: KeyError"):
        answering(lambda _: httpx.Response(200, json={"added": 1})).put(
            empty_bars(86_400), part(DAYS, 0, 1), replace=False
        )


@pytest.mark.parametrize(("replace", "sent"), [(False, 3), (True, 2)])
def test_the_bar_beside_is_sent_only_to_be_compared(replace: bool, sent: int) -> None:
    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content)["bars"])
        return httpx.Response(200, json=MERGED)

    answering(answer).put(part(DAYS, 4, 5), part(DAYS, 5, 7), replace=replace)
    (bars,) = bodies
    assert len(bars) == sent
    assert bars[-1] == {"date": "2024-10-07"} | {
        name: float(getattr(DAYS, name)[6]) for name in ("open", "high", "low", "close")
    }


def test_a_name_that_is_no_path_is_quoted() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path.decode())
        return httpx.Response(200, json=MERGED)

    service = IngestingService("http://there", transport=httpx.MockTransport(answer))
    odd = ServiceTarget(service, "EURUSD=X", 86_400, {"calendar": "24/5", "kind": None})
    odd.put(empty_bars(86_400), part(DAYS, 0, 1), replace=True)
    assert asked == ["/assets/EURUSD%3DX/bars?calendar=24%2F5&replace=true"]
    odd.put(empty_bars(86_400), part(DAYS, 0, 1), replace=False)
    assert asked[1] == "/assets/EURUSD%3DX/bars?calendar=24%2F5"
