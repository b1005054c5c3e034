"""The simulated tables that the Hurst estimators ship."""

import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from volatility.arrays import FloatArray
from volatility.hurst import calibration
from volatility.hurst.dfa import dfa_fit
from volatility.hurst.estimate import ScalingFit
from volatility.hurst.rescaled_range import SCALES, mean_rescaled_range, rescaled_range_fit
from volatility.hurst.variogram import mean_squared_differences, variogram_fit
from volatility.hurst.variogram_corrected import (
    variogram_corrected_fit,
)
from volatility.hurst.wavelet import wavelet_fit
from volatility.hurst.whittle import whittle_fit
from volatility.simulation.fractional import fractional_brownian_motion

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "volatility" / "hurst"
SEED = 20251
FITS: dict[str, Callable[[FloatArray], ScalingFit]] = {
    "rescaled_range": rescaled_range_fit,
    "dfa": dfa_fit,
    "variogram": variogram_fit,
    "wavelet": wavelet_fit,
    "whittle": whittle_fit,
}
EXPONENTS = (0.02, 0.05, *(round(0.05 * i, 2) for i in range(2, 20)))
PATHS = {125: 1000, 250: 1000, 500: 1000, 1000: 1000, 1500: 1000, 2500: 800, 5000: 600, 20000: 300}
NOISE_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8)
RANGE_MEASURES = ("parkinson", "garman_klass", "rogers_satchell")
STEPS = (8, 16, 32, 64, 96, 192, 390, 780, 1560)


def write_tables() -> None:
    write_json(PACKAGE / calibration.EXPECTATIONS, expectations())
    write_json(PACKAGE / calibration.BIAS_TABLE, bias_table())
    calibration.forget_tables()


def check() -> int:
    """Whether one cell of the shipped table is what this seed gives."""
    hurst, nobs = 0.1, 250
    mean, deviation = moments(hurst, nobs)["whittle"][0]
    shipped = calibration.moments_of("whittle", nobs)
    position = list(shipped.hurst).index(hurst)
    found = (shipped.mean[position], shipped.deviation[position])
    agrees = bool(np.allclose(found, (mean, deviation), atol=2e-5))
    print(f"whittle, H = {hurst}, n = {nobs}: shipped {found}, recomputed {(mean, deviation)}")
    return 0 if agrees else 1


def generator(*cell: float) -> np.random.Generator:
    """Randomness of one cell, whatever the order in which cells are made."""
    return np.random.default_rng([SEED, *(round(1000 * number) for number in cell)])


def expectations() -> dict[str, Any]:
    """Expected rescaled ranges, and the noise of range measures."""
    exponents = [0.0, *EXPONENTS[1:], 0.99]
    curve = [log_rescaled_ranges(hurst) for hurst in progress("rescaled range", exponents)]
    return {
        "made_by": "python -m benchmarks.hurst_table",
        "seed": SEED,
        "rescaled_range": {
            "hurst": exponents,
            "scales": list(SCALES),
            "log_expected": [[round(value, 5) for value in row] for row in curve],
        },
        "log_rv_noise": range_noise(),
        "log_rv_noise_by_steps": stepwise_range_noise(),
    }


def log_rescaled_ranges(hurst: float, nobs: int = 16_384, paths: int = 200) -> list[float]:
    """Log of the mean rescaled range of fractional Gaussian noise at the shipped scales.

    The limit at an exponent of zero is the difference of white noise.
    """
    rng = generator(hurst, nobs)
    total = np.zeros(len(SCALES))
    for _ in range(paths):
        path = rng.standard_normal(nobs + 1) if hurst == 0 else fbm(hurst, nobs + 1, rng)
        total += [mean_rescaled_range(np.diff(path), scale) for scale in SCALES]
    return [float(value) for value in np.log(total / paths)]


def fbm(hurst: float, nobs: int, rng: np.random.Generator) -> FloatArray:
    return fractional_brownian_motion(hurst, nobs, rng)[0]


def range_noise(days: int = 1_000_000, steps: int = 400, chunk: int = 4_000) -> dict[str, float]:
    """Variance of the log of each range measure of a Brownian day.

    Extremes between grid points are drawn from the Brownian bridge, so that the grid does not
    narrow the range.
    """
    rng = generator(days, steps)
    logs: dict[str, list[FloatArray]] = {name: [] for name in RANGE_MEASURES}
    for _ in progress("range measures", range(days // chunk)):
        step = rng.standard_normal((chunk, steps)) / np.sqrt(steps)
        end = np.cumsum(step, axis=1)
        start = end - step
        reach = -2 * np.log(rng.random((2, chunk, steps))) / steps
        high = np.max(start + end + np.sqrt(step**2 + reach[0]), axis=1) / 2
        low = np.min(start + end - np.sqrt(step**2 + reach[1]), axis=1) / 2
        for name, rv in range_measures(high, low, end[:, -1]).items():
            logs[name].append(np.log(rv))
    return {name: round(float(np.concatenate(parts).var()), 4) for name, parts in logs.items()}


def stepwise_range_noise(days: int = 200_000, chunk: int = 4_000) -> dict[str, list[float]]:
    """Variance of the log of each range measure of a day of so many Gaussian steps.

    Nothing lies between the steps, so that the range falls short of that of a Brownian day. A day
    that only rises or falls has no Rogers-Satchell variance and is left out.
    """
    found: dict[str, list[float]] = {"steps": list(STEPS), **{name: [] for name in RANGE_MEASURES}}
    for steps in progress("stepwise ranges", STEPS):
        rng = generator(days, steps, 1)
        parts: dict[str, list[FloatArray]] = {name: [] for name in RANGE_MEASURES}
        for _ in range(days // chunk):
            price = np.cumsum(rng.standard_normal((chunk, steps)), axis=1)
            high = np.maximum(price.max(axis=1), 0.0)
            low = np.minimum(price.min(axis=1), 0.0)
            for name, rv in range_measures(high, low, price[:, -1]).items():
                parts[name].append(np.log(rv[rv > 0]))
        for name, logs in parts.items():
            found[name].append(round(float(np.concatenate(logs).var()), 4))
    return found


def range_measures(high: FloatArray, low: FloatArray, close: FloatArray) -> dict[str, FloatArray]:
    """The range measures of log prices relative to the open, each up to a constant."""
    return {
        "parkinson": (high - low) ** 2,
        "garman_klass": 0.5 * (high - low) ** 2 - (2 * np.log(2) - 1) * close**2,
        "rogers_satchell": high * (high - close) + low * (low - close),
    }


def bias_table() -> dict[str, Any]:
    """Mean and deviation of every estimator at each exponent, length and share of noise."""
    cells = {
        nobs: [moments(hurst, nobs) for hurst in progress(f"n = {nobs}", EXPONENTS)]
        for nobs in PATHS
    }
    names = (*FITS, "variogram_corrected")
    return {
        "made_by": "python -m benchmarks.hurst_table",
        "seed": SEED,
        "hurst": list(EXPONENTS),
        "nobs": list(PATHS),
        "paths": list(PATHS.values()),
        "estimators": {name: estimator_table(name, list(cells.values())) for name in names},
    }


def estimator_table(
    name: str, rows: list[list[dict[str, list[tuple[float, float]]]]]
) -> dict[str, Any]:
    """Means and deviations as [share of noise][length][exponent]."""
    shares = NOISE_SHARES if name == "variogram_corrected" else (0.0,)
    mean, deviation = (
        [
            [[round(cell[name][share][part], 5) for cell in row] for row in rows]
            for share in range(len(shares))
        ]
        for part in (0, 1)
    )
    return {"noise_share": list(shares), "mean": mean, "deviation": deviation}


def moments(hurst: float, nobs: int) -> dict[str, list[tuple[float, float]]]:
    """(mean, deviation) of each estimator, one for each share of noise it was made with."""
    rng = generator(hurst, nobs)
    estimates: dict[str, list[list[float]]] = {name: [[]] for name in FITS}
    estimates["variogram_corrected"] = [[] for _ in NOISE_SHARES]
    for _ in range(PATHS[nobs]):
        path = fbm(hurst, nobs, rng)
        for name, fit in FITS.items():
            estimates[name][0].append(fit(path).hurst)
        noise = rng.standard_normal(nobs)
        for share, found in zip(NOISE_SHARES, estimates["variogram_corrected"], strict=True):
            found.extend(corrected_estimates(path, noise, share))
    return {
        name: [(float(np.mean(found)), float(np.std(found))) for found in by_share]
        for name, by_share in estimates.items()
    }


def noise_variance_of(share: float) -> float:
    """Noise that makes up this share of the one-session variogram of unit signal."""
    return share / (1 - share) / 2


def corrected_estimates(path: FloatArray, noise: FloatArray, share: float) -> list[float]:
    """The corrected estimate of a path observed with noise, or none where nothing is left."""
    variance = noise_variance_of(share)
    values = mean_squared_differences(path + np.sqrt(variance) * noise)
    if values.min() <= 2 * variance:
        return []
    return [variogram_corrected_fit(values, variance).hurst]


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")


def progress(label: str, items: Iterable[Any]) -> Iterable[Any]:
    """The items, with the time that each stretch took."""
    begin = time.perf_counter()
    yield from items
    print(f"{label}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)
