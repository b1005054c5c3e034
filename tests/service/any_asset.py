"""A world with a model for every asset, and bars of assets that nobody trained on."""

from typing import Any

import numpy as np

from models_store.universal.store import UniversalStore
from service.settings import Settings
from tests.models_store.universal.small import small_files
from tests.service.worlds import LAST
from volatility.calendars import get_calendar

STEPS = 12  # a session
Records = list[dict[str, Any]]


def publish_universal(settings: Settings) -> None:
    UniversalStore(settings.store_folder).publish(small_files())


def made_up_bars(
    nobs: int,
    calendar: str = "XNYS",
    seed: int = 0,
    level: float = 1e-4,
    price: float = 100.0,
    flat: float = 0.0,
) -> Records:
    """Daily bars up to the last session of the world.

    Parameters
    ----------
    nobs : how many.
    level : median variance of a day.
    price : of the first.
    flat : share of days on which the price does not move.
    """
    rng = np.random.default_rng(seed)
    days = get_calendar(calendar).sessions(np.datetime64("2010-01-04"), np.datetime64(LAST))[-nobs:]
    deviation = np.sqrt(level * np.exp(rng.normal(0.0, 0.7, nobs)) / STEPS)
    deviation[rng.random(nobs) < flat] = 0.0
    moves = rng.normal(size=(nobs, STEPS)) * deviation[:, None]
    path = price * np.exp(np.cumsum(moves).reshape(nobs, STEPS))
    return [
        {
            "date": str(day),
            "open": float(prices[0]),
            "high": float(prices.max()),
            "low": float(prices.min()),
            "close": float(prices[-1]),
        }
        for day, prices in zip(days, path, strict=True)
    ]
