"""``report.md``: the tables, and what they say in plain words."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from training.evaluation.across import AcrossRow
from training.evaluation.headings import (
    against,
    markdown_table,
    most_influential_day,
    percent,
    with_seeds,
)
from training.evaluation.run import SELECTION, TEST, Evaluated
from training.evaluation.sentences import (
    LABELS,
    doubts,
    from_scratch,
    names_of,
    resting_on_one_day,
    summary,
    superiority,
    transfer_effect,
)
from training.evaluation.study import parts_of
from volatility.evaluation.compare import Comparison, ComparisonRow

NOMINAL = 0.8  # the level that coverage is told of in words
TERCILE_MARGIN = 0.1  # coverage that far from nominal in some tercile is worth a sentence

PARTS: Mapping[str, str] = MappingProxyType(
    {TEST: "Test part: the last quarter", SELECTION: "Selection part: the third quarter"}
)

ACCURACY: Mapping[str, Callable[[ComparisonRow], str]] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "QLIKE": lambda row: f"{row.qlike_loss:.4f}",
        "vs HAR": lambda row: f"{row.qlike_ratio - 1:+.1%}",
        "p: last value": lambda row: against("last_value", row),
        "p: HAR": lambda row: against("har", row),
        "p: log-HAR": lambda row: against("log_har", row),
        "p: calendar": lambda row: against("calendar_log_har", row),
        "in set": lambda row: "yes" if row.in_confidence_set else "no",
        "RMSE": lambda row: f"{row.rmse_volatility:.5f}",
        "MAE": lambda row: f"{row.mae_volatility:.5f}",
        "R² of log": lambda row: f"{row.r_squared_log:.3f}",
        "correlation of log": lambda row: f"{row.correlation_log:.3f}",
    }
)
INTERVALS: Mapping[str, Callable[[ComparisonRow], str]] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "80 %": lambda row: percent(row.coverage.get(0.8)),
        "80 %: low / middle / high": lambda row: _terciles(row, 0.8),
        "80 %: after breaks": lambda row: percent(row.coverage_after_breaks.get(0.8)),
        "score of 80 %": lambda row: _score(row.interval_loss_log.get(0.8)),
        "95 %": lambda row: percent(row.coverage.get(0.95)),
        "95 %: low / middle / high": lambda row: _terciles(row, 0.95),
        "score of 95 %": lambda row: _score(row.interval_loss_log.get(0.95)),
        "CRPS": lambda row: _score(row.crps_log),
    }
)
ONE_DAY: Mapping[str, Callable[[ComparisonRow], str]] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "one day of: last value": lambda row: most_influential_day("last_value", row),
        "one day of: HAR": lambda row: most_influential_day("har", row),
        "one day of: log-HAR": lambda row: most_influential_day("log_har", row),
        "one day of: calendar": lambda row: most_influential_day("calendar_log_har", row),
    }
)
ACROSS: Mapping[str, Callable[[AcrossRow], str]] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "assets": lambda row: str(row.assets),
        "mean vs HAR": lambda row: f"{row.mean_qlike_ratio - 1:+.1%}",
        "median vs HAR": lambda row: f"{row.median_qlike_ratio - 1:+.1%}",
        "mean rank": lambda row: f"{row.mean_rank:.1f}",
        "times in set": lambda row: str(row.in_confidence_set),
        "better / worse than HAR": lambda row: f"{row.better_than_har} / {row.worse_than_har}",
        "better / worse than log-HAR": lambda row: (
            f"{row.better_than_log_har} / {row.worse_than_log_har}"
        ),
        "better / worse than calendar": lambda row: (
            f"{row.better_than_calendar_log_har} / {row.worse_than_calendar_log_har}"
        ),
    }
)

INTRODUCTION = """\
Every model was fitted on the first half of each asset's sessions, forecast the sessions after it,
and was fitted again at regular intervals on everything up to then. Forecasts are joined by the
session that they forecast and scored where all models have one. Lower QLIKE is better; *vs HAR* is
its distance from HAR's; *single seeds* is QLIKE of a network fitted once, mean ± deviation over the
seeds whose mean in logs the model is; *p* is that of a two-sided Diebold-Mariano test of equal
QLIKE, against each benchmark (*calendar* is calendar-adjusted log-HAR); *in set* says whether the
model is in the 90 % model confidence set. RMSE and MAE are of volatility, decimal per day. Coverage
is that of the intervals given at the time, also by third of the forecasts, lowest to highest; their
score is of log rv, lower is better. *One day of* names the day that a comparison depends on most,
its share of the variance of the loss differential, and QLIKE against the benchmark's without it:
above one half, the comparison rests on that day."""

ACROSS_INTRODUCTION = """\
Test parts. Averages of QLIKE over HAR's are over the assets that have the model; ranks are among
all models of an asset; better and worse are counted where significant at 5 %. Models on fewer
assets come last: their averages do not compare with the others."""


def report(
    results: Sequence[Evaluated],
    across: Sequence[AcrossRow],
    figures: Mapping[str, Mapping[str, str]],
    command: str,
) -> bytes:
    """The whole page.

    Parameters
    ----------
    results : of every study, in the order of the page.
    across : rows of the table across assets, on the test part; shown when there are several.
    figures : by study, paths of its figures by what they show.
    command : what makes these results again.
    """
    lines = ["# Evaluation", "", INTRODUCTION, "", f"Made by `{command}`.", ""]
    if len({result.study.key.asset for result in results}) > 1:
        lines += _across(across)
    for result in results:
        lines += _study(result, figures[heading(result)])
    return ("\n".join(lines).rstrip() + "\n").encode()


def heading(result: Evaluated) -> str:
    """Heading of a study: its asset and its horizon in words."""
    asset, horizon = result.study.key
    ahead = "1 session ahead" if horizon == 1 else f"mean of {horizon} sessions ahead"
    return f"{asset}, {ahead}"


def plain_words(result: Evaluated) -> list[str]:
    """What a study's test part says, a sentence or two a line."""
    comparison = result.comparisons[TEST]
    present = {row.model for row in comparison.rows}
    in_set = [row.model for row in comparison.rows if row.in_confidence_set]
    start = parts_of(result.study.data).test
    best = f"`{comparison.rows[0].model}` has the lowest QLIKE."
    return [
        f"{best} With 90 % confidence the best model is among {names_of(in_set)}.",
        *(
            sentence
            for benchmark in LABELS
            if benchmark in present
            for sentence in (
                f"{summary(comparison, benchmark)} {superiority(comparison, benchmark)}",
                *resting_on_one_day(comparison, benchmark),
            )
        ),
        *transfer_effect(list(result.tracks.values()), start, from_scratch(result.study.recipes)),
        *_coverage_in_words(comparison),
        *doubts(comparison),
    ]


def _across(across: Sequence[AcrossRow]) -> list[str]:
    lines = ["## Across assets", "", ACROSS_INTRODUCTION, ""]
    for horizon in sorted({row.horizon for row in across}):
        rows = [row for row in across if row.horizon == horizon and row.part == TEST]
        title = f"Horizon: {horizon} session{'s' if horizon > 1 else ''}"
        lines += [f"### {title}", "", *markdown_table(rows, ACROSS), ""]
    return lines


def _study(result: Evaluated, figures: Mapping[str, str]) -> list[str]:
    lines = [f"## {heading(result)}", "", _data_in_words(result), ""]
    lines += [f"- {sentence}" for sentence in plain_words(result)] + [""]
    for part, title in PARTS.items():
        comparison = result.comparisons[part]
        first, last = comparison.span
        lines += [f"### {title}, {first} to {last}, n = {comparison.nobs}", ""]
        accuracy = with_seeds(ACCURACY, comparison.rows)
        lines += [*markdown_table(comparison.rows, accuracy), ""]
        lines += [*markdown_table(comparison.rows, INTERVALS), ""]
        lines += [*markdown_table(comparison.rows, ONE_DAY), ""]
    for shows, path in figures.items():
        lines += [f"![{heading(result)}: {shows}]({path})", ""]
    return lines


def _data_in_words(result: Evaluated) -> str:
    target = result.study.data.target
    dates = target.series.dates
    every: dict[int, list[str]] = {}
    for recipe in result.study.recipes:
        every.setdefault(recipe.refit_every, []).append(recipe.name)
    refits = "; ".join(
        f"fitted again every {sessions} sessions: {names_of(models)}"
        for sessions, models in sorted(every.items())
    )
    return (
        f"{len(dates)} sessions of `{target.series.measure}`, {dates[0]} to {dates[-1]}, "
        f"{target.source}. Models {refits}."
    )


def _coverage_in_words(comparison: Comparison) -> list[str]:
    rows = [row for row in comparison.rows if NOMINAL in row.coverage]
    if not rows:
        return []
    lowest = min(rows, key=lambda row: row.coverage[NOMINAL])
    highest = max(rows, key=lambda row: row.coverage[NOMINAL])
    uneven = [row.model for row in rows if _is_uneven(row)]
    sentence = (
        f"Of intervals at {100 * NOMINAL:.0f} %, between {percent(lowest.coverage[NOMINAL])} "
        f"(`{lowest.model}`) and {percent(highest.coverage[NOMINAL])} (`{highest.model}`) held the "
        "outcome."
    )
    if uneven:
        margin = f"more than {100 * TERCILE_MARGIN:.0f} % off"
        sentence += f" In some third of its forecasts coverage is {margin} for {names_of(uneven)}."
    return [sentence]


def _is_uneven(row: ComparisonRow) -> bool:
    return any(
        abs(coverage - NOMINAL) > TERCILE_MARGIN for coverage in row.coverage_by_tercile[NOMINAL]
    )


def _terciles(row: ComparisonRow, level: float) -> str:
    return " / ".join(percent(part) for part in row.coverage_by_tercile.get(level, (None,) * 3))


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
