"""The model that knows the calendar, from a retrain to answers: they are training's own numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from models_store.predictors.calendar_adjusted import UNDATED, without_calendar
from models_store.runtime import LoadedModel
from models_store.store import Store
from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import json_bars
from training import cli
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.regressors import LinearPredictor
from volatility.seasonality import DAY_CLASSES
from volatility.series import DatedSeries, daily_series

MODEL = "calendar_log_har"
ASSETS = ("BTC-USD", "SPX")  # a market that never closes, and one with holidays and half days


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("store")
    assets = [word for asset in ASSETS for word in ("--asset", asset)]
    command = ["retrain", *assets, "--models", MODEL, "--store", str(root), "--jobs", "1"]
    assert cli.main(command) == 0
    return Store(root)


@pytest.fixture(scope="module")
def client(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    database = tmp_path_factory.mktemp("history") / "history.sqlite3"
    settings = Settings(store=store.root, database_url=f"sqlite:///{database}")
    with TestClient(create_app(settings)) as client:
        yield client


def series_of(asset: str) -> DatedSeries:
    dataset = datasets.load(asset)
    return daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))[0]


def ask(client: TestClient, asset: str, model: str = MODEL, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": asset, "model": model, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def dated(series: DatedSeries) -> dict[str, Any]:
    return {"history": {"rv": series.rv.tolist(), "dates": series.dates.astype(str).tolist()}}


def undated(series: DatedSeries) -> dict[str, Any]:
    return {"history": {"rv": series.rv.tolist()}}


@pytest.mark.parametrize("asset", ASSETS)
def test_held_history_gives_the_forecasts_of_training(
    client: TestClient, store: Store, asset: str
) -> None:
    """reference.npz has those that training made of its newest windows."""
    with np.load(store.root / asset / MODEL / "1" / "reference.npz") as reference:
        days, forecasts = reference["day"][:, -1], reference["forecast"]
    for day, forecast in list(zip(days.tolist(), forecasts.tolist(), strict=True))[-8:]:
        as_of = str(np.datetime64(int(day), "D"))
        assert ask(client, asset, as_of=as_of)["rv"] == forecast


@pytest.mark.parametrize("asset", ASSETS)
@pytest.mark.parametrize("left_out", [0, 1, 2, 3, 4])  # an end on five days of the week
def test_histories_with_dates_give_the_answer_of_held_history(
    client: TestClient, asset: str, left_out: int
) -> None:
    series = series_of(asset)
    known = series.part(slice(len(series) - left_out))
    held = ask(client, asset, as_of=str(known.dates[-1]))
    bars = datasets.load(asset).bars
    newest = bars.where((bars.dates > known.dates[-31]) & (bars.dates <= known.dates[-1]))
    for body in (dated(known.tail(30)), {"history": {"bars": json_bars(newest)}}):
        answer = ask(client, asset, **body)
        assert (answer["rv"], answer["forecast_id"]) == (held["rv"], held["forecast_id"])
        assert UNDATED not in answer["warnings"]


@pytest.mark.parametrize("asset", ASSETS)
def test_a_history_without_dates_is_forecast_without_the_calendar_and_told_so(
    client: TestClient, store: Store, asset: str
) -> None:
    series = series_of(asset).tail(60)
    answer = ask(client, asset, **undated(series))
    assert UNDATED in answer["warnings"]
    assert answer["rv"] != ask(client, asset, **dated(series))["rv"]
    assert UNDATED not in ask(client, asset, "log_har", **undated(series))["warnings"]
    # The coefficients by hand, on rv as it is.
    model = store.load(asset, MODEL)
    means = [np.log(series.rv[-lag:]).mean() for lag in (1, 5, 22)]
    inner, _ = without_calendar(model.predictors[1])
    assert isinstance(inner, LinearPredictor)
    log_rv = inner.intercept + sum(
        coefficient * mean
        for coefficient, mean in zip(inner.coefficients.values(), means, strict=True)
    )
    expected = np.exp(log_rv + model.manifest.residual_variance / 2)
    assert answer["rv"] == pytest.approx(expected, rel=1e-12)


def test_the_same_values_on_other_days_are_another_forecast(
    client: TestClient, store: Store
) -> None:
    """One value for 22 days: what changes with the day is the calendar's alone."""
    effects = store.load("BTC-USD", MODEL).manifest.calendar_effects
    assert max(effects["saturday"], effects["sunday"]) < min(effects[it] for it in DAY_CLASSES[:5])
    found = {}
    for weekday in range(7):  # 2021-10-04 was a Monday
        dates = np.datetime64("2021-10-04") + weekday - np.arange(21, -1, -1)
        series = DatedSeries(np.full(22, 1e-3), "garman_klass", dates)
        found[DAY_CLASSES[weekday]] = ask(client, "BTC-USD", **dated(series))["rv"]
    assert found["friday"] < found["sunday"]  # a Saturday follows, and a Monday
    assert len(set(found.values())) == 7


def test_the_session_before_a_half_day_knows_it(client: TestClient) -> None:
    """2019-11-29, the day after Thanksgiving, closed early; a week before, it was a Friday."""
    series = series_of("SPX")
    forecasts = {}
    for as_of in ("2019-11-21", "2019-11-27"):
        known = series.until(np.datetime64(as_of)).tail(22)
        flat = DatedSeries(np.full(22, 5e-5), known.measure, known.dates)
        answer = ask(client, "SPX", **dated(flat))
        forecasts[answer["target_date"]] = answer["rv"]
    assert forecasts["2019-11-29"] < 0.9 * forecasts["2019-11-22"]


@pytest.mark.parametrize("asset", ASSETS)
def test_a_batch_gives_the_bytes_of_single_answers(client: TestClient, asset: str) -> None:
    series = series_of(asset)
    bodies: list[dict[str, Any]] = [
        {},
        *(form(series.part(slice(-at - 40, -at))) for at in (1, 2, 3) for form in (dated, undated)),
        {"as_of": str(series.dates[-7])},
    ]
    items = [{"asset": asset, "model": MODEL, **body} for body in bodies]
    singles = [client.post("/forecast", json=item).content for item in items]
    batch = client.post("/forecast/batch", json={"items": items})
    assert batch.content == b'{"failed":0,"items":[' + b",".join(singles) + b"]}"


@pytest.mark.parametrize("asset", ASSETS)
def test_what_it_knows_is_there_to_read(client: TestClient, store: Store, asset: str) -> None:
    shown = client.get(f"/models/{asset}/{MODEL}").json()["manifest"]
    model: LoadedModel = store.load(asset, MODEL)
    assert shown["calendar_effects"] == model.manifest.calendar_effects
    assert list(shown["calendar_effects"]) == list(DAY_CLASSES)
    assert (shown["columns"], shown["hyperparameters"]["calendar_shrinkage"]) == ([], 10.0)
    assert client.get(f"/models/{asset}/log_har").json()["manifest"]["calendar_effects"] is None


def test_every_model_is_tested_against_it(client: TestClient) -> None:
    rows = {row["model"]: row for row in client.get("/compare/BTC-USD").json()["rows"]}
    assert set(rows[MODEL]["diebold_mariano"]) == {"last_value", "har", "log_har"}
    assert all(MODEL in row["diebold_mariano"] for name, row in rows.items() if name != MODEL)
    # 0.93 of log-HAR's QLIKE on 625 sessions, p = 0.003.
    test = rows[MODEL]["diebold_mariano"]["log_har"]
    assert test["statistic"] < 0
    assert test["pvalue"] < 0.01
    assert rows[MODEL]["qlike_loss"] / rows["log_har"]["qlike_loss"] == pytest.approx(0.93, 0.005)
