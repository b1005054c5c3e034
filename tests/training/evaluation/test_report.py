import re
from dataclasses import replace
from itertools import pairwise

from tests.training.evaluation.studies import results
from training.evaluation.across import across_assets
from training.evaluation.report import heading, plain_words, report
from training.evaluation.run import Evaluated
from training.evaluation.sentences import names_of
from volatility.evaluation.diebold_mariano import DieboldMariano


def page(some: tuple[Evaluated, ...]) -> str:
    across = [row for horizon in (1, 5) for row in across_assets(some, horizon, "test")]
    figures = {heading(result): {"coverage": "figures/x.svg"} for result in some}
    return report(some, across, figures, "python -m training evaluate").decode()


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
    assert "![FIRST, 1 session ahead: coverage](figures/x.svg)" in text
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
