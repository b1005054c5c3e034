"""Make the tables of coverage in docs/evaluation.md: intervals frozen, as served, and exact.

``python -m benchmarks.coverage_tables`` takes about two minutes on one core.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.exact_intervals import exact_intervals_table
from benchmarks.hurst_table import replace_between_markers
from training.config import Config, read_config
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.evaluation.study import Study, applicable
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.registry import recipes
from volatility import datasets
from volatility.arrays import FloatArray
from volatility.evaluation.interval_scores import interval_scores
from volatility.evaluation.intervals import rolling_offsets
from volatility.evaluation.tracks import ForecastTrack

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "evaluation.md"
MODELS = ("har", "log_har", "lhar", "gjr")
LEVEL = 0.8
BURN_IN = 250  # errors that are only calibrated on
HEADS = (
    "asset",
    "model",
    "years",
    "frozen: all",
    "frozen: by year",
    "served: all",
    "served: by year",
    "served: low / middle / high",
    "served: after breaks",
)
SHORTEST_YEAR = 125  # sessions; the last year of a sample is rarely whole
PATHS, YEARS, YEAR = 2000, 5, 250  # of a simulation


class Coverage(NamedTuple):
    """Coverage of each year after the first 250 errors, by procedure."""

    frozen: FloatArray  # (years,) offsets as they were before the year
    served: FloatArray  # (years,) offsets as they were before each session
    sessions: FloatArray  # (years,) in each


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    parser.add_argument("--asset", action="append", help="a shipped asset; all without it")
    parser.add_argument("--paths", type=int, default=PATHS, help="simulated series of errors")
    options = parser.parse_args(arguments)
    shipped = shipped_table(options.asset or datasets.NAMES)
    replace_between_markers(options.page, "coverage: shipped", shipped)
    replace_between_markers(options.page, "coverage: simulated", simulated_table(options.paths))
    replace_between_markers(options.page, "coverage: exact", exact_intervals_table(options.paths))
    return 0


def coverage_by_year(residuals: FloatArray, year: int, level: float = LEVEL) -> Coverage:
    """How often intervals held, year by year.

    Parameters
    ----------
    residuals : (n,) log residuals in order of time; the first 250 are only calibrated on.
    year : sessions a year; a shorter one at the end counts if it has :data:`SHORTEST_YEAR`.
    level : nominal coverage.
    """
    rolling = rolling_offsets(residuals, (level,))[:, 0]
    inside = (rolling[:, 0] <= residuals) & (residuals <= rolling[:, 1])
    starts = [
        start
        for start in range(BURN_IN, len(residuals), year)
        if len(residuals) - start >= min(SHORTEST_YEAR, year)
    ]
    frozen = []
    for start in starts:
        lower, upper = rolling[start]
        of_year = residuals[start : start + year]
        frozen.append(np.mean((lower <= of_year) & (of_year <= upper)))
    return Coverage(
        np.array(frozen),
        np.array([inside[start : start + year].mean() for start in starts]),
        np.array([len(residuals[start : start + year]) for start in starts], dtype=np.float64),
    )


def shipped_table(assets: Sequence[str]) -> list[str]:
    """Models that are fitted once a year, as a service's are between two retrains."""
    rows = [f"| {' | '.join(HEADS)} |", "|---|---|" + "---:|" * (len(HEADS) - 2)]
    for asset in assets:
        for model, track, year in _of_asset(asset):
            found = coverage_by_year(np.log(track.rv / track.forecast), year)
            scored = np.arange(len(track)) >= BURN_IN
            scores = interval_scores(track.rv, track.forecast, scored, track.horizon)
            rows.append(
                f"| {asset} | `{model}` | {len(found.frozen)} | {_overall(found.frozen, found)} | "
                f"{_range(found.frozen)} | {_overall(found.served, found)} | "
                f"{_range(found.served)} | "
                f"{' / '.join(f'{it:.0%}' for it in scores.coverage_by_tercile[LEVEL])} | "
                f"{scores.coverage_after_breaks[LEVEL]:.1%} |"
            )
    return rows


def simulated_table(paths: int) -> list[str]:
    """Errors whose deviation stays, changes at the turn of a year, or drifts."""
    rows = [
        "| errors | frozen: all | frozen: 90 % of years | served: all | served: 90 % of years |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, errors in simulated_errors(paths).items():
        years = [coverage_by_year(path, YEAR) for path in errors]
        frozen = np.concatenate([found.frozen for found in years])
        served = np.concatenate([found.served for found in years])
        rows.append(
            f"| {name} | {frozen.mean():.1%} | {_middle(frozen)} | {served.mean():.1%} | "
            f"{_middle(served)} |"
        )
    return rows


def simulated_errors(paths: int) -> Mapping[str, FloatArray]:
    """(paths, n) log residuals by what their deviation does; Student t with 8 degrees."""
    rng = np.random.default_rng(1)
    nobs = (YEARS + 1) * YEAR
    errors = 0.6 * rng.standard_t(8, (paths, nobs))
    yearly = np.repeat(np.exp(0.2 * rng.standard_normal((paths, YEARS + 1))), YEAR, axis=1)
    return {
        "one deviation": errors,
        "another each year, ±20 %": yearly * errors,
        "drifts by ±20 %, half of it gone in 60 sessions": np.exp(_drift(rng, paths, nobs))
        * errors,
    }


def _drift(rng: np.random.Generator, paths: int, nobs: int) -> FloatArray:
    """(paths, nobs) of an autoregression with deviation 0.2 and a half-life of 60 sessions."""
    decay = 0.5 ** (1 / 60)
    steps = 0.2 * np.sqrt(1 - decay**2) * rng.standard_normal((paths, nobs))
    steps[:, 0] /= np.sqrt(1 - decay**2)
    found = np.empty_like(steps)
    found[:, 0] = steps[:, 0]
    for session in range(1, nobs):
        found[:, session] = decay * found[:, session - 1] + steps[:, session]
    return found


def _of_asset(asset: str) -> Iterator[tuple[str, ForecastTrack, int]]:
    target, _ = load_asset(asset, None, datetime.now(UTC))
    year = target.calendar.periods_per_year
    config = _fitted_every(year, read_config())
    chosen = applicable(recipes(MODELS, config), target)
    study = Study(TrainingSet(target, {}, config.seed), chosen)
    (tracks,) = forecast_studies([study], worker_pool(1), lambda _: None)
    for model, track in tracks.items():
        if len(track) >= BURN_IN + SHORTEST_YEAR:
            yield model, track, year


def _fitted_every(sessions: int, config: Config) -> Config:
    walk_forward = replace(config.walk_forward, linear_refit_every=sessions)
    return replace(config, walk_forward=walk_forward)


def _overall(by_year: FloatArray, found: Coverage) -> str:
    return f"{float(by_year @ found.sessions / found.sessions.sum()):.1%}"


def _range(by_year: FloatArray) -> str:
    return f"{by_year.min():.0%} – {by_year.max():.0%}"


def _middle(by_year: FloatArray) -> str:
    low, high = np.quantile(by_year, [0.05, 0.95])
    return f"{low:.0%} – {high:.0%}"


if __name__ == "__main__":
    sys.exit(main())
