import numpy as np
import pytest
import statsmodels.api as sm
from arch.univariate import HARX

from tests.training.fits import linear_of
from tests.training.simulated import LOG_HAR, asset_of, make_asset, small_config
from training.data.assets import TrainingSet
from training.models.linear.har import har, har_least_squares, har_wls, log_har
from training.models.linear.least_squares import LeastSquares
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.errors import HistoryTooShort
from volatility.series import DatedSeries, daily_series
from volatility.simulation.regression import har_process

CONFIG = small_config()


def spx() -> DatedSeries:
    shipped = datasets.load("SPX")
    return daily_series(shipped.bars, shipped.measure, get_calendar(shipped.calendar))[0]


def spx_on_any_day() -> TrainingSet:
    series = spx()
    # 24/7 pairs would drop weekends; positions are what the peers see.
    days = np.datetime64("2000-01-01") + np.arange(len(series))
    return TrainingSet(asset_of("SPX", DatedSeries(series.rv, series.measure, days)), {}, 0)


def design_of(values: np.ndarray) -> np.ndarray:
    """Means of the last 1, 5 and 22 values and a constant, in numpy's plainest words."""
    rows = [
        [1.0, *(values[t - lag : t].mean() for lag in (1, 5, 22))] for t in range(22, len(values))
    ]
    return np.array(rows)


@pytest.mark.parametrize("model", [har(CONFIG), log_har(CONFIG)])
def test_coefficients_equal_those_of_arch(model: LeastSquares) -> None:
    series = spx()
    estimate = model.estimate(spx_on_any_day())
    values = series.rv if model.scale == "levels" else series.log_rv
    reference = HARX(values, lags=[1, 5, 22], rescale=False).fit(disp="off")
    ours = [estimate.intercept, *estimate.coefficients]
    np.testing.assert_allclose(ours, reference.params[:4], rtol=0, atol=1e-10)
    np.testing.assert_allclose(estimate.residuals, reference.resid[22:], rtol=0, atol=1e-10)


def test_coefficients_and_residual_variance_equal_those_of_statsmodels() -> None:
    data = make_asset()
    fit = log_har(CONFIG).fit(TrainingSet(data, {}, 0))
    log_rv = data.series.log_rv
    reference = sm.OLS(log_rv[22:], design_of(log_rv)).fit()
    ours = [linear_of(fit).intercept, *linear_of(fit).coefficients.values()]
    np.testing.assert_allclose(ours, reference.params, rtol=0, atol=1e-10)
    assert fit.residual_variance == pytest.approx(reference.mse_resid, rel=1e-10)


def test_weighted_coefficients_equal_those_of_statsmodels() -> None:
    rv = spx().rv
    design, targets = design_of(rv), rv[22:]
    first = sm.OLS(targets, design).fit().fittedvalues
    weights = 1 / np.maximum(first, np.quantile(targets, 0.01)) ** 2
    reference = sm.WLS(targets, design, weights=weights).fit()
    estimate = har_wls(CONFIG).estimate(spx_on_any_day())
    ours = [estimate.intercept, *estimate.coefficients]
    np.testing.assert_allclose(ours, reference.params, rtol=1e-8, atol=1e-10)
    unweighted = har(CONFIG).estimate(spx_on_any_day()).coefficients
    assert not np.allclose(estimate.coefficients, unweighted, rtol=0.01)


def test_har_of_plain_windows() -> None:
    log_rv = spx().log_rv
    windows = np.lib.stride_tricks.sliding_window_view(log_rv[:-1], 30)
    estimate = har_least_squares(windows, log_rv[30:])
    reference = sm.OLS(log_rv[30:], design_of(log_rv)[8:]).fit()
    ours = [estimate.intercept, *estimate.coefficients]
    np.testing.assert_allclose(ours, reference.params, rtol=0, atol=1e-10)
    with pytest.raises(HistoryTooShort, match=r"lags \(1, 5, 22\) needs 22 sessions; got 20"):
        har_least_squares(windows[:, :20], log_rv[30:])


def test_a_known_log_har_is_recovered() -> None:
    data = make_asset(nobs=20_000)
    fit = log_har(CONFIG).fit(TrainingSet(data, {}, 0))
    estimated = [linear_of(fit).intercept, *linear_of(fit).coefficients.values()]
    np.testing.assert_allclose(estimated[1:], LOG_HAR[1:], atol=0.05)  # three standard errors
    assert fit.residual_variance == pytest.approx(0.25, rel=0.05)


def test_a_known_har_in_levels_is_recovered_better_by_weighting() -> None:
    truth = np.array([0.3, 0.35, 0.25])
    paths = har_process((1e-5, *truth), 5_000, np.random.default_rng(3), residual_std=0.6, paths=20)
    days = np.datetime64("1900-01-01") + np.arange(5_000)
    errors: dict[str, list[np.ndarray]] = {"har": [], "har_wls": []}
    for rv in paths:
        data = TrainingSet(asset_of("X", DatedSeries(rv, "garman_klass", days)), {}, 0)
        for model in (har(CONFIG), har_wls(CONFIG)):
            fit = model.fit(data)
            assert fit.residual_variance == 0.0  # levels need no correction
            errors[model.name].append([*linear_of(fit).coefficients.values()] - truth)
    for name, found in errors.items():
        # Four standard errors of the mean of 20 estimates.
        bound = 4 * np.std(found, axis=0) / np.sqrt(len(paths))
        assert (np.abs(np.mean(found, axis=0)) < bound + 0.01).all(), name
    spread = {name: np.square(found).mean() for name, found in errors.items()}
    assert spread["har_wls"] < 0.8 * spread["har"]


def test_a_mean_of_several_sessions_is_regressed_directly() -> None:
    data = make_asset()
    fit = har(CONFIG).fit(TrainingSet(data, {}, 0, horizon=5))
    rv = data.series.rv
    means = np.array([rv[t : t + 5].mean() for t in range(22, len(rv) - 4)])
    reference = sm.OLS(means, design_of(rv)[: len(means)]).fit()
    ours = [linear_of(fit).intercept, *linear_of(fit).coefficients.values()]
    np.testing.assert_allclose(ours, reference.params, rtol=1e-9, atol=1e-12)
