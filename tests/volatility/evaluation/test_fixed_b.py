import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from benchmarks.evaluation_tables.fixed_b_limit import NORMAL_SCORES, SHARES, simulated_ratios
from volatility.evaluation import fixed_b


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.5, 1.0])
@pytest.mark.parametrize(
    ("level", "cubic"),
    [
        (0.10, (1.6449, 2.1859, 0.3142, -0.3427)),
        (0.05, (1.9600, 2.9694, 0.4160, -0.5324)),
        (0.02, (2.3263, 4.1618, 0.5368, -0.9060)),
    ],
)
def test_quantiles_are_the_published_ones(share, level, cubic):
    # Kiefer & Vogelsang (2005), table 1, Bartlett: a cubic in b fitted to their simulation.
    published = sum(coefficient * share**power for power, coefficient in enumerate(cubic))
    assert fixed_b.two_sided_quantile(level, share) == pytest.approx(published, rel=0.015)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.33, 1.0])
def test_pvalues_are_those_of_the_quantiles(share):
    for level in (0.9, 0.2, 0.05, 0.001):
        quantile = fixed_b.two_sided_quantile(level, share)
        assert fixed_b.two_sided_pvalue(quantile, share) == pytest.approx(level)
        assert fixed_b.two_sided_pvalue(-quantile, share) == pytest.approx(level)
        assert fixed_b.upper_tail(quantile, share) == pytest.approx(level / 2)
        assert fixed_b.upper_tail(-quantile, share) == pytest.approx(1 - level / 2)


def test_a_kernel_over_nothing_is_normal():
    assert fixed_b.two_sided_pvalue(1.96, 1e-9) == pytest.approx(2 * stats.norm.sf(1.96))


def test_pvalues_fall_with_the_statistic_and_rise_with_the_share():
    statistics = np.linspace(0, 30, 200)
    for share in (0.03, 0.5, 1.0):
        pvalues = [fixed_b.two_sided_pvalue(it, share) for it in statistics]
        assert np.all(np.diff(pvalues) < 0)
    for share, more in pairwise(SHARES):
        assert fixed_b.two_sided_pvalue(2.5, share) < fixed_b.two_sided_pvalue(2.5, more)


def test_an_infinite_statistic_has_no_probability():
    assert fixed_b.two_sided_pvalue(math.inf, 0.1) == 0.0
    assert fixed_b.upper_tail(-math.inf, 0.1) == 1.0


def test_the_table_is_simulated_again():
    # 10,000 paths: a quantile of probability .05 has a standard error of 1.1 %.
    ratios = simulated_ratios(10_000)
    at = NORMAL_SCORES.index(2.0)
    for share, ratio in zip(SHARES, ratios[:, at], strict=True):
        level = 2 * stats.norm.sf(2.0)
        assert fixed_b.two_sided_quantile(level, share) == pytest.approx(2.0 * ratio, rel=0.04)
