import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np

from tests.training.evaluation.studies import results
from tests.training.reports.pages import Page, check
from training.evaluation.across import across_assets
from training.evaluation.figures import draw
from training.evaluation.report import Report, heading, plain_words, report
from training.evaluation.run import Evaluated
from training.evaluation.sentences import names_of
from volatility.evaluation.diebold_mariano import DieboldMariano


@cache
def drawn() -> Report:
    return report_of(results())


def report_of(some: tuple[Evaluated, ...]) -> Report:
    across = [row for horizon in (1, 5) for row in across_assets(some, horizon, "test")]
    drawings = {heading(result): draw(result, "figures") for result in some}
    return report(some, across, drawings, "python -m training evaluate")


def page(some: tuple[Evaluated, ...]) -> str:
    across = [row for horizon in (1, 5) for row in across_assets(some, horizon, "test")]
    figures: dict[str, list] = {heading(result): [] for result in some}
    return report(some, across, figures, "python -m training evaluate").markdown.decode()


def test_the_page_has_every_table() -> None:
    text = page(results())
    assert "## Across assets" in text
    assert "### Horizon: 1 session\n" in text
    assert "### Horizon: 5 sessions\n" in text
    for result in results():
        assert f"## {heading(result)}\n" in text
        for part, title in (
            ("test", "Test part: the last quarter"),
            ("selection", "Selection part: the third quarter"),
        ):
            comparison = result.comparisons[part]
            first, last = comparison.span
            assert f"### {title}, {first} to {last}, n = {comparison.nobs}\n" in text
            for row in comparison.rows:
                assert f"| `{row.model}` | {row.qlike_loss:.4f} | " in text
    assert heading(results()[1]) == "FIRST, mean of 5 sessions ahead"


def test_every_table_is_well_formed() -> None:
    lines = page(results()).splitlines()
    for line, rules in pairwise(lines):
        if re.fullmatch(r"\|[-:|]+\|", rules):
            assert line.count("|") == rules.count("|")
    widths = {line.count("|") for line in lines if line.startswith("| `har`")}
    assert widths == {9 + 1, 12 + 1, 5 + 1}  # across and intervals, accuracy, one day


def test_single_seeds_stand_beside_their_mean() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    rows = [replace(comparison.rows[0], qlike_loss_by_seed={7: 0.5, 8: 0.52}), *comparison.rows[1:]]
    shown = replace(
        first, comparisons={**first.comparisons, "test": replace(comparison, rows=tuple(rows))}
    )
    text = page((shown,))
    assert f"| {rows[0].qlike_loss:.4f} | 0.5100 ± 0.0141 | " in text
    assert text.count("| single seeds |") == 1  # no seed is told of in the last half


def test_one_asset_needs_no_table_across_assets() -> None:
    assert "## Across assets" not in page(results()[:2])


def test_plain_words_name_who_is_better_and_worse() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    outcomes = {
        "log_har": (-0.1, 0.01),
        "calendar_log_har": (-0.2, 0.1),
        "moving_average": (0.1, 0.2),
        "last_value": (0.3, 0.001),
    }
    rows = []
    for row in comparison.rows:
        if row.model in outcomes:
            difference, pvalue = outcomes[row.model]
            test = DieboldMariano(1.0, pvalue, 0.5, difference, 100, 0.05, 13)
            row = replace(row, diebold_mariano={"har": test})  # noqa: PLW2901
        rows.append(replace(row, in_confidence_set=row.model == "log_har"))
    told = replace(first, comparisons={"test": replace(comparison, rows=tuple(rows))})
    words = " ".join(plain_words(told))
    assert "the best model is among `log_har`." in words
    assert "Significantly better than HAR (5 %): `log_har`." in words
    same = [row.model for row in rows if row.model in {"calendar_log_har", "moving_average"}]
    assert f"Not distinguishable: {names_of(same)}. Significantly worse: `last_value`." in words
    for benchmark in ("log-HAR", "calendar-adjusted log-HAR"):
        assert f"Significantly better than {benchmark} (5 %): none." in words


def test_plain_words_tell_where_coverage_is_uneven() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    even, uneven = (0.8, 0.78, 0.83), (0.65, 0.8, 0.9)
    rows = tuple(
        replace(
            row,
            coverage={0.8: 0.77 if row.model == "har" else 0.81},
            coverage_by_tercile={0.8: uneven if row.model == "har" else even},
        )
        for row in comparison.rows
    )
    told = replace(first, comparisons={"test": replace(comparison, rows=rows)})
    words = plain_words(told)[-1]
    assert "between 77.0% (`har`) and 81.0%" in words
    assert words.endswith("more than 10 % off for `har`.")


def test_answers_come_first_and_are_those_of_the_tables() -> None:
    text = page(results())
    assert text.index("## Answers") < text.index("## Across assets") < text.index("## How to read")
    for result in results():
        best, comparison = result.comparisons["test"].rows[0], result.comparisons["test"]
        (line,) = [it for it in text.splitlines() if it.startswith(f"| [{heading(result)}](#")]
        span = " to ".join(map(str, comparison.span))
        assert (
            f"| `har_like` | {span} | ".replace("har_like", result.study.data.target.series.measure)
            in line
        )
        assert f"| `{best.model}` | {best.qlike_loss:.4f} | {best.qlike_ratio - 1:+.1%} | " in line
        count = sum(row.in_confidence_set for row in comparison.rows)
        assert f"| {count} of {len(comparison.rows)} | {best.coverage[0.8]:.1%} |" in line


def test_the_verdict_counts_what_is_beyond_chance() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]

    def told(pvalue: float) -> Evaluated:
        test = DieboldMariano(1.0, pvalue, 0.5, -0.1, 100, 0.05, 13)
        best = replace(comparison.rows[0], diebold_mariano={"har": test})
        rows = (best, *comparison.rows[1:])
        return replace(
            first, comparisons={**first.comparisons, "test": replace(comparison, rows=rows)}
        )

    assert "(p < 5 %)? Here it is.\n" in page((told(0.04),))
    assert "(p < 5 %)? Here it is not.\n" in page((told(0.06),))
    assert "(p < 5 %)? Here in 1 of 2 it is.\n" in page((told(0.04), told(0.06)))


def test_the_html_is_whole() -> None:
    read = Page.of(drawn().html)
    check(read)
    sections = [text for level, _, text in read.headings if level == 2]
    assert sections == [
        "Answers",
        "Across assets",
        "How to read the tables",
        *(heading(result) for result in results()),
    ]
    assert len(read.drawings) == 4 * len(results())
    for result in results():
        for part in ("test", "selection"):
            first, last = result.comparisons[part].span
            assert any(f"{first} to {last}, n = " in text for _, _, text in read.headings)


def test_the_html_has_the_numbers_of_the_markdown() -> None:
    lines = [it for it in drawn().markdown.decode().splitlines() if re.match(r"\| [^-:]", it)]
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]
    linked = [[re.sub(r"\[(.*)\]\(.*\)", r"\1", cell) for cell in row] for row in cells]
    assert Page.of(drawn().html).rows == [[it.strip("`") for it in row] for row in linked]


def test_names_of_others_are_shown_as_they_are() -> None:
    first = results()[0]
    data = first.study.data
    odd = replace(data.target, asset="<b>A*B*</b>", source="/tmp/_a_/<i>.csv")
    named = replace(first, study=replace(first.study, data=replace(data, target=odd)))
    read = Page.of(report_of((named,)).html)
    check(read)
    assert "<b>A*B*</b>, 1 session ahead" in [text for _, _, text in read.headings]
    assert "/tmp/_a_/<i>.csv" in read.text


def test_alternative_texts_have_the_numbers_of_the_figures() -> None:
    result = results()[0]
    ratios, forecasts, sums, coverage = (it.alt for it in draw(result, "figures"))
    rows = result.comparisons["test"].rows
    for row in rows:
        assert f"{row.model} {row.qlike_ratio - 1:+.1%}" in ratios
    har = result.tracks["har"]
    realized = 100 * np.sqrt(har.rv[-result.comparisons["test"].nobs :])
    assert f"from {realized.min():.2g} % per day" in forecasts
    assert f"to {realized.max():.2g} % (" in forecasts
    assert "log_har " in sums
    assert "har +" not in sums.replace("log_har +", "")
    assert f"{max(row.coverage[0.8] for row in rows):.1%}" in coverage
    assert "`" not in coverage
