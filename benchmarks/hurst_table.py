"""Make the simulated tables that the Hurst estimators ship, and the tables of docs/hurst.md.

``python -m benchmarks.hurst_table`` makes everything (about a quarter of an hour on one core);
``--docs`` only the tables of the page, ``--shipped`` only that of the shipped series; ``--check``
recomputes one cell and compares it. How often each verdict is given: see ``hurst_verdicts``.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.hurst_calibration import (
    FITS,
    PATHS,
    check,
    generator,
    progress,
    write_tables,
)
from volatility import datasets
from volatility.arrays import FloatArray
from volatility.bars import DAILY
from volatility.calendars import get_calendar
from volatility.hurst import calibration
from volatility.hurst.calibration import calibrated
from volatility.hurst.estimate import HurstEstimate
from volatility.hurst.noise import log_volatility_noise
from volatility.hurst.report import HurstReport, report
from volatility.hurst.special import trigamma
from volatility.hurst.variogram import mean_squared_differences, variogram
from volatility.hurst.variogram_corrected import (
    noise_share,
    variogram_corrected,
)
from volatility.hurst.whittle import whittle
from volatility.measures import MEASURES
from volatility.seasonality import day_classes
from volatility.series import daily_series
from volatility.simulation.fractional import fractional_brownian_motion, rough_log_volatility

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "hurst.md"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="recompute one cell and compare")
    parser.add_argument("--docs", action="store_true", help="only the tables of docs/hurst.md")
    parser.add_argument("--shipped", action="store_true", help="only the shipped series")
    options = parser.parse_args(arguments)
    if options.check:
        return check()
    if options.shipped:
        replace_between_markers(PAGE, "shipped", shipped_table())
        return 0
    if not options.docs:
        write_tables()
    replace_between_markers(PAGE, "accuracy", accuracy_table())
    replace_between_markers(PAGE, "lengths", length_table())
    replace_between_markers(PAGE, "noise", noise_table())
    replace_between_markers(PAGE, "integrated", integrated_table())
    replace_between_markers(PAGE, "shipped", shipped_table())
    return 0


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


Draw = Callable[[int, np.random.Generator, int], FloatArray]


def realized_paths(hurst: float, intraday_nobs: int) -> Draw:
    def draw(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        exact = 0.3 * fractional_brownian_motion(hurst, nobs, rng, paths)
        return exact + 0.5 * np.log(rng.chisquare(intraday_nobs, exact.shape) / intraday_nobs)

    return draw


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
    """Every estimate, the comparison and the verdict on the shipped data."""
    names = ("variogram_corrected", *FITS)
    lines = [
        "| asset | measure | sessions | noise share | "
        + " | ".join(f"`{n}`" for n in names)
        + " | upper bound | calendar's share | noise bounds hold | over two factors | over HAR "
        "| verdict |",
        "|---|---|---|---|" + "---|" * len(names) + "---|---|---|---|---|---|",
    ]
    for asset in datasets.NAMES:
        data = datasets.load(asset)
        calendar = get_calendar(data.calendar)
        series, _ = daily_series(data.bars, data.measure, calendar)
        intraday = MEASURES[data.measure].bars == "intraday"
        intraday_nobs = DAILY // data.bars.interval if intraday else None
        path = 0.5 * series.log_rv
        found = report(
            path,
            measure=data.measure,
            intraday_nobs=intraday_nobs,
            day_classes=day_classes(series.dates, calendar),
        )
        noise = log_volatility_noise(data.measure, intraday_nobs).variance or 0.0
        share = noise_share(mean_squared_differences(path), noise)
        cells = " | ".join(quoted(found.estimate(name)) for name in names)
        lines.append(
            f"| {asset} | {data.measure} | {found.nobs:,} | {share:.0%} | {cells} "
            f"| {found.upper_bound:.2f} | {compared(found)} | {found.verdict} |"
        )
    return lines


def compared(found: HurstReport) -> str:
    """Cells of the calendar and of the comparison of scales."""
    share = "–" if found.calendar is None else f"{found.calendar.share:.1%}"
    over = found.comparison
    held = "yes" if over.noise.known else f"no, by {over.declared_misfit:.1f} nats"
    return f"{share} | {held} | {over.over_two_factors:+.1f} | {over.over_har:+.1f}"


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


if __name__ == "__main__":
    sys.exit(main())
