"""An asset's own scale, which one print must not set."""

import numpy as np
import pytest

from volatility.own_scale import (
    FEWEST,
    LARGEST_RATIO,
    OUTCOMES,
    SHRINKAGE,
    capped,
    log_scales,
)


def at_end(known, capped_mean):
    """What so many known ratios say, the next forecast's outcome not being among them."""
    return log_scales(np.append(known, np.nan), capped_mean, 1)[-1]


def test_a_scale_by_hand():
    ratios = np.full(100, 2.0)
    expected = np.log((200 + SHRINKAGE) / (100 + SHRINKAGE))
    assert at_end(ratios, 1.0) == pytest.approx(expected)
    assert at_end(np.full(100, 0.9), 0.9) == pytest.approx(0.0)


def test_few_outcomes_say_nothing():
    assert at_end(np.full(FEWEST - 1, 3.0), 1.0) == 0.0
    assert at_end(np.append(np.full(FEWEST - 1, 3.0), np.nan), 1.0) == 0.0
    assert at_end(np.full(FEWEST, 3.0), 1.0) > 0.0


def test_one_print_says_no_more_than_six_ordinary_sessions():
    calm = np.ones(999)
    crash = np.append(calm, 5_000.0)
    assert at_end(crash, 1.0) == at_end(np.append(calm, LARGEST_RATIO), 1.0)
    assert capped(np.array([np.nan, 7.0]))[1] == LARGEST_RATIO


@pytest.mark.parametrize("horizon", [1, 5])
def test_rolling_scales_are_those_of_what_was_known(horizon):
    rng = np.random.default_rng(0)
    ratios = np.exp(rng.normal(size=OUTCOMES + 300))
    ratios[rng.random(len(ratios)) < 0.05] = np.nan
    rolling = log_scales(ratios, 1.3, horizon)
    for session in (0, 30, 60, 500, OUTCOMES + 299):
        told = ratios[: max(0, session - horizon + 1)]
        known = np.minimum(told[~np.isnan(told)][-OUTCOMES:], LARGEST_RATIO)
        mean = (known.sum() + SHRINKAGE * 1.3) / (len(known) + SHRINKAGE)
        expected = np.log(mean / 1.3) if len(known) >= FEWEST else 0.0
        assert rolling[session] == pytest.approx(expected, abs=1e-12)


def test_the_future_changes_no_scale():
    ratios = np.exp(np.random.default_rng(1).normal(size=400))
    later = ratios.copy()
    later[200:] = 9.0
    np.testing.assert_array_equal(log_scales(ratios, 1.0, 1)[:201], log_scales(later, 1.0, 1)[:201])
