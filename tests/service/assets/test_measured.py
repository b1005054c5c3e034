"""Sessions of all assets at once, bars that are looked at and not held, and the cone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from service.app import create_app
from tests.models_store.artifacts import make_series
from tests.service import worlds
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, bars_of, json_bars
from volatility.cone import volatility_cone
from volatility.rows import csv_header, csv_lines

SERIES = make_series()
BARS = json_bars(bars_of(SERIES))
YEAR = 365


@pytest.fixture(scope="module")
def client(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One for all, in SQLite alone: what is asked here is in memory."""
    folder = tmp_path_factory.mktemp("measured")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    with TestClient(create_app(worlds.settings_in(folder), worlds.clock)) as client:
        yield client


def csv_of(part: slice) -> str:
    bars = bars_of(SERIES).where(part)
    return csv_header(is_daily=True) + "".join(csv_lines(bars))


def test_the_newest_sessions_of_every_asset(client: TestClient) -> None:
    client.put("/assets/NEW/bars", json={"bars": made_up_bars(30)}).raise_for_status()
    client.post("/assets", json={"asset": "EMPTY", "calendar": "XNYS"}).raise_for_status()
    answer = client.get("/history?sessions=25").json()
    assert answer["sessions"] == 25
    assert [it["asset"] for it in answer["assets"]] == ["NEW", ASSET]  # none of EMPTY
    test = answer["assets"][1]
    assert (test["measure"], test["last_session"]) == ("garman_klass", LAST)
    expected = np.sqrt(SERIES.rv[-25:] * YEAR)
    assert test["volatility_annualized"] == pytest.approx(expected.tolist(), rel=1e-9)
    own = client.get("/assets/NEW/history").json()["volatility_annualized"]
    assert answer["assets"][0]["volatility_annualized"] == own[-25:]
    assert answer["warnings"] == []
    for name in ("NEW", "EMPTY"):
        client.delete(f"/assets/{name}").raise_for_status()


@pytest.mark.parametrize("sessions", [0, 253])
def test_so_many_sessions_are_not_given(client: TestClient, sessions: int) -> None:
    answer = client.get(f"/history?sessions={sessions}")
    assert (answer.status_code, answer.json()["field"]) == (422, "sessions")


def test_a_cone_is_that_of_the_held_sessions(client: TestClient) -> None:
    answer = client.get(f"/assets/{ASSET}/cone").json()
    assert (answer["asset"], answer["as_of"], answer["nobs"]) == (ASSET, LAST, 400)
    expected = volatility_cone(SERIES.rv)
    assert [it["window"] for it in answer["rows"]] == [1, 5, 10, 22, 63, 126]
    for row, found in zip(answer["rows"], expected, strict=True):
        assert row["newest"] == pytest.approx(found.newest * np.sqrt(YEAR), rel=1e-9)
        quantiles = (np.sqrt(YEAR) * np.array(found.quantiles)).tolist()
        assert row["quantiles"] == pytest.approx(quantiles, rel=1e-9)
        assert row["rank"] == found.rank
        assert row["nobs"] == found.nobs
    assert len(answer["probabilities"]) == len(answer["rows"][0]["quantiles"])


def test_no_cone_of_what_is_not_held(client: TestClient) -> None:
    assert client.get("/assets/NOTHING/cone").json()["code"] == "unknown_asset"
    client.post("/assets", json={"asset": "EMPTY", "calendar": "XNYS"}).raise_for_status()
    assert client.get("/assets/EMPTY/cone").json()["code"] == "no_history"
    client.delete("/assets/EMPTY").raise_for_status()


def test_bars_are_measured_and_not_held(client: TestClient) -> None:
    answer = client.post("/history", json={"bars": BARS[-60:]}).json()
    assert answer["bars"] == BARS[-60:]
    assert (answer["calendar"], answer["kind"], answer["measure"]) == (
        *("24/7", "crypto"),
        "garman_klass",
    )
    assert answer["dates"] == [it["date"] for it in BARS[-60:]]
    assert answer["rv"] == pytest.approx(SERIES.rv[-60:].tolist(), rel=1e-9)
    annualized = np.sqrt(np.array(answer["rv"]) * YEAR)
    assert answer["volatility_annualized"] == pytest.approx(annualized.tolist())
    assert (answer["nobs"], answer["dropped"], answer["periods_per_year"]) == (60, 0, YEAR)
    assert [it["window"] for it in answer["cone"]["rows"]] == [1, 5, 10, 22]
    assert "calendar 24/7" in answer["warnings"][0]
    assert [it["asset"] for it in client.get("/assets").json()["assets"]] == [ASSET]


def test_a_table_is_read_as_json_is(client: TestClient) -> None:
    part = slice(-40, None)
    csv = client.post("/history", content=csv_of(part), headers={"content-type": "text/csv"})
    assert csv.json() == client.post("/history", json={"bars": BARS[part]}).json()


def test_what_is_given_is_not_inferred(client: TestClient) -> None:
    weekdays = {"bars": made_up_bars(40)}
    found = client.post("/history?calendar=24/5&kind=fx", json=weekdays).json()
    assert (found["calendar"], found["kind"]) == ("24/5", "fx")
    half = client.post("/history?calendar=24/5", json=weekdays).json()
    assert (half["calendar"], half["kind"]) == ("24/5", "fx")
    assert half["warnings"][1:] == found["warnings"]
    assert "kind fx" in half["warnings"][0]


def test_bars_outside_of_sessions_are_refused_or_dropped(client: TestClient) -> None:
    body = {"bars": BARS[-21:]}
    refused = client.post("/history?calendar=XNYS", json=body)
    assert refused.status_code == 422
    dropped = client.post("/history?calendar=XNYS&outside_sessions=drop", json=body).json()
    assert dropped["dropped"] + len(dropped["bars"]) == 21
    assert 6 <= dropped["dropped"] <= 8  # three weekends, and a holiday


def test_one_session_has_no_cone(client: TestClient) -> None:
    answer = client.post("/history?calendar=24/7", json={"bars": BARS[-1:]}).json()
    assert (answer["nobs"], answer["cone"]) == (1, None)


def test_bars_that_cannot_be_used_are_told_of(client: TestClient) -> None:
    bad = {**BARS[-1], "high": 1.0}
    answer = client.post("/history", json={"bars": [*BARS[-5:-1], bad]}).json()
    assert (answer["status"], answer["field"]) == (422, "bars[4].high")
    text = client.post("/history", content=b"nothing", headers={"content-type": "text/csv"})
    assert text.status_code == 422
    flat = [{**it, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0} for it in BARS[-5:]]
    assert client.post("/history", json={"bars": flat}).status_code == 422
