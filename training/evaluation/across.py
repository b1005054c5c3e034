"""One table for all assets: how a model did on average, and how often it stood out."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from training.evaluation.run import Evaluated
from training.evaluation.sentences import better, worse
from volatility.evaluation.compare import ComparisonRow


@dataclass(frozen=True)
class AcrossRow:
    """One model at one horizon on one part of the samples, over all assets that have it.

    Attributes
    ----------
    horizon, part, model : what is summarized.
    assets : how many have the model; averages are over these.
    mean_qlike_ratio, median_qlike_ratio : of QLIKE over HAR's on the same asset.
    mean_rank : of QLIKE among the asset's models, 1 being the lowest.
    in_confidence_set : number of assets on which the model may be the best.
    better_than_har, worse_than_har, … : number of assets on which QLIKE is significantly lower or
        higher than that of HAR, log-HAR and calendar-adjusted log-HAR (Diebold-Mariano, 5 %,
        two-sided).
    """

    horizon: int
    part: str
    model: str
    assets: int
    mean_qlike_ratio: float
    median_qlike_ratio: float
    mean_rank: float
    in_confidence_set: int
    better_than_har: int
    worse_than_har: int
    better_than_log_har: int
    worse_than_log_har: int
    better_than_calendar_log_har: int
    worse_than_calendar_log_har: int


def across_assets(results: Sequence[Evaluated], horizon: int, part: str) -> list[AcrossRow]:
    """Summarize every model at one horizon: those on the most assets first, then the best.

    Means over other assets do not compare.
    """
    ranked: dict[str, list[tuple[int, ComparisonRow]]] = {}
    for result in results:
        if result.study.key.horizon == horizon:
            for rank, row in enumerate(result.comparisons[part].rows, start=1):
                ranked.setdefault(row.model, []).append((rank, row))
    rows = [_summarize(horizon, part, model, entries) for model, entries in ranked.items()]
    return sorted(rows, key=lambda row: (-row.assets, row.mean_qlike_ratio))


def _summarize(
    horizon: int, part: str, model: str, entries: Sequence[tuple[int, ComparisonRow]]
) -> AcrossRow:
    rows = [row for _, row in entries]
    ratios = [row.qlike_ratio for row in rows]
    return AcrossRow(
        horizon=horizon,
        part=part,
        model=model,
        assets=len(rows),
        mean_qlike_ratio=fmean(ratios),
        median_qlike_ratio=median(ratios),
        mean_rank=fmean(rank for rank, _ in entries),
        in_confidence_set=sum(row.in_confidence_set for row in rows),
        better_than_har=sum(better(row, "har") for row in rows),
        worse_than_har=sum(worse(row, "har") for row in rows),
        better_than_log_har=sum(better(row, "log_har") for row in rows),
        worse_than_log_har=sum(worse(row, "log_har") for row in rows),
        better_than_calendar_log_har=sum(better(row, "calendar_log_har") for row in rows),
        worse_than_calendar_log_har=sum(worse(row, "calendar_log_har") for row in rows),
    )
