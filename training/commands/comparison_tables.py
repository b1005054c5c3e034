"""Tables of compared models on the terminal."""

from collections.abc import Collection, Mapping

from rich.console import Console
from rich.table import Table

from training.evaluation.headings import COVERAGES, FURTHER, HEADLINE, CellText
from training.evaluation.sentences import doubts, resting_on_one_day, summary, superiority
from training.publishing.retrain import Outcome, RetrainedAsset
from volatility.evaluation.compare import Comparison

EXPLANATION = (
    "vs HAR: QLIKE relative to HAR's. p: two-sided Diebold-Mariano, against HAR and against "
    "calendar-adjusted log-HAR. "
    "set: in the 90 % model confidence set."
)
# Columns that a narrow terminal goes without, the first of them first.
DISPENSABLE = (COVERAGES, "R² of log", "RMSE of volatility", "p: HAR", "version")
_WIDEST = 400  # columns: what a table would like
LEFT = frozenset({"model", "set", "in service", "note"})  # columns of words


def print_retrained(result: RetrainedAsset, console: Console) -> None:
    """Print the closing table of one asset's retrain."""
    outcomes = {outcome.model: outcome for outcome in result.outcomes}
    table = fitting_table(
        console,
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
    console.print(fitting_table(console, title, comparison, EXPLANATION, FURTHER))
    console.print(summary(comparison), superiority(comparison, "har"), markup=False)
    for sentence in (*resting_on_one_day(comparison, "har"), *doubts(comparison)):
        console.print(sentence, markup=False)


def fitting_table(
    console: Console,
    title: str,
    comparison: Comparison,
    caption: str,
    more: Mapping[str, CellText],
) -> Table:
    """The table with as many columns as fit, where a terminal is narrow.

    Parameters
    ----------
    console : that it is to fit.
    title, comparison, caption, more : as for :func:`comparison_table`.
    """
    wide, dropped = console.options.update(max_width=_WIDEST), []
    table = comparison_table(title, comparison, caption, more)
    for heading in (it for it in DISPENSABLE if it in {**HEADLINE, **more}):
        if console.measure(table, options=wide).maximum <= console.width:
            break
        dropped.append(heading)
        told = f"{caption} Left out of a narrow table: {', '.join(dropped)}."
        table = comparison_table(title, comparison, told, more, dropped)
    return table


def comparison_table(
    title: str,
    comparison: Comparison,
    caption: str,
    more: Mapping[str, CellText],
    without: Collection[str] = (),
) -> Table:
    """A table of models on the test part.

    Parameters
    ----------
    title, caption : above and below it.
    comparison : what it shows.
    more : columns behind the common ones.
    without : headings of columns that are left out.
    """
    first, last = comparison.span
    table = Table(
        title=f"{title}, test part {first} to {last}, n = {comparison.nobs}", caption=caption
    )
    columns = {name: it for name, it in {**HEADLINE, **more}.items() if name not in without}
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
