import numpy as np
import pytest
from arch.bootstrap import MCS
from scipy.signal import lfilter

from volatility.errors import InvalidSeries
from volatility.evaluation.confidence_set import _elimination_pvalues, model_confidence_set
from volatility.evaluation.many_models import Resampled


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
        ours = model_confidence_set(losses)
        table = np.column_stack(list(losses.values()))
        peer = MCS(table, size=0.1, reps=4_000, seed=5, method="max", block_size=12)
        peer.compute()
        expected = {f"m{at}": peer.pvalues.Pvalue[at] for at in range(len(means))}
        # A bootstrap of 4,000 has a standard error of up to 0.008. Theirs takes standard errors for
        # known, and theirs are of blocks: p-values lie a little lower.
        assert dict(ours.pvalues) == pytest.approx(expected, abs=0.08)
        assert ours.included >= {name for name, pvalue in expected.items() if pvalue > 0.18}
        assert ours.included.isdisjoint(name for name, pvalue in expected.items() if pvalue < 0.02)

    @pytest.mark.parametrize("coefficient", [0.0, 0.4])
    def test_equally_good_models_all_stay_nine_times_in_ten(self, coefficient):
        rng = np.random.default_rng(8)
        stay = []
        for _ in range(300):
            noise = rng.standard_normal((400, 20))
            table = lfilter([1.0], [1.0, -coefficient], noise, axis=0)[100:]
            losses = {f"m{at}": column for at, column in enumerate(table.T)}
            stay.append(len(model_confidence_set(losses, replications=2_000).included) == 20)
        # At least 88 %, less two binomial standard errors of 1.8 %; blocks of sqrt(n) and the range
        # statistic keep them all half the time.
        assert np.mean(stay) > 0.845

    def test_another_seed_tells_the_same(self):
        losses = correlated_losses(400, [0.5, 0.53, 0.55, 0.56, 0.58], seed=8)
        one, other = (
            np.array(list(model_confidence_set(losses, seed=seed).pvalues.values()))
            for seed in (1, 2)
        )
        # At p = .5 each has a standard error of .0025: .014 is four of the difference's.
        assert np.abs(one - other).max() < 0.014

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

    @pytest.mark.parametrize("noise", [0.0, 1e-9])
    def test_twins_count_once(self, noise):
        losses = correlated_losses(300, [0.5, 0.53, 0.9], seed=9)
        alone = model_confidence_set(losses)
        twin = losses["m0"] * (1 + noise * np.random.default_rng(1).uniform(-1, 1, 300))
        result = model_confidence_set({**losses, "twin": twin, "another": twin})
        assert result.pvalues["twin"] == result.pvalues["another"] == result.pvalues["m0"]
        assert {name: result.pvalues[name] for name in losses} == dict(alone.pvalues)

    def test_a_horizon_widens_the_kernel(self):
        losses = correlated_losses(100, [0.5, 0.45, 0.4], seed=4)
        assert model_confidence_set(losses, horizon=22) != model_confidence_set(losses)
        # 3 * 5 - 2 = 13 is what 100 dates have anyway.
        assert model_confidence_set(losses, horizon=5) == model_confidence_set(losses)

    def test_an_elimination_by_hand(self):
        # What is left once others have gone: a and b of variances 1 and 3, and nothing in common.
        # Of b less the mean of both, (b - a) / 2, the variance is (1 + 3) / 4 = 1, and b lies 1
        # deviation from it. In the draws the larger of the two lies 2, .5, .9 and 1.5 from it.
        noise = np.array([[0, 0, 0, 0], [4, 1, -1.8, 3]], dtype=np.float32)
        left = Resampled(np.array([0.0, 2.0]), np.diag([1.0, 3.0]), noise, share=1e-9)
        assert _elimination_pvalues(left) == [1.0, 0.5]

    def test_a_single_model_is_the_set(self):
        assert model_confidence_set({"har": np.ones(50)}).included == {"har"}

    def test_no_model_is_refused(self):
        with pytest.raises(InvalidSeries, match="no model to compare"):
            model_confidence_set({})
