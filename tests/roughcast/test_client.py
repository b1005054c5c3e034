"""A service asked by both clients: the same answers as HTTP gives, and as this package computes."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import roughcast
from roughcast.client import AsyncClient, Client, Problem, Question, requests
from roughcast.frames import to_series
from roughcast.results.forecast import Forecast
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.processes import serving
from tests.service.worlds import ASSET, NOW
from volatility.errors import InvalidBars, InvalidInput


@pytest.fixture(scope="module")
def client(service: TestClient) -> Iterator[Client]:
    with Client("http://127.0.0.1", transport=service._transport) as client:
        yield client


def test_a_forecast_from_bars_is_the_one_computed_here(client: Client, bars: pd.DataFrame) -> None:
    found = client.forecast(bars.tail(60), asset="MINE", quantiles=[0.75])
    expected = roughcast.forecast(bars.tail(60), asset="MINE", quantiles=[0.75], now=NOW)
    assert found == expected
    assert found.to_frame().equals(expected.to_frame())
    assert "90.0%" not in repr(found)
    axes: Any = found.plot()
    assert axes.get_lines()[0].get_xdata().tolist() == [1, 5, 10, 22]


def test_a_held_asset_is_forecast_by_its_name(client: Client, service: TestClient) -> None:
    day = date(2021, 2, 2)
    found = client.forecast(ASSET, model="har", horizons=[1], levels=[0.95], as_of=day)
    body = {"asset": ASSET, "model": "har", "levels": [0.95], "as_of": "2021-02-02"}
    assert found == Forecast.of_answer(service.post("/forecast", json=body).json())
    assert (found.model, found.as_of) == ("har", day)


def test_a_batch_has_problems_in_their_places(client: Client, bars: pd.DataFrame) -> None:
    few, enough, held = bars.tail(5), bars.tail(22), Question(ASSET, [1])
    short, found, third = client.forecast_batch([Question(few), Question(enough, [1]), held])
    assert isinstance(short, Problem)
    assert (short.code, short.status, short.found) == ("history_too_short", 422, 5)
    assert found == client.forecast(enough, horizons=[1])
    assert isinstance(third, Forecast)
    assert third.asset == ASSET


def test_bars_are_put_and_read_as_they_were(client: Client, bars: pd.DataFrame) -> None:
    part = bars.loc["2018-09-01":"2019-09-01"]
    merged = client.put_bars("PUT-1", part, calendar="24/7", kind="crypto")
    assert (merged.asset, merged.added, merged.bars) == ("PUT-1", len(part), len(part))
    assert str(merged.last_session) == "2019-09-01"
    assert client.put_bars("PUT-1", part).unchanged == len(part)
    pd.testing.assert_frame_equal(client.bars("PUT-1"), part, check_index_type=False)
    few = client.bars("PUT-1", date(2018, 10, 1), date(2018, 10, 3))
    assert few.index.astype(str).tolist() == ["2018-10-01", "2018-10-02", "2018-10-03"]
    raised = part.iloc[-1:] * 1.01
    with pytest.raises(Problem) as conflict:
        client.put_bars("PUT-1", raised)
    assert conflict.value.code == "bars_conflict"
    assert client.put_bars("PUT-1", raised, replace=True).replaced == 1


def test_what_bars_say_of_themselves_is_told(
    client: Client, service: TestClient, bars: pd.DataFrame
) -> None:
    part = bars.tail(60)
    part.attrs = {"calendar": "24/7", "kind": "index", "measure": "parkinson"}
    found = client.forecast(part, asset="MINE")
    assert found == roughcast.forecast(part, asset="MINE", now=NOW)
    assert found == client.forecast_batch([Question(part, asset="MINE")])[0]
    other = client.forecast(part, asset="MINE", kind="crypto")
    assert other == roughcast.forecast(part, asset="MINE", kind="crypto", now=NOW)
    client.put_bars("PUT-2", part)
    listed = service.get("/assets").json()["assets"]
    [held] = [it for it in listed if it["asset"] == "PUT-2"]
    assert (held["calendar"], held["kind"], held["measure"]) == ("24/7", "index", "garman_klass")


@pytest.mark.parametrize(
    ("times", "name", "said"),
    [
        (pd.DatetimeIndex(["2021-02-01"]), "date", "2021-02-01"),
        (pd.DatetimeIndex(["2021-02-01"]).tz_localize("America/New_York"), "date", "2021-02-01"),
        (["2021-02-01"], "date", "2021-02-01"),
        (["2021-02-01T00:00:00Z"], "date", "2021-02-01"),
        (pd.DatetimeIndex(["2021-02-01 14:30"]), "timestamp", "2021-02-01T14:30:00Z"),
        (["2021-02-01T15:30+01:00"], "timestamp", "2021-02-01T14:30:00Z"),
    ],
)
def test_one_bar_is_daily_if_it_opens_at_midnight(times: Any, name: str, said: str) -> None:
    frame = pd.DataFrame({"open": [1.0], "high": [3.0], "low": [0.5], "close": [2.0]})
    indexed = isinstance(times, pd.DatetimeIndex)
    frame = frame.set_index(times) if indexed else frame.assign(date=times)
    prices = {"open": 1.0, "high": 3.0, "low": 0.5, "close": 2.0}
    assert requests.records(frame) == [{name: said, **prices}]


def test_bars_within_a_day_are_put_with_their_times() -> None:
    hours = roughcast.dataset("BTC-USD-1H").iloc[:2]
    told = requests.records(hours)
    assert [it["timestamp"] for it in told] == [f"{it:%Y-%m-%dT%H:%M:%S}Z" for it in hours.index]
    assert [it["close"] for it in told] == hours["close"].tolist()


def test_bars_come_in_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = client.bars(ASSET)
    monkeypatch.setattr("roughcast.client.requests.MOST_BARS", "7")
    pd.testing.assert_frame_equal(client.bars(ASSET).tail(40), whole.tail(40))
    since = client.bars(ASSET, start=whole.index[-20].date())
    pd.testing.assert_frame_equal(since, whole.tail(20))


def test_hurst_and_compare_are_of_the_same_types(client: Client) -> None:
    rv = to_series(make_series())
    rv.attrs = {"asset": ASSET, "calendar": "24/7"}
    report = client.hurst(ASSET)
    assert report.to_frame().round(9).equals(roughcast.hurst(rv).to_frame().round(9))
    compared = client.compare(ASSET)
    assert {it.model for it in compared.scores} == {"har", "log_har", "last_value"}
    assert compared.to_frame().loc["har", "qlike_ratio"] == 1
    assert "har" in repr(compared)
    axes: Any = compared.plot()
    assert len(axes.patches) == 3  # a bar a model: losses by date are not told over HTTP


def test_what_is_served_and_how_it_is(client: Client) -> None:
    served: Any = client.models()
    assert set(served["model"]) == {"har", "log_har", "last_value", "universal"}
    assert served.set_index("model").loc["log_har", "champion"]
    health = client.health()
    assert health.status == "ok"
    assert ASSET not in health.stale_sessions
    live = client.performance(ASSET)
    assert live.attrs["asset"] == ASSET


def test_a_forecast_is_recorded_and_made_again(client: Client) -> None:
    issued = client.forecast(ASSET, horizons=[1])
    forecast_id = issued.at(1).forecast_id
    recorded = patiently(lambda: client.recorded(forecast_id))
    assert recorded.forecast.at(1).rv == issued.at(1).rv
    assert recorded.live
    assert recorded.outcome is None
    again = client.replay(forecast_id)
    assert (again.identical, again.differences) == (True, ())
    assert again.forecast.at(1) == recorded.forecast.at(1)


def patiently(ask: Callable[[], Any]) -> Any:
    """What is written behind the answers is there soon."""
    for _ in range(200):
        try:
            return ask()
        except Problem:
            time.sleep(0.02)
    return ask()


def test_what_numpy_and_pandas_have_is_sent_as_it_is_meant(bars: pd.DataFrame) -> None:
    plain = Question(ASSET, [1, 5], levels=[0.8], quantiles=[0.9], as_of=date(2021, 1, 2))
    made = Question(
        ASSET,
        np.array([1, 5]),  # type: ignore[arg-type]
        levels=np.array([0.8]),  # type: ignore[arg-type]
        quantiles=pd.Series([0.9]),  # type: ignore[arg-type]
        as_of=pd.Timestamp("2021-01-02"),
    )
    assert json.dumps(made.body) == json.dumps(plain.body)
    known = Question(ASSET, known_at=datetime(2021, 1, 2, 12))  # noqa: DTZ001 - is taken for UTC
    assert known.body["known_at"] == "2021-01-02T12:00:00+00:00"
    assert requests.bars(ASSET, pd.Timestamp("2021-01-02")).query["start"] == "2021-01-02"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"horizons": 5}, "horizons"),
        ({"levels": 0.8}, "levels"),
        ({"quantiles": "0.8"}, "quantiles"),
        ({"as_of": "2021-01-02"}, "as_of"),
        ({"known_at": date(2021, 1, 2)}, "known_at"),
    ]
    for said, field in wrong:
        with pytest.raises(InvalidInput) as refused:
            _ = Question(ASSET, **said).body
        assert (refused.value.code, refused.value.field) == ("wrong_type", field)
    bars = bars.tail(30).copy()
    bars.loc[bars.index[3], "low"] = np.inf
    with pytest.raises(InvalidBars, match="low: inf at bar 3") as infinite:
        requests.put_bars("X", bars)
    assert infinite.value.code == "non_finite_price"


def test_a_problem_tells_code_field_found_and_needed(client: Client, bars: pd.DataFrame) -> None:
    with pytest.raises(Problem) as unknown:
        client.forecast("NOBODY")
    assert (unknown.value.status, unknown.value.code) == (404, "unknown_asset")
    with pytest.raises(Problem) as level:
        client.forecast(bars.tail(30), levels=[1.5])
    assert (level.value.field, level.value.found) == ("levels", 1.5)
    assert level.value.needed is not None
    with pytest.raises(InvalidBars):
        client.forecast(bars.drop(columns="low"))
    with pytest.raises(InvalidInput) as wrong:
        client.put_bars("PUT-2", bars["close"])  # type: ignore[arg-type]
    assert wrong.value.code == "wrong_type"
    with pytest.raises(InvalidInput) as address:
        Client("ftp://user:secret@somewhere")
    assert "secret" not in str(address.value)
    with pytest.raises(InvalidInput) as key:
        Client("http://127.0.0.1", key="sécret")
    assert (key.value.code, key.value.field) == ("invalid_key", "key")
    assert "cret" not in str(key.value)


def test_both_clients_get_what_httpx_gets(settings: Settings, bars: pd.DataFrame) -> None:
    """Over a real connection, with everything asked by the one that does not wait."""

    async def ask(url: str) -> list[Any]:
        async with AsyncClient(url) as client:
            asked: list[Awaitable[Any]] = [
                client.forecast(bars.tail(60)),
                client.forecast_batch([Question(bars.tail(5)), Question(ASSET, [1])]),
                client.bars(ASSET),
                client.hurst(ASSET),
                client.compare(ASSET),
                client.models(),
                client.performance(ASSET),
                client.health(),
                client.put_bars("PUT-3", bars.tail(40), calendar="24/7"),
            ]
            found: list[Any] = await asyncio.gather(*asked)
            forecast_id = found[1][1].at(1).forecast_id
            for each in (client.recorded, client.replay):
                try:
                    found.append(await each(forecast_id))
                except Problem as problem:
                    found.append(problem.code)
            return found

    with serving(settings) as served:
        url = f"http://127.0.0.1:{served.port}"
        forecast, batch, held, hurst, compared, models, _, health, merged, *ledger = asyncio.run(
            ask(url)
        )
        with Client(url) as client:
            assert client.forecast(bars.tail(60)) == forecast
            assert client.hurst(ASSET) == hurst
            assert client.compare(ASSET) == compared
            assert client.bars(ASSET).equals(held)
            assert client.models().equals(models)
            assert client.health().models == health.models
        body = {
            "horizons": [1, 5, 10, 22],
            "levels": [0.8, 0.95],
            "history": {"bars": requests.records(bars.tail(60))},
        }
        answer = httpx.post(f"{url}/forecast", json=body).json()
    assert forecast == Forecast.of_answer(answer) == roughcast.forecast(bars.tail(60))
    assert [it.code if isinstance(it, Problem) else it.asset for it in batch] == [
        "history_too_short",
        ASSET,
    ]
    assert merged.added == 40
    assert len(ledger) == 2
