"""Tables and sentences for people: after a retrain, after an evaluation, and in the docs."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from training.publishing.retrain import AssetResult, Outcome
from volatility.arrays import FloatArray
from volatility.evaluation.compare import COVERAGE_LEVELS, Comparison, ComparisonRow
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack, align

SIGNIFICANT = 0.05
# The same network without pre-training, by the network that was pre-trained on another asset.
FROM_SCRATCH: Mapping[str, str] = MappingProxyType(
    {
        "transfer": "lstm",
        "transfer_full": "lstm",
        "transfer_differential": "lstm",
        "transfer_gradual": "lstm",
        "transfer_aggressive": "lstm",
        "transfer_residual": "residual_boosting",
    }
)
LABELS: Mapping[str, str] = MappingProxyType({"har": "HAR", "log_har": "log-HAR"})
LEVELS = "80 % / 95 %"  # heading of the coverages
COLUMNS = (
    "vs HAR: QLIKE relative to HAR's. p: two-sided Diebold-Mariano. "
    "set: in the 90 % model confidence set."
)

Cell = Callable[[ComparisonRow], str]
Row = TypeVar("Row")


def print_result(result: AssetResult, console: Console) -> None:
    """The closing table of one asset's retrain."""
    outcomes = {outcome.model: outcome for outcome in result.outcomes}
    table = comparison_table(
        f"{result.data.asset}: {result.data.series.measure}",
        result.comparison,
        f"champion: {result.champion or 'none'}. {COLUMNS}",
        {
            "version": lambda row: _version(outcomes[row.model]),
            "in service": lambda row: "yes" if outcomes[row.model].promoted else "no",
            "note": lambda row: outcomes[row.model].note,
        },
    )
    console.print(table)
    if result.not_compared:
        console.print(
            "The champion stays: the models in service cannot be compared until all are retrained "
            f"on the same data. {result.not_compared}",
            markup=False,
        )


def print_comparison(title: str, comparison: Comparison, console: Console) -> None:
    """The table of one evaluation, and its sentence."""
    more = {heading: MEASURES[heading] for heading in ("RMSE of volatility", "R² of log", LEVELS)}
    console.print(comparison_table(title, comparison, COLUMNS, more))
    console.print(summary(comparison), markup=False)


def comparison_table(
    title: str, comparison: Comparison, caption: str, more: Mapping[str, Cell]
) -> Table:
    """A table of models on the test part, with ``more`` columns behind the common ones."""
    first, last = comparison.span
    table = Table(
        title=f"{title}, test part {first} to {last}, n = {comparison.nobs}", caption=caption
    )
    columns = {**CELLS, **more}
    for heading in columns:
        left = heading in {"model", "set", "in service", "note"}
        table.add_column(heading, justify="left" if left else "right")
    for row in comparison.rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


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


def better(row: ComparisonRow, benchmark: str) -> bool:
    """Whether QLIKE is significantly lower than the benchmark's."""
    test = row.diebold_mariano.get(benchmark)
    return test is not None and test.pvalue < SIGNIFICANT and test.mean_difference < 0


def worse(row: ComparisonRow, benchmark: str) -> bool:
    """Whether QLIKE is significantly higher than the benchmark's."""
    test = row.diebold_mariano.get(benchmark)
    return test is not None and test.pvalue < SIGNIFICANT and test.mean_difference > 0


def names_of(models: Sequence[str]) -> str:
    """Models in a sentence."""
    return ", ".join(f"`{model}`" for model in models) or "none"


def markdown_table(rows: Sequence[Row], columns: Mapping[str, Callable[[Row], str]]) -> list[str]:
    """Lines of a Markdown table: the model's name to the left, numbers to the right."""
    rules = [
        ":-:" if heading == "in set" else "---" if heading == "model" else "---:"
        for heading in columns
    ]
    lines = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    head, *body = [f"| {' | '.join(cells)} |" for cells in lines]
    return [head, f"|{'|'.join(rules)}|", *body]


def against(benchmark: str, row: ComparisonRow) -> str:
    """P-value of equal accuracy; a dash for the benchmark itself."""
    test = row.diebold_mariano.get(benchmark)
    return f"{test.pvalue:.3f}" if test else "–"


def percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def transfer_effect(tracks: Sequence[ForecastTrack], start: np.datetime64) -> list[str]:
    """What pre-training did to each network, a sentence each; none where it cannot be told."""
    aligned = align(tracks)
    tested = aligned.target_dates >= start
    losses = {
        model: qlike_losses(aligned.rv[tested], forecast[tested])
        for model, forecast in aligned.forecasts.items()
    }
    effects: dict[str, list[str]] = {}
    for model, scratch in FROM_SCRATCH.items():
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


def ratio_to_har(row: ComparisonRow) -> str:
    """How far QLIKE is from HAR's; a dash for HAR itself."""
    return f"{row.qlike_ratio - 1:+.1%}" if "har" in row.diebold_mariano else "–"


def _coverage(row: ComparisonRow) -> str:
    return " / ".join(percent(row.coverage.get(level)) for level in COVERAGE_LEVELS)


def _version(outcome: Outcome) -> str:
    return str(outcome.version) if outcome.version else "–"


CELLS: Mapping[str, Cell] = MappingProxyType(
    {
        "model": lambda row: row.model,
        "QLIKE": lambda row: f"{row.qlike_loss:.4f}",
        "vs HAR": ratio_to_har,
        "p": lambda row: against("har", row),
        "set": lambda row: "yes" if row.in_confidence_set else "no",
    }
)
MEASURES: Mapping[str, Cell] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "QLIKE": CELLS["QLIKE"],
        "vs HAR": CELLS["vs HAR"],
        "p": CELLS["p"],
        "in set": CELLS["set"],
        "RMSE of volatility": lambda row: f"{row.rmse_volatility:.5f}",
        "R² of log": lambda row: f"{row.r_squared_log:.3f}",
        LEVELS: _coverage,
    }
)
