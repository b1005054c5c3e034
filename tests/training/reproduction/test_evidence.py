import math

import numpy as np
import pytest
from scipy import stats

from training.reproduction.evidence import AccuracyTest, compare, improvement, seeds_pvalue
from training.reproduction.forecasts import ScoringProtocol
from training.reproduction.protocol import Paired
from volatility.evaluation.diebold_mariano import diebold_mariano


def pairs(seed: int = 0, nobs: int = 400) -> tuple[Paired, Paired]:
    """A good forecast and a worse one."""
    rng = np.random.default_rng(seed)
    actual = rng.standard_normal(nobs)
    good = actual + 0.5 * rng.standard_normal(nobs)
    bad = actual + 0.7 * rng.standard_normal(nobs)
    return Paired(actual, good), Paired(actual, bad)


def test_as_published_the_variance_has_no_autocovariances() -> None:
    good, bad = pairs()
    difference = bad.squared_errors - good.squared_errors
    expected = difference.mean() / np.sqrt(difference.var(ddof=1) / len(difference))
    test = compare(good, bad, ScoringProtocol.SAME)
    assert test.statistic == pytest.approx(expected, rel=1e-12)
    assert test.pvalue == pytest.approx(2 * stats.norm.sf(expected), rel=1e-9)


@pytest.mark.parametrize("protocol", list(ScoringProtocol))
def test_negative_is_worse(protocol: ScoringProtocol) -> None:
    good, bad = pairs()
    assert compare(good, bad, protocol).statistic > 0
    assert compare(bad, good, protocol).statistic < 0
    assert compare(good, bad, protocol).favours_model(0.05)
    assert not compare(bad, good, protocol).favours_model(0.05)


def test_by_position_a_model_with_fewer_forecasts_meets_as_many_of_the_other() -> None:
    good, bad = pairs()
    shorter = Paired(good.actual[:-9], good.forecast[:-9])
    as_many = Paired(bad.actual[:-9], bad.forecast[:-9])
    assert compare(shorter, bad, ScoringProtocol.SAME) == compare(
        shorter, as_many, ScoringProtocol.SAME
    )
    assert compare(bad, shorter, ScoringProtocol.SAME).favours_baseline(0.05)


def test_aligned_it_is_the_projects_own_test() -> None:
    good, bad = pairs()
    own = diebold_mariano(bad.squared_errors, good.squared_errors)
    assert compare(good, bad, ScoringProtocol.ALIGNED) == AccuracyTest(own.statistic, own.pvalue)


def test_equal_forecasts_cannot_be_told_apart() -> None:
    good, _ = pairs()
    for protocol in ScoringProtocol:
        assert compare(good, good, protocol) == AccuracyTest(0.0, 1.0)


def test_improvements_have_the_sign_of_the_paper() -> None:
    # Table 4: (0.2635 - 0.2346) / 0.2635 = 10.97 %, and (0.801 - 0.749) / 0.749 = 6.94 %
    assert improvement("rmse", 0.2635, 0.2346) == pytest.approx(10.968, abs=1e-3)
    assert improvement("r_squared", 0.749, 0.801) == pytest.approx(6.943, abs=1e-3)
    assert improvement("r_squared", -0.4, -0.2) == pytest.approx(50)


def test_seeds_are_compared_by_welchs_test() -> None:
    first, second = (0.23, 0.25, 0.22, 0.26, 0.24), (0.27, 0.29, 0.26, 0.35)
    expected = stats.ttest_ind(first, second, equal_var=False).pvalue
    assert seeds_pvalue(first, second) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("first", "second"),
    [((0.2,), (0.3, 0.4)), ((1.0, 1.0), (2.0, 2.0)), ((math.nan, 1.0), (2.0, 3.0))],
)
def test_without_spread_there_is_no_test(first: tuple, second: tuple) -> None:
    assert math.isnan(seeds_pvalue(first, second))
