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


def test_independent_losses_get_the_p_value_of_a_plain_studentized_bootstrap():
    differences = [_over_plain_bootstrap(np.random.default_rng(seed)) for seed in range(12)]
    assert np.abs(differences).max() < 0.05  # ours also estimates dependence, where there is none
    assert np.mean(differences) == pytest.approx(0, abs=0.015)


def _over_plain_bootstrap(rng):
    gains = rng.normal([0.0, 0.05, 0.1, -0.6, 0.02], [1.0, 0.5, 2.0, 1.5, 0.2], (800, 5))
    benchmark = rng.normal(2.0, 0.3, 800)
    losses = {"m0": benchmark} | {f"m{at}": benchmark - it for at, it in enumerate(gains.T, 1)}
    means, errors = gains.mean(axis=0), gains.std(axis=0) / np.sqrt(800)
    # Hansen (2005): models that are far worse are left out of what may be best by chance.
    kept = means / errors >= -np.sqrt(2 * np.log(np.log(800)))
    draws = gains[rng.integers(800, size=(2_000, 800))].mean(axis=1)
    largest = np.maximum(((draws - means * kept) / errors).max(axis=1), 0)
    expected = np.mean(largest > max(0, (means / errors).max()))
    return superior_ability_pvalues(losses, ("m0",))["m0"] - expected


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
