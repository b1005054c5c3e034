import numpy as np
import pytest

from volatility.cone import PROBABILITIES, WINDOWS, volatility_cone
from volatility.errors import HistoryTooShort

RV = np.array([1.0, 4.0, 9.0, 16.0, 25.0]) * 1e-4  # volatilities of 1, 2, 3, 4 and 5 %


def test_a_cone_by_hand() -> None:
    first, second = volatility_cone(RV, windows=(1, 2, 3), probabilities=(0.0, 0.5, 1.0))
    assert (first.window, first.nobs) == (1, 5)
    assert first.quantiles == pytest.approx((0.01, 0.03, 0.05))
    assert first.newest == pytest.approx(0.05)
    assert first.rank == 1.0
    # Means of two: 2.5, 6.5, 12.5 and 20.5, whose median lies between the middle two, in roots.
    roots = np.sqrt(np.array([2.5, 6.5, 12.5, 20.5]) * 1e-4)
    assert (second.window, second.nobs) == (2, 4)
    assert second.quantiles == pytest.approx((roots[0], roots[1:3].mean(), roots[3]))


def test_the_rank_counts_windows_up_to_the_newest() -> None:
    [row] = volatility_cone(np.array([4.0, 1.0, 9.0, 4.0]), windows=(1,))
    assert row.rank == 0.75  # itself, the same before, and the lower one


@pytest.mark.parametrize(("nobs", "longest"), [(503, 126), (504, 252)])
def test_a_window_is_kept_that_the_history_holds_twice(nobs: int, longest: int) -> None:
    rows = volatility_cone(np.full(nobs, 1e-4))
    assert [it.window for it in rows] == [it for it in WINDOWS if it <= longest]


def test_quantiles_of_a_quiet_end_do_not_fall_below_zero() -> None:
    rv = np.concatenate([np.full(50, 1e6), np.full(50, 1e-12)])
    for row in volatility_cone(rv, probabilities=PROBABILITIES):
        assert np.isfinite(row.quantiles).all()
        assert list(row.quantiles) == sorted(row.quantiles)


def test_scaling_returns_scales_the_cone() -> None:
    rv = np.random.default_rng(3).gamma(2.0, 1e-4, 60)
    for row, twice in zip(volatility_cone(rv), volatility_cone(4 * rv), strict=True):
        assert np.array(twice.quantiles) == pytest.approx(2 * np.array(row.quantiles))
        assert twice.rank == row.rank


def test_one_session_is_too_short() -> None:
    with pytest.raises(HistoryTooShort, match="at least 2 sessions; got 1"):
        volatility_cone(RV[:1])
