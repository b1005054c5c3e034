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


@pytest.mark.parametrize(("steps", "log_rv_variance"), [(390, 0.285), (96, 0.322)])
def test_the_fewer_the_steps_the_noisier_the_range(steps, log_rv_variance):
    # Simulated elsewhere: /4 for log volatility.
    found = log_volatility_noise("garman_klass", steps)
    assert found.variance == pytest.approx(log_rv_variance / 4, abs=0.001)
    assert found.bounds.least == found.variance
    assert found.bounds.most == pytest.approx(1.25 * found.variance)


@pytest.mark.parametrize("steps", [8, 50, 1_000, 20_000])
def test_the_noise_of_a_range_of_steps_against_simulation(steps):
    rng = np.random.default_rng(2)
    days = 20_000 if steps < 10_000 else 1_000
    logs = []
    for _ in range(10):
        price = np.cumsum(rng.standard_normal((days // 10, steps)), axis=1)
        spread = np.maximum(price.max(axis=1), 0) - np.minimum(price.min(axis=1), 0)
        logs.append(np.log(spread))
    expected = log_volatility_noise("parkinson", steps).variance
    assert np.concatenate(logs).var() == pytest.approx(expected, rel=0.04 if days > 1_000 else 0.2)


def test_unknown_steps_leave_a_stretch():
    found = log_volatility_noise("garman_klass")
    assert found.variance < log_volatility_noise("garman_klass", 10**6).variance * 1.02
    assert found.with_fewest_steps == log_volatility_noise("garman_klass", 96).variance
    assert found.bounds.most == pytest.approx(found.with_fewest_steps)


def test_a_range_of_hardly_any_steps_is_not_known():
    assert "at least 8 are needed" in log_volatility_noise("parkinson", 5).reason
    assert log_volatility_noise("parkinson", 1).overwhelming
    assert not log_volatility_noise("parkinson", 5).bounds.known


def test_unknown_measures_are_refused():
    with pytest.raises(UnknownMeasure, match="garch"):
        log_volatility_noise("garch")
