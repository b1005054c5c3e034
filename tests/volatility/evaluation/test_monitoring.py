"""A promise that holds raises no alarm for decades; one that is broken does within weeks."""

import numpy as np
import pytest

from tests.errors import details
from volatility.errors import InvalidSeries
from volatility.evaluation.monitoring import THRESHOLD, TOLERANCE, watch

YEAR = 252


def test_by_hand() -> None:
    """Three bets, with shares of 0.1, 0.3 and 0.6, on values in units of what is let pass."""
    promised = 1 / (1 + TOLERANCE)
    first = np.array([1.1, 1.3, 1.6])  # after a value of 2: 1 + share * (2 - 1)
    second = (1 + first) * np.array([0.95, 0.85, 0.7])  # after one of 0.5
    assert watch(np.array([2.0, 0.5]), promised).strength == pytest.approx(
        second.mean() / THRESHOLD, rel=1e-14
    )


def test_an_alarm_is_raised_when_the_threshold_is_reached_and_bets_begin_anew() -> None:
    """With values of 40 times what is let pass: 24.4 a step at the largest share, and so on."""
    values = np.full(9, 40.0 * (1 + TOLERANCE))
    owned, reached = np.zeros(3), []
    for step in range(9):
        owned = (1 + owned) * (1 + np.array([0.1, 0.3, 0.6]) * 39)
        if owned.mean() >= THRESHOLD:
            reached.append(step)
            owned = np.zeros(3)
    found = watch(values, 1.0)
    assert found.at == tuple(reached) == (3, 7)
    assert found.strength == pytest.approx(owned.mean() / THRESHOLD, rel=1e-13)


def test_nothing_raises_nothing() -> None:
    assert watch(np.empty(0), 0.2) == ((), 0.0)


@pytest.mark.parametrize("promised", [0.05, 0.2])
def test_false_alarms_are_as_rare_as_is_said(promised: float) -> None:
    """400 lives of four years in which all that is let pass is used up: at most 1 in 10."""
    rng = np.random.default_rng(5)
    lives = rng.random((400, 4 * YEAR)) < promised * (1 + TOLERANCE)
    alarmed = np.mean([bool(watch(it.astype(float), promised).at) for it in lives])
    assert 0.01 < alarmed <= 4 * YEAR / 10_080  # 0.1; the deviation of 400 lives is 0.015


def test_calm_decades_raise_nothing() -> None:
    calm = np.random.default_rng(9).random((20, 20 * YEAR)) < 0.2
    assert not any(watch(it.astype(float), 0.2).at for it in calm)


def test_bad_quarters_that_are_let_pass_raise_as_little() -> None:
    """Misses of 10 and 30 % by turns of 75 sessions: 20 % over years, and never above 30."""
    rng, lives = np.random.default_rng(6), []
    for _ in range(200):
        probability = np.where((np.arange(5 * YEAR) // 75 + rng.integers(2)) % 2, 0.1, 0.3)
        lives.append(bool(watch((rng.random(5 * YEAR) < probability).astype(float), 0.2).at))
    assert np.mean(lives) <= 5 * YEAR / THRESHOLD


def test_a_bad_year_raises_an_alarm_though_the_mean_over_years_holds() -> None:
    rng = np.random.default_rng(10)
    probability = np.full(10 * YEAR, 0.15)
    probability[4 * YEAR : 5 * YEAR] = 0.6
    found = watch((rng.random(10 * YEAR) < probability).astype(float), probability.mean()).at
    assert found
    assert all(4 * YEAR < it < 5 * YEAR + 60 for it in found)


def test_a_spread_that_comes_in_clusters_raises_no_more() -> None:
    rng = np.random.default_rng(6)
    size = np.exp(0.98 ** np.arange(40) @ rng.normal(size=(40, 20 * YEAR)) * 0.2)
    values = rng.gamma(1 / size) * size  # mean 1, whatever the size
    assert watch(values, 1.0).at == ()


@pytest.mark.parametrize(("missed", "within"), [(0.5, 150), (0.4, 500)])
def test_intervals_that_miss_too_often_are_found(missed: float, within: int) -> None:
    rng = np.random.default_rng(7)
    lives = rng.random((100, within)) < missed
    found = np.mean([bool(watch(it.astype(float), 0.2).at) for it in lives])
    assert found > 0.9


def test_losses_that_triple_are_found_from_the_break_on() -> None:
    """Ten calm years before it do not hide it."""
    rng = np.random.default_rng(8)
    errors = rng.normal(scale=0.6, size=10 * YEAR + 120)
    losses = np.exp(errors) - errors - 1
    mean = losses[: 10 * YEAR].mean()
    losses[10 * YEAR :] *= 3
    first = watch(losses, mean).at[0]
    assert 10 * YEAR < first < 10 * YEAR + 100


def test_only_what_is_above_is_found() -> None:
    found = watch(np.zeros(10_000), 0.2)
    assert found.at == ()
    assert 0 < found.strength < 1e-3


@pytest.mark.parametrize("values", [[0.1, -1e-9], [np.nan], [0.3, np.inf]])
def test_values_that_are_no_losses_are_refused(values: list[float]) -> None:
    with pytest.raises(InvalidSeries, match="numbers of at least 0") as refused:
        watch(np.array(values), 0.2)
    found = str(np.array(values)[-1])
    assert details(refused.value) == ("values", found, "losses, or 0 and 1")


@pytest.mark.parametrize("promised", [0.0, -0.1, np.nan, np.inf])
def test_nothing_can_be_promised_of_nothing(promised: float) -> None:
    with pytest.raises(InvalidSeries, match="cannot be watched") as refused:
        watch(np.array([0.1]), promised)
    assert repr(details(refused.value)) == repr(("promised", promised, "a number above 0"))
