import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst.dfa import expectation_coefficients, squared_fluctuation


def test_fluctuation_by_hand():
    # Two windows of three, laid twice: (0, 1, 0) and (2, 4, 6). Line through the first is flat at
    # 1/3: residuals -1/3, 2/3, -1/3, squares add to 2/3; the second is a line. 2/3 over 6 values.
    path = np.array([0.0, 1, 0, 2, 4, 6])
    assert squared_fluctuation(path, 3) == pytest.approx(2 / 3 / 6)


def test_fluctuation_is_that_of_fitted_lines():
    path = brownian_paths(0.3)[0][:1_000]
    windows = path.reshape(-1, 20)
    time = np.arange(20)
    residuals = [window - np.polyval(np.polyfit(time, window, 1), time) for window in windows]
    assert squared_fluctuation(path, 20) == pytest.approx(np.mean(np.square(residuals)))


@pytest.mark.parametrize("hurst", [0.1, 0.5])
def test_expectation_is_exact(hurst):
    scales = (5, 17, 64)
    lags = np.arange(1.0, 64)
    expected = expectation_coefficients(scales) @ lags ** (2 * hurst)
    found = [
        np.mean([squared_fluctuation(path, scale) for path in brownian_paths(hurst)])
        for scale in scales
    ]
    np.testing.assert_allclose(found, expected, rtol=0.02)
