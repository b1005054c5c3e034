import numpy as np
import pytest

from volatility.evaluation.influence import Influence, influence

DATES = np.datetime64("2020-01-01") + np.arange(5)


def test_by_hand():
    # Differences 1, -1, 1, -1, 10: mean 2; squares 1, 9, 1, 9, 64 of 84.
    losses = np.array([3.0, 1.0, 3.0, 1.0, 12.0])
    result = influence(losses, np.full(5, 2.0), DATES)
    assert result.share == pytest.approx(64 / 84)
    assert result.date == np.datetime64("2020-01-05")
    assert result.qlike_ratio_without == pytest.approx(1.0)


def test_the_same_losses_have_no_such_day():
    losses = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert influence(losses, losses, DATES) == Influence(0.0, None, 1.0)


def test_equal_days_share_alike():
    result = influence(np.array([1.0, -1.0, 1.0, -1.0]) + 3, np.full(4, 3.0), DATES[:4])
    assert result.share == pytest.approx(1 / 4)


def test_a_benchmark_without_a_loss_gives_no_ratio():
    # Without the last day, on which both lose, the benchmark has forecast all days exactly.
    losses, none = np.array([1.0, 1.0, 1.0, 1.0, 9.0]), np.zeros(5)
    result = influence(losses, np.array([0.0, 0.0, 0.0, 0.0, 3.0]), DATES)
    assert result.date == np.datetime64("2020-01-05")
    assert np.isnan(result.qlike_ratio_without)
    assert np.isnan(influence(none, none, DATES).qlike_ratio_without)
