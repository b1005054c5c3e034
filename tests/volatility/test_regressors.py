import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility import filters, regressors
from volatility.errors import HistoryTooShort, InvalidInput
from volatility.simulation.fractional import fgn_autocovariance

NAMES = ("mean_1", "mean_5", "mean_22", "ewma_0.94")
EVERY_FORM = (
    *("mean_5", "mean_22:continuous", "negative_mean_5:return", "ewma_0.94", "quarticity_5"),
    *("return_squares_0.950000_200", "negative_return_squares_0.500000_129"),
    *("rough_0.1200_100_1", "rough_0.4900_250_22"),
)


def columns(shape: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
    """Every column that EVERY_FORM looks at."""
    rng = np.random.default_rng(seed)
    return {
        "rv": rng.lognormal(-8, 1, shape),
        "return": 0.01 * rng.standard_normal(shape),
        "continuous": rng.lognormal(-9, 1, shape),
        "realized_quarticity": rng.lognormal(-17, 2, shape),
    }


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
    assert filters.exponential_mean(np.array([[8.0, 2.0, 4.0]]), 0.5).tolist() == [4.0]


def test_exponential_mean_of_a_constant_is_the_constant():
    assert filters.exponential_mean(np.full((2, 75), 3.0), 0.94) == pytest.approx(3.0, rel=1e-15)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, np.nan])
def test_a_decay_lies_between_0_and_1(decay):
    with pytest.raises(InvalidInput, match="is not between 0 and 1") as caught:
        filters.exponential_mean(np.ones((1, 3)), decay)
    assert caught.value.code == "invalid_decay"


def test_lookback_of_riskmetrics_leaves_out_one_percent():
    # 0.94**74 = 0.0103, 0.94**75 = 0.0097
    assert regressors.lookback_of(["ewma_0.94"]) == 75
    assert regressors.lookback_of(["mean_1", "mean_5", "mean_22"]) == 22
    assert regressors.lookback_of(NAMES) == 75


@pytest.mark.parametrize(
    "name",
    [
        *("", "mean", "mean_0", "mean_-1", "mean_05", "mean_1.5", "Mean_5", "mean_5 ", "mean_5\n"),
        *("ewma_1", "ewma_0.0", "ewma_1.5", "ewma_0.940"),
        *("mean_5:", "mean_5:rv", "mean_5:Continuous", "mean_5:price", "negative_mean_5"),
        *("return_squares_0.9_200", "return_squares_1.000000_200", "return_squares_0.900000"),
        *("rough_0.0000_100_1", "rough_0.5000_100_1", "rough_0.12_100_1", "rough_0.1200_100_0"),
    ],
)
def test_unknown_regressors(name):
    for call in (
        lambda: regressors.lookback_of([name]),
        lambda: regressors.build([name], {"rv": np.ones((1, 9))}),
    ):
        with pytest.raises(InvalidInput, match="is unknown; needed: mean_<sessions>") as caught:
            call()
        assert caught.value.code == "unknown_regressor"


def test_build_names_its_columns():
    window = np.random.default_rng(0).normal(size=(6, 90))
    design = regressors.build(NAMES, {"rv": window})
    assert design.shape == (6, 4)
    assert (design[:, :3] == filters.trailing_means(window, (1, 5, 22))).all()
    assert (design[:, 3] == filters.exponential_mean(window[:, -75:], 0.94)).all()
    assert (regressors.build(NAMES[::-1], {"rv": window}) == design[:, ::-1]).all()


def test_build_needs_long_enough_windows():
    with pytest.raises(HistoryTooShort, match="mean_5, mean_22 needs 22 sessions; got 21"):
        regressors.build(["mean_5", "mean_22"], {"rv": np.ones((2, 21))})


@pytest.mark.parametrize("nobs", [75, 76, 83, 200, 1000, 2522])
def test_the_last_row_is_the_same_from_any_sufficient_history(nobs):
    values = np.log(np.random.default_rng(nobs).lognormal(-8, 1, nobs))
    long = regressors.build(NAMES, {"rv": filters.windows(values, 75)})[-1]
    for kept in {75, 76, 100, nobs - 1, nobs} & set(range(75, nobs + 1)):
        short = regressors.build(NAMES, {"rv": filters.windows(values[-kept:], 75)})[-1]
        assert (short == long).all()
        everything = {"rv": values[-kept:][None, :]}  # one window of all there is
        wide = regressors.build(NAMES, everything)[0]
        assert (wide == long).all()


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 22, 64, 127, 128, 129, 250])
@pytest.mark.parametrize("batch", [2, 3, 8, 33, 257])
def test_a_row_is_the_same_alone_and_in_a_batch(lag, batch):
    rows = np.random.default_rng(lag * batch).lognormal(-8, 1, (batch, 250))
    for layout in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
        means = filters.trailing_means(layout, (lag,))
        averages = filters.exponential_mean(layout[:, -lag:], 0.94)
        for i in range(batch):
            assert (means[i] == filters.trailing_means(rows[i : i + 1], (lag,))[0]).all()
            assert averages[i] == filters.exponential_mean(rows[i : i + 1, -lag:], 0.94)[0]


@given(
    st.lists(st.floats(1e-8, 1.0), min_size=22, max_size=60),
    st.lists(st.floats(1e-8, 1.0), max_size=10),
)
def test_what_comes_later_changes_nothing_earlier(past, later):
    names = ("mean_1", "mean_5", "mean_22")
    known = regressors.build(names, {"rv": filters.windows(np.array(past), 22)})
    extended = regressors.build(names, {"rv": filters.windows(np.array(past + later), 22)})
    assert (extended[: len(known)] == known).all()


@given(st.lists(st.floats(1e-8, 1.0), min_size=75, max_size=80))
def test_regressors_are_averages(values):
    window = np.array([values])
    design = regressors.build(NAMES, {"rv": window})
    assert (design >= window.min() * (1 - 1e-12)).all()
    assert (design <= window.max() * (1 + 1e-12)).all()


def test_another_column_by_hand():
    windows = {"rv": np.full((1, 3), 9.0), "jump": np.array([[1.0, 2.0, 4.0]])}
    assert regressors.build(["mean_2:jump", "mean_1"], windows).tolist() == [[3.0, 9.0]]


def test_negative_mean_by_hand():
    # (-3 + 1) / 2 = -1, and (-3 + 1 + 5) / 3 = 1, which is above zero
    windows = {"rv": np.ones((1, 3)), "return": np.array([[5.0, -3.0, 1.0]])}
    names = ["negative_mean_2:return", "negative_mean_3:return"]
    assert regressors.build(names, windows).tolist() == [[-1.0, 0.0]]


def test_quarticity_by_hand():
    # 5 * sqrt(16); (3 + 5) / 2 * sqrt((2 + 16) / 2)
    windows = {"rv": np.array([[3.0, 5.0]]), "realized_quarticity": np.array([[2.0, 16.0]])}
    names = ["quarticity_1", "quarticity_2"]
    assert regressors.build(names, windows).tolist() == [[20.0, 12.0]]


def test_return_squares_by_hand():
    # Newest first: 1 + 9 / 2 + 16 / 4 = 9.5; of the negative ones 9 / 2 = 4.5; the last alone 1.
    windows = {"rv": np.ones((1, 4)), "return": np.array([[100.0, 4.0, -3.0, 1.0]])}
    names = [
        *("return_squares_0.500000_3", "negative_return_squares_0.500000_3"),
        "return_squares_0.000000_3",
    ]
    assert regressors.build(names, windows).tolist() == [[9.5, 4.5, 1.0]]


def test_rough_kernel_by_hand():
    # H = 1/4, one ahead: 1 / (1.5 * 0.5^0.75) = 1.1212, 1 / (2.5 * 1.5^0.75) = 0.2951,
    # 1 / (3.5 * 2.5^0.75) = 0.1437; together 1.5600. 0.1437, 0.2951, 1.1212 over that:
    expected = [0.0921, 0.1892, 0.7187]
    weights = filters.rough_kernel(0.25, 3, 1)
    assert weights == pytest.approx(expected, abs=1e-4)
    windows = {"rv": np.array([[7.0, 1.0, 2.0, 4.0]])}
    found = regressors.build(["rough_0.2500_3_1"], windows)
    assert found.item() == pytest.approx(weights @ [1.0, 2.0, 4.0], rel=1e-14)


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


def test_lookback_and_columns_follow_from_the_names():
    assert [regressors.lookback_of([name]) for name in EVERY_FORM] == [
        *(5, 22, 5, 75, 5, 200, 129, 100, 250)
    ]
    assert regressors.columns_of(EVERY_FORM) == ("continuous", "realized_quarticity", "return")
    assert regressors.columns_of(NAMES) == ()
    with pytest.raises(InvalidInput, match="is unknown"):
        regressors.columns_of(["mean_5", "mean"])


def test_a_missing_column_is_named():
    with pytest.raises(InvalidInput, match="need the column jump, which") as caught:
        regressors.build(["mean_1", "mean_5:jump"], {"rv": np.ones((1, 5))})
    assert caught.value.code == "missing_columns"


def test_a_column_too_is_long_enough():
    with pytest.raises(HistoryTooShort, match="mean_5:jump needs 5 sessions; got 4"):
        regressors.build(["mean_5:jump"], {"rv": np.ones((1, 5)), "jump": np.ones((1, 4))})


@pytest.mark.parametrize("batch", [2, 3, 8, 33])
def test_every_form_is_the_same_alone_in_a_batch_and_in_a_long_history(batch):
    rows = columns((batch, 260), seed=batch)
    together = regressors.build(EVERY_FORM, rows)
    for layout in (np.asfortranarray, lambda matrix: np.repeat(matrix, 2, axis=1)[:, ::2]):
        laid_out = {name: layout(matrix) for name, matrix in rows.items()}
        assert (regressors.build(EVERY_FORM, laid_out) == together).all()
    for i in range(batch):
        for kept in (250, 251, 260):
            alone = {name: matrix[i : i + 1, -kept:] for name, matrix in rows.items()}
            assert (regressors.build(EVERY_FORM, alone)[0] == together[i]).all()
