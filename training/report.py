"""Tables for people: at the end of a retrain, and in the README."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from models_store.store import Store
from training.retrain import AssetResult, Outcome
from volatility.arrays import FloatArray
from volatility.comparison import diebold_mariano
from volatility.errors import InvalidInput
from volatility.evaluation import Comparison, ComparisonRow, ForecastTrack, align, compare
from volatility.losses import qlike_losses

BEGIN = "<!-- results: made by `python -m training results` -->"
END = "<!-- end of results -->"
SIGNIFICANT = 0.05
FROM_SCRATCH = "lstm"
TRANSFERRED = ("transfer", "transfer_full")  # the same network, pre-trained on another asset


def print_result(result: AssetResult, console: Console) -> None:
    """The closing table of one asset's retrain."""
    comparison = result.comparison
    span = f"{comparison.span[0]} to {comparison.span[1]}"
    table = Table(
        title=f"{result.data.asset}: {result.data.series.measure}, test part {span}, "
        f"n = {comparison.nobs}",
        caption=f"champion: {result.champion or 'none'}. vs HAR: QLIKE relative to HAR's. "
        "p: two-sided Diebold-Mariano. set: in the 90 % model confidence set.",
    )
    for heading in ("model", "QLIKE", "vs HAR", "p", "set", "version", "in service", "note"):
        numeric = heading in {"QLIKE", "vs HAR", "p", "version"}
        table.add_column(heading, justify="right" if numeric else "left")
    outcomes = {outcome.model: outcome for outcome in result.outcomes}
    for row in comparison.rows:
        table.add_row(*_cells(row), *_outcome_cells(outcomes[row.model]))
    console.print(table)
    if result.not_compared:
        console.print(
            "The champion stays: the models in service cannot be compared until all are retrained "
            f"on the same data. {result.not_compared}",
            markup=False,
        )


def write_results(store: Store, assets: Sequence[str], readme: Path) -> None:
    """Replace the results between the markers of ``readme`` by those of the store's models.

    Raises
    ------
    InvalidInput : there is no asset, or the file has no markers.
    """
    if not assets:
        raise InvalidInput(f"there are no models in {store.root}", field="store")
    text = readme.read_text()
    if BEGIN not in text or END not in text:
        raise InvalidInput(
            f"{readme} has no place for results",
            field="readme",
            needed=f"a line {BEGIN!r} and a later line {END!r}",
        )
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    results = "\n".join(results_of(store, asset) for asset in assets)
    readme.write_text(f"{before}{BEGIN}\n\n{results}\n{END}{after}")


def results_of(store: Store, asset: str) -> str:
    """One asset's evaluation as a Markdown table and a plain sentence."""
    names = [model for model in store.models(asset) if store.current(asset, model)]
    models = [store.load(asset, model) for model in names]
    start = max(model.manifest.evaluation.test_start for model in models)
    tracks = [model.track for model in models]
    comparison = compare(tracks, start=np.datetime64(start))
    measure = models[0].manifest.measure
    first, last = comparison.span
    lines = [
        f"**{asset}**, `{measure}`, {first} to {last}, n = {comparison.nobs}:",
        "",
        "| model | QLIKE | vs HAR | p | in set | RMSE of volatility | R² of log | 80 % / 95 % |",
        "|---|---:|---:|---:|:-:|---:|---:|---:|",
        *(_markdown_row(row) for row in comparison.rows),
        "",
        " ".join([summary(comparison), *transfer_effect(tracks, np.datetime64(start))]),
        "",
    ]
    return "\n".join(lines)


def summary(comparison: Comparison) -> str:
    """Which models beat HAR, which are worse and which cannot be told apart, in words."""
    others = [row for row in comparison.rows if row.model != comparison.baseline]
    better = [row.model for row in others if _significant(row) and row.qlike_ratio < 1]
    worse = [row.model for row in others if _significant(row) and row.qlike_ratio > 1]
    same = [row.model for row in others if not _significant(row)]
    return " ".join(
        [
            f"Significantly better than HAR (5 %): {_names(better)}.",
            f"Not distinguishable: {_names(same)}.",
            f"Significantly worse: {_names(worse)}.",
        ]
    )


def transfer_effect(tracks: Sequence[ForecastTrack], start: np.datetime64) -> list[str]:
    """What pre-training did to the network, in a sentence; none where it cannot be told."""
    aligned = align(tracks)
    tested = aligned.target_dates >= start
    losses = {
        model: qlike_losses(aligned.rv[tested], forecast[tested])
        for model, forecast in aligned.forecasts.items()
    }
    transferred = [model for model in losses if model in TRANSFERRED]
    if FROM_SCRATCH not in losses or not transferred:
        return []
    effects = [_effect(model, losses[model], losses[FROM_SCRATCH]) for model in transferred]
    return [f"QLIKE against `{FROM_SCRATCH}` from scratch: {', '.join(effects)}."]


def _effect(model: str, losses: FloatArray, from_scratch: FloatArray) -> str:
    change = losses.mean() / from_scratch.mean() - 1
    return f"`{model}` {change:+.1%} (p = {diebold_mariano(losses, from_scratch).pvalue:.3f})"


def _significant(row: ComparisonRow) -> bool:
    test = row.diebold_mariano.get("har")
    return test is not None and test.pvalue < SIGNIFICANT


def _names(models: Sequence[str]) -> str:
    return ", ".join(f"`{model}`" for model in models) or "none"


def _cells(row: ComparisonRow) -> tuple[str, str, str, str, str]:
    test = row.diebold_mariano.get("har")
    return (
        row.model,
        f"{row.qlike_loss:.4f}",
        f"{row.qlike_ratio - 1:+.1%}" if test else "–",
        f"{test.pvalue:.3f}" if test else "–",
        "yes" if row.in_confidence_set else "no",
    )


def _outcome_cells(outcome: Outcome) -> tuple[str, str, str]:
    version = str(outcome.version) if outcome.version else "–"
    return version, "yes" if outcome.promoted else "no", outcome.note


def _markdown_row(row: ComparisonRow) -> str:
    model, *others = _cells(row)
    numbers = (
        f"{row.rmse_volatility:.5f}",
        f"{row.r_squared_log:.3f}",
        " / ".join(f"{row.coverage[level]:.1%}" for level in (0.8, 0.95)),
    )
    return f"| `{model}` | " + " | ".join([*others, *numbers]) + " |"
