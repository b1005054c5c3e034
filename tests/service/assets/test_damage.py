"""Rows that are not what was put there are noticed when they are read, and touch no other asset."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from service.app import create_app
from service.assets import tables
from service.assets.database import HistoryStore
from service.assets.held import Held
from service.forecasts.companions import _held
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, bars_of, clock, held_asset, json_bars

BARS = bars_of(make_series())


@pytest.fixture
def damaged(settings: Settings) -> Settings:
    """A world in which the low of the last bar is above its high, and another asset is whole."""
    history = HistoryStore(settings.database_url)
    history.merge(held_asset("WHOLE"), BARS)
    with history.database.writing() as connection:
        held = tables.bars.c
        last = sa.select(sa.func.max(held.opened_at)).where(held.asset == ASSET).scalar_subquery()
        row = (held.asset == ASSET) & (held.opened_at == last)
        connection.execute(sa.update(tables.bars).where(row).values(low=1e6))
    history.close()
    return settings


@pytest.fixture
def client(damaged: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(damaged, clock)) as client:
        yield client


def test_nothing_is_told_from_damaged_bars(client: TestClient) -> None:
    asked = [
        client.post("/forecast", json={"asset": ASSET, "model": "har"}),
        client.get(f"/assets/{ASSET}/bars"),
        client.get(f"/assets/{ASSET}/history"),
        client.get(f"/hurst/{ASSET}"),
        client.get(f"/forecast/{ASSET}?known_at=2021-02-04T11:00:00Z"),
    ]
    for answer in asked:
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (503, "history_damaged"), problem
        assert (problem["field"], problem["found"]) == ("asset", ASSET)
        assert f"the bars of {ASSET} in the history database are damaged: " in problem["detail"]
        assert LAST in problem["detail"]
        assert problem["needed"] == "the bars put again, with replace=true, or a backup restored"


def test_others_serve_and_readiness_tells(client: TestClient) -> None:
    assert client.get("/assets/WHOLE/history").status_code == 200
    ready = client.get("/health/ready").json()
    assert ready["status"] == "degraded"
    [warning] = [it for it in ready["warnings"] if "damaged" in it]
    assert warning.startswith(f"the bars of {ASSET} are damaged: ")
    assert LAST in warning


def test_it_is_written_down_at_the_start(damaged: Settings) -> None:
    with capture_logs() as logs, TestClient(create_app(damaged, clock)):
        pass
    [line] = [it for it in logs if it["event"] == "bars damaged"]
    assert (line["log_level"], line["asset"]) == ("error", ASSET)
    assert LAST in line["reason"]


def test_bars_that_are_put_again_mend_it(client: TestClient) -> None:
    other = json_bars(BARS.where(slice(-3, -2)))
    path = f"/assets/{ASSET}/bars?replace=true"
    client.put(path, json={"bars": other}).raise_for_status()
    assert client.get(f"/assets/{ASSET}/history").status_code == 503
    client.put(path, json={"bars": json_bars(BARS.where(slice(-1, None)))}).raise_for_status()
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har"})
    assert answer.status_code == 200
    assert answer.json()["as_of"] == LAST
    assert client.get("/health/ready").json()["warnings"] == []


def test_a_damaged_companion_is_absent() -> None:
    held = Held(held_asset("VIX"), BARS, 1)
    held.damage = "a price of -1"
    holdings: Any = SimpleNamespace(find=lambda _asset: held)
    data: Any = SimpleNamespace(asset="VIX")
    found = _held(data, holdings)
    assert found == "the held bars of VIX are damaged: a price of -1"
