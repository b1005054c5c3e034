"""Tables of compared models on the terminal."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from training.evaluation.headings import FURTHER, HEADLINE, CellText
from training.evaluation.sentences import doubts, resting_on_one_day, summary, superiority
from training.publishing.retrain import Outcome, RetrainedAsset
from volatility.evaluation.compare import Comparison

EXPLANATION = (
    "vs HAR: QLIKE relative to HAR's. p: two-sided Diebold-Mariano, against HAR and against "
    "calendar-adjusted log-HAR. "
    "set: in the 90 % model confidence set."
)
LEFT = frozenset({"model", "set", "in service", "note"})  # columns of words


def print_retrained(result: RetrainedAsset, console: Console) -> None:
    """Print the closing table of one asset's retrain."""
    outcomes = {outcome.model: outcome for outcome in result.outcomes}
    table = comparison_table(
        f"{result.data.asset}: {result.data.series.measure}",
        result.comparison,
        f"champion, by the selection part: {result.champion or 'none'}. {EXPLANATION}",
        {
            "version": lambda row: _version(outcomes[row.model]),
            "in service": lambda row: _in_service(outcomes[row.model]),
            "note": lambda row: outcomes[row.model].note,
        },
    )
    console.print(table)
    for sentence in doubts(result.comparison):
        console.print(sentence, markup=False)
    if result.not_compared:
        console.print(
            "The champion stays: the models in service cannot be compared until all are retrained "
            f"on the same data. {result.not_compared}",
            markup=False,
        )


def print_comparison(title: str, comparison: Comparison, console: Console) -> None:
    """Print the table of one evaluation, and its sentence."""
    console.print(comparison_table(title, comparison, EXPLANATION, FURTHER))
    console.print(summary(comparison), superiority(comparison, "har"), markup=False)
    for sentence in (*resting_on_one_day(comparison, "har"), *doubts(comparison)):
        console.print(sentence, markup=False)


def comparison_table(
    title: str, comparison: Comparison, caption: str, more: Mapping[str, CellText]
) -> Table:
    """A table of models on the test part, with ``more`` columns behind the common ones."""
    first, last = comparison.span
    table = Table(
        title=f"{title}, test part {first} to {last}, n = {comparison.nobs}", caption=caption
    )
    columns = {**HEADLINE, **more}
    for heading in columns:
        table.add_column(heading, justify="left" if heading in LEFT else "right")
    for row in comparison.rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    return table


def _version(outcome: Outcome) -> str:
    if outcome.serves is None:
        return ""
    return str(outcome.version) if outcome.version else "–"


def _in_service(outcome: Outcome) -> str:
    if outcome.serves is None:
        return ""
    return "yes" if outcome.serves else "no"
