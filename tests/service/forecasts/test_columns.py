"""Models that see more than rv, and networks that show more than a forecast."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from models_store import LoadedModel, Store
from service.app import create_app
from service.assets.held import Held
from service.settings import Settings
from tests.models_store.artifacts import LEVERAGE, make_series
from tests.service.client import TestClient
from tests.service.worlds import (
    ASSET,
    DRIFT,
    bars_of,
    clock,
    held_asset,
    json_bars,
    json_rv,
    publish_others,
)
from volatility.calendars import get_calendar
from volatility.series import daily_series

BARS = bars_of(make_series(), DRIFT)


@pytest.fixture(scope="module")
def client(module_settings: Settings) -> Iterator[TestClient]:
    publish_others(module_settings)
    with TestClient(create_app(module_settings, clock)) as client:
        yield client


@pytest.fixture
def model(client: TestClient, module_settings: Settings) -> LoadedModel:
    return Store(module_settings.store_folder).load(ASSET, "leverage")


def ask(client: TestClient, model: str = "leverage", **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_held_bars_are_measured_with_the_columns_of_the_model(
    client: TestClient, model: LoadedModel
) -> None:
    series, _ = daily_series(BARS, "garman_klass", get_calendar("24/7"), ("return",))
    answer = ask(client)
    assert answer["rv"] == model.forecast(series).rv
    # The last session fell, which the model answers with more than HAR.
    assert series.columns["return"][-1] < 0
    leverage = LEVERAGE["negative_mean_1:return"] * series.columns["return"][-1]
    assert answer["rv"] == pytest.approx(ask(client, "har")["rv"] + leverage, rel=1e-12)


def test_inline_bars_give_the_answer_of_the_same_held_bars(client: TestClient) -> None:
    assert ask(client, history={"bars": json_bars(BARS)}) == ask(client)
    # The return of the oldest session needs the close before it.
    newest = json_bars(BARS)[-23:]
    answer = ask(client, history={"bars": newest})
    assert (answer["rv"], answer["forecast_id"]) == (ask(client)["rv"], ask(client)["forecast_id"])


def test_rv_alone_is_not_enough_and_the_answer_says_what_to_send(client: TestClient) -> None:
    dates = [str(date) for date in make_series().dates[-30:]]
    for history in ({"rv": json_rv(30)}, {"rv": json_rv(30), "dates": dates}):
        body = {"asset": ASSET, "model": "leverage", "history": history}
        answer = client.post("/forecast", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "missing_columns")
        assert answer.json()["field"] == "history"
        assert "lacks return; send bars" in answer.json()["detail"]
        assert ask(client, "har", history=history)["rv"] > 0


def test_a_batch_gives_the_bytes_of_single_answers_and_a_bad_item_fails_alone(
    client: TestClient,
) -> None:
    items: list[dict[str, Any]] = [
        {"asset": ASSET, "model": "leverage"},
        {"asset": ASSET, "model": "regimes"},
        {"asset": ASSET, "model": "leverage", "history": {"bars": json_bars(BARS)[-40:]}},
        {"asset": ASSET, "model": "regimes", "history": {"rv": json_rv()}},
        {"asset": ASSET, "model": "leverage", "as_of": "2020-12-24"},
        {"asset": ASSET, "model": "har"},
    ]
    singles = [client.post("/forecast", json=item).content for item in items]
    batch = client.post("/forecast/batch", json={"items": items})
    assert batch.content == b'{"failed":0,"items":[' + b",".join(singles) + b"]}"
    bad = {"asset": ASSET, "model": "leverage", "history": {"rv": json_rv()}}
    mixed = client.post("/forecast/batch", json={"items": [items[0], bad, items[2]]})
    first, refused, last = mixed.json()["items"]
    assert refused["code"] == "missing_columns"
    assert [first, last] == [json.loads(singles[0]), json.loads(singles[2])]


def test_the_id_changes_with_the_columns(client: TestClient) -> None:
    """The same ranges and rv, with closes elsewhere inside of them."""
    other = json_bars(BARS)
    other[-1]["close"], other[-1]["open"] = other[-1]["open"], other[-1]["close"]
    bodies = [{}, {"history": {"bars": other}}]
    assert len({ask(client, "har", **body)["forecast_id"] for body in bodies}) == 1
    assert len({ask(client, "leverage", **body)["forecast_id"] for body in bodies}) == 2


def test_a_replay_uses_no_later_return(client: TestClient, model: LoadedModel) -> None:
    series, _ = daily_series(BARS, "garman_klass", get_calendar("24/7"), ("return",))
    known = series.until(np.datetime64("2020-12-24"))
    assert ask(client, as_of="2020-12-24")["rv"] == model.forecast(known).rv


def test_held_series_are_made_once_for_each_set_of_columns() -> None:
    held = Held(held_asset(), BARS, 1)
    assert held.series() is held.series()
    wide = held.series(None, ("return",))
    assert wide is held.series("garman_klass", ("return",))
    assert (dict(held.series().columns), list(wide.columns)) == ({}, ["return"])


def test_a_network_shows_its_diagnostics_in_the_answer(
    client: TestClient,
) -> None:
    newest = float(np.log(make_series().rv[-1]))
    first = 1 / (1 + np.exp(-(newest + 9)))
    ((name, weights),) = ask(client, "regimes")["diagnostics"].items()
    assert name == "weights"
    assert weights == pytest.approx([first, 1 - first], abs=1e-6)
    assert ask(client, "har")["diagnostics"] == {}


def test_models_say_what_they_need(client: TestClient) -> None:
    columns = {it["model"]: it["columns"] for it in client.get("/models").json()["models"]}
    assert columns["leverage"] == ["return"]
    assert {name for name, needed in columns.items() if needed} == {"leverage"}
    assert client.get(f"/models/{ASSET}/leverage").json()["manifest"]["columns"] == ["return"]
