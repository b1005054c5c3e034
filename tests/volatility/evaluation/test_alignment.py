import numpy as np
import pytest

from tests.volatility.honest import WARM_UP, honest_forecasts
from volatility.calendars import get_calendar
from volatility.datasets import NAMES, load
from volatility.evaluation.alignment import information_lag, log_rv_news
from volatility.series import daily_series
from volatility.simulation.regression import har_process

COEFFICIENTS = (-0.8, 0.4, 0.3, 0.2)  # log-HAR: mean log_rv of -8


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
