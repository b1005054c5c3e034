"""Make the table of coverage on a panel of assets in docs/evaluation.md.

``python -m benchmarks.panel_coverage --panel ../shared/panel`` takes some minutes on one core.
The folder has ``assets.csv`` (asset, kind, calendar) and ``bars.csv.gz`` (asset, date, prices).
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.hurst_table import replace_between_markers
from training.config import read_config
from training.data.assets import AssetData, TrainingSet
from training.evaluation.study import Study, parts_of
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.registry import recipes
from volatility.arrays import FloatArray
from volatility.bars import within_sessions
from volatility.calendars import get_calendar
from volatility.evaluation.interval_scores import (
    PROBABILITIES,
    IntervalScores,
    interval_scores,
    score_offsets,
)
from volatility.evaluation.tracks import ForecastTrack
from volatility.frames import from_frame
from volatility.measures.columns import available
from volatility.series import daily_series

PAGE = Path(__file__).resolve().parents[1] / "docs" / "evaluation.md"
MODELS = ("ewma", "log_har", "lhar")
HORIZONS = (1, 5, 22)
FORMER_WINDOW = 250  # of errors as they are, which intervals were made of before they were scaled
DAY = 86_400  # seconds
HEADS = (
    "sessions ahead",
    "model",
    "errors",
    "n",
    "80 %",
    "80 %: low / middle / high",
    "assets below 76 % in the low or high third",
    "80 %: after breaks",
    "95 %",
    "score of 80 %",
    "score of 95 %",
    "CRPS",
)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panel", type=Path, required=True, help="a folder with bars and assets")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    panel = list(panel_assets(options.panel))
    rows = panel_table(panel, options.jobs)
    replace_between_markers(options.page, "coverage: panel", rows)
    return 0


def panel_assets(folder: Path) -> Iterator[AssetData]:
    """Each asset of a panel in Garman and Klass's measure."""
    listed = pd.read_csv(folder / "assets.csv")
    bars = pd.read_csv(folder / "bars.csv.gz").set_index("asset")
    for asset, name in zip(listed["asset"].tolist(), listed["calendar"].tolist(), strict=True):
        calendar = get_calendar(name)
        inside, _ = within_sessions(from_frame(bars.loc[asset].reset_index(drop=True)), calendar)
        columns = available(True, calendar.always_open)
        series, _ = daily_series(inside, "garman_klass", calendar, columns)
        yield AssetData(asset, series, name, DAY, folder.name)


def panel_table(panel: Sequence[AssetData], jobs: int) -> list[str]:
    """Means over the assets, on the last quarter of each, by horizon, model and procedure."""
    rows = [f"| {' | '.join(HEADS)} |", "|---:|---|---|" + "---:|" * (len(HEADS) - 3)]
    config = read_config()
    chosen = tuple(recipes(MODELS, config))
    for horizon in HORIZONS:
        studies = [Study(TrainingSet(asset, {}, config.seed, horizon), chosen) for asset in panel]
        found = forecast_studies(studies, worker_pool(jobs), lambda _: None)
        starts = [parts_of(study.data).test for study in studies]
        for model in MODELS:
            tracks = [by_model[model] for by_model in found]
            for errors, procedure in PROCEDURES.items():
                scores = [procedure(*it) for it in zip(tracks, starts, strict=True)]
                rows.append(f"| {horizon} | `{model}` | {errors} | {_row(scores)} |")
    return rows


def _served(track: ForecastTrack, start: np.datetime64) -> IntervalScores:
    return interval_scores(track.rv, track.forecast, track.target_dates >= start, track.horizon)


def _former(track: ForecastTrack, start: np.datetime64) -> IntervalScores:
    offsets = former_offsets(np.log(track.rv / track.forecast), track.horizon)
    return score_offsets(track.rv, track.forecast, track.target_dates >= start, offsets)


PROCEDURES = {"250, as they are": _former, "500, scaled": _served}


def former_offsets(residuals: FloatArray, horizon: int) -> FloatArray:
    """Order statistics of the newest 250 errors that had ended, of one scale and one worth."""
    past = np.concatenate([np.full(FORMER_WINDOW, np.nan), residuals])
    windows = np.lib.stride_tricks.sliding_window_view(past, FORMER_WINDOW)[: len(residuals)]
    ordered = np.sort(windows, axis=1)  # whole windows alone: NaN comes last
    tails = np.minimum(PROBABILITIES, 1 - np.array(PROBABILITIES))
    ranks = np.maximum(((FORMER_WINDOW + 1) * tails + 1e-9).astype(int), 1)
    places = np.where(np.array(PROBABILITIES) < 0.5, ranks - 1, FORMER_WINDOW - ranks)
    offsets = ordered[:, places]
    offsets[np.isnan(windows).any(axis=1)] = np.nan
    late = np.full_like(offsets, np.nan)
    late[horizon - 1 :] = offsets[: len(offsets) - (horizon - 1)]
    return late


def _row(scores: Sequence[IntervalScores]) -> str:
    terciles = np.array([it.coverage_by_tercile[0.8] for it in scores])  # (assets, 3)
    uneven = int((terciles[:, [0, 2]] < 0.76).any(axis=1).sum())
    cells = [
        f"{sum(it.nobs for it in scores):,}",
        _percent([it.coverage[0.8] for it in scores]),
        " / ".join(_percent(third) for third in terciles.T),
        f"{uneven} of {len(scores)}",
        _percent([it.coverage_after_breaks[0.8] for it in scores]),
        _percent([it.coverage[0.95] for it in scores]),
        f"{np.mean([it.loss_log[0.8] for it in scores]):.3f}",
        f"{np.mean([it.loss_log[0.95] for it in scores]):.3f}",
        f"{np.mean([it.crps_log for it in scores if it.crps_log is not None]):.4f}",
    ]
    return " | ".join(cells)


def _percent(shares: Sequence[float] | FloatArray) -> str:
    return f"{np.mean(shares):.1%}"


if __name__ == "__main__":
    sys.exit(main())
