"""The closing table of a retrain: what became of each model, and what is to be told beside."""

from dataclasses import replace

import pytest
from rich.console import Console

from tests.training.evaluation.rows import make_comparison, make_row
from tests.training.simulated import make_asset
from training.commands.comparison_tables import print_retrained
from training.publishing.retrain import Outcome, RetrainedAsset

OUTCOMES = (
    Outcome("new", 3, True, False, "better than before"),
    Outcome("held", 2, False, True, "worse than before"),
    Outcome("lost", None, False, True, "the store refused it"),
    Outcome("beside", None, None, False, ""),
)
RETRAINED = RetrainedAsset(
    make_asset(nobs=30),
    make_comparison(*(make_row(it.model) for it in OUTCOMES)),
    OUTCOMES,
    "new",
)


def printed(result: RetrainedAsset) -> list[str]:
    console = Console(width=200)
    with console.capture() as captured:
        print_retrained(result, console)
    return captured.get().splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")]


def test_each_model_has_its_version_whether_it_serves_and_why() -> None:
    lines = printed(RETRAINED)
    assert "TARGET: garman_klass, test part 2020-01-02 to 2020-12-30, n = 250" in lines[0]
    (head,) = [line for line in lines if "in service" in line]
    assert cells(head)[-3:] == ["version", "in service", "note"]
    told = {cells(line)[0]: cells(line)[-3:] for line in lines if line.startswith("│")}
    assert told == {
        "new": ["3", "yes", "better than before"],
        "held": ["2", "no", "worse than before"],
        "lost": ["–", "no", "the store refused it"],
        "beside": ["", "", ""],
    }


@pytest.mark.parametrize(("champion", "named"), [("new", "new"), (None, "none")])
def test_the_champion_is_named(champion: str | None, named: str) -> None:
    text = " ".join(" ".join(printed(replace(RETRAINED, champion=champion))).split())
    assert f"champion, by the selection part: {named}." in text
    assert "The champion stays" not in text


def test_why_the_champion_stays_and_what_is_odd_is_told() -> None:
    odd = replace(
        RETRAINED,
        comparison=replace(RETRAINED.comparison, left_out={"late": "late is late"}),
        not_compared="they are of other data.",
    )
    lines = printed(odd)
    assert "Left out: late is late." in lines
    assert any(it.startswith("The champion stays") and "other data" in it for it in lines)
    assert (RETRAINED.refused, odd.refused) == (True, True)
    assert not replace(RETRAINED, outcomes=OUTCOMES[:1]).refused
    assert replace(RETRAINED, outcomes=(), not_compared="x").refused
