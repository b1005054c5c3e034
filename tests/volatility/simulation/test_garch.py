"""Variance that only losses raise: its recursion, and its mean."""

import numpy as np
import pytest

from volatility.simulation.garch import gjr_bars


def test_a_session_follows_the_loss_of_the_one_before() -> None:
    """One return in a session: its square is rv, and variance is what it came from."""
    constant, loss, persistence = 1e-5, 0.3, 0.8
    returns, rv = gjr_bars(
        50,
        np.random.default_rng(4),
        constant=constant,
        loss=loss,
        persistence=persistence,
        steps=1,
    )
    np.testing.assert_allclose(rv, returns**2)
    noise = np.random.default_rng(4).standard_normal((50, 1))[:, 0]
    variance = (returns / noise) ** 2
    assert variance[0] == pytest.approx(constant / (1 - 0.15 - 0.8))
    falls = np.where(returns < 0, returns, 0.0)
    expected = constant + loss * falls[:-1] ** 2 + persistence * variance[:-1]
    np.testing.assert_allclose(variance[1:], expected)
    assert (falls < 0).any()
    assert (falls == 0).any()


def test_steps_add_up_to_the_session() -> None:
    rng = np.random.default_rng(5)
    returns, rv = gjr_bars(4_000, rng)
    assert returns.shape == rv.shape == (4_000,)
    usual = 2e-6 / (1 - 0.09 - 0.89)  # as estimated on the S&P 500: 1 % a day
    assert np.sqrt(rv.mean()) == pytest.approx(np.sqrt(usual), rel=0.3)
    # Of 78 returns rv is known to a sixth: its log deviates by about sqrt(2 / 78).
    assert (returns**2).mean() == pytest.approx(rv.mean(), rel=0.15)
    assert not np.allclose(rv, returns**2)
    rng = np.random.default_rng(5)
    again = gjr_bars(4_000, rng, constant=2e-6, loss=0.18, persistence=0.89, steps=78)
    np.testing.assert_array_equal(again[1], rv)
