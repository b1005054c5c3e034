"""``report.md`` and ``report.html``: what the tables say in plain words, the tables, figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from training.evaluation.across import AcrossRow
from training.evaluation.headings import (
    against,
    most_influential_day,
    percent,
    ratio_to_har,
    with_seeds,
)
from training.evaluation.run import SELECTION, TEST, Evaluated
from training.evaluation.sentences import (
    LABELS,
    SIGNIFICANT,
    coverage_range,
    doubts,
    from_scratch,
    names_of,
    resting_on_one_day,
    summary,
    superiority,
    transfer_effect,
)
from training.evaluation.study import parts_of
from training.reports.drawings import Drawing
from training.reports.markdown import anchor, escaped, write
from training.reports.page import page
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

ANSWERS: Mapping[str, Callable[[Evaluated], str]] = MappingProxyType(
    {
        "series": lambda result: f"[{escaped(heading(result))}](#{anchor(heading(result))})",
        "measure": lambda result: f"`{result.study.data.target.series.measure}`",
        "test part": lambda result: " to ".join(map(str, result.comparisons[TEST].span)),
        "n": lambda result: f"{result.comparisons[TEST].nobs:,}",
        "lowest QLIKE": lambda result: f"`{_best(result).model}`",
        "QLIKE": lambda result: f"{_best(result).qlike_loss:.4f}",
        "vs HAR": lambda result: ratio_to_har(_best(result)),
        "p: HAR": lambda result: against("har", _best(result)),
        "p: best of all": lambda result: f"{result.comparisons[TEST].spa_pvalue['har']:.3f}",
        "in the 90 % set": lambda result: _set_size(result.comparisons[TEST]),
        "80 % interval held": lambda result: percent(_best(result).coverage.get(NOMINAL)),
    }
)
_WORDS = ("series", "measure", "test part", "lowest QLIKE")


@dataclass(frozen=True)
class Report:
    """A report in both forms.

    Attributes
    ----------
    markdown : with figures as files beside it.
    html : one page with the figures inside.
    """

    markdown: bytes
    html: bytes


def report(
    results: Sequence[Evaluated],
    across: Sequence[AcrossRow],
    drawings: Mapping[str, Sequence[Drawing]],
    command: str,
) -> Report:
    """The whole report.

    Parameters
    ----------
    results : of every study, in the order of the page.
    across : rows of the table across assets, on the test part; shown when there are several.
    drawings : by study, its figures.
    command : what makes these results again.
    """
    assets = [*dict.fromkeys(result.study.key.asset for result in results)]
    by_horizon: dict[int, list[AcrossRow]] = {}
    for row in sorted(across, key=lambda row: row.horizon):
        if row.part == TEST and len(assets) > 1:
            by_horizon.setdefault(row.horizon, []).append(row)
    markdown = write(
        "evaluation.md",
        assets=assets,
        results=results,
        answers=ANSWERS,
        answer_words=_WORDS,
        verdict=_verdict(results),
        across=by_horizon,
        drawings=drawings,
        command=command,
        parts=PARTS,
        tables=_tables,
        across_columns=ACROSS,
        heading=heading,
        plain_words=plain_words,
        data_in_words=_data_in_words,
    )
    figures = [drawing for result in results for drawing in drawings[heading(result)]]
    return Report(markdown.encode(), page(markdown, figures))


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


def _tables(
    comparison: Comparison,
) -> Sequence[Mapping[str, Callable[[ComparisonRow], str]]]:
    """Columns of the tables of a part."""
    return (with_seeds(ACCURACY, comparison.rows), INTERVALS, ONE_DAY)


def _best(result: Evaluated) -> ComparisonRow:
    return result.comparisons[TEST].rows[0]


def _set_size(comparison: Comparison) -> str:
    inside = sum(row.in_confidence_set for row in comparison.rows)
    return f"{inside} of {len(comparison.rows)}"


def _verdict(results: Sequence[Evaluated]) -> str:
    """How often the best model is better than HAR beyond doubt, in a sentence."""
    tests = [_best(result).diebold_mariano.get("har") for result in results]
    beyond = sum(test is not None and test.pvalue < SIGNIFICANT for test in tests)
    told = "it is" if len(results) == 1 else f"in {beyond} of {len(results)} it is"
    if len(results) == 1 and not beyond:
        told = "it is not"
    return (
        "Where a model has the lowest QLIKE, is it better than HAR beyond chance (p < 5 %)? "
        f"Here {told}."
    )


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
        f"{escaped(target.source)}. Models {refits}."
    )


def _coverage_in_words(comparison: Comparison) -> list[str]:
    sentence = coverage_range(comparison, NOMINAL)
    if sentence is None:
        return []
    uneven = [row.model for row in comparison.rows if _is_uneven(row)]
    if uneven:
        margin = f"more than {100 * TERCILE_MARGIN:.0f} % off"
        sentence += f" In some third of its forecasts coverage is {margin} for {names_of(uneven)}."
    return [sentence]


def _is_uneven(row: ComparisonRow) -> bool:
    return any(
        abs(coverage - NOMINAL) > TERCILE_MARGIN
        for coverage in row.coverage_by_tercile.get(NOMINAL, ())
    )


def _terciles(row: ComparisonRow, level: float) -> str:
    return " / ".join(percent(part) for part in row.coverage_by_tercile.get(level, (None,) * 3))


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.3f}"
