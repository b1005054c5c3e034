"""Make the simulated tables that the Hurst estimators ship, and the tables of docs/hurst.md.

``python -m benchmarks.hurst_table`` makes everything (about a quarter of an hour on one core);
``--docs`` only the tables of the page; ``--check`` recomputes one cell and compares it.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from volatility import datasets
from volatility.arrays import FloatArray
from volatility.calendars import get_calendar
from volatility.hurst import calibration
from volatility.hurst.calibration import calibrated
from volatility.hurst.dfa import dfa_fit
from volatility.hurst.estimate import HurstEstimate, ScalingFit
from volatility.hurst.noise import log_volatility_noise
from volatility.hurst.report import report
from volatility.hurst.rescaled_range import SCALES, mean_rescaled_range, rescaled_range_fit
from volatility.hurst.special import trigamma
from volatility.hurst.variogram import mean_squared_differences, variogram, variogram_fit
from volatility.hurst.variogram_corrected import (
    noise_share,
    variogram_corrected,
    variogram_corrected_fit,
)
from volatility.hurst.wavelet import wavelet_fit
from volatility.hurst.whittle import whittle, whittle_fit
from volatility.measures.daily import rolling_std
from volatility.series import daily_series
from volatility.simulation.fractional import fractional_brownian_motion, rough_log_volatility

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "volatility" / "hurst"
PAGE = ROOT / "docs" / "hurst.md"
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="recompute one cell and compare")
    parser.add_argument("--docs", action="store_true", help="only the tables of docs/hurst.md")
    options = parser.parse_args(arguments)
    if options.check:
        return check()
    if not options.docs:
        write_json(PACKAGE / calibration.EXPECTATIONS, expectations())
        write_json(PACKAGE / calibration.BIAS_TABLE, bias_table())
        calibration.forget_tables()
    replace_between_markers(PAGE, "accuracy", accuracy_table())
    replace_between_markers(PAGE, "lengths", length_table())
    replace_between_markers(PAGE, "noise", noise_table())
    replace_between_markers(PAGE, "integrated", integrated_table())
    replace_between_markers(PAGE, "verdicts", verdict_table())
    replace_between_markers(PAGE, "shipped", shipped_table())
    return 0


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
    logs: dict[str, list[FloatArray]] = {
        name: [] for name in ("parkinson", "garman_klass", "rogers_satchell")
    }
    for _ in progress("range measures", range(days // chunk)):
        step = rng.standard_normal((chunk, steps)) / np.sqrt(steps)
        end = np.cumsum(step, axis=1)
        start = end - step
        reach = -2 * np.log(rng.random((2, chunk, steps))) / steps
        high = np.max(start + end + np.sqrt(step**2 + reach[0]), axis=1) / 2
        low = np.min(start + end - np.sqrt(step**2 + reach[1]), axis=1) / 2
        close = end[:, -1]
        logs["parkinson"].append(2 * np.log(high - low))
        spread = 0.5 * (high - low) ** 2 - (2 * np.log(2) - 1) * close**2
        logs["garman_klass"].append(np.log(spread))
        logs["rogers_satchell"].append(np.log(high * (high - close) + low * (low - close)))
    return {name: round(float(np.concatenate(parts).var()), 4) for name, parts in logs.items()}


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


def accuracy_table(nobs: int = 1_500, paths: int = 500) -> list[str]:
    """Bias, RMSE and coverage on fresh paths, off the grid of the table too."""
    exponents = (0.05, 0.1, 0.13, 0.2, 0.3, 0.5, 0.72)
    lines = [
        f"n = {nobs:,}, {paths} paths a cell: bias / RMSE / coverage of the nominal 95 % interval.",
        "",
        "| estimator | " + " | ".join(f"H = {hurst}" for hurst in exponents) + " |",
        "|---|" + "---|" * len(exponents),
    ]
    samples = {
        hurst: fractional_brownian_motion(hurst, nobs, generator(hurst, nobs, 1), paths)
        for hurst in exponents
    }
    for name in progress("accuracy", FITS):
        cells = [accuracy_cell(name, hurst, sample) for hurst, sample in samples.items()]
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def accuracy_cell(name: str, hurst: float, sample: FloatArray) -> str:
    return accuracy(hurst, [calibrated(name, FITS[name](path), len(path), 0.95) for path in sample])


def accuracy(hurst: float, found: list[HurstEstimate]) -> str:
    """Bias, RMSE and coverage of estimates that all have a number."""
    errors = np.array([estimate.hurst for estimate in found]) - hurst
    bounds = np.array([estimate.interval for estimate in found])
    covered = np.mean((bounds[:, 0] <= hurst) & (hurst <= bounds[:, 1]))
    return f"{errors.mean():+.3f} / {np.sqrt(np.mean(errors**2)):.3f} / {covered:.0%}"


def length_table(hurst: float = 0.1) -> list[str]:
    """Bias and deviation of the shipped table at one exponent, by length."""
    lines = [
        f"H = {hurst}: bias / standard error.",
        "",
        "| estimator | " + " | ".join(f"n = {nobs:,}" for nobs in PATHS) + " |",
        "|---|" + "---|" * len(PATHS),
    ]
    for name in FITS:
        cells = []
        for nobs in PATHS:
            found = calibration.moments_of(name, nobs)
            at = list(found.hurst).index(hurst)
            cells.append(f"{found.mean[at] - hurst:+.3f} / {found.deviation[at]:.3f}")
        lines.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return lines


def noise_table(nobs: int = 1_500, paths: int = 500) -> list[str]:
    """The corrected variogram on paths with chi-squared noise, beside the two that ignore it."""
    exponents, intraday = (0.1, 0.3, 0.5), (288, 78, 24)
    lines = [
        "Log volatility: fractional Brownian, deviation 0.3 a session, seen through m returns.",
        f"n = {nobs:,}, {paths} paths: bias / RMSE / coverage.",
        "",
        "| H | m | noise share | `variogram_corrected` | `variogram` | `whittle` |",
        "|---|---|---|---|---|---|",
    ]
    for hurst in progress("noise", exponents):
        lines.extend(noise_row(hurst, count, nobs, paths) for count in intraday)
    return lines


def noise_row(hurst: float, intraday_nobs: int, nobs: int, paths: int) -> str:
    rng = generator(hurst, intraday_nobs, nobs)
    seen = realized_paths(hurst, intraday_nobs)(nobs, rng, paths)
    noise = 0.25 * float(trigamma(np.array(intraday_nobs / 2)))
    share = np.mean([noise_share(mean_squared_differences(path), noise) for path in seen])
    estimators: tuple[Callable[[FloatArray], HurstEstimate], ...] = (
        lambda path: variogram_corrected(path, "realized_variance", intraday_nobs),
        variogram,
        whittle,
    )
    cells = []
    for estimator in estimators:
        found = [estimator(path) for path in seen]
        cells.append(accuracy(hurst, [e for e in found if e.hurst is not None]))
    return f"| {hurst} | {intraday_nobs} | {share:.0%} | " + " | ".join(cells) + " |"


def verdict_table(paths: int = 100) -> list[str]:
    """How often each verdict is given on processes of known nature."""
    lengths = (500, 1_500, 5_000)
    lines = [
        f"{paths} paths a cell; rough / not rough / artefact / inconclusive, in percent.",
        "",
        "| process | " + " | ".join(f"n = {nobs:,}" for nobs in lengths) + " |",
        "|---|" + "---|" * len(lengths),
    ]
    for row, name in enumerate(progress("verdicts", PROCESSES)):
        measure, intraday_nobs, draw = PROCESSES[name]
        cells = []
        for nobs in lengths:
            rng = generator(row, nobs, 2)
            verdicts = [
                report(path, measure=measure, intraday_nobs=intraday_nobs).verdict
                for path in draw(nobs, rng, paths)
            ]
            kinds = ("rough", "not_rough", "artefact", "inconclusive")
            cells.append(" / ".join(f"{100 * verdicts.count(k) / paths:.0f}" for k in kinds))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


Draw = Callable[[int, np.random.Generator, int], FloatArray]


def exact_paths(hurst: float) -> Draw:
    return lambda nobs, rng, paths: fractional_brownian_motion(hurst, nobs, rng, paths)


def reverting_paths(sessions: float, noise: float) -> Draw:
    def draw(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        factor = rough_log_volatility(0.5, nobs, rng, paths=paths, mean_reversion=1 / sessions)
        return factor + noise * rng.standard_normal(factor.shape)

    return draw


def realized_paths(hurst: float, intraday_nobs: int) -> Draw:
    def draw(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        exact = 0.3 * fractional_brownian_motion(hurst, nobs, rng, paths)
        return exact + 0.5 * np.log(rng.chisquare(intraday_nobs, exact.shape) / intraday_nobs)

    return draw


def white_noise(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return rng.standard_normal((paths, nobs))


def rolling_deviations(window: int) -> Draw:
    def draw(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        returns = rng.standard_normal((paths, nobs + window - 1))
        return np.log([rolling_std(row, window, 252) for row in returns])

    return draw


PROCESSES: dict[str, tuple[str | None, int | None, Draw]] = {
    "fBm, H = 0.1": (None, None, exact_paths(0.1)),
    "fBm, H = 0.3": (None, None, exact_paths(0.3)),
    "fBm, H = 0.5": (None, None, exact_paths(0.5)),
    "H = 0.1 through 24 returns, declared": ("realized_variance", 24, realized_paths(0.1, 24)),
    "H = 0.5 through 24 returns, declared": ("realized_variance", 24, realized_paths(0.5, 24)),
    "H = 0.5 through 24 returns, undeclared": (None, None, realized_paths(0.5, 24)),
    "Brownian factor reverting in 20 sessions": (None, None, reverting_paths(20, 0.0)),
    "the same seen with noise": (None, None, reverting_paths(20, 0.3)),
    "white noise": (None, None, white_noise),
    "rolling deviation of 22 independent returns": (None, None, rolling_deviations(22)),
}


def integrated_table(nobs: int = 1_500, paths: int = 40, steps: int = 96) -> list[str]:
    """What averaging over the day does to the exponent, without any measurement noise."""
    lines = [
        "| H at an instant | "
        + " | ".join(f"`{name}` of the daily average" for name in FITS)
        + " |",
        "|---|" + "---|" * len(FITS),
    ]
    for hurst in progress("integrated", (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)):
        rng = generator(hurst, nobs, steps)
        instant = rough_log_volatility(hurst, nobs, rng, paths=paths, steps_per_day=steps)
        days = 0.5 * np.log(np.exp(2 * instant).reshape(paths, nobs, steps).mean(axis=-1))
        cells = [f"{np.mean([fit(day).hurst for day in days]):.2f}" for fit in FITS.values()]
        lines.append(f"| {hurst} | " + " | ".join(cells) + " |")
    return lines


def shipped_table() -> list[str]:
    """Every estimate and the verdict on the shipped data."""
    names = ("variogram_corrected", *FITS)
    lines = [
        "| asset | measure | sessions | noise share | "
        + " | ".join(f"`{n}`" for n in names)
        + " | upper bound | verdict |",
        "|---|---|---|---|" + "---|" * len(names) + "---|---|",
    ]
    for asset in datasets.NAMES:
        data = datasets.load(asset)
        series, _ = daily_series(data.bars, data.measure, get_calendar(data.calendar))
        intraday_nobs = 86_400 // data.bars.interval
        path = 0.5 * series.log_rv
        found = report(path, measure=data.measure, intraday_nobs=intraday_nobs)
        noise = log_volatility_noise(data.measure, intraday_nobs).variance or 0.0
        share = noise_share(mean_squared_differences(path), noise)
        cells = [quoted(found.estimate(name)) for name in names]
        lines.append(
            f"| {asset} | {data.measure} | {found.nobs:,} | {share:.0%} | {' | '.join(cells)} "
            f"| {found.upper_bound:.2f} | {found.verdict} |"
        )
    return lines


def quoted(estimate: HurstEstimate) -> str:
    lower, upper = estimate.interval or (0.0, 1.0)
    return f"{estimate.hurst:.3f} [{lower:.2f}, {upper:.2f}]"


def replace_between_markers(page: Path, name: str, lines: list[str]) -> None:
    """Put lines between ``<!-- name -->`` and ``<!-- /name -->``."""
    text = page.read_text("utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = text.split(start)
    _, after = rest.split(end)
    page.write_text(f"{before}{start}\n" + "\n".join(lines) + f"\n{end}{after}", "utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n", "utf-8")


def progress(label: str, items: Iterable[Any]) -> Iterable[Any]:
    """The items, with the time that each stretch took."""
    begin = time.perf_counter()
    yield from items
    print(f"{label}: {time.perf_counter() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
