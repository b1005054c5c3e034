from statistics import NormalDist

import numpy as np
import pytest

from tests.volatility.honest import WARM_UP, honest_forecasts
from volatility.calendars import get_calendar
from volatility.datasets import NAMES, load
from volatility.evaluation.alignment import Sessions, Timing, _normal_scores, examine
from volatility.series import daily_series
from volatility.simulation.garch import gjr_bars
from volatility.simulation.regression import har_process

COEFFICIENTS = (-0.8, 0.4, 0.3, 0.2)  # log-HAR: mean log_rv of -8


def shifted(forecast: np.ndarray, sessions: int) -> np.ndarray:
    """The forecast of another session, ``sessions`` earlier, in each place."""
    return forecast[2 - sessions : len(forecast) - 2 - sessions]


def lags(forecast: np.ndarray, sessions: Sessions) -> list[int | None]:
    """Of a forecast on time, a day late, and a day early."""
    return [examine(shifted(forecast, by), sessions).information_lag for by in (0, 1, -1)]


class TestExamine:
    @pytest.mark.parametrize("nobs", [300, 631])
    @pytest.mark.parametrize("model", ["last_value", "moving_average", "ewma", "har", "log_har"])
    def test_simulated_forecasts_are_told_on_time_late_and_peeking(self, model, nobs):
        paths = har_process(
            COEFFICIENTS, nobs + WARM_UP + 4, np.random.default_rng(nobs), scale="logs", paths=20
        )
        for rv in paths:
            forecast, target = honest_forecasts(rv)[model], rv[WARM_UP:]
            assert lags(forecast, Sessions.of(shifted(target, 0))) == [1, 2, 0]

    @pytest.mark.parametrize("name", NAMES)
    def test_forecasts_of_shipped_data_are_told_on_time_late_and_peeking(self, name):
        dataset = load(name)
        series, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
        sessions = Sessions.of(shifted(series.rv[WARM_UP:], 0), shifted(series.dates[WARM_UP:], 0))
        for model, forecast in honest_forecasts(series.rv).items():
            assert (model, lags(forecast, sessions)) == (model, [1, 2, 0])

    def test_a_forecast_that_foresees_news_by_leverage_is_not_peeking(self):
        # GJR with parameters as estimated on the S&P 500: losses alone move it.
        bars = load("SPX").bars
        variance = gjr_variance(np.diff(np.log(bars.close)))
        rv = np.log(bars.high / bars.low)[1:] ** 2 / (4 * np.log(2))
        assert examine(variance, Sessions.of(rv, bars.dates[1:])) == Timing(1)

    @pytest.mark.parametrize("steps", [26, 390])
    def test_a_forecast_that_knows_tomorrows_variance_is_not_peeking(self, steps):
        # rv of many steps is nearly the variance that returns of the day before decide: HAR's news
        # is what GJR knew. Of 60 such assets the check of old stopped 3.
        for seed in range(60):
            returns, rv = gjr_bars(500, np.random.default_rng(seed), steps=steps)
            timing = examine(gjr_variance(returns), Sessions.of(rv))
            assert timing.information_lag in (1, None)

    @pytest.mark.parametrize("share", [0.5, 0.75])
    def test_a_forecast_that_foresees_much_of_the_news_is_not_peeking(self, share):
        rng = np.random.default_rng(4)
        for _ in range(20):
            rv = har_process(COEFFICIENTS, 500 + WARM_UP, rng, scale="logs")[0]
            forecast = honest_forecasts(rv)["log_har"]
            news = np.log(rv[WARM_UP:] / forecast)
            noise = np.sqrt(share * (1 - share)) * news.std() * rng.standard_normal(500)
            foresight = forecast * np.exp(share * news + noise)  # the mean of news, given itself
            timing = examine(foresight, Sessions.of(rv[WARM_UP:]))
            assert timing.information_lag in (1, None)

    def test_a_shift_beyond_doubt_is_told_from_a_likely_one(self):
        # Where yesterday matters more or less by chance, lateness does.
        rng = np.random.default_rng(5)
        told = set()
        for rv in har_process((-0.8, 0.2, 0.4, 0.3), 380, rng, scale="logs", paths=40):
            late = shifted(honest_forecasts(rv)["log_har"], 1)
            told.add(examine(late, Sessions.of(shifted(rv[WARM_UP:], 0))))
        assert told > {Timing(2, beyond_doubt=True), Timing(2, beyond_doubt=False)}

    def test_where_yesterday_tells_nothing_an_honest_fit_may_leave_it_out(self):
        rng = np.random.default_rng(6)
        for _ in range(100):
            rv = np.exp(0.6 * rng.standard_normal(300 + WARM_UP) - 9)
            for forecast in honest_forecasts(rv).values():
                assert examine(forecast, Sessions.of(rv[WARM_UP:])).information_lag in (1, None)

    def test_a_weekly_cycle_known_in_advance_is_not_peeking(self):
        # Weekends at a quarter of a weekday's variance, and a forecast that knows it.
        calm = har_process(COEFFICIENTS, 600, np.random.default_rng(10), scale="logs")[0]
        dates = (np.datetime64("2020-01-01") + np.arange(600))[WARM_UP:]
        weekend = np.isin(dates.astype(int) % 7, (2, 3))  # day 0 of the epoch was a Thursday
        factor = np.where(weekend, 0.25, 1.0)
        forecast = honest_forecasts(calm)["moving_average"] * factor
        sessions = Sessions.of(calm[WARM_UP:] * factor, dates)
        assert examine(forecast, sessions) == Timing(1)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_forecast_of_something_else_cannot_be_told(self, seed):
        rng = np.random.default_rng(seed)
        rv = har_process(COEFFICIENTS, 300, rng, scale="logs")[0]
        assert examine(np.exp(rng.standard_normal(300) - 8), Sessions.of(rv)) == Timing(None)

    def test_a_constant_forecast_cannot_be_told(self):
        rv = har_process(COEFFICIENTS, 300, np.random.default_rng(11), scale="logs")[0]
        assert examine(np.full(300, 3e-4), Sessions.of(rv)) == Timing(None)

    def test_a_short_sample_cannot_be_told(self):
        rv = har_process(COEFFICIENTS, 100, np.random.default_rng(12), scale="logs")[0]
        assert Sessions.of(rv) is None
        assert examine(rv, None) == Timing(None)

    def test_a_series_that_never_changes_tells_nothing(self):
        assert Sessions.of(np.full(300, 1e-4)) is None


def gjr_variance(returns: np.ndarray) -> np.ndarray:
    variance = np.empty(len(returns))
    variance[0] = np.var(returns)
    for t in range(1, len(returns)):
        loss = min(returns[t - 1], 0.0) ** 2
        variance[t] = 2e-6 + 0.18 * loss + 0.89 * variance[t - 1]
    return variance


def test_equal_values_share_the_mean_of_their_ranks():
    quantile = NormalDist().inv_cdf
    # In order 1, 2, 3, 3, 3, 7, 7: ranks from 0 are 0, 1, 3, 3, 3, 5.5, 5.5.
    found = _normal_scores(np.array([3.0, 7.0, 1.0, 3.0, 2.0, 7.0, 3.0]))
    at = {rank: quantile((rank + 0.5) / 7) for rank in range(7)}
    between = (at[5] + at[6]) / 2
    expected = [at[3], between, at[0], at[3], at[1], between, at[3]]
    assert found == pytest.approx(expected, abs=1e-12)
    assert at[3] == 0.0
    assert _normal_scores(np.full(5, 2.0)) == pytest.approx(np.zeros(5), abs=1e-12)
