"""Simulated assets for the tests of the training room."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.config import Config, read_config
from training.data.assets import AssetData, TrainingSet
from volatility.calendars import get_calendar
from volatility.measures.columns import INTRADAY_COLUMNS
from volatility.seasonality import DAY_CLASSES, day_classes
from volatility.series import DatedSeries
from volatility.simulation.regression import har_process

LOG_HAR = (-0.9, 0.35, 0.35, 0.2)  # mean log rv of -9: one percent a day
SMALL_CONFIG = Path(__file__).parent / "small.toml"


def small_config() -> Config:
    return read_config(SMALL_CONFIG)


def make_asset(
    name: str = "TARGET", nobs: int = 600, seed: int = 0, start: str = "2015-01-01"
) -> AssetData:
    """An asset whose log rv follows a known HAR."""
    rv = har_process(LOG_HAR, nobs, np.random.default_rng(seed), scale="logs", residual_std=0.5)[0]
    dates = np.datetime64(start) + np.arange(nobs)
    return asset_of(name, DatedSeries(rv=rv, measure="garman_klass", dates=dates))


def asset_of(name: str, series: DatedSeries, calendar: str = "24/7") -> AssetData:
    return AssetData(name, series, calendar, bar_interval=86_400, source="simulated")


def make_seasonal_asset(
    effects: Mapping[str, float],
    nobs: int,
    seed: int = 0,
    calendar: str = "24/7",
    name: str = "TARGET",
) -> AssetData:
    """An asset whose log rv is a known HAR, and the effect of its class on each session."""
    rv = har_process(LOG_HAR, nobs, np.random.default_rng(seed), scale="logs", residual_std=0.5)[0]
    sessions = get_calendar(calendar).session_dates
    dates = sessions[np.searchsorted(sessions, np.datetime64("2005-01-01")) :][:nobs]
    added = np.array([effects.get(it, 0.0) for it in DAY_CLASSES])
    factors = np.exp(added[day_classes(dates, get_calendar(calendar))])
    return asset_of(name, DatedSeries(rv * factors, "garman_klass", dates), calendar)


def make_intraday_asset(name: str = "TARGET", nobs: int = 600, seed: int = 0) -> AssetData:
    """An asset with every column: 24 returns a day, a jump on every tenth."""
    rng = np.random.default_rng(seed)
    rv = har_process(LOG_HAR, nobs, rng, scale="logs", residual_std=0.4)[0]
    returns = rng.standard_normal((nobs, 24)) * np.sqrt(rv / 24)[:, None]
    returns[::10, 12] += 3 * np.sqrt(rv[::10])
    columns = {column: of(returns) for column, of in INTRADAY_COLUMNS.items()}
    dates = np.datetime64("2015-01-01") + np.arange(nobs)
    realized = np.sum(returns**2, axis=1)
    return asset_of(name, DatedSeries(realized, "realized_variance", dates, columns=columns))


def make_companion(name: str = "BESIDE", nobs: int = 700, seed: int = 5) -> AssetData:
    """A market without a close, with returns, from a month before :func:`make_asset` begins on."""
    asset = make_asset(name, nobs, seed, start="2014-12-01")
    returns = np.random.default_rng(seed).normal(size=nobs) * asset.series.volatility
    return replace(asset, series=replace(asset.series, columns={"return": returns}))


def make_training_set(nobs: int = 600) -> TrainingSet:
    source = make_asset("SOURCE", nobs=nobs + 400, seed=1, start="2014-01-01")
    return TrainingSet(make_asset(nobs=nobs), {"SOURCE": source}, seed=7)


def write_bars(path: Path, nobs: int = 600, seed: int = 0, **columns: Any) -> Path:
    """A CSV file of daily bars whose ranges follow a known HAR; ``columns`` replace some."""
    rng = np.random.default_rng(seed)
    volatility = np.sqrt(har_process(LOG_HAR, nobs, rng, scale="logs", residual_std=0.3)[0])
    steps = rng.standard_normal((nobs, 48)) * (volatility / np.sqrt(48))[:, None]
    within = np.cumsum(steps, axis=1)
    opens = np.exp(4 + np.concatenate([[0.0], np.cumsum(within[:-1, -1])]))
    frame = pd.DataFrame(
        {
            "date": pd.date_range("2018-01-01", periods=nobs).strftime("%Y-%m-%d"),
            "open": opens,
            "high": opens * np.exp(np.maximum(within.max(axis=1), 0)),
            "low": opens * np.exp(np.minimum(within.min(axis=1), 0)),
            "close": opens * np.exp(within[:, -1]),
        }
    )
    frame.assign(**columns).to_csv(path, index=False)
    return path
