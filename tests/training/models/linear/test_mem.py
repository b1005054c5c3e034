"""Gamma regression with log link against statsmodels, and where it must not fail."""

import numpy as np
import pytest
import statsmodels.api as sm

from tests.training.simulated import small_config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.mem import GammaRegression, gamma_regression, mem
from training.models.linear.regression import Sample
from volatility.arrays import FloatArray

TRUTH = np.array([-0.8, 0.6, 0.3, -0.2])


def simulated(nobs: int, shape: float = 2.0) -> tuple[FloatArray, FloatArray]:
    """Regressors, and Gamma targets of known log mean."""
    rng = np.random.default_rng(5)
    design = rng.normal([-9.0, -9.0, 0.0], [1.0, 0.7, 0.5], (nobs, 3))
    mean = np.exp(TRUTH[0] + design @ TRUTH[1:])
    return design, mean * rng.gamma(shape, 1 / shape, nobs)


def recipe(cap: float) -> GammaRegression:
    return GammaRegression("x", ("mean_1", "mean_5", "mean_22"), "logs", 22, cap=cap)


def mean_qlike(design: FloatArray, targets: FloatArray, found: FloatArray) -> float:
    log_mean = found[0] + design @ found[1:]
    return float(np.mean(targets * np.exp(-log_mean) + log_mean))


@pytest.mark.parametrize("nobs", [60, 2_000])
def test_it_is_the_glm_of_statsmodels(nobs: int) -> None:
    design, targets = simulated(nobs)
    found = gamma_regression(design, targets, np.zeros(4))
    family = sm.families.Gamma(sm.families.links.Log())
    reference = sm.GLM(targets, sm.add_constant(design), family).fit(tol=1e-12, maxiter=200)
    np.testing.assert_allclose(found, reference.params, rtol=1e-7)


def test_known_coefficients_are_recovered() -> None:
    design, targets = simulated(20_000)
    found = recipe(cap=100.0).coefficients(Sample(design, np.log(targets)))
    # Each deviation of a slope is sqrt(1/2 / 20,000) over that of its regressor: .005 to .01.
    np.testing.assert_allclose(found.slopes, TRUTH[1:], atol=0.03)
    assert found.residual_variance == 0
    fitted = np.exp(found.intercept + design @ found.slopes)
    assert np.mean(targets / fitted) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "start", [np.zeros(4), np.array([60.0, 5, -5, 30]), np.array([-300.0, -20, 9, 80])]
)
def test_no_start_makes_it_diverge(start: FloatArray) -> None:
    design, targets = simulated(500)
    targets[7] *= 1e6  # a print that no model expects
    found = gamma_regression(design, targets, start)
    np.testing.assert_allclose(
        found, gamma_regression(design, targets, TRUTH), rtol=1e-6, atol=1e-8
    )
    for entry in np.eye(4):
        for step in (-1e-3, 1e-3):
            beside = mean_qlike(design, targets, found + step * entry)
            assert mean_qlike(design, targets, found) < beside


def test_regressors_that_cannot_be_told_apart_do_no_harm() -> None:
    design, targets = simulated(500)
    known = gamma_regression(design, targets, np.zeros(4))
    doubled = np.column_stack([design, design[:, 0], np.full(500, 3.0)])
    found = gamma_regression(doubled, targets, np.zeros(6))
    fitted = found[0] + doubled @ found[1:]
    np.testing.assert_allclose(fitted, known[0] + design @ known[1:], atol=1e-6)


def test_one_print_does_not_decide() -> None:
    design, targets = simulated(500)
    crash = targets.copy()
    crash[100] *= 1_000
    logs, crashed = np.log(targets), np.log(crash)
    before, after, uncapped = (
        model.coefficients(Sample(design, values))
        for model, values in ((recipe(6.0), logs), (recipe(6.0), crashed), (recipe(1e9), crashed))
    )
    at_mean = design.mean(axis=0)
    level, lifted, ruined = (it.intercept + at_mean @ it.slopes for it in (before, after, uncapped))
    assert abs(lifted - level) < 0.03
    assert ruined - level > 0.5


def test_a_target_counts_as_so_many_times_the_mean_that_was_expected() -> None:
    # Logs 0, 0, 0, 4 and nothing that tells them apart: mean 1, squared residuals 12 over
    # 4 - 1 - 1 degrees 6. The mean of rv is exp(1 + 6 / 2), and a cap of 1 / e makes 4 a 3.
    model = GammaRegression("x", ("mean_1",), "logs", 22, cap=np.exp(-1))
    found = model.coefficients(Sample(np.zeros((4, 1)), np.array([0.0, 0.0, 0.0, 4.0])))
    assert found.intercept == pytest.approx(np.log((3 + np.exp(3)) / 4))


def test_each_fit_of_a_growing_sample_is_the_one_it_is_alone() -> None:
    design, targets = simulated(400)
    sample, counts = Sample(design, np.log(targets)), np.array([100, 122, 400])
    each = recipe(6.0).coefficients_each(sample, counts)
    for at, count in enumerate(counts):
        alone = recipe(6.0).coefficients(sample.first(count))
        np.testing.assert_allclose(each.slopes[at], alone.slopes, rtol=1e-7)
        np.testing.assert_allclose(each.intercept[at], alone.intercept, rtol=1e-7)


def test_the_recipe_models_the_mean_without_the_calendar() -> None:
    model = mem(small_config())
    assert isinstance(model, CalendarAdjusted)
    assert isinstance(model.inner, GammaRegression)
    assert model.hyperparameters["target_cap"] == model.inner.cap
