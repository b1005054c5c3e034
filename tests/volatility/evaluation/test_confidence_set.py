import numpy as np
import pytest
from arch.bootstrap import MCS

from volatility.errors import InvalidSeries
from volatility.evaluation.confidence_set import model_confidence_set


def correlated_losses(nobs: int, means: list[float], seed: int) -> dict[str, np.ndarray]:
    """Losses with a common autocorrelated part, as models scored on the same days have."""
    rng = np.random.default_rng(seed)
    common = np.convolve(rng.standard_normal(nobs + 9), np.ones(10) / 10, "valid")
    return {
        f"m{at}": mean + common + 0.4 * rng.standard_normal(nobs) for at, mean in enumerate(means)
    }


class TestModelConfidenceSet:
    @pytest.mark.parametrize(
        ("nobs", "means"),
        [
            (631, [0.50, 0.50, 0.50]),
            (631, [0.50, 0.51, 0.53, 0.60]),
            (1261, [0.40, 0.42, 0.42, 0.45, 0.45, 0.50, 0.55, 0.60, 1.20]),
            (200, [0.50, 0.58, 0.90]),
        ],
    )
    def test_agrees_with_arch(self, nobs, means):
        losses = correlated_losses(nobs, means, seed=nobs + len(means))
        ours = model_confidence_set(losses, replications=4_000)
        peer = MCS(np.column_stack(list(losses.values())), size=0.1, reps=4_000, seed=5)
        peer.compute()
        expected = {f"m{at}": peer.pvalues.Pvalue[at] for at in range(len(means))}
        # Two bootstraps of 4,000: the difference of two p-values has standard error
        # sqrt(2 p (1 - p) / 4000), at most 0.011; four of them.
        assert dict(ours.pvalues) == pytest.approx(expected, abs=0.045)
        assert {f"m{at}" for at in peer.included} == ours.included

    def test_holds_the_best_model_nine_times_in_ten(self):
        kept = [
            "m0"
            in model_confidence_set(
                correlated_losses(250, [0.5, 0.5, 0.5, 0.5], seed), replications=300
            ).included
            for seed in range(300)
        ]
        # At least 90 %, less two and a half binomial standard errors of 1.7 %.
        assert np.mean(kept) > 0.857

    def test_one_bad_model_leaves(self):
        losses = correlated_losses(631, [0.5, 0.5, 0.8], seed=6)
        result = model_confidence_set(losses)
        assert result.included == {"m0", "m1"}
        assert result.pvalues["m2"] < 0.01

    def test_equal_inputs_give_equal_sets_whatever_the_order(self):
        losses = correlated_losses(300, [0.5, 0.52, 0.55], seed=7)
        result = model_confidence_set(losses)
        assert result == model_confidence_set(losses)
        backwards = model_confidence_set(dict(reversed(losses.items())))
        assert dict(backwards.pvalues) == pytest.approx(dict(result.pvalues))

    def test_a_higher_level_keeps_at_least_the_same_models(self):
        losses = correlated_losses(400, [0.5, 0.54, 0.56, 0.58], seed=8)
        sizes = [len(model_confidence_set(losses, level).included) for level in (0.5, 0.9, 0.99)]
        assert sizes == sorted(sizes)

    def test_twins_stay_together(self):
        losses = correlated_losses(300, [0.5, 0.9], seed=9)
        result = model_confidence_set({**losses, "twin": losses["m0"]})
        assert result.included == {"m0", "twin"}

    def test_blocks_are_at_least_as_long_as_forecasts_overlap(self):
        losses = correlated_losses(100, [0.5, 0.45, 0.4], seed=4)
        assert model_confidence_set(losses, horizon=22) == model_confidence_set(
            losses, block_size=22
        )
        assert model_confidence_set(losses, horizon=5) == model_confidence_set(losses)

    def test_a_single_model_is_the_set(self):
        assert model_confidence_set({"har": np.ones(50)}).included == {"har"}

    def test_no_model_is_refused(self):
        with pytest.raises(InvalidSeries, match="no model to compare"):
            model_confidence_set({})
