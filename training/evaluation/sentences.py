"""What a comparison says, in sentences: who beats a benchmark, and what pre-training does."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from training.evaluation.headings import percent, without_day
from training.models.recipe import Recipe
from volatility.arrays import FloatArray
from volatility.evaluation.compare import Comparison, ComparisonRow
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack, align

SIGNIFICANT = 0.05  # level of a two-sided test
ONE_DAY = 0.5  # share of a differential's variance from which on one day decides
LABELS: Mapping[str, str] = MappingProxyType(  # of the benchmarks that sentences compare with
    {"har": "HAR", "log_har": "log-HAR", "calendar_log_har": "calendar-adjusted log-HAR"}
)


def summary(comparison: Comparison, benchmark: str = "har") -> str:
    """Which models beat a benchmark, which are worse and which cannot be told apart, in words."""
    rows = [row for row in comparison.rows if row.model != benchmark]
    ahead = [row.model for row in rows if better(row, benchmark)]
    behind = [row.model for row in rows if worse(row, benchmark)]
    same = [row.model for row in rows if row.model not in {*ahead, *behind}]
    return " ".join(
        [
            f"Significantly better than {LABELS[benchmark]} (5 %): {names_of(ahead)}.",
            f"Not distinguishable: {names_of(same)}.",
            f"Significantly worse: {names_of(behind)}.",
        ]
    )


def superiority(comparison: Comparison, benchmark: str) -> str:
    """Whether the best model beats a benchmark even as the best of so many, in words."""
    if comparison.rows[0].model == benchmark:
        return f"None has a lower QLIKE than {LABELS[benchmark]}."
    pvalue = comparison.spa_pvalue[benchmark]
    does = "beats" if pvalue < SIGNIFICANT else "does not beat"
    return (
        f"As the best of {len(comparison.rows) - 1}, the best {does} {LABELS[benchmark]} by more "
        f"than luck explains (superior predictive ability, p = {pvalue:.3f})."
    )


def resting_on_one_day(comparison: Comparison, benchmark: str) -> list[str]:
    """Comparisons with a benchmark that one day decides, in one sentence, if there are any."""
    found = [
        f"`{row.model}` ({day.date}, {day.share:.0%} of the variance; without it "
        f"{without_day(day)})"
        for row in comparison.rows
        if (day := row.influence.get(benchmark)) and day.share > ONE_DAY
    ]
    if not found:
        return []
    return [f"The comparison with {LABELS[benchmark]} rests on one day for {', '.join(found)}."]


def doubts(comparison: Comparison) -> list[str]:
    """What was left out, and what may stand by the wrong dates."""
    return [
        *(f"Left out: {reason}." for reason in comparison.left_out.values()),
        *(f"Warning: {warning}." for warning in comparison.warnings.values()),
    ]


def coverage_range(comparison: Comparison, level: float) -> str | None:
    """How often intervals at a level held, from the worst to the best; None without intervals."""
    rows = [row for row in comparison.rows if level in row.coverage]
    if not rows:
        return None
    lowest = min(rows, key=lambda row: row.coverage[level])
    highest = max(rows, key=lambda row: row.coverage[level])
    return (
        f"Of intervals at {100 * level:.0f} %, between {percent(lowest.coverage[level])} "
        f"(`{lowest.model}`) and {percent(highest.coverage[level])} (`{highest.model}`) held the "
        "outcome."
    )


def better(row: ComparisonRow, benchmark: str) -> bool:
    """Whether QLIKE is significantly lower than the benchmark's."""
    test = row.diebold_mariano.get(benchmark)
    return test is not None and test.pvalue < SIGNIFICANT and test.mean_difference < 0


def worse(row: ComparisonRow, benchmark: str) -> bool:
    """Whether QLIKE is significantly higher than the benchmark's."""
    test = row.diebold_mariano.get(benchmark)
    return test is not None and test.pvalue < SIGNIFICANT and test.mean_difference > 0


def names_of(models: Sequence[str]) -> str:
    """Model names separated by commas, as Markdown code; ``none`` where there is none."""
    return ", ".join(f"`{model}`" for model in models) or "none"


def from_scratch(recipes: Sequence[Recipe]) -> dict[str, str]:
    """What each pre-trained model is compared with: the same network without pre-training."""
    return {
        recipe.name: recipe.compared_with for recipe in recipes if recipe.compared_with is not None
    }


def transfer_effect(
    tracks: Sequence[ForecastTrack], start: np.datetime64, scratch_of: Mapping[str, str]
) -> list[str]:
    """What pre-training did to QLIKE, a sentence for each network from scratch that is there.

    Parameters
    ----------
    tracks : forecasts of all models.
    start : first target date that counts.
    scratch_of : see :func:`from_scratch`.
    """
    aligned = align(tracks)
    tested = aligned.target_dates >= start
    losses = {
        model: qlike_losses(aligned.rv[tested], forecast[tested])
        for model, forecast in aligned.forecasts.items()
    }
    effects: dict[str, list[str]] = {}
    for model, scratch in scratch_of.items():
        if {model, scratch} <= losses.keys():
            effect = _effect(model, losses[model], losses[scratch], aligned.horizon)
            effects.setdefault(scratch, []).append(effect)
    return [
        f"QLIKE against `{scratch}` from scratch: {', '.join(parts)}."
        for scratch, parts in effects.items()
    ]


def _effect(model: str, losses: FloatArray, from_scratch: FloatArray, horizon: int) -> str:
    change = losses.mean() / from_scratch.mean() - 1
    test = diebold_mariano(losses, from_scratch, horizon)
    return f"`{model}` {change:+.1%} (p = {test.pvalue:.3f})"
