import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from volatility.errors import InvalidSeries
from volatility.evaluation.losses import (
    correlation_score,
    coverage_score,
    crps_loss,
    interval_loss,
    mae_loss,
    qlike_loss,
    qlike_losses,
    r_squared_score,
    rmse_loss,
)

variances = hnp.arrays(np.float64, 7, elements=st.floats(1e-8, 1e2))


def test_qlike_by_hand():
    # rv / f = 2 and 1/2: 2 - log 2 - 1 and 0.5 + log 2 - 1
    losses = qlike_losses(np.array([2e-4, 1e-4]), np.array([1e-4, 2e-4]))
    assert losses == pytest.approx([1 - math.log(2), math.log(2) - 0.5], rel=1e-14)
    assert qlike_loss(np.array([2e-4, 1e-4]), np.array([1e-4, 2e-4])) == pytest.approx(0.25)


@given(variances, variances)
def test_qlike_is_never_negative(actual, forecast):
    assert (qlike_losses(actual, forecast) >= 0).all()


@given(variances, st.floats(1e-6, 0.5))
def test_qlike_is_zero_for_the_truth_and_positive_for_anything_else(actual, error):
    assert not qlike_losses(actual, actual).any()
    assert (qlike_losses(actual, actual * (1 + error)) > 0).all()
    assert (qlike_losses(actual, actual * (1 - error)) > 0).all()


@given(variances, variances, st.floats(1e-4, 1e4))
def test_qlike_does_not_depend_on_the_unit(actual, forecast, unit):
    np.testing.assert_allclose(
        qlike_losses(unit * actual, unit * forecast),
        qlike_losses(actual, forecast),
        rtol=1e-9,
        atol=1e-14,
    )


def test_qlike_punishes_a_low_forecast_more_than_a_high_one():
    low, high = qlike_losses(np.ones(2), np.array([0.5, 2.0]))
    assert low > high


def test_errors_by_hand():
    actual, forecast = np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 2.0])
    # errors 0, -2, 1
    assert rmse_loss(actual, forecast) == pytest.approx(math.sqrt(5 / 3))
    assert mae_loss(actual, forecast) == pytest.approx(1.0)
    # 1 - 5 / 2
    assert r_squared_score(actual, forecast) == pytest.approx(-1.5)
    # covariance 1 over sqrt(2) * sqrt(14 / 3)
    assert correlation_score(actual, forecast) == pytest.approx(1 / math.sqrt(28 / 3))


def test_the_mean_explains_nothing_and_the_truth_everything():
    actual = np.array([1.0, 2.0, 6.0])
    assert r_squared_score(actual, np.full(3, 3.0)) == 0.0
    assert r_squared_score(actual, actual) == 1.0


def test_scores_that_are_undefined_are_nan():
    varying, constant = np.array([1.0, 2.0]), np.array([1.0, 1.0])
    assert math.isnan(correlation_score(varying, constant))
    assert math.isnan(r_squared_score(constant, varying))


def test_interval_loss_by_hand():
    actual = np.array([1.0, 0.0, 4.0])
    bounds = np.array([[0.0, 2.0], [1.0, 2.0], [1.0, 3.5]])
    # alpha 0.2: widths 2, 1, 2.5; misses 0, 1 and 0.5, ten times each
    assert interval_loss(actual, bounds, 0.8) == pytest.approx((2 + 11 + 7.5) / 3)


def test_the_true_quantiles_have_the_lowest_interval_loss():
    outcomes = (np.arange(1000) + 0.5) / 1000  # uniform on (0, 1)
    losses = {
        edge: interval_loss(outcomes, np.tile([edge, 1 - edge], (1000, 1)), 0.8)
        for edge in (0.05, 0.1, 0.15)
    }
    assert min(losses, key=losses.__getitem__) == 0.1


def test_coverage_counts_the_bounds_as_inside():
    bounds = np.array([[0.0, 1.0]] * 4)
    assert coverage_score(np.array([0.0, 1.0, 0.5, 1.1]), bounds) == 0.75


@pytest.mark.parametrize(
    ("actual", "forecast", "code"),
    [
        ([1.0, 2.0], [1.0], "length_mismatch"),
        ([], [], "empty_history"),
        ([1.0, np.nan], [1.0, 1.0], "non_finite_rv"),
        ([1.0, 1.0], [1.0, np.inf], "non_finite_rv"),
    ],
)
@pytest.mark.parametrize(
    "loss", [qlike_losses, rmse_loss, mae_loss, r_squared_score, correlation_score]
)
def test_what_cannot_be_scored_is_refused(loss, actual, forecast, code):
    with pytest.raises(InvalidSeries) as refusal:
        loss(np.array(actual), np.array(forecast))
    assert refusal.value.code == code


def test_qlike_refuses_a_forecast_that_is_no_variance():
    with pytest.raises(InvalidSeries, match=r"forecast\[1\] is 0.0; a positive") as refusal:
        qlike_losses(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    assert refusal.value.code == "non_positive_rv"
    assert refusal.value.field == "forecast"


def test_intervals_with_a_missing_bound_are_refused():
    with pytest.raises(InvalidSeries, match=r"\[1\] is nan") as refusal:
        interval_loss(np.ones(2), np.array([[0.0, 2.0], [0.0, np.nan]]), 0.8)
    assert refusal.value.code == "non_finite_rv"
    with pytest.raises(InvalidSeries, match=r"\[0\] is nan") as refusal:
        coverage_score(np.ones(2), np.array([[np.nan, 2.0], [0.0, 2.0]]))
    assert refusal.value.code == "non_finite_rv"


def test_crps_by_hand():
    # Quantiles at 0.25 and 0.75, so the mean of two quantile losses, doubled
    quantiles = np.array([[0.0, 2.0], [0.0, 2.0]])
    # outcome 1: 0.25 * 1 + (0.75 - 1) * (1 - 2) = 0.5; outcome 3: 0.25 * 3 + 0.75 * 1 = 1.5
    assert crps_loss(np.array([1.0, 3.0]), quantiles) == pytest.approx(1.0)
    assert crps_loss(np.array([1.0, 3.0]), np.zeros((2, 1))) == 2.0  # mean absolute error


def test_crps_of_a_normal_has_a_closed_form():
    # Gneiting & Raftery (2007), eq. 21: at the centre sigma (2 phi(0) - 1 / sqrt(pi))
    probabilities = (np.arange(2000) + 0.5) / 2000
    quantiles = np.array([[NormalDist().inv_cdf(p) for p in probabilities]])
    expected = 2 / np.sqrt(2 * np.pi) - 1 / np.sqrt(np.pi)
    assert crps_loss(np.zeros(1), quantiles) == pytest.approx(expected, abs=1e-3)
    assert crps_loss(np.zeros(1), 3 * quantiles) == pytest.approx(3 * expected, abs=3e-3)


def test_the_true_distribution_has_the_lowest_crps():
    rng = np.random.default_rng(5)
    outcomes = rng.standard_normal(4000)
    grid = np.array([NormalDist().inv_cdf((k + 0.5) / 25) for k in range(25)])
    found = {
        scale: crps_loss(outcomes, np.tile(scale * grid, (4000, 1))) for scale in (0.6, 1.0, 1.6)
    }
    assert min(found, key=found.__getitem__) == 1.0
