"""How often each verdict on roughness is given, by process and length; into docs/hurst.md.

``python -m benchmarks.hurst_verdicts`` takes minutes on one core; ``--paths`` makes it shorter.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import NormalDist
from typing import get_args

import numpy as np

from benchmarks.hurst_calibration import generator, progress, range_measures
from benchmarks.hurst_table import replace_between_markers
from volatility.arrays import FloatArray
from volatility.hurst import Verdict, report
from volatility.hurst.bands import BandedSpectrum
from volatility.hurst.calibration import range_noise
from volatility.hurst.likelihood import maximise
from volatility.hurst.noise import HEADROOM
from volatility.hurst.scales import RATES, VARIANCES
from volatility.hurst.spectra import Factors, Fractional
from volatility.measures.daily import rolling_std
from volatility.simulation.fractional import fractional_brownian_motion, rough_log_volatility
from volatility.simulation.multiscale import (
    autoregression,
    exponential_average,
    heterogeneous_autoregression,
    log_correlated,
    markov_switching,
)

PAGE = Path(__file__).resolve().parents[1] / "docs" / "hurst.md"
LENGTHS = (500, 1_500, 5_000)
PATHS = 100
SIZE = 0.1  # the share of wrong verdicts that is allowed
WEEK = 7
WEEKEND = -0.2  # of log volatility on two days of seven: that of Bitcoin
BURN_IN = 200  # sessions in which an exponential average forgets its start
EXACT = ("realized_variance", 10**6)  # a measure with next to no noise
RANGE = ("garman_klass", None)

Draw = Callable[[int, np.random.Generator, int], FloatArray]


@dataclass(frozen=True)
class Process:
    """A kind of log volatility, and what the report is told of it."""

    name: str
    draw: Draw
    measure: str | None = None
    intraday_nobs: int | None = None
    dated: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--paths", type=int, default=PATHS, help="simulated paths a cell")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write the table into")
    options = parser.parse_args(arguments)
    replace_between_markers(options.page, "verdicts", verdict_table(options.paths))
    replace_between_markers(options.page, "bound", bound_table())
    return 0


def bound_table(hurst: float = 0.1, deviation: float = 0.3) -> list[str]:
    """How far fractional volatility is from the nearest two factors, and the power that allows."""
    lines = [
        "| seen through | noise | " + " | ".join(f"n = {nobs:,}" for nobs in LENGTHS) + " |",
        "|---|---|" + "---|" * len(LENGTHS),
    ]
    through_range = range_noise()["garman_klass"] / 4
    for seen, noise in (("nothing", 0.0), ("Garman-Klass", through_range)):
        for known, bounds in (
            ("known", (noise, noise)),
            ("up to 1.25 times", (noise, HEADROOM * noise)),
            ("of any size", (0.0, 1.0)),
        ):
            if bounds == (0.0, 0.0) and known != "known":
                continue
            cells = [
                cell_of_divergence(divergence(nobs, hurst, deviation, noise, bounds))
                for nobs in LENGTHS
            ]
            lines.append(f"| {seen} | {known} | " + " | ".join(cells) + " |")
    return lines


def divergence(
    nobs: int, hurst: float, deviation: float, noise: float, bounds: tuple[float, float]
) -> float:
    """Kullback-Leibler divergence of fractional volatility from the nearest two factors, nats."""
    cosine = np.cos(2 * np.pi * np.arange(1, nobs // 2) / nobs)
    fractional = [np.log(max(noise, 1e-9)), RATES[0], 2 * np.log(deviation), hurst]
    truth = Fractional(cosine)(np.array([fractional]))[0][0]
    spectrum = BandedSpectrum(truth, np.ones(len(cosine)), cosine)
    least = np.log(max(bounds[0], 1e-9))
    most = max(np.log(max(bounds[1], 1e-9)), least + 1e-9)
    limits = np.array([(least, most), *((RATES, VARIANCES) * 2)])
    starts = [
        (max(least, min(most, -3.0)), np.log(fast), -3.0, np.log(slow), -5.0)
        for fast in (2.0, 0.7, 0.2)
        for slow in (0.05, 0.015, 0.005)
    ]
    model, found = Factors(cosine), np.array(starts)
    for _ in range(4):  # each goes on from the best of the last
        best, value = maximise(spectrum, model, found, limits)
        found = best[None]
    return float(spectrum.log_likelihood(truth)) - value


def cell_of_divergence(nats: float) -> str:
    """The divergence, and the power at a size of one in ten when all parameters are known."""
    normal = NormalDist()
    power = normal.cdf(np.sqrt(2 * nats) - normal.inv_cdf(1 - SIZE))
    return f"{nats:.2f} / {power:.0%}"


def verdict_table(paths: int, lengths: Sequence[int] = LENGTHS) -> list[str]:
    """Rates of every verdict, a line a process."""
    names = " / ".join(f"`{verdict}`" for verdict in get_args(Verdict))
    lines = [
        f"{paths} paths a cell; {names}, in percent.",
        "",
        "| process | " + " | ".join(f"n = {nobs:,}" for nobs in lengths) + " |",
        "|---|" + "---|" * len(lengths),
    ]
    for row, process in enumerate(progress("verdicts", PROCESSES)):
        cells = [" / ".join(rates(process, row, nobs, paths)) for nobs in lengths]
        lines.append(f"| {process.name} | " + " | ".join(cells) + " |")
    return lines


def rates(process: Process, row: int, nobs: int, paths: int) -> list[str]:
    """Percentages of the verdicts, in their order."""
    drawn = process.draw(nobs, generator(row, nobs, 2), paths)
    verdicts = [
        report(
            path,
            measure=process.measure,
            intraday_nobs=process.intraday_nobs,
            day_classes=np.arange(nobs) % WEEK if process.dated else None,
        ).verdict
        for path in drawn
    ]
    return [f"{100 * verdicts.count(kind) / paths:.0f}" for kind in get_args(Verdict)]


def brownian(hurst: float) -> Draw:
    return lambda nobs, rng, paths: 0.3 * fractional_brownian_motion(hurst, nobs, rng, paths)


def reverting(sessions: float) -> Draw:
    return lambda nobs, rng, paths: rough_log_volatility(
        0.5, nobs, rng, paths=paths, mean_reversion=1 / sessions
    )


def ar98(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return 0.5 * autoregression(0.98, nobs, rng, paths)


def har(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return 0.3 * heterogeneous_autoregression((0.35, 0.35, 0.25), nobs, rng, paths)


def two_factors(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    slow = 0.5 * autoregression(0.99, nobs, rng, paths)
    return slow + 0.3 * autoregression(0.6, nobs, rng, paths)


def multifractal(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return log_correlated(nobs, rng, paths=paths)


def switching(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return markov_switching(nobs, rng, paths=paths)


def switching_daily(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return markov_switching(nobs, rng, paths=paths, fastest=0.95)


def skewed(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    """AR(0.95) with chi-square innovations, which falls no faster than it reverts."""
    innovations = rng.chisquare(1, (paths, nobs + BURN_IN)) - 1  # of variance 2
    deviation = np.sqrt(2 * (1 - 0.95) / (1 + 0.95))
    return 0.5 / deviation * exponential_average(innovations, 0.95)[:, BURN_IN:]


def white_noise(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    return rng.standard_normal((paths, nobs))


def rolling_deviations(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
    returns = rng.standard_normal((paths, nobs + 21))
    return np.log([rolling_std(row, 22, 252) for row in returns])


def with_weekend(draw: Draw) -> Draw:
    def seasonal(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        return draw(nobs, rng, paths) + np.where(np.arange(nobs) % WEEK >= WEEK - 2, WEEKEND, 0.0)

    return seasonal


def through_ranges(draw: Draw, excess: float = 1.0) -> Draw:
    """Seen through the Garman-Klass range of a Brownian day, its noise so many times as large."""

    def seen(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        exact = draw(nobs, rng, paths)
        return exact + np.sqrt(excess) * rng.choice(range_errors(), exact.shape)

    return seen


def through_returns(draw: Draw, intraday_nobs: int) -> Draw:
    """Seen through realized variance of so many returns a day."""

    def seen(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        exact = draw(nobs, rng, paths)
        return exact + 0.5 * np.log(rng.chisquare(intraday_nobs, exact.shape) / intraday_nobs)

    return seen


def averaged(draw: Draw, decay: float) -> Draw:
    """Volatility of an exponential average of squared returns."""

    def smooth(nobs: int, rng: np.random.Generator, paths: int) -> FloatArray:
        volatility = np.exp(draw(nobs + BURN_IN, rng, paths))
        returns = volatility * rng.standard_normal(volatility.shape)
        return 0.5 * np.log(exponential_average(returns**2, decay)[:, BURN_IN:])

    return smooth


@lru_cache(maxsize=1)
def range_errors(days: int = 200_000, steps: int = 60, chunk: int = 10_000) -> FloatArray:
    """Errors of log volatility by the range of Brownian days, drawn once: (days,)."""
    rng = generator(days, steps, 3)
    errors = []
    for _ in range(days // chunk):
        step = rng.standard_normal((chunk, steps)) / np.sqrt(steps)
        end = np.cumsum(step, axis=1)
        reach = -2 * np.log(rng.random((2, chunk, steps))) / steps
        middle = 2 * end - step
        high = np.max(middle + np.sqrt(step**2 + reach[0]), axis=1) / 2
        low = np.min(middle - np.sqrt(step**2 + reach[1]), axis=1) / 2
        errors.append(0.5 * np.log(range_measures(high, low, end[:, -1])["garman_klass"]))
    drawn = np.concatenate(errors)
    return np.asarray(drawn - drawn.mean())


PROCESSES = (
    Process("fBm, H = 0.1, without error", brownian(0.1), *EXACT),
    Process("fBm, H = 0.3, without error", brownian(0.3), *EXACT),
    Process("fBm, H = 0.1, through Garman-Klass", through_ranges(brownian(0.1)), *RANGE),
    Process("fBm, H = 0.2, through Garman-Klass", through_ranges(brownian(0.2)), *RANGE),
    Process(
        "fBm, H = 0.1, through 24 returns",
        through_returns(brownian(0.1), 24),
        "realized_variance",
        24,
    ),
    Process("fBm, H = 0.1, undeclared", brownian(0.1)),
    Process("fBm, H = 0.5, undeclared", brownian(0.5)),
    Process(
        "fBm, H = 0.5, through 24 returns",
        through_returns(brownian(0.5), 24),
        "realized_variance",
        24,
    ),
    Process("AR(0.98), without error", ar98, *EXACT),
    Process("AR(0.98) with weekends, dated", with_weekend(ar98), *EXACT, dated=True),
    Process("AR(0.98) with weekends, undated", with_weekend(ar98), *EXACT),
    Process(
        "the same through Garman-Klass, dated",
        through_ranges(with_weekend(ar98)),
        *RANGE,
        dated=True,
    ),
    Process(
        "reverting in 20 sessions, Garman-Klass, weekends, dated",
        through_ranges(with_weekend(reverting(20))),
        *RANGE,
        dated=True,
    ),
    Process("HAR, without error", har, *EXACT),
    Process("HAR, through Garman-Klass", through_ranges(har), *RANGE),
    Process("two factors (0.99, 0.6), without error", two_factors, *EXACT),
    Process("two factors, through Garman-Klass", through_ranges(two_factors), *RANGE),
    Process("multifractal walk, without error", multifractal, *EXACT),
    Process("multifractal walk, through Garman-Klass", through_ranges(multifractal), *RANGE),
    Process(
        "the same, 1.4 times the noise of the range", through_ranges(multifractal, 1.4), *RANGE
    ),
    Process("multifractal walk, undeclared", multifractal),
    Process("switching multifractal, fastest 0.5, without error", switching, *EXACT),
    Process("the same, fastest 0.95, without error", switching_daily, *EXACT),
    Process("the same, fastest 0.95, undeclared", switching_daily),
    Process("white noise", white_noise),
    Process("rolling deviation of 22 returns", rolling_deviations),
    Process("EWMA (0.94) of returns, fBm 0.1", averaged(brownian(0.1), 0.94)),
    Process("EWMA (0.97) of returns, constant", averaged(lambda n, _, p: np.zeros((p, n)), 0.97)),
    Process("AR(0.95), chi-square innovations, without error", skewed, *EXACT),
    Process("the same through Garman-Klass", through_ranges(skewed), *RANGE),
)


if __name__ == "__main__":
    sys.exit(main())
