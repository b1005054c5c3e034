import math

import numpy as np
import pytest
import statsmodels.api as sm
from arch.bootstrap import MCS
from scipy import stats

from tests.volatility.honest import WARM_UP, honest_forecasts
from volatility.calendars import get_calendar
from volatility.datasets import NAMES, load
from volatility.errors import InvalidSeries, TooFewObservations
from volatility.evaluation.alignment import information_lag, log_rv_news
from volatility.evaluation.confidence_set import model_confidence_set
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.series import daily_series
from volatility.simulation.regression import har_process

COEFFICIENTS = (-0.8, 0.4, 0.3, 0.2)  # log-HAR: mean log_rv of -8


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


def shifted(forecast: np.ndarray, sessions: int) -> np.ndarray:
    """The forecast of another session, ``sessions`` earlier, in each place."""
    return forecast[2 - sessions : len(forecast) - 2 - sessions]


class TestInformationLag:
    @pytest.mark.parametrize("nobs", [150, 631])
    @pytest.mark.parametrize("model", ["last_value", "moving_average", "ewma", "har", "log_har"])
    def test_simulated_forecasts_are_told_on_time_late_and_peeking(self, model, nobs):
        paths = har_process(
            COEFFICIENTS, nobs + WARM_UP + 4, np.random.default_rng(nobs), scale="logs", paths=20
        )
        for rv in paths:
            forecast, target = honest_forecasts(rv)[model], rv[WARM_UP:]
            lags = [information_lag(shifted(forecast, s), shifted(target, 0)) for s in (0, 1, -1)]
            assert lags == [1, 2, 0]

    @pytest.mark.parametrize("name", NAMES)
    def test_forecasts_of_shipped_data_are_told_on_time_late_and_peeking(self, name):
        dataset = load(name)
        series, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
        dates = shifted(series.dates[WARM_UP:], 0)
        rv = shifted(series.rv[WARM_UP:], 0)
        for model, forecast in honest_forecasts(series.rv).items():
            lags = [information_lag(shifted(forecast, s), rv, dates) for s in (0, 1, -1)]
            assert (model, lags) == (model, [1, 2, 0])

    def test_a_forecast_that_foresees_news_by_leverage_is_not_peeking(self):
        # GJR with parameters as estimated on the S&P 500: losses alone move it.
        bars = load("SPX").bars
        returns = np.diff(np.log(bars.close))
        variance = np.empty(len(returns))
        variance[0] = np.var(returns)
        for t in range(1, len(returns)):
            loss = min(returns[t - 1], 0.0) ** 2
            variance[t] = 2e-6 + 0.18 * loss + 0.89 * variance[t - 1]
        rv = np.log(bars.high / bars.low)[1:] ** 2 / (4 * np.log(2))
        dates = bars.dates[1:]
        last = slice(len(rv) // 2, None)
        news = shifted(log_rv_news(rv, dates)[last], 0)
        lags = [
            information_lag(
                shifted(variance[last], sessions),
                shifted(rv[last], 0),
                shifted(dates[last], 0),
                news=news,
            )
            for sessions in (0, 1, -1)
        ]
        assert lags == [1, 2, 0]

    def test_a_weekly_cycle_known_in_advance_is_not_peeking(self):
        # Weekends at a quarter of a weekday's variance, and a forecast that knows it.
        calm = har_process(COEFFICIENTS, 600, np.random.default_rng(10), scale="logs")[0]
        dates = (np.datetime64("2020-01-01") + np.arange(600))[WARM_UP:]
        weekend = np.isin(dates.astype(int) % 7, (2, 3))  # day 0 of the epoch was a Thursday
        factor = np.where(weekend, 0.25, 1.0)
        forecast = honest_forecasts(calm)["moving_average"]
        rv, dates = shifted(calm[WARM_UP:] * factor, 0), shifted(dates, 0)
        on_time, late = (shifted(forecast, sessions) * shifted(factor, 0) for sessions in (0, 1))
        assert information_lag(on_time, rv, dates) == 1
        assert information_lag(late, rv, dates) == 2
        assert information_lag(on_time, rv) != 1  # without dates the cycle hides the timing

    @pytest.mark.parametrize("seed", range(5))
    def test_a_forecast_of_something_else_cannot_be_told(self, seed):
        rng = np.random.default_rng(seed)
        rv = har_process(COEFFICIENTS, 300, rng, scale="logs")[0]
        assert information_lag(np.exp(rng.standard_normal(300) - 8), rv) is None

    def test_a_constant_forecast_cannot_be_told(self):
        rv = har_process(COEFFICIENTS, 300, np.random.default_rng(11), scale="logs")[0]
        assert information_lag(np.full(300, 3e-4), rv) is None

    def test_a_short_sample_cannot_be_told(self):
        rv = har_process(COEFFICIENTS, 59, np.random.default_rng(12), scale="logs")[0]
        assert information_lag(np.roll(rv, 1), rv) is None
        assert np.isnan(log_rv_news(rv)).all()

    def test_news_are_the_simulated_residuals(self):
        rv = har_process(COEFFICIENTS, 3_000, np.random.default_rng(13), scale="logs")[0]
        news = log_rv_news(rv)
        assert np.isnan(news[:22]).all()
        assert not np.isnan(news[22:]).any()
        # har_process's residual_std is 0.5; standard error 0.5 / sqrt(2 * 3000) = 0.0065
        assert np.std(news[22:]) == pytest.approx(0.5, abs=0.02)
