"""Running sums over a series against sums of each window."""

import numpy as np
import pytest

from volatility.filters import windows
from volatility.regressor_names import make_regressor
from volatility.running_windows import RunningWindows, WithoutEffects, running_exponential_mean
from volatility.shared_windows import SharedWindows
from volatility.trailing import SESSIONS, exponential_weights

NOBS, CLASSES = 900, 8
NAMES = (
    "mean_1",
    "mean_22",
    "negative_mean_5:return",
    "ewma_0.94",
    "exponential_mean_1",
    "exponential_mean_125",
    "exponential_mean_125:range_ratio",
    "departure_0",
    "departure_5",
    "departure_0:range_ratio",
    "level_departure_25",
    "negative_shock_5:return",
    "absolute_shock_1:overnight_return",
    "spread_22",
    "excursion_5",
    "departure_5:VIX:log_rv",
    "negative_shock_5:VIX:return",
)


def series(seed: int = 0, nobs: int = NOBS) -> dict[str, np.ndarray]:
    """Log rv far from zero with one crash, and columns."""
    rng = np.random.default_rng(seed)
    rv = -9 + 0.1 * np.cumsum(rng.standard_normal(nobs)) + 0.5 * rng.standard_normal(nobs)
    rv[nobs // 2] += 7
    deviation = np.exp(rv / 2)
    return {
        "rv": rv,
        "return": deviation * rng.standard_normal(nobs),
        "overnight_return": 0.3 * deviation * rng.standard_normal(nobs),
        "range_ratio": 0.2 * rng.standard_normal(nobs),
        "VIX:log_rv": -8 + 0.1 * np.cumsum(rng.standard_normal(nobs)),
        "VIX:return": 0.05 * rng.standard_normal(nobs),
    }


def of_windows(columns: dict[str, np.ndarray], name: str) -> np.ndarray:
    return make_regressor(name).values(
        SharedWindows({column: windows(values, SESSIONS) for column, values in columns.items()})
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_regressor_has_the_values_it_has_of_windows(name: str) -> None:
    columns = series()
    found = RunningWindows(columns).values_of(make_regressor(name))
    assert found.shape == (NOBS,)
    expected = of_windows(columns, name)
    np.testing.assert_allclose(found[SESSIONS - 1 :], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_effects_are_taken_out_of_each_window(name: str) -> None:
    """Each session's window loses effects of its own, as known at its fit."""
    columns, rng = series(), np.random.default_rng(1)
    classes = rng.integers(0, CLASSES - 1, NOBS)  # the last class does not occur
    effects = np.repeat(rng.normal(0, 0.3, (NOBS // 10, CLASSES)), 10, axis=0)
    plain = RunningWindows(columns)
    found = WithoutEffects(plain, classes, effects).values_of(make_regressor(name))
    log_rv = windows(columns["rv"], SESSIONS)
    places = windows(classes.astype(float), SESSIONS).astype(int)
    own = np.take_along_axis(effects[SESSIONS - 1 :], places, axis=1)
    each = {it: windows(values, SESSIONS) for it, values in columns.items()} | {"rv": log_rv - own}
    expected = make_regressor(name).values(SharedWindows(each))
    np.testing.assert_allclose(found[SESSIONS - 1 :], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("centre", [1.0, 5.0, 25.0, 125.0])
def test_a_running_mean_by_hand(centre: float) -> None:
    values = np.random.default_rng(2).standard_normal((2, 700))
    weights = exponential_weights(centre, SESSIONS)
    expected = [np.convolve(row, weights[::-1], "valid") / weights.sum() for row in values]
    found = running_exponential_mean(values, centre)[:, SESSIONS - 1 :]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)


def test_what_is_computed_once_is_kept() -> None:
    running = RunningWindows(series())
    regressor = make_regressor("departure_5")
    assert running.values_of(regressor) is running.values_of(make_regressor("departure_5"))


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_later_changes_no_bit(name: str) -> None:
    columns = series()
    cut = {column: values[:655] for column, values in columns.items()}
    regressor = make_regressor(name)
    whole, part = RunningWindows(columns), RunningWindows(cut)
    assert np.array_equal(whole.values_of(regressor)[:655], part.values_of(regressor))


@pytest.mark.parametrize(
    "name",
    ["exponential_mean_5:VIX:log_rv", "departure_5:VIX:log_rv", "negative_shock_5:VIX:return"],
)
def test_a_gap_leaves_means_to_what_is_known(name: str) -> None:
    columns = series()
    for column in ("VIX:log_rv", "VIX:return"):
        columns[column][[*range(40), 400, 401, 700]] = np.nan
    found = RunningWindows(columns).values_of(make_regressor(name))[SESSIONS - 1 :]
    expected = of_windows(columns, name)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    assert np.isfinite(found[100:150]).all()


def test_nothing_is_known_where_nothing_is() -> None:
    values = np.random.default_rng(4).normal(size=NOBS)
    values[100:400] = np.nan
    found = running_exponential_mean(values, 25.0)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(found)), np.arange(349, 400))
