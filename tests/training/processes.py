"""Log rv from processes of which the right forecast is known, and splits of it for networks."""

from dataclasses import replace

import numpy as np
import torch

from tests.training.simulated import small_config
from training.config import Config
from training.networks.fitting import LogWindows, Split
from volatility.arrays import FloatArray
from volatility.filters import windows
from volatility.simulation.regression import har_process

BURN_IN = 200
LOOKBACK = 22
VALIDATION = 0.2


def har_log_rv(nobs: int, seed: int) -> FloatArray:
    """Log rv around -9 that follows a HAR."""
    rng = np.random.default_rng(seed)
    coefficients = (-0.9, 0.4, 0.3, 0.2)
    return np.log(har_process(coefficients, nobs, rng, scale="logs", residual_std=0.4)[0])


def nonlinear_log_rv(nobs: int, seed: int) -> FloatArray:
    """Log rv that follows a HAR with a term that no linear model sees.

    The term is even in yesterday's distance from the mean, and that distance is symmetric, nearly:
    their correlation is small.
    """
    rng = np.random.default_rng(seed)
    values = np.zeros(BURN_IN + nobs)
    for day in range(LOOKBACK, len(values)):
        past = values[:day]
        linear = 0.2 * past[-1] + 0.25 * past[-5:].mean() + 0.2 * past[-22:].mean()
        values[day] = linear + 0.8 * np.cos(2.5 * past[-1]) - 0.2 + 0.3 * rng.standard_normal()
    return values[-nobs:] - 9


def switching_log_rv(nobs: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Log rv around one of two levels, and which, 0 (calm) or 1; (nobs,) each.

    A regime lasts 50 days if calm and 25 if not, on average.
    """
    rng = np.random.default_rng(seed)
    regime = np.zeros(BURN_IN + nobs)
    deviation = np.zeros(BURN_IN + nobs)
    for day in range(1, len(regime)):
        leaves = rng.random() < (1 / 50, 1 / 25)[int(regime[day - 1])]
        regime[day] = 1 - regime[day - 1] if leaves else regime[day - 1]
        deviation[day] = 0.3 * deviation[day - 1] + 0.5 * rng.standard_normal()
    values = -9.5 + 2.0 * regime + deviation
    return values[-nobs:], regime[-nobs:]


def windows_of(log_rv: FloatArray) -> LogWindows:
    """Every window of 22 values with the value after it."""
    inputs = windows(log_rv[:-1], LOOKBACK)
    return LogWindows(
        torch.from_numpy(inputs).float(), torch.from_numpy(log_rv[LOOKBACK:].copy()).float()
    )


def split_of(log_rv: FloatArray) -> Split:
    """All windows, the newest fifth of them to validate on."""
    both = windows_of(log_rv)
    count = int(VALIDATION * len(both))
    return Split(
        LogWindows(both.inputs[:-count], both.targets[:-count]),
        LogWindows(both.inputs[-count:], both.targets[-count:]),
    )


def tiny_config() -> Config:
    """A network that learns the processes above in seconds, and time enough for it."""
    config = small_config()
    fitting = replace(
        config.pretraining,
        learning_rate=0.01,
        batch_size=128,
        epochs=20,
        patience=10,
        plateau_patience=3,
    )
    return replace(
        config,
        network=replace(config.network, lookback=20, hidden_size=16, bottleneck=8),
        pretraining=fitting,
        fine_tuning=replace(fitting, learning_rate=0.003),
    )
