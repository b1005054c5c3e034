import numpy as np
import pytest

from volatility.errors import UnknownMeasure
from volatility.hurst.noise import log_volatility_noise
from volatility.measures.intraday import bipower_variation, med_rv, realized_variance


def test_range_of_a_brownian_day():
    # 4 d²/dp² log E R^p at p = 0, from Feller's moments of the range: 0.328723; a quarter of it.
    assert log_volatility_noise("parkinson").variance == pytest.approx(0.328723 / 4, rel=0.01)


def test_more_efficient_ranges_have_less_noise():
    noise = {
        name: log_volatility_noise(name).variance
        for name in ("parkinson", "garman_klass", "rogers_satchell")
    }
    assert noise["garman_klass"] < noise["parkinson"] < noise["rogers_satchell"]


@pytest.mark.parametrize("intraday_nobs", [24, 288])
@pytest.mark.parametrize("function", [realized_variance, bipower_variation, med_rv])
def test_intraday_measures_of_a_brownian_day(function, intraday_nobs):
    returns = np.random.default_rng(1).standard_normal((40_000, intraday_nobs))
    found = np.log(function(returns)).var() / 4
    expected = log_volatility_noise(function.__name__, intraday_nobs).variance
    # Exact for realized variance; the others' ratios to it are asymptotic.
    tolerance = 0.03 if function is realized_variance else 0.08
    assert found == pytest.approx(expected, rel=tolerance)


def test_many_returns_approach_two_over_m():
    assert log_volatility_noise("realized_variance", 10_000).variance == pytest.approx(
        0.5 / 10_000, rel=1e-3
    )


def test_unknown_measures_are_refused():
    with pytest.raises(UnknownMeasure):
        log_volatility_noise("garch")
