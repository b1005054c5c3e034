from dataclasses import replace

import numpy as np
import pytest

from tests.training.evaluation.rows import make_comparison, make_row, outcome
from tests.training.evaluation.studies import results
from tests.training.simulated import small_config
from training.evaluation.headings import most_influential_day
from training.evaluation.sentences import (
    better,
    coverage_range,
    doubts,
    from_scratch,
    names_of,
    resting_on_one_day,
    summary,
    superiority,
    transfer_effect,
    worse,
)
from training.models.registry import recipes
from volatility.evaluation.compare import Comparison, ComparisonRow
from volatility.evaluation.diebold_mariano import DieboldMariano, diebold_mariano
from volatility.evaluation.influence import Influence
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack


def with_outcome(row: ComparisonRow, difference: float, pvalue: float) -> ComparisonRow:
    test = DieboldMariano(1.0, pvalue, 0.5, difference, 100, 0.05, 13)
    return replace(row, diebold_mariano={"har": test})


@pytest.fixture
def comparison() -> Comparison:
    return results()[0].comparisons["test"]


@pytest.mark.parametrize(
    ("difference", "pvalue", "outcome"),
    [
        (-0.1, 0.049, (True, False)),
        (-0.1, 0.05, (False, False)),
        (0.1, 0.049, (False, True)),
        (0.1, 0.05, (False, False)),
        (0.0, 0.001, (False, False)),
    ],
)
def test_better_and_worse_are_significant_at_five_percent(
    comparison: Comparison, difference: float, pvalue: float, outcome: tuple[bool, bool]
) -> None:
    row = with_outcome(comparison.rows[0], difference, pvalue)
    assert (better(row, "har"), worse(row, "har")) == outcome
    assert not better(row, "log_har")  # which it was not tested against
    assert not worse(row, "log_har")


def test_every_model_but_the_benchmark_is_in_the_sentence_once(comparison: Comparison) -> None:
    for benchmark in ("har", "log_har"):
        sentence = summary(comparison, benchmark)
        counts = {row.model: sentence.count(f"`{row.model}`") for row in comparison.rows}
        assert counts.pop(benchmark) == 0
        assert set(counts.values()) == {1}


@pytest.mark.parametrize(("pvalue", "does"), [(0.049, "beats"), (0.05, "does not beat")])
def test_the_best_of_many_is_told_from_luck(
    comparison: Comparison, pvalue: float, does: str
) -> None:
    told = superiority(replace(comparison, spa_pvalue={"har": pvalue}), "har")
    assert told.startswith(f"As the best of {len(comparison.rows) - 1}, the best {does} HAR")
    assert f"p = {pvalue}" in told


@pytest.mark.parametrize(
    ("benchmark", "label", "ahead", "same", "behind"),
    [
        ("har", "HAR", "`mine`, `log_har`", "`b`", "none"),
        ("log_har", "log-HAR", "none", "`mine`, `b`", "`har`"),
    ],
)
def test_who_beats_a_benchmark_is_told_in_one_sentence_each(
    benchmark: str, label: str, ahead: str, same: str, behind: str
) -> None:
    rows = [
        make_row("mine", diebold_mariano={"har": outcome(0.01), "log_har": outcome(0.9)}),
        make_row("log_har", diebold_mariano={"har": outcome(0.04)}),
        make_row("b", diebold_mariano={"har": outcome(0.06), "log_har": outcome(0.05, 0.1)}),
        make_row("har", diebold_mariano={"log_har": outcome(0.04, 0.1)}),
    ]
    assert summary(make_comparison(*rows), benchmark) == (
        f"Significantly better than {label} (5 %): {ahead}. Not distinguishable: {same}. "
        f"Significantly worse: {behind}."
    )


def test_the_best_may_be_the_benchmark() -> None:
    found = make_comparison(make_row("log_har"), make_row("mine"))
    assert superiority(found, "log_har") == "None has a lower QLIKE than log-HAR."
    assert superiority(found, "har") == (
        "As the best of 1, the best does not beat HAR by more than luck explains (superior "
        "predictive ability, p = 0.250)."
    )


def test_coverage_is_told_from_the_worst_to_the_best() -> None:
    rows = [
        make_row(name, coverage={0.8: at}) for name, at in (("a", 0.79), ("b", 0.7), ("c", 0.9))
    ]
    found = make_comparison(*rows, make_row("none", coverage={}))
    assert coverage_range(found, 0.8) == (
        "Of intervals at 80 %, between 70.0% (`b`) and 90.0% (`c`) held the outcome."
    )
    assert coverage_range(found, 0.95) is None


def test_no_names_are_none() -> None:
    assert (names_of([]), names_of(["a"]), names_of(["a", "b"])) == ("none", "`a`", "`a`, `b`")


def test_a_comparison_that_rests_on_one_day_says_so(comparison: Comparison) -> None:
    first, *others = comparison.rows
    day = np.datetime64("2019-04-02")
    for share, sentences in ((0.98, 1), (0.5, 0)):
        row = replace(first, influence={"har": Influence(share, day, 1.038)})
        rows = (row, *(replace(it, influence={}) for it in others))
        told = resting_on_one_day(replace(comparison, rows=rows), "har")
        sentence = (
            f"The comparison with HAR rests on one day for `{first.model}` "
            "(2019-04-02, 98% of the variance; without it +3.8%)."
        )
        assert told == [sentence] * sentences


def test_a_benchmark_that_loses_nothing_without_one_day_gives_no_ratio(
    comparison: Comparison,
) -> None:
    first = comparison.rows[0]
    row = replace(first, influence={"har": Influence(0.98, np.datetime64("2019-04-02"), np.nan)})
    (told,) = resting_on_one_day(replace(comparison, rows=(row,)), "har")
    assert told.endswith("(2019-04-02, 98% of the variance; without it no ratio to a loss of 0).")
    assert most_influential_day("har", row) == "2019-04-02: 98%, no ratio to a loss of 0"


def test_what_is_left_out_and_what_is_odd_is_told(comparison: Comparison) -> None:
    assert doubts(comparison) == []
    odd = replace(comparison, left_out={"a": "a is late"}, warnings={"b": "b may be late"})
    assert doubts(odd) == ["Left out: a is late.", "Warning: b may be late."]


SCRATCH_OF = from_scratch(
    recipes(["transfer", "transfer_gradual", "transfer_residual", "hybrid"], small_config())
)


def test_a_pre_trained_model_names_the_one_from_scratch() -> None:
    assert SCRATCH_OF == {
        "transfer": "lstm",
        "transfer_gradual": "lstm",
        "transfer_residual": "residual_boosting",
    }


def made_by(model: str, forecast: np.ndarray, rv: np.ndarray, horizon: int) -> ForecastTrack:
    dates = np.datetime64("2020-01-01") + np.arange(len(rv))
    return ForecastTrack(model, dates - 1, dates, forecast, rv, horizon)


@pytest.mark.parametrize("horizon", [1, 5])
def test_transfer_is_held_against_the_same_network_from_scratch(horizon: int) -> None:
    rng = np.random.default_rng(0)
    rv = np.exp(rng.standard_normal(200))
    of = {
        model: made_by(model, np.exp(0.3 * rng.standard_normal(200)), rv, horizon)
        for model in ("lstm", "transfer", "transfer_gradual", "residual_boosting")
    }
    (sentence,) = transfer_effect(list(of.values()), np.datetime64("2020-03-01"), SCRATCH_OF)
    losses = {model: qlike_losses(rv[60:], track.forecast[60:]) for model, track in of.items()}
    for model in ("transfer", "transfer_gradual"):
        change = losses[model].mean() / losses["lstm"].mean() - 1
        pvalue = diebold_mariano(losses[model], losses["lstm"], horizon).pvalue
        assert f"`{model}` {change:+.1%} (p = {pvalue:.3f})" in sentence
    assert sentence.startswith("QLIKE against `lstm` from scratch:")
    residual = made_by("transfer_residual", of["lstm"].forecast, rv, horizon)
    _, other = transfer_effect([*of.values(), residual], np.datetime64("2020-03-01"), SCRATCH_OF)
    assert other.startswith("QLIKE against `residual_boosting` from scratch: `transfer_residual`")


def test_nothing_is_said_of_transfer_where_there_is_none() -> None:
    first = results()[0]
    start = first.comparisons["test"].span[0]
    assert transfer_effect(list(first.tracks.values()), start, SCRATCH_OF) == []
