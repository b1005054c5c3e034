import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility.errors import InvalidInput, TooFewObservations
from volatility.measures import columns
from volatility.measures.columns import DAILY_COLUMNS, INTRADAY_COLUMNS
from volatility.measures.intraday import realized_variance, tripower_quarticity

FIVE = np.array([[0.01, -0.02, 0.03, -0.01, 0.02]])

# A tenth of a percent is a realistic grid, and keeps sums of squares away from underflow.
returns = st.lists(st.integers(-80, 80), min_size=3, max_size=24).map(
    lambda steps: np.array([steps]) / 1000
)


def calm_day_with_jump(size: float) -> np.ndarray:
    """23 returns of 1 % and one of ``size`` in the middle of the day."""
    day = np.full((1, 24), 0.01)
    day[0, 12] = size
    return day


def column(name: str, day: np.ndarray) -> float:
    return INTRADAY_COLUMNS[name](day).item()


def test_the_return_of_a_daily_bar_is_from_close_to_close():
    # Previous close 100, open 101, close 110; then no previous close: from open 50 to close 55.
    sessions = np.array([[100, 101, 112, 100, 110], [np.nan, 50, 56, 49, 55]])
    assert DAILY_COLUMNS["return"](sessions) == pytest.approx([np.log(1.1)] * 2, rel=1e-14)
    # The night before: from 100 to 101, and not known.
    night = DAILY_COLUMNS["overnight_return"](sessions)
    assert night == pytest.approx([np.log(1.01), 0], rel=1e-12)


def test_columns_of_intraday_returns_by_hand():
    # 0.01 - 0.02 + 0.03 - 0.01 + 0.02
    assert column("return", FIVE) == pytest.approx(0.03, rel=1e-14)
    # (4 + 1) and (1 + 9 + 4) times 1e-4
    assert column("negative_semivariance", FIVE) == pytest.approx(5e-4, rel=1e-14)
    assert column("positive_semivariance", FIVE) == pytest.approx(14e-4, rel=1e-14)
    # pi / 2 * (1 * 2 + 2 * 3 + 3 * 1 + 1 * 2) * 1e-4
    assert column("bipower_variation", FIVE) == pytest.approx(np.pi / 2 * 13e-4, rel=1e-14)
    # 5 / 3 * (1 + 16 + 81 + 1 + 16) * 1e-8
    assert column("realized_quarticity", FIVE) == pytest.approx(5 / 3 * 115e-8, rel=1e-14)
    # RV is 19e-4, below the bipower variation of 20.4e-4.
    assert column("jump", FIVE) == 0.0
    assert column("significant_jump", FIVE) == 0.0
    assert column("continuous", FIVE) == pytest.approx(19e-4, rel=1e-14)


def test_tripower_quarticity_by_hand():
    # mu = E|Z|^(4/3) = 2^(2/3) Gamma(7/6) / Gamma(1/2) = 1.5874 * 0.92772 / 1.77245 = 0.83086;
    # the products of three are 6, 6, 6 (times 1e-6), so 5 / 0.83086^3 * 3 * 6^(4/3) * 1e-8.
    expected = 5 / 0.83086093**3 * 3 * 6 ** (4 / 3) * 1e-8
    assert tripower_quarticity(FIVE).item() == pytest.approx(expected, rel=1e-6)


def test_a_jump_by_hand():
    # RV = 23 + 121 = 144, BV = pi / 2 * (21 * 1 + 2 * 11) = 67.54, both times 1e-4;
    # TQ / BV^2 < 1, so Z = sqrt(24) * (144 - 67.54) / 144 / sqrt(pi^2 / 4 + pi - 5)
    #                     = 4.899 * 0.5310 / 0.7804 = 3.333, above 3.090.
    day = calm_day_with_jump(0.11)
    bipower = np.pi / 2 * 43e-4
    statistic = np.sqrt(24) * (1 - bipower / 144e-4) / np.sqrt(np.pi**2 / 4 + np.pi - 5)
    assert statistic == pytest.approx(3.333, abs=1e-3)
    assert columns.jump_statistic(day).item() == pytest.approx(statistic, rel=1e-12)
    assert column("jump", day) == pytest.approx(144e-4 - bipower, rel=1e-12)
    assert column("significant_jump", day) == pytest.approx(144e-4 - bipower, rel=1e-12)
    assert column("continuous", day) == pytest.approx(bipower, rel=1e-12)


def test_a_jump_that_is_not_significant_belongs_to_the_continuous_part():
    # RV = 123, BV = pi / 2 * 41 = 64.40: Z = 4.899 * 0.4764 / 0.7804 = 2.991, below 3.090.
    day = calm_day_with_jump(0.10)
    assert columns.jump_statistic(day).item() == pytest.approx(2.991, abs=1e-3)
    assert column("jump", day) == pytest.approx(123e-4 - np.pi / 2 * 41e-4, rel=1e-12)
    assert column("significant_jump", day) == 0.0
    assert column("continuous", day) == pytest.approx(123e-4, rel=1e-14)


def test_the_ratio_of_quarticities_widens_the_test():
    # Variance all in three neighbours: TQ / BV^2 = 24 * 1.7435 / (pi / 2 * 2)^2 = 4.24.
    day = np.zeros((1, 24))
    day[0, 3:6] = 0.01
    deviation = np.sqrt((np.pi**2 / 4 + np.pi - 5) * 24 / 0.83086093**3 / np.pi**2)
    expected = np.sqrt(24) * (1 - np.pi / 3) / deviation
    assert columns.jump_statistic(day).item() == pytest.approx(expected, rel=1e-6)


def test_one_return_in_a_still_day_is_a_jump():
    day = np.zeros((2, 24))
    day[0, 5] = 0.02
    assert columns.significant_jump(day).tolist() == [pytest.approx(4e-4), 0.0]
    assert columns.jump_statistic(day)[1] == 0.0  # a day that does not move


def test_days_of_two_returns_have_no_significant_jump():
    day = np.array([[0.0, 0.05]])
    assert column("jump", day) == pytest.approx(25e-4)
    assert column("significant_jump", day) == 0.0
    assert column("continuous", day) == pytest.approx(25e-4)
    with pytest.raises(TooFewObservations, match="tripower quarticity needs at least 3"):
        columns.jump_statistic(day)


def test_the_test_finds_jumps_and_few_others():
    rng = np.random.default_rng(5)
    calm = 0.01 / np.sqrt(288) * rng.standard_normal((20_000, 288))
    # One in a thousand expected; the statistic's upper tail is a little heavier at n = 288.
    assert 0.0005 < (columns.significant_jump(calm) > 0).mean() < 0.003
    jumping = calm[:1000].copy()
    jumping[:, 100] += 0.01  # a day's volatility at once: half of the day's variance
    assert (columns.significant_jump(jumping) > 0).mean() > 0.99


def test_continuous_variance_is_that_of_the_price_without_its_jumps():
    rng = np.random.default_rng(6)
    day = 0.01 / np.sqrt(288) * rng.standard_normal((5_000, 288))
    day[:, 50] += 0.02
    # The jump stands beside two returns: BV gains pi / 2 * 2 * 0.02 * E|r| = 2.9e-5 of 1e-4.
    expected = 1e-4 + np.pi * 0.02 * np.sqrt(2 / np.pi) * 0.01 / np.sqrt(288)
    assert columns.continuous(day).mean() == pytest.approx(expected, rel=0.02)


@given(returns)
def test_semivariances_add_up(day):
    total = column("negative_semivariance", day) + column("positive_semivariance", day)
    assert total == realized_variance(day).item()


@given(returns)
def test_continuous_and_jump_add_up(day):
    total = column("continuous", day) + column("significant_jump", day)
    assert total == pytest.approx(realized_variance(day).item(), rel=1e-15, abs=0)


@given(returns, st.integers(-8, 4))
def test_columns_are_homogeneous(day, exponent):
    scale = 2.0**exponent  # exact, so that no test of significance flips by rounding
    degrees = dict.fromkeys(INTRADAY_COLUMNS, 2) | {"return": 1, "realized_quarticity": 4}
    for name, degree in degrees.items():
        expected = scale**degree * column(name, day)
        assert column(name, scale * day) == pytest.approx(expected, rel=1e-12, abs=1e-18), name


@given(returns)
def test_a_day_reversed_in_sign_swaps_the_semivariances(day):
    assert column("negative_semivariance", -day) == column("positive_semivariance", day)
    assert column("return", -day) == -column("return", day)


@pytest.mark.parametrize("name", INTRADAY_COLUMNS)
def test_a_day_is_the_same_alone_and_among_others(name):
    days = np.random.default_rng(7).standard_normal((50, 24)) / 100
    days[::7, 3] *= 9
    function = INTRADAY_COLUMNS[name]
    alone = [function(day[None, :]).item() for day in days]
    assert function(days).tolist() == alone
    assert function(np.asfortranarray(days)).tolist() == alone


@pytest.mark.parametrize("name", sorted(set(INTRADAY_COLUMNS) - {"return"}))
def test_returns_that_are_not_finite_are_refused(name):
    with pytest.raises(InvalidInput, match="values that are not finite"):
        INTRADAY_COLUMNS[name](np.array([[0.01, np.nan, 0.02]]))


def test_the_range_ratio_tells_a_round_trip_from_a_straight_line():
    sessions = np.array(
        [
            [np.nan, 100.0, 110.0, 100.0, 100.0],  # closes where it opened: 1 / (4 ln 2) over 1/2
            [100.0, 100.0, 110.0, 100.0, 110.0],  # a straight line: over 1/2 - (2 ln 2 - 1)
            [110.0, 110.0, 110.0, 110.0, 110.0],  # does not move
        ]
    )
    log_2 = np.log(2)
    expected = [np.log(1 / (2 * log_2)), -np.log(4 * log_2 * (1.5 - 2 * log_2)), 0.0]
    assert DAILY_COLUMNS["range_ratio"](sessions) == pytest.approx(expected, rel=1e-12)


def test_what_is_available():
    assert columns.available(daily=True, always_open=True) == ("return", "range_ratio")
    assert columns.available(daily=True, always_open=False) == (
        "return",
        "range_ratio",
        "overnight_return",
    )
    intraday = tuple(INTRADAY_COLUMNS)
    assert columns.available(daily=False, always_open=True) == intraday
    assert columns.available(daily=False, always_open=False) == (*intraday, "overnight_return")
    assert "return" in INTRADAY_COLUMNS
