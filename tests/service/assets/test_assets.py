import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models_store import Store
from service.app import create_app
from service.assets.database import HeldAsset, HistoryStore
from service.settings import Settings
from tests.models_store.artifacts import flip_byte, make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, bars_of, clock, json_bars
from tests.volatility.prices import make_bars
from volatility.bars import PRICES
from volatility.frames import to_frame

SERIES = make_series()
BARS = bars_of(SERIES)
NEXT = {"date": "2021-02-04", "open": 100.0, "high": 103.0, "low": 99.0, "close": 101.0}
CSV = {"content-type": "text/csv"}


@pytest.fixture
def tomorrow(settings: Settings) -> Any:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=1))) as client:
        yield client


def test_an_asset_is_described(client: TestClient) -> None:
    assert client.get("/assets").json() == {
        "assets": [
            {
                "asset": ASSET,
                "calendar": "24/7",
                "periods_per_year": 365,
                "kind": "crypto",
                "measure": "garman_klass",
                "bar_interval": 86_400,
                "bars": 400,
                "sessions": 400,
                "first_session": "2020-01-01",
                "last_session": LAST,
                "stale_sessions": 0,
                "source": "simulated",
                "models": ["har", "last_value", "log_har"],
                "champion": "log_har",
            }
        ]
    }


def test_a_bar_is_added_and_stays_after_a_restart(tomorrow: TestClient, settings: Settings) -> None:
    answer = tomorrow.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT]})
    assert answer.json() == {
        "asset": ASSET,
        "added": 1,
        "unchanged": 0,
        "replaced": 0,
        "dropped": 0,
        "bars": 401,
        "last_session": "2021-02-04",
        "inferred": {
            "layout": "plain",
            "content": "JSON",
            "packed": None,
            "delimiter": None,
            "decimal": None,
            "dates": "ISO 8601",
            "order": "oldest first",
            "interval": 86_400,
            "dropped": [],
            "sorted_rows": 0,
            "mended_rows": 0,
            "notes": [],
        },
        "warnings": [],
    }
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=1))) as restarted:
        [asset] = restarted.get("/assets").json()["assets"]
    assert (asset["bars"], asset["last_session"]) == (401, "2021-02-04")


def test_a_request_can_be_sent_again(tomorrow: TestClient) -> None:
    for added, unchanged in ((1, 1), (0, 2)):
        body = {"bars": [json_bars(BARS)[-1], NEXT]}
        answer = tomorrow.put(f"/assets/{ASSET}/bars", json=body).json()
        assert (answer["added"], answer["unchanged"]) == (added, unchanged)


def test_a_contradiction_changes_nothing_unless_it_is_meant(client: TestClient) -> None:
    path, body = f"/assets/{ASSET}/bars", {"bars": [json_bars(BARS)[-1] | {"high": 120.0}]}
    before = client.post("/forecast", json={"asset": ASSET}).content
    assert client.put(path, json=body).status_code == 409
    assert client.post("/forecast", json={"asset": ASSET}).content == before
    assert client.put(f"{path}?replace=true", json=body).json()["replaced"] == 1
    assert client.post("/forecast", json={"asset": ASSET}).content != before


def test_csv_is_read_to_the_last_bit(client: TestClient) -> None:
    table = to_frame(BARS).to_csv(index=False)
    answer = client.put(f"/assets/{ASSET}/bars", content=table, headers=CSV)
    assert answer.status_code == 200, answer.text
    assert answer.json()["unchanged"] == 400


def test_a_price_that_jumps_by_a_split_like_factor_is_told_of(tomorrow: TestClient) -> None:
    path = f"/assets/{ASSET}/bars"
    held = json_bars(BARS)[-1]["close"]
    prices = scaled(NEXT, 0.1)
    [warning] = tomorrow.put(path, json={"bars": [NEXT | prices]}).json()["warnings"]
    assert warning.startswith(f"open: 10.0 after a close of {held}, held before, about 0.1 times")
    history = [*json_bars(BARS), NEXT | prices]
    answer = tomorrow.post("/forecast", json={"asset": ASSET, "history": {"bars": history}}).json()
    assert any("about 0.1 times" in warning for warning in answer["warnings"])


def scaled(bar: dict[str, Any], factor: float) -> dict[str, float]:
    """The prices of a bar, multiplied."""
    return {name: bar[name] * factor for name in ("open", "high", "low", "close")}


def test_a_jump_that_is_no_split_is_not_told_of(tomorrow: TestClient) -> None:
    prices = scaled(NEXT, 0.7)
    answer = tomorrow.put(f"/assets/{ASSET}/bars", json={"bars": [NEXT | prices]}).json()
    assert (answer["added"], answer["warnings"]) == (1, [])


def test_a_gap_behind_the_held_bars_is_said(settings: Settings) -> None:
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=5))) as client:
        late = NEXT | {"date": "2021-02-07"}
        warnings = client.put(f"/assets/{ASSET}/bars", json={"bars": [late]}).json()["warnings"]
    assert warnings == ["3 sessions are missing between 2021-02-03, held before, and 2021-02-07"]


def test_a_day_without_range_is_a_warning(tomorrow: TestClient) -> None:
    flat = NEXT | {"high": 100.0, "low": 100.0, "close": 100.0}
    body = {"bars": [json_bars(BARS)[-1], flat]}
    [warning] = tomorrow.put(f"/assets/{ASSET}/bars", json=body).json()["warnings"]
    assert "high and low both 100.0" in warning


def test_an_asset_that_only_the_store_knows_gets_its_history(settings: Settings) -> None:
    store = Store(settings.store_folder)
    store.promote("FRESH", "har", store.publish(make_files("FRESH")))
    with TestClient(create_app(settings, clock)) as client:
        refused = client.post("/forecast", json={"asset": "FRESH", "model": "har"})
        assert (refused.status_code, refused.json()["code"]) == (404, "no_history")
        described = {it["asset"]: it for it in client.get("/assets").json()["assets"]}["FRESH"]
        assert (described["bars"], described["last_session"]) == (0, None)
        assert client.get("/assets/FRESH/history").json()["code"] == "no_history"
        put = client.put("/assets/FRESH/bars", json={"bars": json_bars(BARS)})
        assert put.json()["added"] == 400
        fresh = client.post("/forecast", json={"asset": "FRESH", "model": "har"}).json()
        known = client.post("/forecast", json={"asset": ASSET, "model": "har"}).json()
    assert fresh["rv"] == known["rv"]


def test_an_asset_of_refused_models_says_so_and_hides_no_other(settings: Settings) -> None:
    store = Store(settings.store_folder)
    store.promote("FRESH", "har", store.publish(make_files("FRESH")))
    path = settings.store_folder / "FRESH" / "har" / "1" / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), -3))
    with TestClient(create_app(settings, clock)) as client:
        assert [it["asset"] for it in client.get("/assets").json()["assets"]] == [ASSET]
        answers = [
            client.put("/assets/FRESH/bars", json={"bars": json_bars(BARS)}),
            client.get("/assets/FRESH/history"),
            client.get("/hurst/FRESH"),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "artifact_refused")


@pytest.fixture
def hourly(settings: Settings) -> Iterator[TestClient]:
    """Two whole days of hourly bars are held, and the bar before them."""
    history = HistoryStore(settings.database_url)
    asset = HeldAsset("HOURLY", "24/7", "realized_variance", 3600, "simulated", "crypto")
    history.merge(asset, make_bars(49, "2021-01-31T23:00", 3600))
    history.close()
    with TestClient(create_app(settings, clock)) as client:
        yield client


def test_a_day_counts_when_all_its_hours_are_held(hourly: TestClient) -> None:
    table = to_frame(make_bars(73, "2021-01-31T23:00", 3600)).tail(24)
    path = "/assets/HOURLY/bars"
    part = hourly.put(path, content=table.head(20).to_csv(index=False), headers=CSV).json()
    assert (part["added"], part["last_session"]) == (20, "2021-02-02")
    [warning] = part["warnings"]
    assert warning.startswith("1 day has no realized variance yet, the first 2021-02-03")
    whole = hourly.put(path, content=table.to_csv(index=False), headers=CSV).json()
    assert (whole["added"], whole["unchanged"], whole["warnings"]) == (4, 20, [])
    [described] = [it for it in hourly.get("/assets").json()["assets"] if it["asset"] == "HOURLY"]
    assert whole["last_session"] == described["last_session"] == "2021-02-03"


def test_an_hour_may_be_missing_but_not_the_last_of_the_newest_day(hourly: TestClient) -> None:
    table = to_frame(make_bars(73, "2021-01-31T23:00", 3600)).tail(24)
    path = "/assets/HOURLY/bars"
    part = hourly.put(path, content=table.head(23).to_csv(index=False), headers=CSV).json()
    assert part["last_session"] == "2021-02-02"
    assert "of the newest session its last one" in part["warnings"][0]
    lost = table.drop(table.index[5])
    whole = hourly.put(path, content=lost.tail(1).to_csv(index=False), headers=CSV).json()
    assert (whole["last_session"], whole["warnings"]) == ("2021-02-03", [])


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("2021-02-03", "unclear_time", "the date 2021-02-03 at bar 0"),
        ("2021-02-03T00:30:00Z", "misaligned_time", "multiples of 3600 seconds"),
    ],
)
def test_a_bar_that_is_no_hour_is_refused(
    hourly: TestClient, line: str, code: str, message: str
) -> None:
    table = f"timestamp,open,high,low,close\n{line},100,103,99,101\n"
    answer = hourly.put("/assets/HOURLY/bars", content=table, headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert message in answer.json()["detail"]
    assert answer.json()["field"] == "bars[0].timestamp"


def test_a_timestamp_at_fault_is_called_so(hourly: TestClient) -> None:
    bar = {"timestamp": "2021-02-03T00:30:00Z", "open": 100, "high": 103, "low": 99, "close": 101}
    path = "/assets/HOURLY/bars"
    problem = hourly.put(path, json={"bars": [bar]}).json()
    assert (problem["code"], problem["field"]) == ("misaligned_time", "bars[0].timestamp")
    dated = {"date": "2021-02-03", **{name: bar[name] for name in PRICES}}
    problem = hourly.put(path, json={"bars": [dated]}).json()
    assert (problem["code"], problem["field"]) == ("unclear_time", "bars[0].date")


def test_a_csv_column_that_stands_twice_is_refused(tomorrow: TestClient) -> None:
    table = "date,open,open,high,low,close\n2021-02-04,100,5,103,99,101\n"
    answer = tomorrow.put(f"/assets/{ASSET}/bars", content=table, headers=CSV)
    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous_column")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_csv_file_may_begin_with_a_byte_order_mark(tomorrow: TestClient, mark: str) -> None:
    table = f"{mark}Date,Open,High,Low,Close,Volume\n2021-02-04,100,103,99,101,\n"
    answer = tomorrow.put(f"/assets/{ASSET}/bars", content=table.encode(), headers=CSV)
    assert answer.json()["added"] == 1


def test_history_is_the_series_that_forecasts_are_made_from(client: TestClient) -> None:
    answer = client.get(f"/assets/{ASSET}/history").json()
    assert (answer["asset"], answer["measure"], answer["nobs"]) == (ASSET, "garman_klass", 400)
    assert answer["dates"] == [str(date) for date in SERIES.dates]
    np.testing.assert_allclose(answer["rv"], SERIES.rv, rtol=1e-12)
    assert answer["volatility_annualized"][7] == pytest.approx(math.sqrt(365 * answer["rv"][7]))
    assert answer["last_bar"] == "2021-02-03T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "dates"),
    [
        ("start=2021-02-02", ["2021-02-02", "2021-02-03"]),
        ("end=2020-01-02", ["2020-01-01", "2020-01-02"]),
        ("start=2020-03-01&end=2020-03-02", ["2020-03-01", "2020-03-02"]),
        ("end=2020-03-02&limit=1", ["2020-03-02"]),
        ("start=2030-01-01", []),
    ],
)
def test_part_of_the_history(client: TestClient, query: str, dates: list[str]) -> None:
    answer = client.get(f"/assets/{ASSET}/history?{query}").json()
    assert answer["dates"] == dates
    assert answer["nobs"] == len(answer["rv"]) == len(dates)


def test_what_a_path_answers_is_told_of_all_its_routes(client: TestClient) -> None:
    refused = client.patch(f"/assets/{ASSET}/bars")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"] == refused.json()["needed"] == "GET, HEAD, PUT"
    assert client.patch("/assets").headers["allow"] == "GET, HEAD, POST"
