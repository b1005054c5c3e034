from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.volatility.prices import RANGE_MEASURES
from volatility.errors import (
    HistoryTooShort,
    InvalidInput,
    TooFewObservations,
)
from volatility.measures import daily

PAPER = Path(__file__).parents[4] / "shared" / "paper"
# One session, in logs: open 0, high 0.2, low -0.1, close 0.1.
OPEN, HIGH, LOW, CLOSE = (np.exp([x]) for x in (0.0, 0.2, -0.1, 0.1))


def test_parkinson_by_hand():
    # 0.3² / (4 · 0.6931472) = 0.09 / 2.7725887
    assert daily.parkinson(HIGH, LOW) == pytest.approx([0.09 / 2.7725887], rel=1e-7)


def test_garman_klass_by_hand():
    # 0.3² / 2 - (2 · 0.6931472 - 1) · 0.1² = 0.045 - 0.0038629436
    expected = [0.0411370564]
    assert daily.garman_klass(OPEN, HIGH, LOW, CLOSE) == pytest.approx(expected, rel=1e-9)


def test_rogers_satchell_by_hand():
    # (0.2 - 0.1) · 0.2 + (-0.1 - 0.1) · (-0.1) = 0.02 + 0.02
    assert daily.rogers_satchell(OPEN, HIGH, LOW, CLOSE) == pytest.approx([0.04], rel=1e-12)


def test_squared_return_by_hand():
    assert daily.squared_return(np.array([0.1, -0.2])) == pytest.approx([0.01, 0.04])


@st.composite
def sessions(draw):
    """Open, high, low and close of up to ten sessions."""
    nobs = draw(st.integers(1, 10))
    logs = draw(arrays(np.float64, (4, nobs), elements=st.floats(-1, 1)))
    low, high = logs.min(axis=0), logs.max(axis=0)
    return tuple(np.exp(x) for x in (logs[0], high, low, logs[3]))


@given(sessions())
def test_range_measures_are_never_negative(prices):
    for measure in RANGE_MEASURES.values():
        assert (measure(*prices) >= -1e-15).all()


@given(sessions())
def test_garman_klass_is_zero_only_without_range(prices):
    _, high, low, _ = prices
    wide = high > low * (1 + 1e-7)  # not lost in the rounding of logs
    assert (daily.garman_klass(*prices)[wide] > 0).all()


@given(sessions(), st.floats(0.25, 4))
def test_range_measures_are_homogeneous_in_log_prices(prices, scale):
    for measure in RANGE_MEASURES.values():
        scaled = measure(*(price**scale for price in prices))
        assert scaled == pytest.approx(scale**2 * measure(*prices), rel=1e-9, abs=1e-12)


@given(sessions(), st.floats(1e-3, 1e3))
def test_range_measures_do_not_know_the_currency(prices, rate):
    for measure in RANGE_MEASURES.values():
        converted = measure(*(rate * price for price in prices))
        assert converted == pytest.approx(measure(*prices), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", RANGE_MEASURES)
@pytest.mark.parametrize("price", [0.0, -1.0, np.nan, np.inf])
def test_range_measures_refuse_prices_without_a_log(name, price):
    with pytest.raises(InvalidInput, match=f"price {price} at position 0") as caught:
        RANGE_MEASURES[name](OPEN, np.array([price]), LOW, CLOSE)
    assert caught.value.code == "non_positive_price"


def brownian_sessions(drift):
    """2,000 sessions of unit variance, observed 4,096 times each."""
    steps = np.random.default_rng(6).normal(drift / 4096, 1 / 64, (2000, 4096))
    paths = np.cumsum(steps, axis=1)
    high, low = np.maximum(paths.max(axis=1), 0), np.minimum(paths.min(axis=1), 0)
    return np.ones(2000), np.exp(high), np.exp(low), np.exp(paths[:, -1])


def test_range_measures_are_unbiased_for_a_brownian_motion():
    # A discrete path misses its extremes by 0.5826 / sqrt(4096) each (Broadie, Glasserman & Kou
    # 1997), 0.018 of a mean range of 1.6: 2.3 % of the variance. Standard errors are 1.1 to 1.5 %.
    prices = brownian_sessions(drift=0.0)
    for measure in RANGE_MEASURES.values():
        assert measure(*prices).mean() == pytest.approx(1.0, abs=0.055)


def test_range_measures_are_efficient():
    # Variance of the squared return is 2; Parkinson 1980 and Garman & Klass 1980 divide it by
    # 4.9 and 7.4 in continuous time.
    prices = brownian_sessions(drift=0.0)
    returns = daily.squared_return(np.log(prices[3]))
    efficiency = {
        name: returns.var() / measure(*prices).var() for name, measure in RANGE_MEASURES.items()
    }
    assert efficiency["parkinson"] == pytest.approx(4.9, abs=0.8)
    assert efficiency["garman_klass"] == pytest.approx(7.4, abs=1.2)


def test_drift_disturbs_all_but_rogers_satchell():
    prices = brownian_sessions(drift=1.0)
    assert daily.rogers_satchell(*prices).mean() == pytest.approx(1.0, abs=0.06)
    assert daily.parkinson(*prices[1:3]).mean() > 1.2


def test_rolling_std_by_hand():
    # 1 2 3: deviations -1 0 1, 2 / (3 - 1) = 1. 2 3 7: mean 4, 4 + 1 + 9 = 14, 14 / 2 = 7.
    volatility = daily.rolling_std(np.array([0.01, 0.02, 0.03, 0.07]), 3, 4)
    assert volatility == pytest.approx([0.02, 0.02 * 7**0.5], rel=1e-12)


def test_rolling_std_needs_a_window():
    with pytest.raises(HistoryTooShort, match="over 22 returns needs as many; got 21"):
        daily.rolling_std(np.ones(21), 22, 252)
    with pytest.raises(TooFewObservations, match="over 1 returns is not defined"):
        daily.rolling_std(np.ones(21), 1, 252)


@pytest.mark.skipif(not PAPER.is_dir(), reason="the paper's data are not part of the project")
@pytest.mark.parametrize(
    ("file", "window", "periods_per_year"),
    [("btc_data.csv.gz", 24, 8760), ("spx_data.csv.gz", 22, 252)],
)
def test_rolling_std_is_that_of_the_paper(file, window, periods_per_year):
    published = pd.read_csv(PAPER / file)
    volatility = daily.rolling_std(published["log_return"].to_numpy(), window, periods_per_year)
    expected = published["log_rv"].to_numpy()[window - 1 :]
    np.testing.assert_allclose(np.log(volatility), expected, rtol=0, atol=1e-12)
