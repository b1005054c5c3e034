import numpy as np
import pytest
from arch.bootstrap import SPA

from tests.volatility.evaluation.test_confidence_set import correlated_losses
from volatility.errors import InvalidSeries, UnknownModel
from volatility.evaluation.superior_ability import superior_ability_pvalues


@pytest.mark.parametrize("means", [[0.5, 0.5, 0.5, 0.5], [0.5, 0.46, 0.52, 0.9], [0.5, 0.4, 0.6]])
def test_agrees_with_arch(means):
    losses = correlated_losses(631, means, seed=len(means))
    ours = superior_ability_pvalues(losses, ("m0",))["m0"]
    others = np.column_stack([values for name, values in losses.items() if name != "m0"])
    peer = SPA(losses["m0"], others, reps=4_000, block_size=12, seed=5)
    peer.compute()
    # Theirs takes standard errors for known, and theirs are of blocks.
    assert ours == pytest.approx(peer.pvalues["consistent"], abs=0.08)


def test_the_best_has_none_above_it():
    losses = correlated_losses(400, [0.5, 0.8, 0.9], seed=1)
    assert superior_ability_pvalues(losses, ("m0", "m1")) == {
        "m0": 1.0,
        "m1": pytest.approx(0.0, abs=1e-3),
    }


def test_many_chances_are_allowed_for():
    # One of two that is better at p = .03 is no surprise as the best of fifty.
    losses = correlated_losses(400, [0.5] * 51, seed=3)
    best = min(losses, key=lambda name: losses[name].mean())
    alone = superior_ability_pvalues({"m0": losses["m0"], best: losses[best]}, ("m0",))["m0"]
    assert alone < superior_ability_pvalues(losses, ("m0",))["m0"]


def test_twins_change_nothing():
    losses = correlated_losses(300, [0.5, 0.45, 0.48], seed=9)
    alone = superior_ability_pvalues(losses, ("m0", "m1"))
    many = {**losses, "twin": losses["m1"], "equal": losses["m0"] * (1 + 1e-10)}
    assert superior_ability_pvalues(many, ("m0", "m1")) == alone
    assert superior_ability_pvalues({"m0": losses["m0"], "equal": losses["m0"]}, ("m0",)) == {
        "m0": 1.0
    }


def test_what_is_not_there_is_refused():
    losses = correlated_losses(300, [0.5, 0.45], seed=9)
    with pytest.raises(UnknownModel, match="benchmark har is not among m0, m1"):
        superior_ability_pvalues(losses, ("har",))
    with pytest.raises(InvalidSeries, match="no model to compare"):
        superior_ability_pvalues({}, ())
