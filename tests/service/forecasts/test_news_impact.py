"""What a return of the last session would have made of the forecast."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.app import create_app
from tests.models_store.artifacts import make_series
from tests.service import worlds
from tests.service.any_asset import made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.worlds import (
    ASSET,
    DRIFT,
    LAST,
    bars_of,
    clock,
    json_bars,
    json_rv,
    publish_others,
)
from volatility.news_impact import POINTS, session_of, shocks


@pytest.fixture(scope="module")
def client(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("news")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    settings = worlds.settings_in(folder)
    publish_others(settings)
    publish_universal(settings)
    with TestClient(create_app(settings, clock)) as client:
        yield client


def forecast_of(client: TestClient, bars: list[dict[str, Any]], model: str) -> dict[str, Any]:
    asked = {"asset": ASSET, "model": model, "levels": [], "history": {"bars": bars}}
    answer: dict[str, Any] = client.post("/forecast", json=asked).json()
    return answer


@pytest.mark.parametrize("model", ["har", "leverage"])
def test_each_point_is_the_forecast_of_a_session_that_did_not_happen(
    client: TestClient, model: str
) -> None:
    found = client.get(f"/news-impact/{ASSET}?model={model}").json()
    assert (found["asset"], found["model"], found["session"]) == (ASSET, model, LAST)
    assert (found["target_date"], found["measure"]) == ("2021-02-04", "garman_klass")
    bars = json_bars(bars_of(make_series(), DRIFT))
    before = forecast_of(client, bars[:-1], model)
    assert found["expected_volatility_annualized"] == pytest.approx(
        before["volatility_annualized"], rel=1e-9
    )
    returns = [it["log_return"] for it in found["points"]]
    np.testing.assert_allclose(returns, shocks(before["volatility"]), rtol=1e-9)
    close = float(bars[-2]["close"])  # type: ignore[arg-type]
    assert found["log_return"] == pytest.approx(np.log(float(bars[-1]["close"]) / close))  # type: ignore[arg-type]
    for at in (0, 10, POINTS // 2, POINTS - 1):
        bar = session_of(np.datetime64(LAST), close, returns[at], before["volatility"])
        expected = forecast_of(client, [*bars[:-1], *json_bars(bar)], model)
        assert found["points"][at]["rv"] == pytest.approx(expected["rv"], rel=1e-9)
        annualized = expected["volatility_annualized"]
        assert found["points"][at]["volatility_annualized"] == pytest.approx(annualized, rel=1e-9)


def test_a_model_without_returns_takes_falls_as_rises(client: TestClient) -> None:
    rv = [it["rv"] for it in client.get(f"/news-impact/{ASSET}?model=har").json()["points"]]
    assert rv == pytest.approx(rv[::-1], rel=1e-6)
    seen = client.get(f"/news-impact/{ASSET}?model=leverage").json()["points"]
    assert seen[0]["rv"] != pytest.approx(seen[-1]["rv"], rel=0.01)


def test_bars_that_are_sent_are_asked_about_alike(client: TestClient) -> None:
    bars = json_bars(bars_of(make_series(), DRIFT))
    asked = {"asset": ASSET, "model": "leverage", "history": {"bars": bars}}
    sent = client.post("/news-impact", json=asked).json()
    held = client.get(f"/news-impact/{ASSET}?model=leverage").json()
    assert sent["points"] == held["points"]


def test_an_asset_that_nobody_trained_on(client: TestClient) -> None:
    found = client.post("/news-impact", json={"history": {"bars": made_up_bars(60)}}).json()
    assert (found["asset"], found["model"], len(found["points"])) == (None, "universal", POINTS)
    assert all(it["rv"] > 0 for it in found["points"])


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"asset": ASSET, "history": {"rv": json_rv()}}, 422, "invalid_value"),
        ({"history": {"bars": made_up_bars(22)}}, 422, "history_too_short"),
        ({"asset": "NOTHING"}, 404, "unknown_asset"),
        ({"asset": ASSET, "model": "garch"}, 404, "unknown_model"),
        ({"asset": ASSET, "horizon": 5}, 422, "unknown_field"),
    ],
)
def test_what_has_no_curve(
    client: TestClient, asked: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/news-impact", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
