import numpy as np
import pytest
from scipy import special

from volatility.hurst.special import digamma, trigamma


def test_against_scipy():
    x = np.array([0.5, 1.0, 2.5, 11.0, 37.5, 144.0, 1e5])
    np.testing.assert_allclose(digamma(x), special.digamma(x), rtol=1e-10)
    np.testing.assert_allclose(trigamma(x), special.polygamma(1, x), rtol=1e-10)


def test_known_values():
    # trigamma(1/2) = pi²/2, digamma(1) = -Euler's constant
    assert trigamma(np.array(0.5)) == pytest.approx(np.pi**2 / 2, rel=1e-10)
    assert digamma(np.array(1.0)) == pytest.approx(-np.euler_gamma, rel=1e-10)
