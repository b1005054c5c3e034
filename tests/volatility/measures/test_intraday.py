import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from volatility.errors import (
    InvalidInput,
    TooFewObservations,
)
from volatility.measures import intraday

INTRADAY = (
    intraday.realized_variance,
    intraday.bipower_variation,
    intraday.med_rv,
    intraday.realized_quarticity,
    intraday.realized_kernel,
)
LEAST = {  # returns a day that each is defined for
    intraday.realized_variance: 1,
    intraday.realized_quarticity: 1,
    intraday.bipower_variation: 2,
    intraday.realized_kernel: 2,
    intraday.med_rv: 3,
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
    assert intraday.realized_variance(DAY) == pytest.approx([15e-4], rel=1e-14)


def test_realized_semivariances_by_hand():
    negative, positive = intraday.realized_semivariances(DAY)
    assert negative == pytest.approx([5e-4], rel=1e-14)  # 4 + 1
    assert positive == pytest.approx([10e-4], rel=1e-14)  # 1 + 9


def test_bipower_variation_by_hand():
    # 1·2 + 2·3 + 3·0 + 0·1 = 8, times pi / 2
    assert intraday.bipower_variation(DAY) == pytest.approx([np.pi / 2 * 8e-4], rel=1e-14)


def test_med_rv_by_hand():
    # Medians of 1 2 3, 2 3 0, 3 0 1: 2, 2, 1; squares 4 + 4 + 1 = 9; n / (n - 2) = 5 / 3.
    # pi / (6 - 4 sqrt 3 + pi) = 3.141593 / (6 - 6.928203 + 3.141593) = 1.4193583
    expected = 1.4193583 * 5 / 3 * 9e-4
    assert intraday.med_rv(DAY) == pytest.approx([expected], rel=1e-7)


def test_realized_quarticity_by_hand():
    # 1 + 16 + 81 + 0 + 1 = 99, in 1e-8; n / 3 = 5 / 3
    assert intraday.realized_quarticity(DAY) == pytest.approx([165e-8], rel=1e-14)


def test_realized_kernel_by_hand():
    # gamma_0 = 15; gamma_1 = -2 - 6 + 0 + 0 = -8; gamma_2 = 3 + 0 - 3 = 0, in 1e-4.
    # H = 2: k(1/3) = 1 - 6/9 + 6/27 = 5/9, k(2/3) = 2 (1/3)^3 = 2/27.
    # 15 + 2 · 5/9 · (-8) + 0 = 55/9
    assert intraday.realized_kernel(DAY, bandwidth=2) == pytest.approx([55 / 9 * 1e-4], rel=1e-12)
    # H = 1: k(1/2) = 1 - 6/4 + 6/8 = 1/4, and 15 + 2 · 1/4 · (-8) = 11
    assert intraday.realized_kernel(DAY, bandwidth=1) == pytest.approx([11e-4], rel=1e-12)


def test_realized_kernel_without_autocovariances_is_realized_variance():
    kernel = intraday.realized_kernel(DAY, bandwidth=0)
    assert kernel == pytest.approx(intraday.realized_variance(DAY), rel=1e-14)


def test_realized_kernel_chooses_its_bandwidth():
    rng = np.random.default_rng(1)
    # 24 returns: subsamples of about 20 are the day itself, so that xi² = 1 / 48 and
    # H = ceil(3.5134 · (1/48)^0.4 · 24^0.6) = ceil(3.5134 · 0.21259 · 6.7317) = ceil(5.03) = 6
    hourly = rng.normal(0, 0.01, (9, 24))
    assert (intraday.realized_kernel(hourly) == intraday.realized_kernel(hourly, 6)).all()
    # Noise makes it wider, and each day has its own.
    noisy = np.diff(rng.normal(0, 0.01, (1, 601)), axis=1)
    quiet = rng.normal(0, 0.01, (1, 600))
    widths = intraday._bandwidths(np.concatenate([noisy, quiet]))
    assert widths[0] > 2 * widths[1]


def test_realized_kernel_of_a_day_without_moves_is_zero():
    assert intraday.realized_kernel(np.zeros((2, 24))).tolist() == [0.0, 0.0]


def test_a_day_of_noise_takes_every_autocovariance_and_no_more():
    # Returns that undo each other leave no sparse variation: 2 of 40 add up to nothing.
    noise = np.tile([0.01, -0.01], 20)[None, :]
    nearly = noise.copy()
    nearly[0, 0] += 1e-5  # some variation, and still a bandwidth beyond the number of returns
    assert intraday._bandwidths(np.concatenate([noise, nearly])).tolist() == [39, 39]
    for day in (noise, nearly):
        assert intraday.realized_kernel(day) == intraday.realized_kernel(day, 39)


@pytest.mark.parametrize("bandwidth", [-1, 5])
def test_realized_kernel_refuses_a_bandwidth_it_cannot_have(bandwidth):
    with pytest.raises(InvalidInput, match=f"bandwidth {bandwidth} with 5 returns") as caught:
        intraday.realized_kernel(DAY, bandwidth)
    assert caught.value.code == "invalid_bandwidth"


@given(returns_matrices)
def test_intraday_measures_are_never_negative(returns):
    for measure in INTRADAY:
        assert (measure(returns) >= 0).all()


@given(returns_matrices)
def test_intraday_measures_are_homogeneous(returns):
    # A scale of 2 is exact in binary, so nothing but the degree can differ.
    for measure in INTRADAY:
        degree = 4 if measure is intraday.realized_quarticity else 2
        assert (measure(2 * returns) == 2**degree * measure(returns)).all()


@given(returns_matrices)
def test_semivariances_add_up_exactly(returns):
    negative, positive = intraday.realized_semivariances(returns)
    assert (negative + positive == intraday.realized_variance(returns)).all()
    assert (negative >= 0).all()
    assert (positive >= 0).all()
    mirrored = intraday.realized_semivariances(-returns)
    assert (mirrored[0] == positive).all()
    assert (mirrored[1] == negative).all()


@given(returns_matrices)
def test_realized_variance_is_the_sum_of_squares(returns):
    squares = np.square(returns).sum(axis=1)
    assert intraday.realized_variance(returns) == pytest.approx(squares, rel=1e-13, abs=1e-300)


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
    for measure in set(INTRADAY) - {intraday.realized_kernel}:
        assert measure(returns).mean() == pytest.approx(1.0, abs=0.015)
    # The kernel adds autocovariances, which estimate nothing here, and is noisier.
    assert intraday.realized_kernel(returns).mean() == pytest.approx(1.0, abs=0.03)


def test_a_jump_enters_realized_variance_but_hardly_the_robust_measures():
    # Unit variance and one jump of 2: RV = 1 + 4. The jump times its two neighbours adds
    # pi/2 · 2 · 2 · 0.8 / sqrt(2000) = 0.11 to bipower variation.
    returns = np.random.default_rng(3).normal(0, 2000**-0.5, (300, 2000))
    returns[:, 1000] += 2.0
    assert intraday.realized_variance(returns).mean() == pytest.approx(5.0, abs=0.05)
    assert intraday.bipower_variation(returns).mean() == pytest.approx(1.11, abs=0.02)
    assert intraday.med_rv(returns).mean() == pytest.approx(1.0, abs=0.02)


def test_noise_doubles_realized_variance_but_not_the_kernel():
    # Unit variance, prices with noise of variance 1 / 2n: RV = 1 + 2n · 1/2n.
    rng = np.random.default_rng(4)
    nobs = 1440
    efficient = rng.normal(0, nobs**-0.5, (300, nobs))
    noise = rng.normal(0, (2 * nobs) ** -0.5, (300, nobs + 1))
    returns = efficient + np.diff(noise, axis=1)
    assert intraday.realized_variance(returns).mean() == pytest.approx(2.0, abs=0.02)
    assert intraday.realized_kernel(returns).mean() == pytest.approx(1.0, abs=0.04)
