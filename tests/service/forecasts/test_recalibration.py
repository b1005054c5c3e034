"""Served intervals follow the outcomes that come in, and the answer says which they are."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, bars_of, json_bars, publish_others
from volatility.series import DatedSeries

LATER = 120  # sessions after the fit
WALKED = 378  # forecasts of the walk-forward
GROWN = make_series(400 + LATER, seed=7)
SINCE = DatedSeries(GROWN.rv[400:], GROWN.measure, GROWN.dates[400:])

OF_WALK_FORWARD = {"nobs": 250, "effective_nobs": 250, "from_history": 0, "through": LAST}


@pytest.fixture
def later(settings: Settings) -> Iterator[TestClient]:
    """The service after more sessions, which it holds."""
    publish_others(settings)
    app = create_app(settings, lambda: NOW + timedelta(days=LATER))
    with TestClient(app) as client:
        put = client.put(f"/assets/{ASSET}/bars", json={"bars": json_bars(bars_of(SINCE))})
        assert put.status_code == 200, put.text
        yield client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("model", ["har", "regimes"])
def test_held_history_recalibrates_every_model(later: TestClient, model: str) -> None:
    assert ask(later, model=model)["calibration"] == {
        "nobs": WALKED + LATER,
        "effective_nobs": WALKED + LATER,
        "from_history": LATER,
        "through": str(SINCE.dates[-1]),
    }


def test_each_outcome_moves_what_is_known(later: TestClient, settings: Settings) -> None:
    found = [ask(later, model="har", as_of=str(day)) for day in SINCE.dates[[0, 50, -1]]]
    assert [it["calibration"]["from_history"] for it in found] == [1, 51, LATER]
    assert found[-1]["intervals"] == ask(later, model="har")["intervals"]
    model = Store(settings.store_folder).load(ASSET, "har")
    held = DatedSeries(
        np.concatenate([make_series().rv, SINCE.rv]), GROWN.measure, GROWN.dates
    ).until(SINCE.dates[50])
    for answered, expected in zip(
        found[1]["intervals"], model.forecast(held).intervals, strict=True
    ):
        assert answered["rv"] == pytest.approx(expected.rv, rel=1e-9)


def test_a_replay_knows_no_later_error(later: TestClient) -> None:
    day = str(make_series().dates[-10])
    answer = ask(later, as_of=day)
    assert (answer["calibration"]["nobs"], answer["calibration"]["through"]) == (WALKED - 9, day)
    assert answer["intervals"] != ask(later, as_of=LAST)["intervals"]


def test_a_history_that_is_sent_is_counted_where_it_came_after_the_fit(later: TestClient) -> None:
    sent = {"bars": json_bars(bars_of(SINCE))}
    linear = ask(later, model="har", history=sent)
    assert linear["calibration"]["from_history"] == LATER - 22
    network = ask(later, model="regimes", history=sent)
    assert network["calibration"]["from_history"] == 0
    assert network["calibration"]["through"] == LAST


def test_a_history_without_dates_has_the_intervals_of_the_walk_forward(later: TestClient) -> None:
    answer = ask(later, model="har", history={"rv": GROWN.rv[-200:].tolist()})
    assert answer["calibration"] == OF_WALK_FORWARD


def test_a_network_is_recalibrated_where_the_held_history_ends_not_in_replays(
    later: TestClient,
) -> None:
    replayed = ask(later, model="regimes", as_of=str(SINCE.dates[50]))
    assert replayed["calibration"] == OF_WALK_FORWARD
    newest = ask(later, model="regimes", as_of=str(SINCE.dates[-1]))
    assert newest == ask(later, model="regimes")


def test_a_batch_recalibrates_as_single_requests_do(later: TestClient) -> None:
    items: list[dict[str, Any]] = [
        {"asset": ASSET, "model": model, **more}
        for model in ("har", "regimes")
        for more in (
            {},
            {"as_of": str(SINCE.dates[30])},
            {"history": {"rv": GROWN.rv[-200:].tolist()}},
            {"history": {"bars": json_bars(bars_of(SINCE))}},
        )
    ]
    answer = later.post("/forecast/batch", json={"items": items}).json()
    assert answer["failed"] == 0
    assert answer["items"] == [later.post("/forecast", json=item).json() for item in items]


def test_another_interval_is_another_forecast(later: TestClient) -> None:
    window = json_bars(bars_of(SINCE.tail(22)))
    long, short = (
        ask(later, model="har", history={"bars": bars})
        for bars in (json_bars(bars_of(SINCE)), window)
    )
    assert long["rv"] == short["rv"]
    assert long["intervals"] != short["intervals"]
    assert long["forecast_id"] != short["forecast_id"]
