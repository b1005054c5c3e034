"""The scale of a kind of asset, which a year of chance must not set."""

import numpy as np
import pytest

from volatility.kind_scale import kind_log_scale
from volatility.own_scale import LARGEST_RATIO

YEARS = np.repeat([2016, 2017, 2018, 2019], 100)


def ratios(*by_year: float) -> np.ndarray:
    return np.repeat(np.array(by_year), 100)


def test_a_scale_by_hand() -> None:
    assert kind_log_scale(ratios(1.5, 1.5, 1.5, 1.5), YEARS, 1.0) == pytest.approx(np.log(1.5))
    # Mean 1.5; by year -0.025, 0.025, 0, 0 of it: V = 4/3 * 2 * 0.025² = 1/600, less than 0.25/9.
    weight = 1 - 9 / 600 / 0.5**2
    found = kind_log_scale(ratios(1.4, 1.6, 1.5, 1.5), YEARS, 1.0)
    assert found == pytest.approx(np.log(1 + 0.5 * weight))
    halved = kind_log_scale(ratios(0.7, 0.8, 0.75, 0.75), YEARS, 1.5)
    assert halved == pytest.approx(np.log(1 - 0.5 * (1 - 9 / 2_400 / 0.75**2)), abs=1e-9)


def test_a_kind_that_varies_from_year_to_year_has_no_scale() -> None:
    # V = 4/3 * 2 * 0.125² = 1/24: two and a half standard errors.
    assert kind_log_scale(ratios(1.0, 2.0, 1.5, 1.5), YEARS, 1.0) == 0.0


def test_two_years_say_nothing() -> None:
    two = np.where(YEARS < 2018, 2018, 2019)
    assert kind_log_scale(ratios(1.5, 1.5, 1.5, 1.5), two, 1.0) == 0.0
    known = np.where(YEARS < 2018, np.nan, 1.5)
    assert kind_log_scale(known, YEARS, 1.0) == 0.0
    assert kind_log_scale(np.empty(0), np.empty(0, np.int64), 1.0) == 0.0


def test_one_print_says_no_more_than_six_ordinary_sessions() -> None:
    wild, capped = ratios(1.5, 1.5, 1.5, 1.5), ratios(1.5, 1.5, 1.5, 1.5)
    wild[7], capped[7] = 5_000.0, LARGEST_RATIO
    assert kind_log_scale(wild, YEARS, 1.0) == kind_log_scale(capped, YEARS, 1.0)
