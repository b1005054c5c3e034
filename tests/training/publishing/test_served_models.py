"""What the results tables say of the models of a store."""

from typing import Any

import numpy as np
import pytest

from tests.training.evaluation.rows import make_comparison, make_row, outcome
from training.publishing.served_models import CHAMPIONS, ServedModels, verdict
from training.publishing.store_results import _cell, _ranked
from volatility.evaluation.compare import BENCHMARKS
from volatility.evaluation.influence import Influence

LAST, HAR, LOG, HARDEST = BENCHMARKS
ROWS = (
    make_row("mine", qlike_loss=0.18, diebold_mariano={HARDEST: outcome(0.01)}),
    make_row(HARDEST, qlike_loss=0.20, diebold_mariano={}),
    make_row(LOG, qlike_loss=0.24, diebold_mariano={HARDEST: outcome(0.3, 0.1)}),
    make_row(HAR, qlike_loss=0.25, diebold_mariano={HARDEST: outcome(0.04, 0.1)}),
    make_row(LAST, qlike_loss=0.40, diebold_mariano={HARDEST: outcome(0.001, 0.1)}),
)


def served(*rows: Any, asset: str = "A", **changes: Any) -> ServedModels:
    selection = make_comparison(
        make_row("mine", qlike_loss=0.3),
        make_row(HARDEST, qlike_loss=0.4),
        nobs=90,
        spa_pvalue={HARDEST: 0.125, HAR: 0.5},
    )
    own: dict[str, Any] = {"champion": "mine", "selection": selection} | changes
    return ServedModels(
        asset=asset,
        measure="garman_klass",
        champion=own["champion"],
        start=np.datetime64("2020-01-02"),
        tracks=(),
        comparison=make_comparison(*(rows or ROWS), spa_pvalue=dict.fromkeys(BENCHMARKS, 0.2)),
        selection=own["selection"],
        pretrained=(),
    )


def champion(result: ServedModels) -> dict[str, str]:
    return {heading: cell(result) for heading, cell in CHAMPIONS.items()}


def test_what_auto_is_and_how_it_did() -> None:
    assert list(champion(served()).items()) == [
        ("asset", "A"),
        ("`auto`", "`mine`"),
        ("before: vs calendar, SPA", "-25.0%, p = 0.125 (n = 90)"),
        ("tested, n", "250"),
        ("vs last value", "-55.0%"),
        ("vs HAR", "-28.0%"),
        ("vs log-HAR", "-25.0%"),
        ("vs calendar", "-10.0%"),
        ("p", "0.010"),
        ("one day", "2020-03-04: 40%, +4.0%"),
    ]


def test_what_is_not_there_is_a_dash() -> None:
    nobody = champion(served(champion=None))
    names = ("before: vs calendar, SPA", "vs HAR", "p", "one day")
    assert [nobody[name] for name in names] == ["–"] * 4
    assert champion(served(selection=None))[names[0]] == "–"
    bare = champion(served(make_row("mine"), make_row(HAR)))
    assert (bare["vs log-HAR"], bare["vs HAR"]) == ("–", "+0.0%")


def test_a_caption_says_what_is_forecast_and_when() -> None:
    assert served().caption == "**A**, `garman_klass`, 2020-01-02 to 2020-12-30, n = 250"


def test_others_are_told_by_the_hardest_benchmark_that_serves() -> None:
    assert served().reference == HARDEST
    assert served(make_row("mine"), make_row(HAR)).reference == HAR
    assert [it.model for it in served().benchmarks_first] == [*BENCHMARKS, "mine"]


def test_what_beats_the_hardest_benchmark_is_told_with_its_evidence() -> None:
    assert verdict(served()) == (
        "**A**: better than calendar-adjusted log-HAR at 5 %: `mine` -10.0% (p = 0.010; 40% of the "
        "differential's variance is 2020-03-04, without it +4.0%). As the best of 4, the best does "
        "not beat calendar-adjusted log-HAR by more than luck explains (superior predictive "
        "ability, p = 0.200)."
    )


def test_where_nothing_does_the_next_best_is_told() -> None:
    same = Influence(0.0, None, 1.0)
    other = make_row("mine", qlike_loss=0.3, diebold_mariano={HARDEST: outcome(0.5, 0.1)},
                     influence={HARDEST: same})  # fmt: skip
    best = make_row(HARDEST, qlike_loss=0.2)
    assert verdict(served(best, other)) == (
        "**A**: nothing beats calendar-adjusted log-HAR. The lowest QLIKE of the others: `mine` "
        "+50.0% (p = 0.500). None has a lower QLIKE than calendar-adjusted log-HAR."
    )
    assert "The lowest QLIKE of the others: there are none." in verdict(served(best))


@pytest.mark.parametrize(
    ("model", "cell"),
    [
        ("mine", "-10.0% ▼"),
        (HARDEST, "0.2000"),
        (LOG, "+20.0%"),
        (HAR, "+25.0% ▲"),
        ("absent", ""),
    ],
)
def test_a_cell_of_the_overview(model: str, cell: str) -> None:
    assert _cell(served(), model) == cell


def test_models_on_all_assets_come_before_those_on_some() -> None:
    benchmark = make_row(HARDEST, qlike_loss=0.2)
    one = served(
        *(make_row(name, qlike_loss=loss) for name, loss in (("x", 0.1), ("y", 0.5), ("z", 0.3))),
        benchmark,
        make_row(HAR, qlike_loss=0.9),
    )
    other = served(
        *(make_row(name, qlike_loss=loss) for name, loss in (("y", 0.1), ("z", 0.4))),
        benchmark,
        asset="B",
    )
    # The medians of y and z are 1.5 and 1.75; x is on one asset alone.
    assert _ranked([one, other]) == [HAR, HARDEST, "y", "z", "x"]
