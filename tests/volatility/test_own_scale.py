"""An asset's own scale, which one print must not set."""

import numpy as np
import pytest

from volatility.own_scale import (
    FEWEST,
    LARGEST_RATIO,
    OUTCOMES,
    SHRINKAGE,
    capped,
    log_scale,
    rolling_log_scales,
)


def test_a_scale_by_hand():
    ratios = np.full(100, 2.0)
    expected = np.log((200 + SHRINKAGE) / (100 + SHRINKAGE))
    assert log_scale(ratios, 1.0) == pytest.approx(expected)
    assert log_scale(np.full(100, 0.9), 0.9) == pytest.approx(0.0)


def test_few_outcomes_say_nothing():
    assert log_scale(np.full(FEWEST - 1, 3.0), 1.0) == 0.0
    assert log_scale(np.append(np.full(FEWEST - 1, 3.0), np.nan), 1.0) == 0.0


def test_one_print_says_no_more_than_six_ordinary_sessions():
    calm = np.ones(999)
    crash = np.append(calm, 5_000.0)
    assert log_scale(crash, 1.0) == log_scale(np.append(calm, LARGEST_RATIO), 1.0)
    assert capped(np.array([np.nan, 7.0]))[1] == LARGEST_RATIO


@pytest.mark.parametrize("horizon", [1, 5])
def test_rolling_scales_are_those_of_what_was_known(horizon):
    rng = np.random.default_rng(0)
    ratios = np.exp(rng.normal(size=OUTCOMES + 300))
    ratios[rng.random(len(ratios)) < 0.05] = np.nan
    rolling = rolling_log_scales(ratios, 1.3, horizon)
    for session in (0, 30, 60, 500, OUTCOMES + 299):
        known = ratios[: max(0, session - horizon + 1)]
        assert rolling[session] == pytest.approx(log_scale(known, 1.3), abs=1e-12)


def test_the_future_changes_no_scale():
    ratios = np.exp(np.random.default_rng(1).normal(size=400))
    later = ratios.copy()
    later[200:] = 9.0
    np.testing.assert_array_equal(
        rolling_log_scales(ratios, 1.0, 1)[:201], rolling_log_scales(later, 1.0, 1)[:201]
    )
