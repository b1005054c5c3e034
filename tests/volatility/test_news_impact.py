import math

import numpy as np
import pytest

from volatility.measures.daily import garman_klass
from volatility.news_impact import expected_overshoot, session_of, shocks

DAY = np.datetime64("2021-02-03")
SIGMA = 0.02


def test_a_path_that_returns_nothing_has_the_range_of_a_bridge() -> None:
    [beyond] = expected_overshoot(np.array([0.0]), SIGMA)
    assert 2 * beyond == pytest.approx(SIGMA * math.sqrt(math.pi / 2))


def test_the_overshoot_is_that_of_simulated_paths() -> None:
    rng = np.random.default_rng(5)
    steps, end = 1_000, 0.03
    walk = np.cumsum(rng.normal(0, SIGMA / math.sqrt(steps), (2_000, steps)), axis=1)
    bridge = walk + (end - walk[:, -1:]) * np.arange(1, steps + 1) / steps
    # A path that is seen at steps misses 0.5826 standard deviations of one (Broadie et al., 1997).
    seen = np.maximum(bridge.max(axis=1), 0) - end + 0.5826 * SIGMA / math.sqrt(steps)
    [beyond] = expected_overshoot(np.array([end]), SIGMA)
    assert beyond == pytest.approx(seen.mean(), abs=4 * seen.std() / math.sqrt(len(seen)))


def test_a_fall_is_a_rise_mirrored() -> None:
    rise, fall = (session_of(DAY, 50.0, it, SIGMA) for it in (0.03, -0.03))
    assert rise.close[0] == pytest.approx(50.0 * math.exp(0.03))
    assert fall.low[0] * rise.high[0] == pytest.approx(50.0**2)
    assert fall.high[0] * rise.low[0] == pytest.approx(50.0**2)
    for bar in (rise, fall):
        assert bar.open[0] == 50.0
        assert bar.low[0] < min(bar.open[0], bar.close[0])
        assert bar.high[0] > max(bar.open[0], bar.close[0])
        assert bar.dates[0] == DAY
        assert bar.is_daily


def test_the_farther_a_return_the_more_variance_it_stands_for() -> None:
    returns = shocks(SIGMA)
    assert returns[0] == pytest.approx(-0.08)
    assert returns[len(returns) // 2] == 0.0
    bars = [session_of(DAY, 50.0, it, SIGMA) for it in returns.tolist()]
    rv = [garman_klass(it.open, it.high, it.low, it.close)[0] for it in bars]
    middle = len(rv) // 2
    assert (np.diff(rv[middle:]) > 0).all()
    assert rv == pytest.approx(rv[::-1])
    # Close to that of the volatility that was expected, for a return of that size.
    assert rv[middle + 4] == pytest.approx(SIGMA**2, rel=0.25)
