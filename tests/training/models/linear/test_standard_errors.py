import numpy as np
import pytest

from training.models.linear.standard_errors import newey_west


def test_small_regressors_beside_the_constant_have_standard_errors() -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([np.ones(200), rng.lognormal(size=(200, 2))])
    residuals = rng.normal(size=200)
    units = np.array([1.0, 1e-7, 1e-14])
    small = newey_west(rows * units, residuals, lags=3)
    assert small * np.outer(units, units) == pytest.approx(newey_west(rows, residuals, lags=3))


def test_a_standard_error_by_hand() -> None:
    # x = -1, 0, 1 with residuals 1, -2, 1 and no lag: sum of x² e² = 2, of x² = 2, so that the
    # slope has 2 / 2² * 3 / (3 - 2) = 1.5; the constant (1 + 4 + 1) / 3² * 3 = 2.
    rows = np.array([[1.0, -1.0], [1.0, 0.0], [1.0, 1.0]])
    found = newey_west(rows, np.array([1.0, -2.0, 1.0]), lags=0)
    assert np.diag(found) == pytest.approx([2.0, 1.5])
