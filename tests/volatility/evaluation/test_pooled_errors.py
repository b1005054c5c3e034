import numpy as np
import pytest

from volatility.errors import TooFewObservations
from volatility.evaluation.intervals import ordered_offsets, scale_errors
from volatility.evaluation.pooled_errors import pool_errors


def errors_of(assets, nobs, scale=0.6):
    rng = np.random.default_rng(3)
    return [scale * rng.standard_t(6, nobs) - 0.1 for _ in range(assets)]


def test_the_quantiles_are_of_scaled_errors_of_all_assets():
    residuals = errors_of(3, 200)
    pooled = pool_errors(residuals, horizon=5, count=4)
    size = np.abs(np.concatenate(residuals)).mean()
    scaled = np.concatenate([scale_errors(own, 5, size).errors for own in residuals])
    np.testing.assert_allclose(pooled.quantiles, np.quantile(scaled, [0.125, 0.375, 0.625, 0.875]))
    assert (pooled.size, pooled.nobs, pooled.assets) == (size, 600, 3)


def test_another_asset_of_the_class_is_covered_as_named():
    pooled = pool_errors(errors_of(10, 400))
    (own,) = errors_of(1, 20_000)
    errors, _ = scale_errors(own, start=pooled.size)
    for level in (0.5, 0.8, 0.95):
        lower, upper = ordered_offsets(pooled.quantiles, level)
        assert abs(np.mean((lower <= errors) & (errors <= upper)) - level) < 0.015


def test_errors_of_many_months_tell_quantiles_as_they_are():
    many = pool_errors(errors_of(20, 1_500), horizon=22)
    lower, upper = ordered_offsets(many.quantiles, 0.95, many.rank_horizon(22))
    assert [lower, upper] == [many.quantiles[9], many.quantiles[-10]]  # 2.5 % of 400 beyond each
    far = ordered_offsets(many.quantiles, 0.99, many.rank_horizon(22))
    assert far == ordered_offsets(many.quantiles, 0.99)
    assert many.rank_horizon(1) == 1
    few = pool_errors(errors_of(2, 100), horizon=22)
    assert few.rank_horizon(22) == 22  # no more errors than quantiles
    # 800 errors over 22 sessions are worth 69.6, as many as 400 over 10.5 are.
    assert pool_errors(errors_of(2, 400), horizon=22).rank_horizon(22) == 10.5


def test_a_class_needs_a_hundred_errors():
    with pytest.raises(TooFewObservations, match="got 99"):
        pool_errors([np.zeros(50), np.zeros(49)])


def test_where_no_error_will_be_known_all_are_in_units_of_the_class():
    residuals = [np.linspace(-1.0, 1.0, 201), np.linspace(-3.0, 3.0, 201)]
    pooled = pool_errors(residuals, count=201, known=False)
    size = np.abs(np.concatenate(residuals)).mean()
    expected = np.quantile(np.concatenate(residuals) / np.sqrt(size), (np.arange(201) + 0.5) / 201)
    np.testing.assert_allclose(pooled.quantiles, expected)
    assert pooled.size == size
    assert not np.allclose(pool_errors(residuals, count=201).quantiles, expected)
