import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.signal import lfilter

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
    def test_standard_error_is_that_of_a_hac_regression_on_prewhitened_values(self, nobs, horizon):
        losses = correlated_losses(nobs, [0.5, 0.45], seed=nobs)
        difference = losses["m0"] - losses["m1"]
        result = diebold_mariano(losses["m0"], losses["m1"], horizon)
        centred = difference - difference.mean()
        rho = (centred[1:] @ centred[:-1]) / (centred[:-1] @ centred[:-1])
        rho = min(max(rho, 0.0), 0.85)
        residuals = centred[1:] - rho * centred[:-1]
        fit = sm.OLS(residuals, np.ones(nobs - 1)).fit(
            cov_type="HAC",
            cov_kwds={
                "maxlags": result.bandwidth - 1,
                "kernel": "bartlett",
                "use_correction": False,
            },
        )
        expected = fit.bse[0] / (1 - rho) * math.sqrt((nobs - 1) / nobs)
        assert result.standard_error == pytest.approx(expected, rel=1e-9)
        assert result.statistic == pytest.approx(difference.mean() / expected, rel=1e-9)
        assert result.mean_difference == pytest.approx(difference.mean(), rel=1e-12)

    def test_by_hand(self):
        # d = 1, 0, 2, 1, 1, 3, 0, 2, 1, 1: mean 1.2; its autocorrelation is negative, so that
        # nothing is prewhitened, and the first value leaves. 0, 2, 1, 1, 3, 0, 2, 1, 1 less their
        # mean 11/9 have partial sums S; bandwidth ceil(1.3 sqrt(10)) = 5.
        result = diebold_mariano(np.array([1.0, 0, 2, 1, 1, 3, 0, 2, 1, 1]), np.zeros(10))
        c = np.array([0.0, 2, 1, 1, 3, 0, 2, 1, 1]) - 11 / 9
        sums = [c @ c, *(c[k:] @ c[:-k] for k in range(1, 5))]
        long_run = (sums[0] + 2 * sum((1 - k / 5) * sums[k] for k in range(1, 5))) / 9
        assert (result.nobs, result.bandwidth) == (10, 5)
        assert result.standard_error == pytest.approx(math.sqrt(long_run / 10))
        assert result.statistic == pytest.approx(1.2 / math.sqrt(long_run / 10))

    @pytest.mark.parametrize(
        ("nobs", "horizon", "bandwidth"),
        [(100, 1, 13), (101, 1, 14), (64, 2, 11), (64, 22, 62), (630, 22, 64)],
    )
    def test_bandwidth_covers_the_horizon_three_times(self, nobs, horizon, bandwidth):
        losses = correlated_losses(nobs, [0.0, 0.0], seed=1)
        assert diebold_mariano(losses["m0"], losses["m1"], horizon).bandwidth == bandwidth

    def test_margin_is_where_the_test_rejects(self):
        losses = correlated_losses(300, [0.5, 0.4], seed=2)
        result = diebold_mariano(losses["m0"], losses["m1"])
        assert result.margin(1 - result.pvalue) == pytest.approx(abs(result.mean_difference))
        assert result.margin(0.99) > result.margin(0.95)

    @pytest.mark.parametrize(("coefficient", "nobs"), [(0.0, 300), (0.4, 300), (0.8, 300)])
    def test_size_is_nominal(self, coefficient, nobs):
        # 1,000 differentials of mean zero: at 5 % the binomial standard error is .7 %.
        noise = np.random.default_rng(7).standard_normal((1_000, nobs + 100))
        differentials = lfilter([1.0], [1.0, -coefficient], noise)[:, 100:]
        zero = np.zeros(nobs)
        rejected = [diebold_mariano(it, zero).pvalue < 0.05 for it in differentials]
        assert 0.03 < np.mean(rejected) < 0.07

    def test_overlapping_losses_are_not_taken_for_evidence(self):
        # 1,000 pairs of equally accurate forecasts 22 sessions ahead, tested at 5 %: a standard
        # error of 0.7 %. As if one session ahead there would be 30 %.
        rng = np.random.default_rng(22)
        rejections = [
            diebold_mariano(np.convolve(noise, np.ones(22) / 22, "valid"), np.zeros(630), 22).pvalue
            < 0.05
            for noise in rng.standard_normal((1_000, 651))
        ]
        assert 0.01 < np.mean(rejections) < 0.08

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
