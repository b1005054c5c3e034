"""What is held can be given out, put back as it is, and read as it was known at a time."""

import json
from collections.abc import Iterator
from datetime import UTC, date, timedelta
from typing import Any

import numpy as np
import pytest

from service.app import create_app
from service.assets import export
from service.assets.database import HeldAsset, HistoryStore
from service.assets.export import Wanted
from service.assets.held import Held
from service.assets.known import KnownHoldings
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, NOW, SetClock, bars_of, json_bars
from tests.volatility.prices import make_bars
from tests.volatility.session_bars import session_bars
from volatility.bars import Bars

BARS = bars_of(make_series())
HOURS = make_bars(1_000, "2020-06-01", 3600)
HOURLY = HeldAsset("HOURLY", "24/7", "realized_variance", 3600, "simulated", "crypto")
JSON, CSV = "application/json", "text/csv"
PATH = f"/assets/{ASSET}/bars"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def client(settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    history = HistoryStore(settings.database_url)
    history.merge(HOURLY, HOURS)
    history.close()
    with TestClient(create_app(settings, clock)) as client:
        yield client


@pytest.mark.parametrize("media_type", [JSON, CSV])
@pytest.mark.parametrize(("asset", "held"), [(ASSET, BARS), ("HOURLY", HOURS)])
def test_what_is_given_out_can_be_put_back(
    client: TestClient, asset: str, held: Bars, media_type: str
) -> None:
    path = f"/assets/{asset}/bars"
    given = client.get(path, headers={"accept": media_type})
    assert given.headers["content-type"].split(";")[0] == media_type
    back = client.put(path, content=given.content, headers={"content-type": media_type})
    assert (back.json()["unchanged"], back.json()["added"]) == (len(held), 0), back.text


def test_the_form_may_stand_in_the_query(client: TestClient) -> None:
    table = client.get(PATH, headers={"accept": CSV})
    asked = client.get(f"{PATH}?format=csv", headers={"accept": JSON})
    assert asked.headers["content-type"] == table.headers["content-type"]
    assert asked.content == table.content
    again = client.get(f"{PATH}?format=json", headers={"accept": CSV})
    assert again.json() == client.get(PATH).json()


def test_json_has_every_bar_as_it_is_put(client: TestClient) -> None:
    answer = client.get(PATH)
    assert answer.json() == {"bars": json_bars(BARS), "next": None}
    assert "link" not in answer.headers
    assert answer.headers["content-length"] == str(len(answer.content))
    hours = client.get("/assets/HOURLY/bars").json()["bars"]
    assert hours[1]["timestamp"] == "2020-06-01T01:00:00Z"
    assert [it["close"] for it in hours] == HOURS.close.tolist()


def test_a_long_history_comes_in_parts() -> None:
    long = make_bars(5_000, "2020-06-01", 3600)
    for parts in (export.as_json(long), export.as_csv(long)):
        assert max(map(len, parts)) < 400_000
        assert len(parts) > 3


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        ("start=2021-02-02", ["2021-02-02", "2021-02-03"]),
        ("end=2020-01-02", ["2020-01-01", "2020-01-02"]),
        ("start=2020-03-01&end=2020-03-02", ["2020-03-01", "2020-03-02"]),
        ("start=2020-03-01T00:00:00Z&end=2020-03-02T23:00:00Z", ["2020-03-01", "2020-03-02"]),
        ("start=2020-03-01T00:00:01Z&end=2020-03-02", ["2020-03-02"]),
        ("end=2020-03-02&limit=1", ["2020-03-02"]),
        ("start=2020-03-02&end=2020-03-01T05:00:00Z", []),
        ("start=2020-03-01&limit=2", ["2020-03-01", "2020-03-02"]),
        ("start=2030-01-01&limit=2", []),
    ],
)
def test_part_of_it(client: TestClient, query: str, dates: list[str]) -> None:
    assert [it["date"] for it in client.get(f"{PATH}?{query}").json()["bars"]] == dates


def test_a_date_means_the_session_and_a_time_when_a_bar_opens() -> None:
    """An exchange's hours: the last of 2019-06-25 opens at 19:30 in UTC."""
    bars = session_bars("2019-06-24", "2019-06-28")
    asset = HeldAsset("SHARE", "XNYS", "realized_variance", bars.interval, "simulated", "stock")
    held, second = Held(asset, bars, 1), timedelta(seconds=1)
    day = Wanted(date(2019, 6, 25), date(2019, 6, 26)).of(held).bars
    assert {str(it) for it in day.dates} == {"2019-06-25", "2019-06-26"}
    first = day.timestamps[0].item().replace(tzinfo=UTC)
    np.testing.assert_array_equal(
        Wanted(first, date(2019, 6, 26)).of(held).bars.timestamps, day.timestamps
    )
    assert len(Wanted(first + second, date(2019, 6, 26)).of(held).bars) == len(day) - 1
    assert len(Wanted(date(2019, 6, 25), first + second).of(held).bars) == 1
    weekend = Wanted(date(2019, 6, 29), date(2019, 6, 30))
    assert len(weekend.of(held).bars) == 0


@pytest.mark.parametrize(
    ("asset", "query", "whole"),
    [
        ("HOURLY", "start=2000-01-01&limit=340", HOURS),
        ("HOURLY", "limit=500", HOURS),
        ("HOURLY", "start=2020-06-02&end=2020-06-03&limit=47", HOURS.where(slice(24, 72))),
        (ASSET, "start=2000-01-01&limit=399", BARS),
        (ASSET, "end=2020-02-29T00:00:00&limit=30", BARS.where(slice(60))),
    ],
)
@pytest.mark.parametrize("media_type", [JSON, CSV])
def test_pages_lead_through_all_that_is_asked_for(
    client: TestClient, clock: SetClock, media_type: str, asset: str, query: str, whole: Bars
) -> None:
    """Forwards from a start, backwards without one; as it was known, whatever is put meanwhile."""
    known_at = (clock.now + timedelta(days=9999)).strftime("%Y-%m-%dT%H:%M:%SZ")
    clock.now += timedelta(days=10_000)
    url, pages = f"/assets/{asset}/bars?{query}&known_at={known_at}", []
    limit = int(query.rpartition("=")[2])
    while url:
        answer = client.get(url, headers={"accept": media_type})
        pages.append(_times_in(answer.text, media_type))
        assert len(pages[-1]) <= limit
        following = answer.links.get("next", {}).get("url")
        if media_type == JSON:
            assert answer.json()["next"] == following
            put = client.put(f"/assets/{asset}/bars", json=answer.json())
            assert put.json()["unchanged"] == len(pages[-1]), put.text
        url = following and str(answer.url.join(following))
    assert len(pages) == -(-len(whole) // limit)
    if "start" not in query:
        pages.reverse()
    found = np.array([it.removesuffix("Z") for page in pages for it in page], "datetime64[s]")
    np.testing.assert_array_equal(found, whole.timestamps)


def _times_in(text: str, media_type: str) -> list[str]:
    if media_type == CSV:
        return [line.partition(",")[0] for line in text.splitlines()[1:]]
    return [it.get("date") or it["timestamp"] for it in json.loads(text)["bars"]]


def test_one_answer_has_a_limit_that_nobody_gives() -> None:
    long = make_bars(12_000, "2010-01-01", 3600)
    page = Wanted(None, None).of(Held(HOURLY, long, 1))
    np.testing.assert_array_equal(page.bars.timestamps, long.timestamps[2_000:])
    assert (page.bound, page.beyond) == ("end", "2010-03-25T07:00:00Z")  # 1,999 hours after


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("start=2021-02-03&end=2021-02-02", "invalid_value", "end"),
        ("start=2021-02-03T00:00:00Z&end=2021-02-02T00:00:00", "invalid_value", "end"),
        ("start=20210203", "invalid_date", "start"),
        ("start=2021-02-30", "invalid_date", "start"),
        ("known_at=2021-02-03", "invalid_date", "known_at"),
        ("known_at=2021-02-04T12:00:01Z", "not_yet_known", "known_at"),
        ("limit=0", "invalid_value", "limit"),
        ("limit=100001", "invalid_value", "limit"),
    ],
)
def test_what_cannot_be_asked(client: TestClient, query: str, code: str, field: str) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


def test_what_is_not_held(client: TestClient) -> None:
    answer = client.get("/assets/NONE/bars")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_asset")


def test_a_correction_leaves_what_was_known_before(client: TestClient, clock: SetClock) -> None:
    before = client.get(PATH).json()
    corrected: dict[str, Any] = json_bars(BARS)[-1] | {"high": 120.0}
    assert client.put(f"{PATH}?replace=true", json={"bars": [corrected]}).json()["replaced"] == 1
    clock.now = NOW + timedelta(seconds=1)
    put_at = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = (NOW - timedelta(microseconds=1)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    after = client.get(PATH).json()
    assert after["bars"][-1] == corrected
    assert client.get(f"{PATH}?known_at={put_at}").json() == after
    assert client.get(f"{PATH}?known_at={earlier}").json() == before
    table = client.get(f"{PATH}?known_at={earlier}&limit=1", headers={"accept": CSV}).text
    assert table.splitlines()[1].split(",")[2] == repr(before["bars"][-1]["high"])


def test_what_was_put_later_was_not_known(client: TestClient) -> None:
    """The hours were put long after; what the world began with was always known."""
    assert client.get("/assets/HOURLY/bars?known_at=1999-01-01T00:00:00Z").json()["bars"] == []
    assert len(client.get(f"{PATH}?known_at=1999-01-01T00:00:00").json()["bars"]) == 400


def test_what_is_deleted_meanwhile_is_not_answered_with_what_is_held_now(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(KnownHoldings, "find", lambda _self, _asset: None)
    answer = client.get(f"{PATH}?known_at=2020-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_history")
