from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from volatility import filters
from volatility.errors import HistoryTooShort, InvalidInput
from volatility.regressor_names import coefficients_of, design_of, make_regressor
from volatility.regressors import Design, ExponentialMean, Regressor, ReturnSquares, RoughForecast

NAMES = ("mean_1", "mean_5", "mean_22", "ewma_0.94")
NAMED = ("mean_5", "mean_22:continuous", "negative_mean_5:return", "ewma_0.94", "quarticity_5")
EVERY_FORM = (
    *map(make_regressor, NAMED),
    *(ReturnSquares(0.95, 200), ReturnSquares(0.5, 129, negative=True)),
    *(RoughForecast(0.12, 100, 1), RoughForecast(0.49, 250, 22)),
)


def build(regressors: tuple[Regressor, ...], windows: dict[str, np.ndarray]) -> np.ndarray:
    return Design(regressors).build(windows)


def named(names: tuple[str, ...] | list[str], windows: dict[str, np.ndarray]) -> np.ndarray:
    return design_of(tuple(names)).build(windows)


def columns(shape: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
    """Every column that EVERY_FORM looks at."""
    rng = np.random.default_rng(seed)
    return {
        "rv": rng.lognormal(-8, 1, shape),
        "return": 0.01 * rng.standard_normal(shape),
        "continuous": rng.lognormal(-9, 1, shape),
        "realized_quarticity": rng.lognormal(-17, 2, shape),
    }


def test_lookback_of_riskmetrics_leaves_out_one_percent():
    # 0.94**74 = 0.0103, 0.94**75 = 0.0097
    assert design_of(("ewma_0.94",)).lookback == 75
    assert design_of(("mean_1", "mean_5", "mean_22")).lookback == 22
    assert design_of(NAMES).lookback == 75


@pytest.mark.parametrize(
    "name",
    [
        *("", "mean", "mean_0", "mean_-1", "mean_05", "mean_1.5", "Mean_5", "mean_5 ", "mean_5\n"),
        *("ewma_1", "ewma_0.0", "ewma_1.5", "ewma_0.940"),
        *("mean_5:", "mean_5:rv", "mean_5:Continuous", "mean_5:price", "negative_mean_5"),
        *("return_squares_", "return_squares_0.9_200", "rough", "rough_0", "rough_1_100"),
    ],
)
def test_unknown_regressors(name):
    for read in (make_regressor, lambda name: coefficients_of({name: 1.0})):
        with pytest.raises(InvalidInput, match="is unknown; needed: mean_<sessions>") as caught:
            read(name)
        assert caught.value.code == "unknown_regressor"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("mean_5", {"decay": 0.9}),
        ("return_squares", {}),
        ("return_squares", {"decay": 0.9}),
        ("return_squares", {"decay": 1.0, "sessions": 200}),
        ("return_squares", {"decay": float("nan"), "sessions": 200}),
        ("return_squares", {"decay": 0.9, "sessions": 0}),
        ("return_squares", {"decay": 0.9, "sessions": 200.0}),
        ("return_squares", {"decay": 0.9, "sessions": True}),
        ("return_squares", {"decay": "0.9", "sessions": 200}),
        ("return_squares", {"decay": 0.9, "sessions": 200, "hurst": 0.1}),
        ("rough_1", {"hurst": 0.5, "sessions": 100}),
        ("rough_1", {"hurst": 0.0, "sessions": 100}),
        ("rough_1", {"hurst": 0.1, "sessions": 10_000}),
    ],
)
def test_parameters_that_a_regressor_cannot_have(name, parameters):
    with pytest.raises(InvalidInput, match="has the parameters") as caught:
        make_regressor(name, parameters)
    assert caught.value.code == "invalid_parameters"


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5, np.nan])
def test_a_decay_of_a_mean_lies_between_0_and_1(decay):
    with pytest.raises(InvalidInput, match="0 < decay < 1") as caught:
        ExponentialMean(decay)
    assert caught.value.code == "invalid_parameters"


def test_a_mean_looks_back_on_a_bounded_window():
    with pytest.raises(InvalidInput, match="from 1 to 9999"):
        ExponentialMean(0.9999999)


@pytest.mark.parametrize("regressor", EVERY_FORM)
def test_a_regressor_is_read_from_its_name_and_parameters(regressor):
    assert make_regressor(regressor.name, regressor.parameters) == regressor


def test_build_names_its_columns():
    window = np.random.default_rng(0).normal(size=(6, 90))
    design = named(NAMES, {"rv": window})
    assert design.shape == (6, 4)
    assert (design[:, :3] == filters.trailing_means(window, (1, 5, 22))).all()
    weights = filters.decaying(0.94, 75)
    averages = filters.weighted_sum(window[:, -75:], weights / weights.sum())
    assert (design[:, 3] == averages).all()
    assert (named(NAMES[::-1], {"rv": window}) == design[:, ::-1]).all()


def test_build_needs_long_enough_windows():
    with pytest.raises(HistoryTooShort, match="mean_5, mean_22 needs 22 sessions; got 21"):
        named(["mean_5", "mean_22"], {"rv": np.ones((2, 21))})


@pytest.mark.parametrize("nobs", [75, 76, 83, 200, 1000, 2522])
def test_the_last_row_is_the_same_from_any_sufficient_history(nobs):
    values = np.log(np.random.default_rng(nobs).lognormal(-8, 1, nobs))
    long = named(NAMES, {"rv": filters.windows(values, 75)})[-1]
    for kept in {75, 76, 100, nobs - 1, nobs} & set(range(75, nobs + 1)):
        short = named(NAMES, {"rv": filters.windows(values[-kept:], 75)})[-1]
        assert (short == long).all()
        everything = {"rv": values[-kept:][None, :]}  # one window of all there is
        wide = named(NAMES, everything)[0]
        assert (wide == long).all()


@given(
    st.lists(st.floats(1e-8, 1.0), min_size=22, max_size=60),
    st.lists(st.floats(1e-8, 1.0), max_size=10),
)
def test_what_comes_later_changes_nothing_earlier(past, later):
    names = ("mean_1", "mean_5", "mean_22")
    known = named(names, {"rv": filters.windows(np.array(past), 22)})
    extended = named(names, {"rv": filters.windows(np.array(past + later), 22)})
    assert (extended[: len(known)] == known).all()


@given(st.lists(st.floats(1e-8, 1.0), min_size=75, max_size=80))
def test_regressors_are_averages(values):
    window = np.array([values])
    design = named(NAMES, {"rv": window})
    assert (design >= window.min() * (1 - 1e-12)).all()
    assert (design <= window.max() * (1 + 1e-12)).all()


def test_another_column_by_hand():
    windows = {"rv": np.full((1, 3), 9.0), "jump": np.array([[1.0, 2.0, 4.0]])}
    assert named(["mean_2:jump", "mean_1"], windows).tolist() == [[3.0, 9.0]]


def test_negative_mean_by_hand():
    # (-3 + 1) / 2 = -1, and (-3 + 1 + 5) / 3 = 1, which is above zero
    windows = {"rv": np.ones((1, 3)), "return": np.array([[5.0, -3.0, 1.0]])}
    names = ["negative_mean_2:return", "negative_mean_3:return"]
    assert named(names, windows).tolist() == [[-1.0, 0.0]]


def test_quarticity_by_hand():
    # 5 * sqrt(16); (3 + 5) / 2 * sqrt((2 + 16) / 2)
    windows = {"rv": np.array([[3.0, 5.0]]), "realized_quarticity": np.array([[2.0, 16.0]])}
    names = ["quarticity_1", "quarticity_2"]
    assert named(names, windows).tolist() == [[20.0, 12.0]]


def test_return_squares_by_hand():
    # Newest first: 1 + 9 / 2 + 16 / 4 = 9.5; of the negative ones 9 / 2 = 4.5; the last alone 1.
    windows = {"rv": np.ones((1, 4)), "return": np.array([[100.0, 4.0, -3.0, 1.0]])}
    half = ReturnSquares(0.5, 3)
    regressors = (half, replace(half, negative=True), replace(half, decay=0.0))
    assert build(regressors, windows).tolist() == [[9.5, 4.5, 1.0]]


def test_a_rough_forecast_weighs_by_the_kernel():
    windows = {"rv": np.array([[7.0, 1.0, 2.0, 4.0]])}
    found = build((RoughForecast(0.25, 3, 1),), windows)
    weights = filters.rough_kernel(0.25, 3, 1)
    assert found.item() == pytest.approx(weights @ [1.0, 2.0, 4.0], rel=1e-14)


def test_lookback_and_columns_follow_from_the_regressors():
    assert [it.sessions for it in EVERY_FORM] == [5, 22, 5, 75, 5, 200, 129, 100, 250]
    assert Design(EVERY_FORM).lookback == 250
    assert Design(EVERY_FORM).columns == ("continuous", "realized_quarticity", "return")
    assert design_of(NAMES).columns == ()


def test_a_missing_column_is_named():
    with pytest.raises(InvalidInput, match="need the column jump, which") as caught:
        named(["mean_1", "mean_5:jump"], {"rv": np.ones((1, 5))})
    assert caught.value.code == "missing_columns"


def test_a_column_too_is_long_enough():
    with pytest.raises(HistoryTooShort, match="mean_5:jump needs 5 sessions; got 4"):
        named(["mean_5:jump"], {"rv": np.ones((1, 5)), "jump": np.ones((1, 4))})


@pytest.mark.parametrize("batch", [2, 3, 8, 33])
def test_every_form_is_the_same_alone_in_a_batch_and_in_a_long_history(batch):
    rows = columns((batch, 260), seed=batch)
    together = build(EVERY_FORM, rows)
    for layout in (np.asfortranarray, lambda matrix: np.repeat(matrix, 2, axis=1)[:, ::2]):
        laid_out = {name: layout(matrix) for name, matrix in rows.items()}
        assert (build(EVERY_FORM, laid_out) == together).all()
    for i in range(batch):
        for kept in (250, 251, 260):
            alone = {name: matrix[i : i + 1, -kept:] for name, matrix in rows.items()}
            assert (build(EVERY_FORM, alone)[0] == together[i]).all()
