from dataclasses import replace

from tests.training.evaluation.studies import results
from training.evaluation.headings import (
    HEADLINE,
    percent,
    single_seeds,
    with_seeds,
)


def test_a_share_in_percent() -> None:
    assert (percent(0.8041), percent(None)) == ("80.4%", "–")


def test_single_seeds_are_shown_beside_qlike_where_there_are_some() -> None:
    first, *others = results()[0].comparisons["test"].rows
    assert with_seeds(HEADLINE, [first, *others]) is HEADLINE
    network = replace(first, qlike_loss_by_seed={7: 0.5, 8: 0.52})
    columns = with_seeds(HEADLINE, [network, *others])
    assert list(columns)[1:3] == ["QLIKE", "single seeds"]
    assert [columns["single seeds"](row) for row in (network, first)] == ["0.5100 ± 0.0141", "–"]
    assert single_seeds(replace(first, qlike_loss_by_seed={7: 0.5})) == "0.5000"
