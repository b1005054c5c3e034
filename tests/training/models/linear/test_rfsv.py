import numpy as np
import pytest

from tests.training.fits import linear_of
from tests.training.intraday import series_of
from tests.training.simulated import asset_of, small_config
from training.data.assets import TrainingSet
from training.models.linear.rfsv import hurst_exponent, rfsv
from volatility.filters import rough_kernel
from volatility.hurst import variogram
from volatility.simulation.fractional import rough_log_volatility

CONFIG = small_config()

HURST = 0.12


def rough(nobs: int, hurst: float = HURST, seed: int = 0, horizon: int = 1) -> TrainingSet:
    """An asset whose log volatility is a fractional Brownian motion."""
    path = rough_log_volatility(hurst, nobs, np.random.default_rng(seed))[0]
    return TrainingSet(asset_of("X", series_of(np.exp(2 * path), {})), {}, 0, horizon)


def test_the_exponent_is_that_of_the_variogram_and_of_the_path() -> None:
    data = rough(3_000)
    learned = rfsv(CONFIG).fit(data).learned["hurst"]
    own = variogram(np.log(data.target.series.volatility)).hurst
    assert own is not None
    assert learned == own
    assert learned == pytest.approx(HURST, abs=0.03)  # three standard errors


@pytest.mark.parametrize(("hurst", "bound"), [(0.002, 0.01), (0.9, 0.49)])
def test_an_exponent_for_which_there_is_no_kernel_is_moved_to_one(
    hurst: float, bound: float
) -> None:
    series = rough(2_000, hurst).target.series
    assert hurst_exponent(series) == pytest.approx(bound, abs=0.02)
    assert 0.01 <= hurst_exponent(series) <= 0.49
    rfsv(CONFIG).fit(rough(2_000, hurst))


def test_a_forecast_is_the_weighted_past_and_the_mean_error() -> None:
    data = rough(1_000)
    fit = rfsv(CONFIG).fit(data)
    pairs = data.pairs(100)
    weights = rough_kernel(fit.learned["hurst"], 100, 1)
    expected = np.log(pairs.windows["rv"]) @ weights
    errors = np.log(pairs.targets) - expected
    found = fit.predictor.predict(pairs.windows).values
    np.testing.assert_allclose(found, expected + errors.mean(), rtol=1e-12)
    assert fit.residual_variance == pytest.approx(errors.var(ddof=1), rel=1e-10)
    assert fit.predictor.scale == "logs"


def test_several_sessions_are_the_mean_of_each() -> None:
    data = rough(1_000, horizon=3)
    fit = rfsv(CONFIG).fit(data)
    log_rv = np.log(data.pairs(100).windows["rv"])
    each = [log_rv @ rough_kernel(fit.learned["hurst"], 100, ahead) for ahead in (1, 2, 3)]
    found = fit.predictor.predict(data.pairs(100).windows).values
    moved = found - np.mean(each, axis=0)
    np.testing.assert_allclose(moved, linear_of(fit).intercept, rtol=1e-9)
    # The log of a mean is above the mean of logs.
    assert linear_of(fit).intercept > 0.05
    assert abs(linear_of(rfsv(CONFIG).fit(rough(1_000))).intercept) < 0.03


@pytest.mark.parametrize("horizon", [1, 5])
def test_on_a_rough_path_it_beats_the_last_value(horizon: int) -> None:
    # At H = 0.12 the kernel's mean squared error one ahead is 0.73 of the last value's
    # (see tests/volatility/test_regressors.py); the fit adds the error of H.
    data = rough(4_000, seed=3, horizon=horizon)
    fit = rfsv(CONFIG).fit(data.until(data.target.series.dates[2_000]))
    pairs = data.pairs(100)
    later = pairs.where(pairs.as_of > data.target.series.dates[2_000])
    targets, last = np.log(later.targets), np.log(later.windows["rv"][:, -1])
    error = np.square(targets - fit.predictor.predict(later.windows).values).mean()
    assert error < 0.8 * np.square(targets - last).mean()
    # In the sample as out of it.
    assert fit.residual_variance == pytest.approx(error, rel=0.15)
