import math

import pytest
from scipy import stats

from volatility.evaluation.student_t import two_sided_pvalue

DEGREES = [1, 2, 5, 9, 30, 149, 630, 1260, 5104]
STATISTICS = [0.0, 1e-3, 0.3, 1.0, 1.96, 3.5, 8.0, 25.0]


@pytest.mark.parametrize("degrees", DEGREES)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_tails_agree_with_scipy(statistic, degrees):
    # scipy's own survival function is good to about 1e-13 here.
    expected = stats.t.sf(statistic, degrees)
    assert two_sided_pvalue(-statistic, degrees) == pytest.approx(
        2 * expected, rel=1e-11, abs=1e-300
    )


@pytest.mark.parametrize("statistic", [1e-9, 0.5, 1.0, 40.0])
def test_one_degree_of_freedom_is_the_cauchy_distribution(statistic):
    expected = 0.5 - math.atan(statistic) / math.pi
    assert two_sided_pvalue(statistic, 1) == pytest.approx(2 * expected, rel=1e-12)


def test_an_infinite_statistic_has_no_tail():
    assert two_sided_pvalue(math.inf, 10) == 0.0
