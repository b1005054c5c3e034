import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from volatility.errors import InvalidSeries, TooFewObservations
from volatility.evaluation.diebold_mariano import diebold_mariano


def correlated_losses(nobs: int, means: list[float], seed: int) -> dict[str, np.ndarray]:
    """Losses with a common autocorrelated part, as models scored on the same days have."""
    rng = np.random.default_rng(seed)
    common = np.convolve(rng.standard_normal(nobs + 9), np.ones(10) / 10, "valid")
    return {
        f"m{at}": mean + common + 0.4 * rng.standard_normal(nobs) for at, mean in enumerate(means)
    }


class TestDieboldMariano:
    @pytest.mark.parametrize(("nobs", "horizon"), [(40, 1), (150, 1), (631, 1), (631, 22)])
    def test_statistic_is_that_of_a_hac_regression_on_a_constant(self, nobs, horizon):
        losses = correlated_losses(nobs, [0.5, 0.45], seed=nobs)
        result = diebold_mariano(losses["m0"], losses["m1"], horizon)
        fit = sm.OLS(losses["m0"] - losses["m1"], np.ones(nobs)).fit(
            cov_type="HAC",
            cov_kwds={"maxlags": result.lags, "kernel": "bartlett", "use_correction": False},
        )
        correction = math.sqrt((nobs + 1 - 2 * horizon + horizon * (horizon - 1) / nobs) / nobs)
        expected = correction * fit.tvalues[0]
        assert result.statistic == pytest.approx(expected, rel=1e-10)
        assert result.mean_difference == pytest.approx(fit.params[0], rel=1e-10)
        degrees = nobs - 1 if horizon == 1 else 1.5 * 631 / 43  # of 42 lags with Bartlett weights
        assert result.pvalue == pytest.approx(2 * stats.t.sf(abs(expected), degrees), rel=1e-9)
        assert result.pvalue_worse == pytest.approx(stats.t.sf(expected, degrees), rel=1e-9)

    def test_by_hand(self):
        # d = 1, 0, 2, 1, 1, 3, 0, 2, 1, 1: mean 1.2, n = 10, floor(10 ** (1/3)) = 2 lags.
        # Centred sums of products: 7.6 at lag 0; with weights 2/3 and 1/3 at lags 1 and 2.
        difference = np.array([1.0, 0, 2, 1, 1, 3, 0, 2, 1, 1])
        c = difference - 1.2
        long_run = (c @ c + 2 * (2 / 3 * (c[1:] @ c[:-1]) + 1 / 3 * (c[2:] @ c[:-2]))) / 10
        assert c @ c == pytest.approx(7.6)
        result = diebold_mariano(difference, np.zeros(10))
        # HLN at horizon 1: sqrt((n - 1) / n)
        assert result.statistic == pytest.approx(1.2 / math.sqrt(long_run / 10) * math.sqrt(0.9))
        assert (result.nobs, result.lags) == (10, 2)

    @pytest.mark.parametrize(
        ("nobs", "horizon", "lags"), [(999, 1, 9), (1000, 1, 10), (64, 2, 4), (64, 22, 42)]
    )
    def test_lags_cover_the_horizon_and_the_cube_root(self, nobs, horizon, lags):
        losses = correlated_losses(nobs, [0.0, 0.0], seed=1)
        assert diebold_mariano(losses["m0"], losses["m1"], horizon).lags == lags

    def test_by_hand_three_sessions_ahead(self):
        # d = 1, 0, 2, 1, 1, 3, 0, 2, 1, 1 as above, but with max(2 * 2, 2) = 4 lags. Centred,
        # -.2, -1.2, .8, -.2, -.2, 1.8, -1.2, .8, -.2, -.2: sums of products 7.6 at lag 0 and
        # -4.44, 1.32, 1.68, -3.56 after; with weights 4/5, 3/5, 2/5, 1/5 they come to
        # 7.6 + 2 (-3.552 + .792 + .672 - .712) = 2.
        difference = np.array([1.0, 0, 2, 1, 1, 3, 0, 2, 1, 1])
        result = diebold_mariano(difference, np.zeros(10), horizon=3)
        # HLN: (10 + 1 - 6 + 3 * 2 / 10) / 10 = 0.56
        assert result.statistic == pytest.approx(1.2 / math.sqrt(0.2 / 10) * math.sqrt(0.56))
        assert (result.lags, result.degrees_of_freedom) == (4, 3.0)
        assert result.pvalue == pytest.approx(2 * stats.t.sf(result.statistic, 3))

    def test_overlapping_losses_are_not_taken_for_evidence(self):
        # 400 pairs of equally accurate forecasts 22 sessions ahead, tested at 5 %: 8 % rejections
        # with a standard error of 1.4 %; as if one session ahead there would be 30 %.
        rng = np.random.default_rng(22)
        rejections = [
            diebold_mariano(np.convolve(noise, np.ones(22) / 22, "valid"), np.zeros(630), 22).pvalue
            < 0.05
            for noise in rng.standard_normal((400, 651))
        ]
        assert np.mean(rejections) < 0.11

    def test_forecasts_that_all_overlap_are_refused(self):
        losses = correlated_losses(22, [0.0, 0.0], seed=1)
        with pytest.raises(TooFewObservations, match="22 forecasts 22 sessions ahead all overlap"):
            diebold_mariano(losses["m0"], losses["m1"], 22)

    def test_swapping_the_models_changes_the_sign_alone(self):
        losses = correlated_losses(300, [0.5, 0.4], seed=2)
        one = diebold_mariano(losses["m0"], losses["m1"])
        other = diebold_mariano(losses["m1"], losses["m0"])
        assert other.statistic == -one.statistic
        assert other.pvalue == one.pvalue
        assert one.pvalue_worse + other.pvalue_worse == pytest.approx(1.0)
        assert one.pvalue_worse < 0.5 < other.pvalue_worse  # m0 loses more

    def test_equal_forecasts_are_equally_accurate(self):
        losses = correlated_losses(100, [0.5], seed=3)["m0"]
        result = diebold_mariano(losses, losses)
        assert (result.statistic, result.pvalue, result.pvalue_worse) == (0.0, 1.0, 0.5)

    def test_a_constant_handicap_is_certain(self):
        result = diebold_mariano(np.full(50, 0.75), np.full(50, 0.5))
        assert (result.pvalue, result.pvalue_worse) == (0.0, 0.0)

    def test_rejects_a_true_null_about_as_often_as_it_says(self):
        rng = np.random.default_rng(4)
        pvalues = [
            diebold_mariano(*rng.standard_normal((2, 250))).pvalue  # one sample each
            for _ in range(1_000)
        ]
        # 5 % nominal; binomial standard error 0.7 %, and the HAC estimate is a little liberal.
        assert 0.03 < np.mean(np.array(pvalues) < 0.05) < 0.09

    def test_losses_that_cannot_be_paired_are_refused(self):
        with pytest.raises(InvalidSeries) as refusal:
            diebold_mariano(np.ones(20), np.ones(21))
        assert refusal.value.code == "length_mismatch"
        with pytest.raises(InvalidSeries, match="losses of baseline_losses are not all finite"):
            diebold_mariano(np.ones(20), np.full(20, np.nan))
        with pytest.raises(TooFewObservations, match="needs 10 forecasts; got 9"):
            diebold_mariano(np.ones(9), np.ones(9))
