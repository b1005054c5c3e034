"""Simulated assets of several kinds, and a small universal model that was fitted on some."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np

from training.config import UniversalConfig, read_config
from training.data.assets import AssetData
from training.data.bars_file import make_asset
from volatility.bars import DAILY, Bars
from volatility.calendars import get_calendar

NOW = datetime(2024, 1, 1, tzinfo=UTC)
STEPS = 24  # a session
_TINY = UniversalConfig(
    hidden_size=4,
    head=4,
    dropout=0.0,
    learning_rate=1e-2,
    weight_decay=0.0,
    batch_size=256,
    epochs=2,
    ridge=1e-3,
    seeds=2,
    vintage_months=12,
    vintage_assets=2,
)
TINY = replace(read_config(), seed=1, universal=_TINY)


def simulated_bars(
    sessions: int, calendar_name: str, seed: int, level: float = 1e-4, first: str = "2018-01-01"
) -> Bars:
    """Daily bars whose log variance is the sum of a slow and a fast autoregression."""
    rng = np.random.default_rng(seed)
    days = get_calendar(calendar_name).sessions(np.datetime64(first), np.datetime64("2023-12-01"))
    days = days[:sessions]
    slow = fast = 0.0
    logs = []
    for _ in days:
        slow = 0.98 * slow + 0.12 * rng.normal()
        fast = 0.5 * fast + 0.4 * rng.normal()
        logs.append(slow + fast)
    deviation = np.sqrt(level * np.exp(np.array(logs)) / STEPS)
    moves = rng.normal(size=(len(days), STEPS)) * deviation[:, None]
    nights = 0.0 if calendar_name == "24/7" else 0.5 * deviation * rng.normal(size=len(days))
    opens = np.log(100.0) + np.cumsum(moves.sum(axis=1) + nights) - moves.sum(axis=1)
    path = np.exp(np.column_stack([opens, opens[:, None] + np.cumsum(moves, axis=1)]))
    return Bars(
        days.astype("datetime64[s]"),
        path[:, 0],
        path.max(axis=1),
        path.min(axis=1),
        path[:, -1],
        DAILY,
    )


def simulated_asset(
    name: str, kind: str, calendar: str, sessions: int, seed: int, measure: str = "garman_klass"
) -> AssetData:
    """An asset with every column that daily bars give."""
    bars = simulated_bars(sessions, calendar, seed, level=1e-4 * (1 + seed))
    data, _ = make_asset(
        name,
        bars,
        calendar_name=calendar,
        measure=measure,
        source="simulated",
        now=NOW,
        kind=kind,
    )
    return data


@cache
def simulated_panel(sessions: int = 700) -> tuple[AssetData, ...]:
    """Six assets: three stocks, two coins and a currency."""
    of = [("stock", "XNYS")] * 3 + [("crypto", "24/7")] * 2 + [("fx", "24/5")]
    return tuple(
        simulated_asset(f"{kind.upper()}{seed}", kind, calendar, sessions, seed)
        for seed, (kind, calendar) in enumerate(of)
    )
