"""Five-minute bars of an exchange: a file is retrained on, bars are put, and forecast from."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.training.simulated import SMALL_CONFIG
from tests.volatility.session_bars import session_bars
from training import cli
from volatility.calendars import get_calendar
from volatility.frames import to_frame
from volatility.hurst import report
from volatility.seasonality import day_classes
from volatility.series import daily_series

CSV = {"Content-Type": "text/csv"}
PUT = "/assets/MINE/bars"
BARS = session_bars("2017-06-01", "2019-07-12")
SERIES = daily_series(BARS, "realized_variance", get_calendar("XNYS"))[0]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """As an exchange's file has them: stamped at their start, by its own clock."""
    frame = to_frame(BARS)
    return frame.assign(timestamp=frame.timestamp.dt.tz_convert("America/New_York").astype(str))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, table: pd.DataFrame) -> Iterator[TestClient]:
    """The service with models of all but the last seven sessions, and no history."""
    folder = tmp_path_factory.mktemp("minutes")
    bars, store = folder / "mine.csv", folder / "store"
    store.mkdir()
    evening = table.head(1).assign(timestamp="2017-06-01 18:00:00-04:00")
    seen = table[table.timestamp < "2019-07-02"]
    pd.concat([seen, evening]).sort_values("timestamp").to_csv(bars, index=False)
    command = ["retrain", "--asset", "MINE", "--bars", str(bars), "--calendar", "XNYS"]
    options = ["--models", "harq", "--config", str(SMALL_CONFIG), "--jobs", "1"]
    assert cli.main([*command, *options, "--store", str(store)]) == 2  # a bar of the evening
    dropped = [*options, "--store", str(store), "--outside-sessions", "drop"]
    assert cli.main([*command, *dropped]) == 0
    settings = Settings(store=store, database_url=f"sqlite:///{folder / 'history.sqlite3'}")
    with TestClient(create_app(settings)) as client:
        yield client


def test_from_minutes_to_a_forecast(client: TestClient, table: pd.DataFrame) -> None:
    put = client.put(PUT, content=table.to_csv(index=False), headers=CSV)
    assert put.status_code == 200, put.text
    answer = put.json()
    assert (answer["added"], answer["dropped"]) == (len(BARS), 0)
    assert (answer["last_session"], answer["warnings"]) == ("2019-07-12", [])

    history = client.get("/assets/MINE/history?start=2019-07-02").json()
    assert history["dates"][:3] == ["2019-07-02", "2019-07-03", "2019-07-05"]
    assert history["rv"] == SERIES.rv[-len(history["rv"]) :].tolist()

    forecast = client.post("/forecast", json={"asset": "MINE", "model": "harq"}).json()
    assert (forecast["as_of"], forecast["target_date"]) == ("2019-07-12", "2019-07-15")
    assert forecast["measure"] == "realized_variance"
    assert 0.3 < forecast["rv"] / SERIES.rv[-22:].mean() < 3
    tail = {"bars": json_bars(table.tail(30 * 78))}
    inline = {"asset": "MINE", "model": "harq", "history": tail}
    assert client.post("/forecast", json=inline).json()["rv"] == forecast["rv"]

    models = {it["model"] for it in client.get("/models").json()["models"]}
    assert models == {"last_value", "har", "log_har", "calendar_log_har", "harq"}
    manifest = client.get("/models/MINE/harq").json()["manifest"]
    assert (manifest["bar_interval"], manifest["periods_per_year"]) == (300, 252)


def test_roughness_knows_the_returns_of_a_session(client: TestClient, table: pd.DataFrame) -> None:
    client.put(PUT, content=table.to_csv(index=False), headers=CSV)
    answer = client.get("/hurst/MINE").json()
    found = {it["estimator"]: it["hurst"] for it in answer["estimates"]}["variogram_corrected"]
    classes = day_classes(SERIES.dates, get_calendar("XNYS"))
    # 78 from 9:30 to 16:00, on all but a few half days; around the clock there would be 288.
    expected, of_all_day = (
        report(
            0.5 * SERIES.log_rv,
            measure="realized_variance",
            intraday_nobs=nobs,
            day_classes=classes,
        ).estimate("variogram_corrected")
        for nobs in (78, 288)
    )
    assert found == pytest.approx(expected.hurst, abs=1e-9)
    assert found != pytest.approx(of_all_day.hurst, abs=1e-3)


def test_bars_outside_of_sessions_are_refused_or_dropped_and_counted(
    client: TestClient, table: pd.DataFrame
) -> None:
    day = table[table.timestamp.str.startswith("2019-07-12")]
    early = day.head(2).assign(timestamp=["2019-07-12 09:20:00-04:00", "2019-07-12 09:25:00-04:00"])
    holiday = day.head(1).assign(timestamp="2019-07-04 12:00:00-04:00")
    content = pd.concat([holiday, early, day]).to_csv(index=False)
    refused = client.put(PUT, content=content, headers=CSV)
    assert (refused.status_code, refused.json()["code"]) == (422, "outside_session")
    assert "outside of all sessions at bar 0 (2019-07-04T16:00:00) (3 in all)" in str(
        refused.json()["detail"]
    )
    dropped = client.put(f"{PUT}?outside_sessions=drop", content=content, headers=CSV).json()
    assert (dropped["dropped"], dropped["added"] + dropped["unchanged"]) == (3, 78)
    wrong = client.put(f"{PUT}?outside_sessions=keep", content=content, headers=CSV)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_value")


def test_nothing_is_left_of_bars_that_are_all_outside(
    client: TestClient, table: pd.DataFrame
) -> None:
    night = table.head(2).assign(timestamp=["2019-07-12 22:00-04:00", "2019-07-12 22:05-04:00"])
    for nobs, found in ((1, "1 bar, which is"), (2, "2 bars, which are all")):
        content = night.head(nobs).to_csv(index=False)
        answer = client.put(f"{PUT}?outside_sessions=drop", content=content, headers=CSV)
        assert (answer.status_code, answer.json()["code"]) == (422, "empty_bars")
        assert f"bars: {found} outside of sessions; needed: at least one bar within" in answer.text


def json_bars(table: pd.DataFrame) -> list[dict[str, Any]]:
    stamps = table.timestamp.str.replace(" ", "T")
    rows: list[dict[str, Any]] = table.assign(timestamp=stamps).to_dict("records")  # type: ignore[assignment]
    return rows


def test_the_bars_are_those_of_two_years() -> None:
    assert len(SERIES) == 532
    assert np.isin(np.datetime64("2019-07-03"), SERIES.dates)
