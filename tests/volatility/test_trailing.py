"""Exponential means over histories of any length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility import trailing


def padded(values, sessions):
    window = np.full(sessions, np.nan)
    window[sessions - len(values) :] = values
    return window[None, :]


def test_an_exponential_mean_by_hand():
    # centre of mass 1: weights 1/4, 1/2, 1, of sum 7/4
    assert trailing.exponential_mean(np.array([[4.0, 2.0, 7.0]]), 1.0) == pytest.approx(
        [(1 + 1 + 7) / 1.75]
    )


def test_what_is_missing_counts_in_nothing():
    short = trailing.exponential_mean(padded([2.0, 7.0], 5), 1.0)
    assert short == pytest.approx([(1 + 7) / 1.5])
    assert np.isnan(trailing.exponential_mean(np.full((1, 5), np.nan), 1.0)).all()


@given(st.integers(1, 60), st.integers(1, 40), st.sampled_from([1.0, 5.0, 25.0, 125.0]))
def test_a_row_has_the_same_bits_alone_and_among_others(length, rows, centre):
    rng = np.random.default_rng(length)
    windows = rng.normal(size=(rows, 60))
    windows[0, : 60 - length] = np.nan
    together = trailing.exponential_mean(windows, centre)
    assert trailing.exponential_mean(windows[:1].copy(), centre)[0] == together[0]


def test_the_centre_of_mass_is_the_mean_age():
    weights = trailing.exponential_weights(25.0, 5_000)
    assert weights @ np.arange(5_000)[::-1] / weights.sum() == pytest.approx(25.0)


def test_returns_are_measured_by_no_less_than_a_share_of_rv():
    returns, rv, there = np.zeros((1, 30)), np.full((1, 30), 4e-4), np.ones((1, 30), bool)
    assert trailing.mean_square(returns, rv, there) == pytest.approx([4e-6])
    assert trailing.mean_square(returns + 0.02, rv, there) == pytest.approx([4e-4])
