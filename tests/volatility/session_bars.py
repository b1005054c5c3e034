"""Simulated bars of an exchange, shorter than a day, within its sessions."""

import numpy as np

from volatility.arrays import FloatArray
from volatility.bars import Bars
from volatility.calendars import Calendar, get_calendar
from volatility.simulation.regression import har_process

STEPS = 8  # of the price within a bar
LOG_HAR = (-0.9, 0.35, 0.35, 0.2)  # mean log rv of -9: one percent a day


def session_stamps(calendar: Calendar, start: str, end: str, interval: int = 300) -> list:
    """When the bars of each session open, from the session's open on; an array a session."""
    days = calendar.sessions(np.datetime64(start), np.datetime64(end))
    step = np.timedelta64(interval, "s")
    places = np.searchsorted(calendar.session_dates, days)
    return [np.arange(calendar.opens[at], calendar.closes[at], step) for at in places]


def session_bars(
    start: str, end: str, interval: int = 300, calendar: str = "XNYS", night: float = 0.01
) -> Bars:
    """Bars of a price that also moves at night, by ``night`` on average; deterministic.

    The variance within full and half days alike follows a known HAR.
    """
    rng = np.random.default_rng(7)
    stamps = session_stamps(get_calendar(calendar), start, end, interval)
    rv = har_process(LOG_HAR, len(stamps), rng, scale="logs", residual_std=0.3)[0]
    counts = np.array(list(map(len, stamps)))
    deviation = np.repeat(np.sqrt(rv / counts / STEPS), counts)
    steps = rng.standard_normal((counts.sum(), STEPS)) * deviation[:, None]
    steps[np.cumsum(counts) - counts, 0] += night * rng.standard_normal(len(counts))
    return _bars(np.concatenate(stamps), steps, interval)


def _bars(stamps: np.ndarray, steps: FloatArray, interval: int) -> Bars:
    path = 100 * np.exp(np.cumsum(steps.ravel())).reshape(steps.shape)
    return Bars(stamps, path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1], interval)


def bars_of(bars: Bars, calendar: str, date: str) -> np.ndarray:
    """Whether each bar is of one session; (n,)."""
    market = get_calendar(calendar)
    at = np.searchsorted(market.session_dates, np.datetime64(date))
    return (bars.timestamps >= market.opens[at]) & (bars.timestamps < market.closes[at])
