"""Coverage after the largest breaks of intervals that are exactly right.

Which breaks are the largest is known afterwards, and over several sessions a break is a forecast
that missed: even intervals made from the very process that is forecast hold less often there. How
much less is what coverage after breaks is to be compared with.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from scipy.signal import lfilter

from volatility.arrays import FloatArray
from volatility.evaluation.breaks import after_breaks

# Coefficients of log rv on its means over LAGS, from sums of .75 to .95.
PROCESSES = ((0.3, 0.25, 0.2), (0.4, 0.3, 0.2), (0.28, 0.35, 0.27), (0.35, 0.35, 0.25))
LAGS = (1, 5, 22)
HORIZONS = (1, 5, 10, 22)
SCORED = (750, 1_500)  # sessions: a quarter and a half of twelve years
LEVEL = 0.8
BURN_IN = 500


def exact_intervals_table(paths: int) -> list[str]:
    """Mean coverage over paths, of all sessions and after breaks, by horizon.

    Of the processes the lowest and the highest.
    """
    heads = [f"after breaks, of {nobs:,} sessions" for nobs in SCORED]
    rows = [f"| sessions ahead | all | {' | '.join(heads)} |", "|---:|---:|---:|---:|"]
    for horizon in HORIZONS:
        found = np.array(
            [
                [
                    exact_coverage(it, horizon, nobs, paths, np.random.default_rng(1))
                    for it in PROCESSES
                ]
                for nobs in SCORED
            ]
        )  # (lengths, processes, 2)
        cells = [found[-1, :, 0], *found[:, :, 1]]
        told = " | ".join(f"{it.min():.1%} – {it.max():.1%}" for it in cells)
        rows.append(f"| {horizon} | {told} |")
    return rows


def exact_coverage(
    coefficients: Sequence[float], horizon: int, nobs: int, paths: int, rng: np.random.Generator
) -> tuple[float, float]:
    """How often exact intervals hold the mean log rv of a heterogeneous autoregression.

    Parameters
    ----------
    coefficients : of log rv on its means over :data:`LAGS`; shocks are normal, of one size.
    horizon : sessions ahead.
    nobs : sessions that are forecast, among which the five largest breaks are looked for.
    paths : simulated.
    rng : source of randomness.

    Returns
    -------
    Coverage of all sessions, and after breaks; means over the paths.
    """
    lagged = _autoregression(coefficients)
    shocks = rng.standard_normal((paths, BURN_IN + nobs + horizon - 1))
    log_rv = lfilter([1.0], np.concatenate([[1.0], -lagged]), shocks)[:, BURN_IN:]
    targets = np.lib.stride_tricks.sliding_window_view(log_rv, horizon, axis=1).mean(axis=-1)
    weights = error_weights(lagged, horizon)
    ahead = np.lib.stride_tricks.sliding_window_view(shocks[:, BURN_IN:], horizon, axis=1)
    deviation = np.sqrt(weights @ weights)
    inside = np.abs(ahead @ weights) <= NormalDist().inv_cdf((1 + LEVEL) / 2) * deviation
    broken = np.array([after_breaks(path) for path in targets])
    return float(inside.mean()), float(inside[broken].mean())


def error_weights(lagged: FloatArray, horizon: int) -> FloatArray:
    """What each shock to come adds to the mean of the next sessions; (horizon,).

    Parameters
    ----------
    lagged : (p,) coefficients of an autoregression, the newest first.
    horizon : sessions ahead.
    """
    impulse = np.zeros(horizon)
    impulse[0] = 1.0
    responses = lfilter([1.0], np.concatenate([[1.0], -lagged]), impulse)
    return np.asarray(np.cumsum(responses)[::-1] / horizon)


def _autoregression(coefficients: Sequence[float]) -> FloatArray:
    """(22,) coefficients of single sessions, the newest first."""
    lagged = np.zeros(max(LAGS))
    for coefficient, lag in zip(coefficients, LAGS, strict=True):
        lagged[:lag] += coefficient / lag
    return lagged
