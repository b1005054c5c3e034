"""What an evaluation of transfer from a panel writes: a score a row, and tables in Markdown."""

import csv
import dataclasses
import io
from collections.abc import Callable, Sequence

from training.evaluation.panel.transfer import EVERYTHING, LOG_HAR, Chosen, TransferPlan
from training.evaluation.panel.transfer_scores import Difference, TransferScore, TransferSummary
from training.models.pooled.transfer import SCRATCH, UNIVERSAL, UNSCALED
from training.reports.markdown import markdown_table

LEVEL = 0.05
_DIFFERENCES = (
    "points of QLIKE in units of log-HAR's, with as many sessions known; the p-value of none, and "
    "the assets with less."
)


def transfer_csv(scores: Sequence[TransferScore]) -> bytes:
    """Every asset's scores."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(TransferScore)])
    writer.writerows(dataclasses.astuple(score) for score in scores)
    return text.getvalue().encode()


def transfer_report(
    summaries: Sequence[TransferSummary],
    before: Sequence[TransferSummary],
    chosen: Chosen,
    plan: TransferPlan,
    command: str,
    left_out: Sequence[str],
) -> bytes:
    """The answer, differences, the quarter before, and what was chosen, in Markdown.

    Parameters
    ----------
    summaries : of last quarters.
    before : of third quarters, with settings that were chosen on other markets; empty where there
        is one market alone.
    chosen : settings of the former.
    plan, command : how it was made.
    left_out : why assets were not forecast in a part, a sentence each.
    """
    lines = ["# Transfer from a panel", "", f"`{command}`", "", _protocol(summaries, plan), ""]
    lines += _tables(summaries)
    if before:
        lines += ["", "## The quarter before", "", _before(before), "", *_tables(before)]
    lines += ["", "## What was chosen", "", "Epochs, and from scratch the penalty.", ""]
    lines += chosen_table(chosen)
    if left_out:
        lines += ["", "## Left out", "", *(f"- {it}" for it in left_out)]
    return ("\n".join(lines) + "\n").encode()


def _tables(summaries: Sequence[TransferSummary]) -> list[str]:
    lines = change_table(summaries)
    for other, words in ((UNIVERSAL, "the universal model"), (SCRATCH, "the network from scratch")):
        lines += ["", f"Against {words}: {_DIFFERENCES}", "", *difference_table(summaries, other)]
    return lines


def _before(summaries: Sequence[TransferSummary]) -> str:
    assets, nobs = _size(summaries)
    return (
        f"Third quarters of the {assets} assets that choose, {nobs:,} forecasts, cut off at the "
        "half. The settings of each were chosen on those of other calendars."
    )


def _size(summaries: Sequence[TransferSummary]) -> tuple[int, int]:
    everything = next(it for it in summaries if it.sessions == EVERYTHING)
    return everything.assets, everything.nobs


def change_table(summaries: Sequence[TransferSummary]) -> list[str]:
    """QLIKE against log-HAR fitted on everything, a column a number of sessions known."""
    cells = {(it.model, it.sessions): it for it in summaries}
    return _table(summaries, lambda model, sessions: _change(cells[model, sessions]))


def difference_table(summaries: Sequence[TransferSummary], other: str) -> list[str]:
    """Points of QLIKE against another model, p-value, and assets on which it is lower."""
    compared = [it for it in summaries if other in it.against]
    cells = {(it.model, it.sessions): it for it in compared}
    return _table(
        compared,
        lambda model, sessions: _points(
            cells[model, sessions].against[other], cells[model, sessions].assets
        ),
    )


def chosen_table(chosen: Chosen) -> list[str]:
    """Epochs, and from scratch the regression's penalty, by sessions known."""
    lengths = _in_order({sessions for _, sessions in chosen})
    columns: dict[str, Callable[[str], str]] = {"model": lambda model: f"`{model}`"}
    for sessions in lengths:
        columns[_known(sessions)] = lambda model, sessions=sessions: _setting(  # type: ignore[misc]
            chosen, model, sessions
        )
    return markdown_table(list(dict.fromkeys(model for model, _ in chosen)), columns)


def _table(summaries: Sequence[TransferSummary], cell: Callable[[str, int], str]) -> list[str]:
    there = {(it.model, it.sessions) for it in summaries}
    models = {model for model, _ in there}
    first, last = (UNSCALED, UNIVERSAL), (SCRATCH, LOG_HAR)
    between = [it.model for it in summaries if it.model not in (*first, *last)]
    order = [it for it in (*first, *dict.fromkeys(between), *last) if it in models]
    columns: dict[str, Callable[[str], str]] = {"model": lambda model: f"`{model}`"}
    for sessions in _in_order({sessions for _, sessions in there}):
        columns[_known(sessions)] = lambda model, sessions=sessions: (  # type: ignore[misc]
            cell(model, sessions) if (model, sessions) in there else "–"
        )
    return markdown_table(order, columns)


def _protocol(summaries: Sequence[TransferSummary], plan: TransferPlan) -> str:
    assets, nobs = _size(summaries)
    return (
        f"{assets} assets, {nobs:,} forecasts: the first {plan.judged} sessions of each one's last "
        "quarter. QLIKE against the asset's own log-HAR fitted on everything before them, mean "
        f"over assets. Sources were fitted on the assets of the other {plan.folds - 1} of "
        f"{plan.folds} folds, at most {plan.months} months before. Of a target the newest N "
        "sessions before its last quarter are known. Nothing is fitted again after. Settings were "
        f"chosen on the third quarter of the first {plan.choosing} assets of each kind. ▼ and ▲: "
        "lower and higher than `universal` with as many sessions known, at 5 %."
    )


def _change(row: TransferSummary) -> str:
    difference = row.against.get(UNIVERSAL)
    if difference is None or not difference.pvalue < LEVEL:
        return f"{row.change:+z.1%}"
    return f"{row.change:+z.1%} {'▼' if difference.change < 0 else '▲'}"


def _points(difference: Difference, assets: int) -> str:
    points = 100 * difference.change
    return f"{points:+.2f} (p = {difference.pvalue:.3f}, {difference.better} of {assets})"


def _setting(chosen: Chosen, model: str, sessions: int) -> str:
    if (model, sessions) not in chosen:
        return "–"
    [setting] = chosen[model, sessions]
    return f"{setting.epochs}, {setting.ridge:g}" if setting.ridge else f"{setting.epochs}"


def _in_order(lengths: set[int]) -> list[int]:
    return [*sorted(lengths - {EVERYTHING}), *(lengths & {EVERYTHING})]


def _known(sessions: int) -> str:
    return "all" if sessions == EVERYTHING else f"{sessions:,}"
