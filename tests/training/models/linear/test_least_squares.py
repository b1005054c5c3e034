import numpy as np
import pytest

from training.models.linear.least_squares import least_squares, relative_weights


def test_a_line_by_hand() -> None:
    # Through (0, 1), (1, 3), (2, 4): slope 3/2, intercept 7/6; residuals -1/6, 1/3, -1/6.
    found = least_squares(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 4.0]))
    assert found.coefficients == pytest.approx([1.5])
    assert found.intercept == pytest.approx(7 / 6)
    assert found.residuals == pytest.approx([-1 / 6, 1 / 3, -1 / 6])


def test_a_weighted_line_by_hand() -> None:
    # The middle point counts twice: as through (0, 1), (1, 3), (1, 3), (2, 4), with means
    # 1 and 11/4: slope (1 * 7/4 + 1 * 5/4) / 2 = 3/2, intercept 11/4 - 3/2 = 5/4.
    weights = np.array([1.0, 2.0, 1.0])
    found = least_squares(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 4.0]), weights)
    assert found.coefficients == pytest.approx([1.5])
    assert found.intercept == pytest.approx(5 / 4)
    assert found.residuals == pytest.approx([-1 / 4, 1 / 4, -1 / 4])  # unweighted


def test_a_regressor_that_never_moves_gets_nothing() -> None:
    design = np.column_stack([[0.0, 1.0, 2.0], np.zeros(3)])  # as jumps, where there were none
    found = least_squares(design, np.array([1.0, 2.0, 3.0]))
    assert found.coefficients == pytest.approx([1.0, 0.0])
    assert found.intercept == pytest.approx(1.0)


def test_relative_weights_by_hand() -> None:
    targets = np.linspace(1.0, 101.0, 101)  # 1 % quantile: 2
    fitted = np.array([4.0, 2.0, 1.0, 0.0, -5.0])
    assert relative_weights(fitted, targets) == pytest.approx([1 / 16, 1 / 4, 1 / 4, 1 / 4, 1 / 4])


def test_small_regressors_beside_the_constant_count() -> None:
    """As a quarticity where rv is 1e-7: its coefficient was 0, and HARQ was HAR."""
    rng = np.random.default_rng(0)
    design, errors = rng.lognormal(size=(200, 2)), rng.normal(size=200)
    targets = 1 + design @ [2.0, 3.0] + errors
    usual = least_squares(design, targets)
    units = np.array([1e-7, 1e-14])
    small = least_squares(units * design, 1e-7 * targets)
    assert small.coefficients * units / 1e-7 == pytest.approx(usual.coefficients)
    assert small.intercept / 1e-7 == pytest.approx(usual.intercept)
