from collections.abc import Callable

import numpy as np
import pytest

from tests.errors import details
from volatility.arrays import FloatArray
from volatility.errors import HistoryTooShort, InvalidInput, UnsupportedLevel
from volatility.hurst import (
    MINIMUM_NOBS,
    ConstantSeries,
    HurstEstimate,
    HurstReport,
    dfa,
    report,
    rescaled_range,
    variogram,
    variogram_corrected,
    wavelet,
    whittle,
)
from volatility.hurst.estimate import about_rv, check_path

ESTIMATORS: list[Callable[[FloatArray], HurstEstimate | HurstReport]] = [
    rescaled_range,
    dfa,
    variogram,
    wavelet,
    whittle,
    lambda path: variogram_corrected(path, "parkinson"),
    lambda path: report(path, measure=None),
]
PATH = np.cumsum(np.random.default_rng(1).standard_normal(300))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(estimator, bad):
    path = PATH.copy()
    path[[7, 9]] = bad
    with pytest.raises(
        InvalidInput, match="2 values that are not finite, the first at position 7"
    ) as refused:
        estimator(path)
    assert details(refused.value) == (
        "log_volatility",
        pytest.approx(bad, nan_ok=True),
        "finite numbers",
    )


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_short_paths_are_refused(estimator):
    with pytest.raises(HistoryTooShort, match="needs 125 sessions; got 124") as refused:
        estimator(PATH[: MINIMUM_NOBS - 1])
    assert details(refused.value) == ("log_volatility", 124, "at least 125 sessions")
    estimator(PATH[:MINIMUM_NOBS])


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("path", [np.full(300, -4.2), np.linspace(0, 1, 300)])
def test_paths_without_fluctuations_are_refused(estimator, path):
    with pytest.raises(ConstantSeries) as error:
        estimator(path)
    assert error.value.code == "constant_series"
    assert details(error.value) == ("log_volatility", path[0], "a series that varies")


@pytest.mark.parametrize(
    ("level", "step", "refused"),
    [(0.0, 4.9e-13, True), (0.0, 5.1e-13, False), (-1e6, 1e-7, True), (-1e4, 1e-7, False)],
)
def test_fluctuations_that_rounding_makes_are_none(level, step, refused):
    """Changes that differ by 1e-12 of the largest value at most, or by 1e-12."""
    path = level + np.where(np.arange(300) % 2, step, 0.0)  # changes differ by twice the step
    if refused:
        with pytest.raises(ConstantSeries):
            check_path(path)
    else:
        assert check_path(path).tolist() == path.tolist()


def test_a_path_that_hardly_moves_is_refused_rather_than_divided_by_zero():
    path = np.zeros(300)
    path[150:] = 1.0
    for estimator in ESTIMATORS:
        try:
            found = estimator(path)
        except ConstantSeries:
            continue
        assert found.hurst is None or 0 <= found.hurst <= 1


def test_who_gave_rv_is_told_of_rv():
    rv = np.full(300, 2e-4)
    with pytest.raises(ConstantSeries) as refused:
        check_path(0.5 * np.log(rv))
    told = about_rv(refused.value, rv)
    assert (type(told), told.code) == (ConstantSeries, "constant_series")
    assert details(told) == ("rv", 2e-4, "a series that varies")
    with pytest.raises(HistoryTooShort) as short:
        check_path(0.5 * np.log(rv[:9]))
    assert details(about_rv(short.value, rv)) == ("rv", 9, "at least 125 sessions")
    other = InvalidInput("x", field="measure")
    assert about_rv(other, rv) is other


def test_two_paths_at_once_are_refused():
    with pytest.raises(InvalidInput, match="one path is needed") as refused:
        dfa(PATH.reshape(2, -1))
    assert details(refused.value) == ("log_volatility", (2, 150), "a one-dimensional array")


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_levels_outside_the_unit_interval_are_refused(level):
    with pytest.raises(UnsupportedLevel, match=f"level is {level}") as refused:
        whittle(PATH, level)
    assert (refused.value.field, refused.value.found) == ("level", level)
