from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.volatility.prices import changed, chosen, make_bars, with_price
from volatility import realized
from volatility.calendars import get_calendar
from volatility.errors import (
    ConstantPrices,
    HistoryTooShort,
    InvalidInput,
    OutsideCalendar,
    TooFewObservations,
    UnknownMeasure,
)
from volatility.measures import MEASURES
from volatility.measures.columns import INTRADAY_COLUMNS, available
from volatility.series import daily_series

CRYPTO = get_calendar("24/7")
PAPER = Path(__file__).parents[3] / "shared" / "paper"

INTRADAY = (
    realized.realized_variance,
    realized.bipower_variation,
    realized.med_rv,
    realized.realized_quarticity,
    realized.realized_kernel,
)
LEAST = {  # returns a day that each is defined for
    realized.realized_variance: 1,
    realized.realized_quarticity: 1,
    realized.bipower_variation: 2,
    realized.realized_kernel: 2,
    realized.med_rv: 3,
}

# In steps of 1e-4: none so small that its fourth power loses digits.
returns_matrices = arrays(
    np.int64,
    array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=30),
    elements=st.integers(-2000, 2000),
).map(lambda steps: steps / 10_000)

# One day of five returns.
DAY = np.array([[0.01, -0.02, 0.03, 0.0, -0.01]])


def test_realized_variance_by_hand():
    # 1 + 4 + 9 + 0 + 1 = 15, in 1e-4
    assert realized.realized_variance(DAY) == pytest.approx([15e-4], rel=1e-14)


def test_realized_semivariances_by_hand():
    negative, positive = realized.realized_semivariances(DAY)
    assert negative == pytest.approx([5e-4], rel=1e-14)  # 4 + 1
    assert positive == pytest.approx([10e-4], rel=1e-14)  # 1 + 9


def test_bipower_variation_by_hand():
    # 1·2 + 2·3 + 3·0 + 0·1 = 8, times pi / 2
    assert realized.bipower_variation(DAY) == pytest.approx([np.pi / 2 * 8e-4], rel=1e-14)


def test_med_rv_by_hand():
    # Medians of 1 2 3, 2 3 0, 3 0 1: 2, 2, 1; squares 4 + 4 + 1 = 9; n / (n - 2) = 5 / 3.
    # pi / (6 - 4 sqrt 3 + pi) = 3.141593 / (6 - 6.928203 + 3.141593) = 1.4193583
    expected = 1.4193583 * 5 / 3 * 9e-4
    assert realized.med_rv(DAY) == pytest.approx([expected], rel=1e-7)


def test_realized_quarticity_by_hand():
    # 1 + 16 + 81 + 0 + 1 = 99, in 1e-8; n / 3 = 5 / 3
    assert realized.realized_quarticity(DAY) == pytest.approx([165e-8], rel=1e-14)


def test_realized_kernel_by_hand():
    # gamma_0 = 15; gamma_1 = -2 - 6 + 0 + 0 = -8; gamma_2 = 3 + 0 - 3 = 0, in 1e-4.
    # H = 2: k(1/3) = 1 - 6/9 + 6/27 = 5/9, k(2/3) = 2 (1/3)^3 = 2/27.
    # 15 + 2 · 5/9 · (-8) + 0 = 55/9
    assert realized.realized_kernel(DAY, bandwidth=2) == pytest.approx([55 / 9 * 1e-4], rel=1e-12)
    # H = 1: k(1/2) = 1 - 6/4 + 6/8 = 1/4, and 15 + 2 · 1/4 · (-8) = 11
    assert realized.realized_kernel(DAY, bandwidth=1) == pytest.approx([11e-4], rel=1e-12)


def test_realized_kernel_without_autocovariances_is_realized_variance():
    kernel = realized.realized_kernel(DAY, bandwidth=0)
    assert kernel == pytest.approx(realized.realized_variance(DAY), rel=1e-14)


def test_realized_kernel_chooses_its_bandwidth():
    rng = np.random.default_rng(1)
    # 24 returns: subsamples of about 20 are the day itself, so that xi² = 1 / 48 and
    # H = ceil(3.5134 · (1/48)^0.4 · 24^0.6) = ceil(3.5134 · 0.21259 · 6.7317) = ceil(5.03) = 6
    hourly = rng.normal(0, 0.01, (9, 24))
    assert (realized.realized_kernel(hourly) == realized.realized_kernel(hourly, 6)).all()
    # Noise makes it wider, and each day has its own.
    noisy = np.diff(rng.normal(0, 0.01, (1, 601)), axis=1)
    quiet = rng.normal(0, 0.01, (1, 600))
    widths = realized._bandwidths(np.concatenate([noisy, quiet]))
    assert widths[0] > 2 * widths[1]


def test_realized_kernel_of_a_day_without_moves_is_zero():
    assert realized.realized_kernel(np.zeros((2, 24))).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("bandwidth", [-1, 5])
def test_realized_kernel_refuses_a_bandwidth_it_cannot_have(bandwidth):
    with pytest.raises(InvalidInput, match=f"bandwidth {bandwidth} with 5 returns") as caught:
        realized.realized_kernel(DAY, bandwidth)
    assert caught.value.code == "invalid_bandwidth"


@given(returns_matrices)
def test_intraday_measures_are_never_negative(returns):
    for measure in INTRADAY:
        assert (measure(returns) >= 0).all()


@given(returns_matrices)
def test_intraday_measures_are_homogeneous(returns):
    # A scale of 2 is exact in binary, so nothing but the degree can differ.
    for measure in INTRADAY:
        degree = 4 if measure is realized.realized_quarticity else 2
        assert (measure(2 * returns) == 2**degree * measure(returns)).all()


@given(returns_matrices)
def test_semivariances_add_up_exactly(returns):
    negative, positive = realized.realized_semivariances(returns)
    assert (negative + positive == realized.realized_variance(returns)).all()
    assert (negative >= 0).all()
    assert (positive >= 0).all()
    mirrored = realized.realized_semivariances(-returns)
    assert (mirrored[0] == positive).all()
    assert (mirrored[1] == negative).all()


@given(returns_matrices)
def test_realized_variance_is_the_sum_of_squares(returns):
    squares = np.square(returns).sum(axis=1)
    assert realized.realized_variance(returns) == pytest.approx(squares, rel=1e-13, abs=1e-300)


@given(returns_matrices)
def test_a_day_is_measured_alike_alone_and_among_others(returns):
    for measure in INTRADAY:
        together = measure(np.asfortranarray(returns))
        assert all(measure(returns[i : i + 1])[0] == together[i] for i in range(len(returns)))


@pytest.mark.parametrize("measure", INTRADAY)
def test_too_few_returns_in_a_day(measure):
    least = LEAST[measure]
    assert measure(np.ones((2, least))).shape == (2,)
    with pytest.raises(TooFewObservations, match=f"needs at least {least} returns a day; got"):
        measure(np.ones((2, least - 1)))


@pytest.mark.parametrize("measure", INTRADAY)
@pytest.mark.parametrize("returns", [np.ones(5), np.array([[0.1, np.nan, 0.1]])])
def test_returns_are_a_finite_matrix(measure, returns):
    with pytest.raises(InvalidInput, match="needed: a \\(days, intraday\\) matrix") as caught:
        measure(returns)
    assert caught.value.code == "invalid_returns"


def test_all_find_the_variance_of_a_brownian_motion():
    # 400 days of 1,000 returns of unit daily variance: standard errors are 0.2 to 0.5 %.
    returns = np.random.default_rng(2).normal(0, 1000**-0.5, (400, 1000))
    for measure in set(INTRADAY) - {realized.realized_kernel}:
        assert measure(returns).mean() == pytest.approx(1.0, abs=0.015)
    # The kernel adds autocovariances, which estimate nothing here, and is noisier.
    assert realized.realized_kernel(returns).mean() == pytest.approx(1.0, abs=0.03)


def test_a_jump_enters_realized_variance_but_hardly_the_robust_measures():
    # Unit variance and one jump of 2: RV = 1 + 4. The jump times its two neighbours adds
    # pi/2 · 2 · 2 · 0.8 / sqrt(2000) = 0.11 to bipower variation.
    returns = np.random.default_rng(3).normal(0, 2000**-0.5, (300, 2000))
    returns[:, 1000] += 2.0
    assert realized.realized_variance(returns).mean() == pytest.approx(5.0, abs=0.05)
    assert realized.bipower_variation(returns).mean() == pytest.approx(1.11, abs=0.02)
    assert realized.med_rv(returns).mean() == pytest.approx(1.0, abs=0.02)


def test_noise_doubles_realized_variance_but_not_the_kernel():
    # Unit variance, prices with noise of variance 1 / 2n: RV = 1 + 2n · 1/2n.
    rng = np.random.default_rng(4)
    nobs = 1440
    efficient = rng.normal(0, nobs**-0.5, (300, nobs))
    noise = rng.normal(0, (2 * nobs) ** -0.5, (300, nobs + 1))
    returns = efficient + np.diff(noise, axis=1)
    assert realized.realized_variance(returns).mean() == pytest.approx(2.0, abs=0.02)
    assert realized.realized_kernel(returns).mean() == pytest.approx(1.0, abs=0.04)


# One session, in logs: open 0, high 0.2, low -0.1, close 0.1.
OPEN, HIGH, LOW, CLOSE = (np.exp([x]) for x in (0.0, 0.2, -0.1, 0.1))


def test_parkinson_by_hand():
    # 0.3² / (4 · 0.6931472) = 0.09 / 2.7725887
    assert realized.parkinson(HIGH, LOW) == pytest.approx([0.09 / 2.7725887], rel=1e-7)


def test_garman_klass_by_hand():
    # 0.3² / 2 - (2 · 0.6931472 - 1) · 0.1² = 0.045 - 0.0038629436
    expected = [0.0411370564]
    assert realized.garman_klass(OPEN, HIGH, LOW, CLOSE) == pytest.approx(expected, rel=1e-9)


def test_rogers_satchell_by_hand():
    # (0.2 - 0.1) · 0.2 + (-0.1 - 0.1) · (-0.1) = 0.02 + 0.02
    assert realized.rogers_satchell(OPEN, HIGH, LOW, CLOSE) == pytest.approx([0.04], rel=1e-12)


def test_squared_return_by_hand():
    assert realized.squared_return(np.array([0.1, -0.2])) == pytest.approx([0.01, 0.04])


@st.composite
def sessions(draw):
    """Open, high, low and close of up to ten sessions."""
    nobs = draw(st.integers(1, 10))
    logs = draw(arrays(np.float64, (4, nobs), elements=st.floats(-1, 1)))
    low, high = logs.min(axis=0), logs.max(axis=0)
    return tuple(np.exp(x) for x in (logs[0], high, low, logs[3]))


RANGE_MEASURES = {
    "parkinson": lambda o, h, low, c: realized.parkinson(h, low),
    "garman_klass": realized.garman_klass,
    "rogers_satchell": realized.rogers_satchell,
}


@given(sessions())
def test_range_measures_are_never_negative(prices):
    for measure in RANGE_MEASURES.values():
        assert (measure(*prices) >= -1e-15).all()


@given(sessions())
def test_garman_klass_is_zero_only_without_range(prices):
    _, high, low, _ = prices
    wide = high > low * (1 + 1e-7)  # not lost in the rounding of logs
    assert (realized.garman_klass(*prices)[wide] > 0).all()


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
    returns = realized.squared_return(np.log(prices[3]))
    efficiency = {
        name: returns.var() / measure(*prices).var() for name, measure in RANGE_MEASURES.items()
    }
    assert efficiency["parkinson"] == pytest.approx(4.9, abs=0.8)
    assert efficiency["garman_klass"] == pytest.approx(7.4, abs=1.2)


def test_drift_disturbs_all_but_rogers_satchell():
    prices = brownian_sessions(drift=1.0)
    assert realized.rogers_satchell(*prices).mean() == pytest.approx(1.0, abs=0.06)
    assert realized.parkinson(*prices[1:3]).mean() > 1.2


def test_rolling_std_by_hand():
    # 1 2 3: deviations -1 0 1, 2 / (3 - 1) = 1. 2 3 7: mean 4, 4 + 1 + 9 = 14, 14 / 2 = 7.
    volatility = realized.rolling_std(np.array([0.01, 0.02, 0.03, 0.07]), 3, 4)
    assert volatility == pytest.approx([0.02, 0.02 * 7**0.5], rel=1e-12)


def test_rolling_std_needs_a_window():
    with pytest.raises(HistoryTooShort, match="over 22 returns needs as many; got 21"):
        realized.rolling_std(np.ones(21), 22, 252)
    with pytest.raises(TooFewObservations, match="over 1 returns is not defined"):
        realized.rolling_std(np.ones(21), 1, 252)


@pytest.mark.skipif(not PAPER.is_dir(), reason="the paper's data are not part of the project")
@pytest.mark.parametrize(
    ("file", "window", "periods_per_year"),
    [("btc_data.csv.gz", 24, 8760), ("spx_data.csv.gz", 22, 252)],
)
def test_rolling_std_is_that_of_the_paper(file, window, periods_per_year):
    published = pd.read_csv(PAPER / file)
    volatility = realized.rolling_std(published["log_return"].to_numpy(), window, periods_per_year)
    expected = published["log_rv"].to_numpy()[window - 1 :]
    np.testing.assert_allclose(np.log(volatility), expected, rtol=0, atol=1e-12)


def measurable(name, nobs=40):
    """Bars of the kind that a measure needs: some sessions of them."""
    if MEASURES[name].bars == "daily":
        return make_bars(nobs)
    return make_bars(24 * nobs, interval=3_600)


def test_measures_by_name():
    assert {name for name in MEASURES if MEASURES[name].overlapping} == {"rolling_std"}
    assert all(MEASURES[name].name == name for name in MEASURES)
    with pytest.raises(UnknownMeasure, match="there is no measure 'rv'; needed: one of realized_v"):
        MEASURES["rv"]


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_makes_a_series(name):
    bars = measurable(name)
    series, _ = daily_series(bars, name, CRYPTO)
    assert series.measure == name
    assert (series.rv > 0).all()
    assert series.dates[-1] == bars.dates[-1]
    assert (np.diff(series.dates).astype(int) == 1).all()


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("removed", [1, 5, 17])
def test_later_bars_change_nothing_earlier(name, removed):
    bars = measurable(name)
    whole, _ = daily_series(bars, name, CRYPTO)
    early, _ = daily_series(chosen(bars, slice(-removed)), name, CRYPTO)
    assert len(early) < len(whole)
    assert (early.rv == whole.rv[: len(early)]).all()
    assert (early.dates == whole.dates[: len(early)]).all()


@given(st.sampled_from(sorted(MEASURES)), st.integers(30, 39), st.floats(0.01, 100))
def test_other_later_prices_change_nothing_earlier(name, day, factor):
    bars = measurable(name)
    later = bars.dates >= bars.dates[0] + day
    scale = np.where(later, factor, 1.0)
    prices = {p: getattr(bars, p) * scale for p in ("open", "high", "low", "close")}
    series, _ = daily_series(bars, name, CRYPTO)
    other, _ = daily_series(changed(bars, **prices), name, CRYPTO)
    cut = bars.dates[0] + day - 1
    assert (series.until(cut).rv == other.until(cut).rv).all()
    assert len(series.until(cut)) >= day - 22


def test_daily_measures_are_those_of_the_functions():
    bars = make_bars()
    for name, measure in RANGE_MEASURES.items():
        series, findings = daily_series(bars, name, CRYPTO)
        assert (series.rv == measure(bars.open, bars.high, bars.low, bars.close)).all()
        assert findings == ()


def test_close_to_close_measures_leave_out_what_has_no_previous_close():
    bars = make_bars()
    returns = np.diff(np.log(bars.close))
    series, (finding,) = daily_series(bars, "squared_return", CRYPTO)
    assert (series.dates == bars.dates[1:]).all()
    assert series.rv == pytest.approx(returns**2, rel=1e-12)
    assert (finding.code, finding.count) == ("undefined_measure", 1)
    assert "not defined on 2021-01-01, which is left out" in finding.found
    rolling, (finding,) = daily_series(bars, "rolling_std", CRYPTO)
    assert rolling.rv[0] == pytest.approx(returns[:22].var(ddof=1), rel=1e-12)
    assert finding.count == 22


def test_a_return_over_a_gap_is_not_that_of_a_session():
    bars = chosen(make_bars(10), [0, 1, 2, 5, 6])
    series, (finding,) = daily_series(bars, "squared_return", CRYPTO)
    assert list(series.dates.astype(str)) == ["2021-01-02", "2021-01-03", "2021-01-07"]
    assert finding.count == 2
    # From Friday to Monday there is no gap in New York.
    weekend = chosen(make_bars(10, start="2021-03-04"), [0, 1, 4, 5])
    series, _ = daily_series(weekend, "squared_return", get_calendar("XNYS"))
    assert len(series) == 3


def test_zero_range_sessions_are_left_out_and_said():
    bars = make_bars()
    for day in (6, 9):
        for name in ("open", "high", "low", "close"):
            bars = with_price(bars, name, day, 100.0)
    series, (finding,) = daily_series(bars, "garman_klass", CRYPTO)
    assert len(series) == 38
    assert not np.isin(bars.dates[[6, 9]], series.dates).any()
    assert (finding.code, finding.severity, finding.index, finding.count) == (
        "undefined_measure",
        "warning",
        6,
        2,
    )
    assert "garman_klass: zero on 2021-01-07, which is left out (2 in all)" in str(finding)


def test_missing_days_stay_missing():
    bars = chosen(make_bars(10), [0, 1, 4, 9])
    series, _ = daily_series(bars, "parkinson", CRYPTO)
    assert (series.dates == bars.dates).all()


@pytest.mark.parametrize("name", ["parkinson", "garman_klass", "squared_return"])
def test_constant_prices(name):
    flat = np.full(40, 5.0)
    bars = changed(make_bars(), open=flat, high=flat, low=flat, close=flat)
    with pytest.raises(ConstantPrices, match=f"{name} is zero in all"):
        daily_series(bars, name, CRYPTO)


@pytest.mark.parametrize(("name", "least"), [("squared_return", 2), ("rolling_std", 23)])
def test_too_few_sessions_to_look_back_on(name, least):
    assert len(daily_series(make_bars(least), name, CRYPTO)[0]) == 1
    with pytest.raises(HistoryTooShort, match=f"none of the {least - 1} complete sessions"):
        daily_series(make_bars(least - 1), name, CRYPTO)


def test_hourly_bars_give_the_variance_of_24_close_to_close_returns():
    bars = make_bars(24 * 4, start="2021-01-01T20:00", interval=3_600)
    series, (finding,) = daily_series(bars, "realized_variance", CRYPTO)
    # 2021-01-01 has four bars, and the last day is not over.
    assert list(series.dates.astype(str)) == ["2021-01-02", "2021-01-03", "2021-01-04"]
    assert (finding.code, finding.count) == ("incomplete_sessions", 2)
    assert "2021-01-01 lacks some of its bars" in finding.found
    # From the close at midnight, that of bar 3, to the close of bar 27.
    expected = np.square(np.diff(np.log(bars.close[3:28]))).sum()
    assert series.rv[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("lost", [23, 24, 30, 47])
def test_a_day_without_all_its_bars_is_left_out(lost):
    # Bar 23 is the last of day 0 and where day 1 sets out; 24, 30 and 47 are in day 1.
    bars = make_bars(24 * 5, interval=3_600)
    kept = chosen(bars, np.arange(len(bars)) != lost)
    whole, _ = daily_series(bars, "realized_variance", CRYPTO)
    series, (finding,) = daily_series(kept, "realized_variance", CRYPTO)
    left_out = {"2021-01-01", "2021-01-02"} | ({"2021-01-03"} if lost == 47 else set())
    assert finding.count == len(left_out)
    assert not left_out & set(series.dates.astype(str))
    assert len(series) == 5 - len(left_out)
    assert (series.rv == whole.rv[-len(series) :]).all()


def test_the_first_day_needs_the_close_before_it():
    series, (finding,) = daily_series(make_bars(48, interval=3_600), "realized_variance", CRYPTO)
    assert list(series.dates.astype(str)) == ["2021-01-02"]
    assert finding.count == 1


def test_bars_off_the_hour_make_no_complete_day():
    bars = make_bars(24 * 4, start="2021-01-01T00:30", interval=3_600)
    with pytest.raises(HistoryTooShort, match="none of the 0 complete sessions of 96 bars"):
        daily_series(bars, "realized_variance", CRYPTO)


def test_no_complete_day():
    with pytest.raises(HistoryTooShort, match="none of the 0 complete sessions of 20 bars"):
        daily_series(make_bars(20, interval=3_600), "realized_variance", CRYPTO)


def test_a_measure_needs_its_kind_of_bars():
    with pytest.raises(InvalidInput, match="realized_variance needs intraday bars; got") as caught:
        daily_series(make_bars(), "realized_variance", CRYPTO)
    assert caught.value.code == "wrong_interval"
    with pytest.raises(InvalidInput, match="parkinson needs daily bars; got bars of 3600 seconds"):
        daily_series(make_bars(interval=3_600), "parkinson", CRYPTO)


def test_intraday_bars_need_a_market_that_never_closes():
    with pytest.raises(InvalidInput, match="XNYS closes between sessions") as caught:
        daily_series(make_bars(interval=3_600), "realized_variance", get_calendar("XNYS"))
    assert caught.value.code == "unsupported_calendar"


def test_dates_outside_the_calendar():
    with pytest.raises(OutsideCalendar, match="1985-01-02"):
        daily_series(make_bars(start="1985-01-02"), "squared_return", get_calendar("XNYS"))


def test_an_unknown_measure():
    with pytest.raises(UnknownMeasure):
        daily_series(make_bars(), "volatility", CRYPTO)


def test_returns_beside_rv_by_hand():
    bars = chosen(make_bars(10), [0, 1, 2, 5, 6])
    series, _ = daily_series(bars, "parkinson", CRYPTO, ("return",))
    within, between = np.log(bars.close / bars.open), np.diff(np.log(bars.close))
    # From open to close where the session before has no bar: on the first day and after the gap.
    expected = [within[0], between[0], between[1], within[3], between[3]]
    assert series.columns["return"] == pytest.approx(expected, rel=1e-12)
    assert daily_series(bars, "parkinson", CRYPTO)[0].columns == {}


def test_what_has_no_rv_has_no_return_either():
    bars = make_bars()
    for name in ("open", "high", "low", "close"):
        bars = with_price(bars, name, 6, 100.0)
    series, _ = daily_series(bars, "garman_klass", CRYPTO, ("return",))
    kept = np.arange(len(bars)) != 6
    assert (series.dates == bars.dates[kept]).all()
    returns = np.diff(np.log(bars.close), prepend=np.log(bars.open[0]))
    assert series.columns["return"] == pytest.approx(returns[kept], rel=1e-12)


def test_columns_of_intraday_bars_are_those_of_their_functions():
    bars = measurable("realized_variance")
    series, _ = daily_series(bars, "realized_variance", CRYPTO, available(daily=False))
    assert set(series.columns) == set(INTRADAY_COLUMNS)
    returns = np.diff(np.log(bars.close))[23:].reshape(-1, 24)  # the first day has no close before
    for name, function in INTRADAY_COLUMNS.items():
        assert series.columns[name] == pytest.approx(function(returns), rel=1e-12), name
    parts = series.columns["continuous"] + series.columns["significant_jump"]
    assert parts == pytest.approx(series.rv, rel=1e-12)


def test_a_column_that_the_bars_do_not_give():
    with pytest.raises(InvalidInput, match="daily bars give no column 'jump'") as caught:
        daily_series(make_bars(), "parkinson", CRYPTO, ("return", "jump"))
    assert caught.value.code == "unknown_column"


@given(st.sampled_from(sorted(MEASURES)), st.integers(30, 39), st.floats(0.01, 100))
def test_columns_are_finite_and_other_later_prices_change_none_earlier(name, day, factor):
    bars = measurable(name)
    later = bars.dates >= bars.dates[0] + day
    scale = np.where(later, factor, 1.0)
    prices = {p: getattr(bars, p) * scale for p in ("open", "high", "low", "close")}
    columns = available(bars.is_daily)
    series, _ = daily_series(bars, name, CRYPTO, columns)
    other, _ = daily_series(changed(bars, **prices), name, CRYPTO, columns)
    cut = bars.dates[0] + day - 1
    for column in columns:
        assert np.isfinite(other.columns[column]).all()
        assert (series.until(cut).columns[column] == other.until(cut).columns[column]).all()
