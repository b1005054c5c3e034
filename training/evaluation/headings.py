"""Headings of the tables of models, and what stands below each of them for a row."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from volatility.evaluation.compare import ComparisonRow
from volatility.evaluation.influence import Influence
from volatility.evaluation.interval_scores import COVERAGE_LEVELS

CellText = Callable[[ComparisonRow], str]

COVERAGES = "80 % / 95 %"  # heading


def against(benchmark: str, row: ComparisonRow) -> str:
    """P-value of equal accuracy; a dash for the benchmark itself, and where it is not there."""
    test = row.diebold_mariano.get(benchmark)
    return f"{test.pvalue:.3f}" if test else "–"


def most_influential_day(benchmark: str, row: ComparisonRow) -> str:
    """The day, its share of the differential's variance, and QLIKE against the benchmark's without.

    A dash for the benchmark itself, and where the losses are the same.
    """
    day = row.influence.get(benchmark)
    if day is None or day.date is None:
        return "–"
    return f"{day.date}: {day.share:.0%}, {without_day(day)}"


def without_day(day: Influence) -> str:
    """QLIKE against the benchmark's without the most influential day, if the latter is not 0."""
    ratio = day.qlike_ratio_without
    return "no ratio to a loss of 0" if math.isnan(ratio) else f"{ratio - 1:+.1%}"


def percent(share: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def single_seeds(row: ComparisonRow) -> str:
    """QLIKE of single seeds, mean ± deviation; a dash for a model without any."""
    mean, deviation = row.qlike_seed_mean, row.qlike_seed_deviation
    if mean is None:
        return "–"
    return f"{mean:.4f}" if deviation is None else f"{mean:.4f} ± {deviation:.4f}"


def with_seeds(
    columns: Mapping[str, CellText], rows: Sequence[ComparisonRow]
) -> Mapping[str, CellText]:
    """``columns`` with single seeds beside QLIKE, where some model is a mean over several."""
    if not any(row.qlike_loss_by_seed for row in rows):
        return columns
    added = {}
    for heading, cell in columns.items():
        added[heading] = cell
        if heading == "QLIKE":
            added["single seeds"] = single_seeds
    return added


def ratio_to_har(row: ComparisonRow) -> str:
    """How far QLIKE is from HAR's; a dash for HAR itself."""
    return f"{row.qlike_ratio - 1:+.1%}" if "har" in row.diebold_mariano else "–"


def _coverage(row: ComparisonRow) -> str:
    return " / ".join(percent(row.coverage.get(level)) for level in COVERAGE_LEVELS)


HEADLINE: Mapping[str, CellText] = MappingProxyType(
    {
        "model": lambda row: row.model,
        "QLIKE": lambda row: f"{row.qlike_loss:.4f}",
        "vs HAR": ratio_to_har,
        "p: HAR": lambda row: against("har", row),
        "p: calendar": lambda row: against("calendar_log_har", row),
        "set": lambda row: "yes" if row.in_confidence_set else "no",
    }
)
FURTHER: Mapping[str, CellText] = MappingProxyType(
    {
        "RMSE of volatility": lambda row: f"{row.rmse_volatility:.5f}",
        "R² of log": lambda row: f"{row.r_squared_log:.3f}",
        COVERAGES: _coverage,
    }
)
