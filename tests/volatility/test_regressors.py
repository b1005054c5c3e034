import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility import regressors
from volatility.errors import HistoryTooShort, InvalidInput

NAMES = ("mean_1", "mean_5", "mean_22", "ewma_0.94")


def test_windows_by_hand():
    rows = regressors.windows(np.array([1.0, 2.0, 3.0, 4.0]), 3)
    assert rows.tolist() == [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    assert rows.flags.c_contiguous
    assert rows.flags.writeable


def test_windows_need_a_history():
    with pytest.raises(HistoryTooShort, match="a window of 22 sessions needs 22 sessions; got 17"):
        regressors.windows(np.ones(17), 22)
    assert regressors.windows(np.ones(22), 22).shape == (1, 22)


def test_trailing_means_by_hand():
    window = np.array([[8.0, 1.0, 3.0, 5.0]])
    # 5; (3 + 5) / 2; (8 + 1 + 3 + 5) / 4
    assert regressors.trailing_means(window, (1, 2, 4)).tolist() == [[5.0, 4.0, 4.25]]


def test_trailing_means_need_long_enough_windows():
    with pytest.raises(HistoryTooShort, match=r"HAR with lags \(1, 5, 22\) needs 22 sessions; got"):
        regressors.trailing_means(np.ones((3, 17)), (1, 5, 22))


def test_exponential_mean_by_hand():
    # Weights 1, 1/2, 1/4 from the newest: (4 + 2/2 + 8/4) / (7/4) = 7 / 1.75 = 4
    assert regressors.exponential_mean(np.array([[8.0, 2.0, 4.0]]), 0.5).tolist() == [4.0]


def test_exponential_mean_of_a_constant_is_the_constant():
    assert regressors.exponential_mean(np.full((2, 75), 3.0), 0.94) == pytest.approx(3.0, rel=1e-15)


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, np.nan])
def test_a_decay_lies_between_0_and_1(decay):
    with pytest.raises(InvalidInput, match="is not between 0 and 1") as caught:
        regressors.exponential_mean(np.ones((1, 3)), decay)
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
    assert (design[:, :3] == regressors.trailing_means(window, (1, 5, 22))).all()
    assert (design[:, 3] == regressors.exponential_mean(window[:, -75:], 0.94)).all()
    assert (regressors.build(NAMES[::-1], {"rv": window}) == design[:, ::-1]).all()


def test_build_needs_long_enough_windows():
    with pytest.raises(HistoryTooShort, match="mean_5, mean_22 needs 22 sessions; got 21"):
        regressors.build(["mean_5", "mean_22"], {"rv": np.ones((2, 21))})


@pytest.mark.parametrize("nobs", [75, 76, 83, 200, 1000, 2522])
def test_the_last_row_is_the_same_from_any_sufficient_history(nobs):
    values = np.log(np.random.default_rng(nobs).lognormal(-8, 1, nobs))
    long = regressors.build(NAMES, {"rv": regressors.windows(values, 75)})[-1]
    for kept in {75, 76, 100, nobs - 1, nobs} & set(range(75, nobs + 1)):
        short = regressors.build(NAMES, {"rv": regressors.windows(values[-kept:], 75)})[-1]
        assert (short == long).all()
        everything = {"rv": values[-kept:][None, :]}  # one window of all there is
        wide = regressors.build(NAMES, everything)[0]
        assert (wide == long).all()


@pytest.mark.parametrize("lag", [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 22, 64, 127, 128, 129, 250])
@pytest.mark.parametrize("batch", [2, 3, 8, 33, 257])
def test_a_row_is_the_same_alone_and_in_a_batch(lag, batch):
    rows = np.random.default_rng(lag * batch).lognormal(-8, 1, (batch, 250))
    for layout in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
        means = regressors.trailing_means(layout, (lag,))
        averages = regressors.exponential_mean(layout[:, -lag:], 0.94)
        for i in range(batch):
            assert (means[i] == regressors.trailing_means(rows[i : i + 1], (lag,))[0]).all()
            assert averages[i] == regressors.exponential_mean(rows[i : i + 1, -lag:], 0.94)[0]


@given(
    st.lists(st.floats(1e-8, 1.0), min_size=22, max_size=60),
    st.lists(st.floats(1e-8, 1.0), max_size=10),
)
def test_what_comes_later_changes_nothing_earlier(past, later):
    names = ("mean_1", "mean_5", "mean_22")
    known = regressors.build(names, {"rv": regressors.windows(np.array(past), 22)})
    extended = regressors.build(names, {"rv": regressors.windows(np.array(past + later), 22)})
    assert (extended[: len(known)] == known).all()


@given(st.lists(st.floats(1e-8, 1.0), min_size=75, max_size=80))
def test_regressors_are_averages(values):
    window = np.array([values])
    design = regressors.build(NAMES, {"rv": window})
    assert (design >= window.min() * (1 - 1e-12)).all()
    assert (design <= window.max() * (1 + 1e-12)).all()
