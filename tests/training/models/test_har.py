import numpy as np
import pytest
import statsmodels.api as sm
from arch.univariate import HARX

from tests.training.data import LOG_HAR, asset_of, make_asset
from training.models.har import fit_har, har, log_har
from training.models.recipe import TrainingSet
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.realized import daily_series
from volatility.series import RealizedSeries
from volatility.simulate import har_process


def spx() -> RealizedSeries:
    shipped = datasets.load("SPX")
    return daily_series(shipped.bars, shipped.measure, get_calendar(shipped.calendar))[0]


@pytest.mark.parametrize("scale", ["levels", "logs"])
def test_coefficients_equal_those_of_arch(scale: str) -> None:
    series = spx()
    assert series.dates is not None
    # 24/7 pairs would drop weekends; positions are what arch sees.
    days = np.datetime64("2000-01-01") + np.arange(len(series))
    pairs = asset_of("SPX", RealizedSeries(series.rv, series.measure, days)).pairs(22)
    predictor, residuals = fit_har(pairs, scale)
    values = series.rv if scale == "levels" else series.log_rv
    reference = HARX(values, lags=[1, 5, 22], rescale=False).fit(disp="off")
    ours = [predictor.intercept, *predictor.coefficients.values()]
    np.testing.assert_allclose(ours, reference.params[:4], rtol=0, atol=1e-10)
    np.testing.assert_allclose(residuals, reference.resid[22:], rtol=0, atol=1e-10)


def test_residual_variance_equals_that_of_statsmodels() -> None:
    data = make_asset()
    fit = log_har(22).fit(TrainingSet(data, {}, 0))
    log_rv = data.series.log_rv
    lagged = np.lib.stride_tricks.sliding_window_view(log_rv[:-1], 22)
    design = np.column_stack([lagged[:, -lag:].mean(axis=1) for lag in (1, 5, 22)])
    reference = sm.OLS(log_rv[22:], sm.add_constant(design)).fit()
    assert fit.residual_variance == pytest.approx(reference.mse_resid, rel=1e-10)


def test_a_known_log_har_is_recovered() -> None:
    data = make_asset(nobs=20_000)
    fit = log_har(22).fit(TrainingSet(data, {}, 0))
    estimated = [fit.predictor.intercept, *fit.predictor.coefficients.values()]
    np.testing.assert_allclose(estimated[1:], LOG_HAR[1:], atol=0.05)  # three standard errors
    assert fit.residual_variance == pytest.approx(0.25, rel=0.05)


def test_a_known_har_in_levels_is_recovered() -> None:
    truth = (1e-5, 0.3, 0.35, 0.25)
    rv = har_process(truth, 50_000, np.random.default_rng(3), residual_std=0.4)[0]
    days = np.datetime64("1900-01-01") + np.arange(len(rv))
    data = asset_of("X", RealizedSeries(rv, "garman_klass", days))
    fit = har(22).fit(TrainingSet(data, {}, 0))
    np.testing.assert_allclose([*fit.predictor.coefficients.values()], truth[1:], atol=0.06)
    assert fit.residual_variance == 0.0  # levels need no correction
