"""``hexp`` and ``ridge``: what they see, and coefficients that are known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from tests.training.simulated import asset_of, small_config
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.evaluation.study import applicable, obstacle
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.asset_regressors import regressors_of
from training.models.linear.hexp import REGRESSORS, hexp
from training.models.linear.least_squares import LeastSquares
from training.models.linear.mem import mem
from training.models.linear.regression import Regression
from training.models.linear.ridge import PENALTY, ridge
from training.models.recipe import Recipe
from volatility.regressor_names import design_of
from volatility.regressors import LinearPredictor
from volatility.series import DatedSeries
from volatility.trailing import SESSIONS

CONFIG = small_config()
HEXP, RIDGE = hexp(CONFIG), ridge(CONFIG)
# In the order of REGRESSORS: persistent, and losses raise volatility.
TRUTH = np.array([0.3, 0.2, 0.3, 0.1, -0.15, -0.1, -0.1, 0.05, 0.1, -0.1])
INTERCEPT = -0.9
NOISE = 0.4


def inner(recipe: Recipe) -> Regression:
    assert isinstance(recipe, CalendarAdjusted)
    assert isinstance(recipe.inner, Regression)
    return recipe.inner


def simulated(nobs: int, **without: bool) -> AssetData:
    """An asset whose log rv is known from its past, return and night, session by session."""
    rng = np.random.default_rng(2)
    rv, day = np.full(nobs, INTERCEPT / 0.1), np.zeros(nobs)
    night, ratio = np.zeros(nobs), 0.3 * rng.standard_normal(nobs)
    rv[:SESSIONS] += rng.standard_normal(SESSIONS)
    design, shocks = design_of(REGRESSORS), rng.standard_normal((nobs, 3))
    for t in range(nobs):
        if t >= SESSIONS:
            columns = {"rv": rv, "return": day, "overnight_return": night}
            windows = {name: it[None, t - SESSIONS : t] for name, it in columns.items()}
            rv[t] = INTERCEPT + design.build(windows)[0] @ TRUTH + NOISE * shocks[t, 2]
        night[t], within = np.exp(rv[t] / 2) * shocks[t, :2] * [0.5, 1.0]
        day[t] = night[t] + within
    columns = {"return": day, "overnight_return": night, "range_ratio": ratio}
    kept = {name: it for name, it in columns.items() if without.get(name, True)}
    dates = np.datetime64("2000-01-01") + np.arange(nobs)
    return asset_of("X", DatedSeries(np.exp(rv), "garman_klass", dates, columns=kept))


@pytest.fixture(scope="module")
def asset() -> AssetData:
    return simulated(6_000)


def test_known_coefficients_are_recovered(asset: AssetData) -> None:
    data = TrainingSet(asset, {}, 0)
    model = inner(HEXP)
    fit = model.fit(data)
    assert isinstance(fit.predictor, LinearPredictor)
    assert tuple(it.name for it in fit.predictor.coefficients) == REGRESSORS
    found = np.array([*fit.predictor.coefficients.values()])
    design, targets = model.sample(regressors_of(asset), 1)
    reference = sm.OLS(targets, sm.add_constant(design)).fit()
    np.testing.assert_allclose(found, reference.params[1:], rtol=1e-8)
    errors = np.abs(found - TRUTH) / reference.bse[1:]
    assert errors.max() < 4.0
    assert fit.residual_variance == pytest.approx(NOISE**2, rel=0.1)
    told = np.abs(TRUTH) / reference.bse[1:]
    assert np.median(told) > 4.0


def test_ridge_finds_nearly_what_least_squares_does(asset: AssetData) -> None:
    model = inner(RIDGE)
    assert isinstance(model, LeastSquares)
    sample = model.sample(regressors_of(asset), 1)
    penalized, plain, heavy = (
        replace(model, penalty=penalty).coefficients(sample) for penalty in (PENALTY, 0.0, 1.0)
    )
    fitted = [it.intercept + sample.design @ it.slopes for it in (penalized, plain, heavy)]
    assert np.corrcoef(fitted[0], fitted[1])[0, 1] > 0.995
    assert fitted[2].std() < fitted[0].std() < fitted[1].std()


@pytest.mark.parametrize("make", [hexp, ridge, mem])
def test_a_market_that_never_closes_does_without_the_night(
    make: Callable[[Config], CalendarAdjusted],
) -> None:
    recipe = make(CONFIG)
    bare = simulated(700, overnight_return=False, range_ratio=False)
    assert obstacle(recipe, bare) is None
    (used,) = applicable([recipe], bare)
    assert used.columns == ("return",)
    assert used.name == recipe.name
    fit = used.fit(TrainingSet(bare, {}, 0))
    assert fit.predictor.columns == ("return",)
    kept = [name for name in inner(recipe).regressors if "overnight" not in name]
    assert inner(used).regressors == tuple(name for name in kept if "range_ratio" not in name)


def test_what_bars_give_is_used(asset: AssetData) -> None:
    assert applicable([HEXP, RIDGE], asset) == (HEXP, RIDGE)
    assert HEXP.columns == ("overnight_return", "return")
    assert RIDGE.columns == ("overnight_return", "range_ratio", "return")
    assert HEXP.lookback == RIDGE.lookback == SESSIONS


def test_a_return_cannot_be_done_without(asset: AssetData) -> None:
    bare = replace(asset, series=asset.series.select(["range_ratio"]))
    assert obstacle(HEXP, bare) == "its bars give no return"


def test_a_first_half_without_windows_is_an_obstacle(asset: AssetData) -> None:
    short = replace(asset, series=asset.series.tail(599))
    assert (
        obstacle(HEXP, short) == "its first fit needs 300 of the 599 sessions, and has half of them"
    )
    assert obstacle(HEXP, replace(asset, series=asset.series.tail(600))) is None
