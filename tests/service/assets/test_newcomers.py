"""Assets that are made by their first bars."""

from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.any_asset import Records, made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, clock
from volatility.bars import PRICES

NAME = "MADE-UP"
CSV = {"content-type": "text/csv"}


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    publish_universal(settings)
    with TestClient(create_app(settings, clock)) as client:
        yield client


def put(client: TestClient, bars: Records, query: str = "", name: str = NAME) -> httpx.Response:
    return client.put(f"/assets/{name}/bars{query}", json={"bars": bars})


def described(client: TestClient, name: str = NAME) -> dict[str, Any]:
    assets = client.get("/assets").json()["assets"]
    return next(it for it in assets if it["asset"] == name)


def test_the_first_bars_make_an_asset_that_is_forecast_at_once(client: TestClient) -> None:
    merged = put(client, made_up_bars(300)).json()
    assert (merged["added"], merged["bars"], merged["last_session"]) == (300, 300, LAST)
    assert merged["warnings"] == [
        "calendar XNYS and kind stock are inferred from the dates; give them to be sure",
        "measure garman_klass is taken, as none is given",
    ]
    said = client.get(f"/forecast/{NAME}?horizons=1,5,10,22").json()
    assert (said["asset"], said["model"], said["as_of"]) == (NAME, "universal", LAST)
    assert [it["horizon"] for it in said["term_structure"]] == [1, 5, 10, 22]
    assert client.post("/forecast", json={"asset": NAME, "model": "universal"}).status_code == 200
    assert client.get(f"/hurst/{NAME}").json()["nobs"] == 300
    assert client.get(f"/assets/{NAME}/history?limit=1").json()["dates"] == [LAST]
    asset = described(client)
    assert (asset["calendar"], asset["kind"], asset["measure"]) == ("XNYS", "stock", "garman_klass")
    assert (asset["models"], asset["champion"]) == ([], "universal")


def test_a_time_that_no_daily_bar_has_is_told(client: TestClient) -> None:
    cases = [
        ("24/7", "13:00:00Z", True),
        ("24/7", "00:00:00Z", False),
        ("24/7", "00:00:00-05:00", False),  # midnight of its own clock
        ("XNYS", "21:00:00Z", False),
        ("XNYS", "14:30:00Z", False),
        ("XNYS", "15:30:00Z", True),
    ]
    for number, (calendar, time, is_told) in enumerate(cases):
        [bar] = made_up_bars(1, calendar)
        bar = {"timestamp": f"{LAST}T{time}", **{name: bar[name] for name in PRICES}}
        csv = f"{','.join(bar)}\n{','.join(map(str, bar.values()))}\n"
        sent: dict[str, dict[str, Any]] = {
            "json": {"json": {"bars": [bar]}},
            "csv": {"content": csv, "headers": CSV},
        }
        for form, content in sent.items():
            path = f"/assets/{form}-{number}/bars?calendar={calendar}"
            merged = client.put(path, **content).json()
            assert (merged["added"], merged["last_session"]) == (1, LAST)
            told = f"held as the bar of the whole of {LAST}"
            assert any(told in it for it in merged["warnings"]) == is_told, (form, time)


def test_what_is_given_is_kept(client: TestClient) -> None:
    query = "?calendar=24/5&kind=fx&measure=parkinson"
    assert put(client, made_up_bars(30, "24/5"), query).json()["warnings"] == []
    asset = described(client)
    assert (asset["calendar"], asset["kind"], asset["measure"]) == ("24/5", "fx", "parkinson")
    assert client.get(f"/forecast/{NAME}").json()["measure"] == "parkinson"


@pytest.mark.parametrize(("nobs", "calendar"), [(60, "XNYS"), (700, "24/7")])
def test_held_and_sent_bars_give_the_same_bits(
    client: TestClient, nobs: int, calendar: str
) -> None:
    bars = made_up_bars(nobs, calendar)
    put(client, bars)
    horizons = {"asset": NAME, "horizons": [1, 5, 10, 22], "levels": [0.5, 0.8, 0.99]}
    held = client.post("/forecast", json=horizons).json()
    sent = client.post("/forecast", json=horizons | {"history": {"bars": bars}}).json()
    assert sent == held
    unknown = horizons | {"asset": "OTHER", "history": {"bars": bars}}
    others = client.post("/forecast", json=unknown).json()["term_structure"]
    for own, other in zip(held["term_structure"], others, strict=True):
        assert "inferred" in other["warnings"][0]
        assert own["forecast_id"] != other["forecast_id"]  # which names the asset
        same = {"warnings": other["warnings"][1:], "forecast_id": own["forecast_id"]}
        assert own == other | same


def test_what_is_missing_is_counted_between_the_sessions_that_there_are(client: TestClient) -> None:
    bars = made_up_bars(700)[::-21][:30][::-1]  # a month from each to the next
    body = {"asset": "MONTHLY", "calendar": "XNYS", "history": {"bars": bars}}
    answer = client.post("/forecast", json=body).json()
    told = f"{29 * 20} sessions are missing between the 30 sessions used"
    assert (answer["missing_sessions"], told in answer["warnings"]) == (29 * 20, True)


def test_a_held_asset_without_models_is_said_to_be_held(client: TestClient) -> None:
    paths = [f"/compare/{NAME}", f"/compare/{NAME}/losses", f"/models/{NAME}/har"]
    forecast = f"/forecast/{NAME}?model=har"
    for path in (*paths, forecast):
        assert "send daily bars" in client.get(path).json()["detail"]
    put(client, made_up_bars(60))
    problem = client.get(forecast).json()
    assert (problem["code"], problem["field"], problem["found"]) == (
        "unknown_model",
        "model",
        "har",
    )
    assert problem["needed"] == "auto or universal"
    for path in paths:
        problem = client.get(path).json()
        assert (problem["status"], problem["code"]) == (404, "unknown_asset")
        assert "it is held, and universal, the model for every asset, answers" in problem["detail"]


def test_a_restart_keeps_new_assets(settings: Settings) -> None:
    publish_universal(settings)
    with TestClient(create_app(settings, clock)) as client:
        put(client, made_up_bars(300), "?kind=etf")
        before = client.get(f"/forecast/{NAME}").json(), described(client)
    with TestClient(create_app(settings, clock)) as client:
        assert (client.get(f"/forecast/{NAME}").json(), described(client)) == before
        assert before[1]["kind"] == "etf"


def test_later_bars_change_no_forecast_that_was_made_before(client: TestClient) -> None:
    bars = made_up_bars(700, "24/7")
    put(client, bars)
    days = [bars[place]["date"] for place in (21, 22, 249, 250, 420, 690)]
    query = "&horizons=1,5,10,22"
    before = [client.get(f"/forecast/{NAME}?as_of={day}{query}").json() for day in days]
    for place in range(691, 700):
        bars[place] |= {"high": bars[place]["high"] * 3}
    assert put(client, bars, "?replace=true").json()["replaced"] == 9
    after = [client.get(f"/forecast/{NAME}?as_of={day}{query}").json() for day in days]
    assert after == before
    # Nor is a replay another forecast than one from a history that ends there.
    for day, replayed in zip(days, before, strict=True):
        until = [it for it in bars if it["date"] <= day]
        sent = {"asset": "OTHER", "history": {"bars": until}, "horizons": [1, 5, 10, 22]}
        alone = client.post("/forecast", json=sent).json()
        for own, other in zip(replayed["term_structure"], alone["term_structure"], strict=True):
            assert own["rv"] == other["rv"]
            assert own["intervals"] == other["intervals"]


def test_bars_that_change_the_newest_session_change_the_forecast(client: TestClient) -> None:
    bars = made_up_bars(300)
    put(client, bars)
    before = client.get(f"/forecast/{NAME}").json()["rv"]
    bars[-1] |= {"high": bars[-1]["high"] * 1.1}
    put(client, bars[-1:], "?replace=true")
    assert client.get(f"/forecast/{NAME}").json()["rv"] > before


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("?calendar=XNYS", "asset_mismatch", "calendar"),
        ("?kind=fx", "asset_mismatch", "kind"),
        ("?measure=parkinson", "asset_mismatch", "measure"),
        ("?calendar=24/7&kind=crypto&measure=garman_klass", None, None),
    ],
)
def test_a_known_asset_may_be_described_as_it_is(
    client: TestClient, query: str, code: str | None, field: str | None
) -> None:
    answer = put(client, made_up_bars(1, "24/7"), query + "&replace=true", ASSET)
    if code is None:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, code, field)


@pytest.mark.parametrize(
    ("nobs", "query", "name", "code"),
    [
        (4, "", NAME, "unclear_calendar"),
        (30, "?measure=rolling_std", NAME, "unknown_measure"),
        (30, "?calendar=XMOON", NAME, "unknown_calendar"),
        (30, "?calendar=XTKS", NAME, "not_a_session"),
        (30, "?kind=bond", NAME, "invalid_value"),
        (30, "", "a+b", "invalid_input"),
    ],
)
def test_what_makes_no_asset(
    client: TestClient, nobs: int, query: str, name: str, code: str
) -> None:
    answer = put(client, made_up_bars(nobs), query, name)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert name not in {it["asset"] for it in client.get("/assets").json()["assets"]}


def test_five_bars_are_enough_where_the_calendar_is_given(client: TestClient) -> None:
    assert put(client, made_up_bars(5), "?calendar=XNYS").status_code == 200
    assert client.get(f"/forecast/{NAME}").json()["code"] == "history_too_short"


@pytest.mark.parametrize("media_type", ["application/json", "text/csv"])
def test_shorter_bars_make_no_asset(client: TestClient, media_type: str) -> None:
    stamps = [f"2021-01-{day:02}T{hour:02}:00:00Z" for day in range(1, 9) for hour in range(24)]
    if media_type == "text/csv":
        lines = [f"{stamp},1,1.1,0.9,1" for stamp in stamps]
        content = "\n".join(["timestamp,open,high,low,close", *lines])
    else:
        bars = [f'{{"timestamp":"{it}","open":1,"high":1.1,"low":0.9,"close":1}}' for it in stamps]
        content = '{"bars":[' + ",".join(bars) + "]}"
    headers = {"content-type": media_type}
    answer = client.put(f"/assets/{NAME}/bars", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_interval")
    if media_type != "text/csv":
        assert answer.json()["field"] == "bars[0].timestamp"
        asked = f'{{"asset": "{NAME}", "history": {content}}}'
        problem = client.post("/forecast", content=asked, headers=headers).json()
        found = (problem["code"], problem["field"])
        assert found == ("wrong_interval", "history.bars[0].timestamp")


def test_long_histories_are_calibrated_once_and_not_between_others(client: TestClient) -> None:
    from service.forecasts.requests import ForecastRequest

    questions = client.app_state["questions"]
    put(client, made_up_bars(700, "24/7"))
    put(client, made_up_bars(200, "24/7"), name="SHORT")
    asked = ForecastRequest(asset=NAME)
    assert questions.is_long(asked)
    client.get(f"/forecast/{NAME}")
    assert not questions.is_long(asked)
    assert not questions.is_long(ForecastRequest(asset=NAME, horizon=5))  # one look serves all
    assert not questions.is_long(ForecastRequest(asset="SHORT"))
    assert np.isfinite(client.get("/forecast/SHORT").json()["rv"])


@pytest.mark.parametrize("name", ["universal", "Universal"])
def test_no_asset_has_the_name_of_the_model_for_every_asset(client: TestClient, name: str) -> None:
    registered = client.post("/assets", json={"asset": name, "calendar": "XNYS"})
    for answer in (put(client, made_up_bars(30), name=name), registered):
        problem = answer.json()
        assert (answer.status_code, problem["field"], problem["found"]) == (422, "asset", name)
        assert problem["needed"] == f"another name: {name} is the model for every asset"
    assert name not in [it["asset"] for it in client.get("/assets").json()["assets"]]


def doubted(client: TestClient, path: str) -> list[str]:
    """What a forecast from held bars says of their prices."""
    return [it for it in client.get(path).json()["warnings"] if it.startswith(("low: ", "open: "))]


def test_what_was_said_of_prices_as_they_came_is_said_of_forecasts_from_them(
    client: TestClient,
) -> None:
    bars = made_up_bars(400)
    for bar in bars[380:]:
        bar |= {name: 0.1 * bar[name] for name in PRICES}
    bars[390]["low"] = 0.1 * bars[390]["high"]
    put(client, bars)
    sent = client.post("/forecast", json={"asset": NAME, "history": {"bars": bars}}).json()
    told = doubted(client, f"/forecast/{NAME}")
    assert told == [
        it.replace(f" at bar {at} ", " ")
        for at, it in zip((390, 380), sent["warnings"], strict=False)
    ]
    low, split = told
    assert f"({bars[390]['date']}); needed: a check that neither price is a misprint" in low
    assert f"about 0.1 times ({bars[380]['date']}); needed: prices adjusted for splits" in split
    day = bars[385]["date"]
    assert doubted(client, f"/forecast/{NAME}?as_of={day}") == [split]
    assert doubted(client, f"/forecast/{NAME}?as_of={bars[379]['date']}") == []


def test_prices_before_what_a_forecast_looks_at_are_not_told_of(client: TestClient) -> None:
    bars = made_up_bars(400)
    for at in (149, 150):
        bars[at]["low"] = 0.1 * bars[at]["high"]
    put(client, bars)
    told = doubted(client, f"/forecast/{NAME}")
    assert len(told) == 1  # 250 sessions, of which the first is at 150
    assert f"({bars[150]['date']})" in told[0]
