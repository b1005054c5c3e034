import numpy as np
import pytest

from volatility import filters
from volatility.errors import HistoryTooShort
from volatility.simulation.fractional import fgn_autocovariance


def exponential_mean(windows: np.ndarray, decay: float) -> np.ndarray:
    weights = filters.decaying(decay, windows.shape[1])
    return filters.weighted_sum(windows, weights / weights.sum())


def test_windows_by_hand():
    rows = filters.windows(np.array([1.0, 2.0, 3.0, 4.0]), 3)
    assert rows.tolist() == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert rows.flags.c_contiguous
    assert rows.flags.writeable


def test_windows_need_a_history():
    with pytest.raises(HistoryTooShort, match="a window of 22 sessions needs 22 sessions; got 17"):
        filters.windows(np.ones(17), 22)
    assert filters.windows(np.ones(22), 22).shape == (1, 22)


def test_trailing_means_by_hand():
    window = np.array([[8.0, 1.0, 3.0, 5.0]])
    # 5; (3 + 5) / 2; (8 + 1 + 3 + 5) / 4
    assert filters.trailing_means(window, (1, 2, 4)).tolist() == [[5.0, 4.0, 4.25]]


def test_trailing_means_need_long_enough_windows():
    with pytest.raises(HistoryTooShort, match=r"HAR with lags \(1, 5, 22\) needs 22 sessions; got"):
        filters.trailing_means(np.ones((3, 17)), (1, 5, 22))


def test_exponential_mean_by_hand():
    # Weights 1, 1/2, 1/4 from the newest: (4 + 2/2 + 8/4) / (7/4) = 7 / 1.75 = 4
    assert exponential_mean(np.array([[8.0, 2.0, 4.0]]), 0.5).tolist() == [4.0]


def test_exponential_mean_of_a_constant_is_the_constant():
    assert exponential_mean(np.full((2, 75), 3.0), 0.94) == pytest.approx(3.0, rel=1e-15)


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 22, 64, 127, 128, 129, 250])
@pytest.mark.parametrize("batch", [2, 3, 8, 33, 257])
def test_a_row_is_the_same_alone_and_in_a_batch(lag, batch):
    rows = np.random.default_rng(lag * batch).lognormal(-8, 1, (batch, 250))
    for layout in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
        means = filters.trailing_means(layout, (lag,))
        averages = exponential_mean(layout[:, -lag:], 0.94)
        for i in range(batch):
            assert (means[i] == filters.trailing_means(rows[i : i + 1], (lag,))[0]).all()
            assert averages[i] == exponential_mean(rows[i : i + 1, -lag:], 0.94)[0]


def test_rough_kernel_by_hand():
    # H = 1/4, one ahead: 1 / (1.5 * 0.5^0.75) = 1.1212, 1 / (2.5 * 1.5^0.75) = 0.2951,
    # 1 / (3.5 * 2.5^0.75) = 0.1437; together 1.5600. 0.1437, 0.2951, 1.1212 over that:
    expected = [0.0921, 0.1892, 0.7187]
    weights = filters.rough_kernel(0.25, 3, 1)
    assert weights == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("hurst", [0.01, 0.1, 0.3, 0.49])
@pytest.mark.parametrize("ahead", [1, 5, 22])
def test_a_rough_kernel_is_an_average_that_leans_to_the_newest(hurst, ahead):
    weights = filters.rough_kernel(hurst, 100, ahead)
    assert weights.sum() == pytest.approx(1.0, rel=1e-14)
    assert (np.diff(weights) > 0).all()
    assert weights[0] > 0


@pytest.mark.parametrize(
    ("hurst", "excess"), [(0.05, 0.060), (0.1, 0.020), (0.14, 0.006), (0.3, 0.035)]
)
def test_the_rough_kernel_is_nearly_the_best_forecast(hurst, excess):
    # The best weights on values seen once a session solve normal equations; what the kernel, made
    # for a path seen at every instant, loses against them is its discretization.
    sessions = 100
    kernel = forecast_variance(filters.rough_kernel(hurst, sessions, 1), hurst)
    best = forecast_variance(conditional_expectation(hurst, sessions), hurst)
    last = forecast_variance(np.eye(sessions)[-1], hurst)
    assert best < kernel < best * (1 + excess)
    assert kernel < 0.95 * last


def conditional_expectation(hurst: float, sessions: int) -> np.ndarray:
    """Weights of E[X_{t+1} | X_{t-sessions+1}, …, X_t] of fractional Brownian motion."""
    autocovariance = fgn_autocovariance(hurst, sessions)
    steps = np.arange(sessions - 1)  # increments inside the window
    covariance = autocovariance[np.abs(np.subtract.outer(steps, steps))]
    on_increments = np.linalg.solve(covariance, autocovariance[sessions - 1 - steps])
    # The newest value, and increments as differences of values.
    return np.eye(sessions)[-1] - np.diff(on_increments, prepend=0.0, append=0.0)


def forecast_variance(weights: np.ndarray, hurst: float) -> float:
    """Variance of X_{t+1} less a weighted mean of the values up to X_t."""
    # X_{t+1} - sum w_i X_i, with sum 1, is a sum of increments with cumulated weights.
    on_increments = np.append(np.cumsum(weights)[:-1], 1.0)
    steps = np.arange(len(weights))
    covariance = fgn_autocovariance(hurst, len(weights))
    return on_increments @ covariance[np.abs(np.subtract.outer(steps, steps))] @ on_increments
