"""Fits from cumulated cross-products against the same fits one by one."""

import numpy as np
import pytest

from training.models.linear.cross_products import solve, solve_weighted
from training.models.linear.least_squares import LeastSquares, least_squares
from training.models.linear.regression import Sample
from volatility.arrays import Scale

COUNTS = np.array([60, 61, 90, 300])


def simulated(nobs: int = 300, unit: float = 1.0) -> Sample:
    """Three regressors that move together, far from zero, and what they say with noise."""
    rng = np.random.default_rng(3)
    common = np.cumsum(rng.standard_normal(nobs)) * 0.1
    design = -9 + common[:, None] + rng.standard_normal((nobs, 3)) * [1.0, 0.5, 0.2]
    targets = 0.5 + design @ [0.3, 0.2, -0.4] + rng.standard_normal(nobs)
    return Sample(unit * design, unit * targets)


@pytest.mark.parametrize("unit", [1.0, 1e-5])
def test_least_squares_of_every_count_of_rows(unit: float) -> None:
    sample = simulated(unit=unit)
    found, sound = solve(sample, COUNTS)
    assert sound.all()
    for at, count in enumerate(COUNTS):
        alone = least_squares(*sample.first(count))
        np.testing.assert_allclose(found.slopes[at], alone.coefficients, rtol=1e-10)
        fitted = found.intercept[at] + sample.design[:count] @ found.slopes[at]
        np.testing.assert_allclose(sample.targets[:count] - fitted, alone.residuals, rtol=1e-7)
        variance = alone.residuals @ alone.residuals / (count - 4)
        np.testing.assert_allclose(found.residual_variance[at], variance, rtol=1e-10)


def test_ridge_by_hand() -> None:
    """As least squares on standardized regressors with a row more for each."""
    sample, penalty = simulated(), 0.05
    found = solve(sample, COUNTS, penalty).coefficients
    for at, count in enumerate(COUNTS):
        design, targets = sample.first(count)
        deviation = design.std(axis=0)
        rows = np.vstack([(design - design.mean(axis=0)) / deviation, np.zeros((3, 3))])
        rows[-3:] = np.sqrt(penalty * count) * np.eye(3)
        wanted = np.append(targets - targets.mean(), np.zeros(3))
        slopes = np.linalg.lstsq(rows, wanted, rcond=None)[0] / deviation
        intercept = targets.mean() - design.mean(axis=0) @ slopes
        np.testing.assert_allclose(found.slopes[at], slopes, rtol=1e-10)
        np.testing.assert_allclose(found.intercept[at], intercept, rtol=1e-10)
        residuals = targets - intercept - design @ slopes
        variance = residuals @ residuals / (count - 4)
        np.testing.assert_allclose(found.residual_variance[at], variance, rtol=1e-10)


def test_a_penalty_draws_coefficients_to_zero() -> None:
    sample = simulated()
    sizes = [
        np.abs(solve(sample, np.array([300]), penalty).coefficients.slopes).sum()
        for penalty in (0.0, 0.1, 10.0, 1e6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-5


def test_ridge_gives_a_regressor_that_never_moves_nothing() -> None:
    design, targets = simulated()
    still = np.column_stack([design, np.full(300, 0.7)])
    found, sound = solve(Sample(still, targets), COUNTS, 0.01)
    assert sound.all()
    assert (found.slopes[:, 3] == 0).all()
    without = solve(Sample(design, targets), COUNTS, 0.01).coefficients
    np.testing.assert_allclose(found.slopes[:, :3], without.slopes, rtol=1e-9)


@pytest.mark.parametrize("kind", ["still", "twice", "nearly twice", "still at first"])
def test_what_cannot_be_told_apart_is_fitted_one_by_one(kind: str) -> None:
    design, targets = simulated()
    noise = np.random.default_rng(0).standard_normal(300)
    column = {
        "still": np.zeros(300),
        "twice": 2 * design[:, 0],
        "nearly twice": design[:, 0] + 1e-6 * noise,
        "still at first": np.where(np.arange(300) < 80, 0.0, noise),
    }[kind]
    sample = Sample(np.column_stack([design, column]), targets)
    assert not solve(sample, COUNTS).sound[0]
    recipe = LeastSquares("x", ("mean_1", "mean_5", "mean_22", "ewma_0.9"), "logs", 22)
    together = recipe.coefficients_each(sample, COUNTS)
    alone = [recipe.coefficients(sample.first(count)) for count in COUNTS]
    for at, one in enumerate(alone):
        own = together.at(at)
        fitted = own.intercept + sample.design @ own.slopes
        np.testing.assert_allclose(fitted, one.intercept + sample.design @ one.slopes, rtol=1e-8)


@pytest.mark.parametrize("scale", ["logs", "levels"])
def test_variances_of_residuals_are_those_of_one_fit_alone(scale: Scale) -> None:
    sample = simulated()
    recipe = LeastSquares("x", ("mean_1", "mean_5", "mean_22"), scale, 22)
    together = recipe.coefficients_each(sample, COUNTS).residual_variance
    alone = [float(recipe.coefficients(sample.first(it)).residual_variance) for it in COUNTS]
    np.testing.assert_allclose(together, alone, rtol=1e-8)
    assert (together == 0).all() == (scale == "levels")


def test_later_rows_change_no_earlier_fit() -> None:
    sample = simulated()
    changed = Sample(sample.design.copy(), sample.targets.copy())
    changed.design[90:] *= -3.0
    changed.targets[90:] += 5.0
    before, after = (solve(it, COUNTS).coefficients for it in (sample, changed))
    shorter = solve(sample.first(90), COUNTS[:3]).coefficients
    for part, other, short in zip(before, after, shorter, strict=True):
        assert (part[:3] == other[:3]).all()
        assert (part[:3] == short).all()
        assert (part[3:] != other[3:]).all()


@pytest.mark.parametrize("unit", [1.0, 1e-5])
def test_each_fit_has_weights_of_its_own(unit: float) -> None:
    sample = simulated(unit=unit)
    weights = np.exp(2 * np.random.default_rng(1).standard_normal((len(COUNTS), 300))) / unit**2
    found, sound = solve_weighted(sample, COUNTS, weights)
    assert sound.all()
    for at, count in enumerate(COUNTS):
        alone = least_squares(*sample.first(count), weights[at, :count])
        np.testing.assert_allclose(found.slopes[at], alone.coefficients, rtol=1e-10)
        np.testing.assert_allclose(found.intercept[at], alone.intercept, rtol=1e-10)
    weights[:, 90:] = 7.0  # of rows that the first three fits do not see
    again = solve_weighted(sample, COUNTS, weights).coefficients
    assert (again.slopes[:3] == found.slopes[:3]).all()
    assert not np.allclose(again.slopes[3], found.slopes[3])
