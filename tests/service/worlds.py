"""A small world for tests: one asset with three models, and its bars.

The bars are made so that their Garman-Klass variance is the series that the models were fitted on.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from models_store import Store
from models_store.artifact import encode
from models_store.predictors import linear
from service.assets.database import HeldAsset, HeldBars, HistoryStore
from service.settings import Settings
from tests.models_store.artifacts import (
    LEVERAGE,
    flip_byte,
    make_files,
    make_manifest,
    make_network_files,
    make_series,
)
from tests.service.client import TestClient
from volatility.bars import DAILY, Bars
from volatility.evaluation.tracks import ForecastTrack
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.series import DatedSeries

ASSET = "TEST"
MODELS = {"har": 1e-5, "log_har": 2e-5, "last_value": 4e-5}  # name: intercept
PROMPT = {"mean_1": 0.7, "mean_5": 0.1, "mean_22": 0.1}  # so that a day's delay is plain
DRIFT = 0.5
LAST = "2021-02-03"  # last session of make_series()
NOW = datetime(2021, 2, 4, 12, tzinfo=UTC)  # the session of LAST has closed, the next has not


def clock() -> datetime:
    return NOW


class SetClock:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def bars_of(series: DatedSeries, drift: float = 0.0) -> Bars:
    """Daily bars with this Garman-Klass variance: (ln high/low)²/2 where open and close agree.

    With ``drift``, the close lies that many volatilities above the open and below it by turns.
    """
    moves = drift * np.sqrt(series.rv) * (-1.0) ** np.arange(len(series))  # ln close/open
    half_range = np.sqrt(2 * (series.rv + (2 * np.log(2) - 1) * moves**2)) / 2
    flat = np.full(len(series), 100.0)
    return Bars(
        timestamps=series.dates.astype("datetime64[s]"),
        open=flat,
        high=flat * np.exp(half_range),
        low=flat * np.exp(-half_range),
        close=flat * np.exp(moves),
        interval=DAILY,
    )


def held_asset(asset: str = ASSET) -> HeldAsset:
    return HeldAsset(asset, "24/7", "garman_klass", DAILY, "simulated", "crypto")


def first_held(bars: Bars, asset: str = ASSET) -> HeldBars:
    """Bars as an empty database is filled with them."""
    return HeldBars(held_asset(asset), bars, revision=1)


def json_bars(bars: Bars) -> list[dict[str, object]]:
    return [
        {"date": str(date), "open": opened, "high": high, "low": low, "close": close}
        for date, opened, high, low, close in zip(
            bars.dates,
            bars.open.tolist(),
            bars.high.tolist(),
            bars.low.tolist(),
            bars.close.tolist(),
            strict=True,
        )
    ]


def json_rv(nobs: int = 22) -> list[float]:
    return make_series().rv[-nobs:].tolist()


def settings_in(folder: Path) -> Settings:
    return Settings(store=folder / "store", database_url=f"sqlite:///{folder / 'history.sqlite3'}")


def build(folder: Path) -> None:
    """Publish the models and hold the bars."""
    settings = settings_in(folder)
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        store.promote(ASSET, model, store.publish(make_files(ASSET, model, intercept)))
    store.set_champion(ASSET, "log_har")
    hold(settings.database_url)


def hold(database_url: str) -> None:
    """Hold the bars in an empty database."""
    history = HistoryStore(database_url)
    history.prepare([first_held(bars_of(make_series()))])
    history.close()


def damage(
    settings: Settings, model: str, version: int = 1, name: str = "coefficients.json"
) -> None:
    """Flip one bit of an artifact."""
    path = settings.store_folder / ASSET / model / str(version) / name
    path.write_bytes(flip_byte(path.read_bytes(), -3))


def verified(client: TestClient) -> TestClient:
    """A client of a service that has verified all of its models."""
    while client.get("/health/ready").json().get("unverified"):
        time.sleep(0.01)
    return client


def publish_others(settings: Settings) -> None:
    """Promote a model that sees returns and a network that shows weights, and hold bars that move.

    The returns are those of the closes of ``bars_of(make_series(), DRIFT)``.
    """
    store = Store(settings.store_folder)
    leverage = make_files(ASSET, "leverage", coefficients=LEVERAGE)
    store.promote(ASSET, "leverage", store.publish(leverage))
    store.promote(ASSET, "regimes", store.publish(make_network_files(ASSET, "regimes")))
    history = HistoryStore(settings.database_url)
    history.merge(held_asset(), bars_of(make_series(), DRIFT), replace=True)
    history.close()


def publish_shifted(
    settings: Settings, model: str, coefficients: Mapping[str, float] = PROMPT
) -> None:
    """Promote a version whose forecasts stand a day late in its evaluation."""
    predictor = LinearPredictor("levels", coefficients_of(coefficients), MODELS[model])
    series = make_series()
    windows = np.lib.stride_tricks.sliding_window_view(series.rv, 22).copy()
    forecast = predictor.predict({"rv": windows}).values
    track = ForecastTrack(
        model=model,
        as_of=series.dates[22:-1],
        target_dates=series.dates[23:],
        forecast=forecast[:-2],
        rv=series.rv[23:],
    )
    manifest = make_manifest(ASSET, model)
    store = Store(settings.store_folder)
    files = encode(
        manifest,
        linear.write({1: predictor}),
        {1: track},
        {"rv": windows[-8:]},
        {1: forecast[-8:]},
    )
    store.promote(ASSET, model, store.publish(files))
