from typing import Any

import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst import report, variogram, whittle
from volatility.hurst.seasons import remove_calendar, weekly_cycle
from volatility.simulation.multiscale import autoregression

EXACT: Any = {"measure": "realized_variance", "intraday_nobs": 10**6}


def weekdays(nobs):
    return np.arange(nobs) % 7


def weekend(nobs, size=-0.2):
    return np.where(weekdays(nobs) >= 5, size, 0.0)


def test_planted_effects_are_found_and_taken_out():
    path = 0.3 * brownian_paths(0.1)[0]
    clean, removed = remove_calendar(path + weekend(1_500), weekdays(1_500))
    effects = removed.by_class()
    # -0.2 of log volatility on two days of seven: -0.4 of log rv against the other five.
    assert effects["saturday"] - effects["wednesday"] == pytest.approx(-0.4, abs=0.1)
    assert set(effects) == {
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    }
    assert np.std(clean - path) < 0.03
    # Two jumps of 0.2 a week: 2 / 7 * 0.04 of a mean square of 0.09 and that.
    assert removed.share == pytest.approx(0.0114 / (0.09 + 0.0114), abs=0.03)


@pytest.mark.parametrize("hurst", [0.1, 0.3, 0.5])
def test_effects_of_a_path_without_any_do_not_bias_the_exponent(hurst):
    paths = brownian_paths(hurst)[:60]
    classes = weekdays(1_500)
    classes[::83] = 7  # half days, few and far apart
    for estimator in (variogram, whittle):
        change = [
            estimator(remove_calendar(path, classes)[0]).hurst - estimator(path).hurst
            for path in paths
        ]
        assert abs(np.mean(change)) < 0.003
        assert np.std(change) < 0.006


def test_a_weekly_cycle_makes_no_roughness():
    rng = np.random.default_rng(1)
    paths = 0.5 * autoregression(0.98, 1_500, rng, 15) + weekend(1_500)
    plain = [report(path, **EXACT) for path in paths]
    dated = [report(path, day_classes=weekdays(1_500), **EXACT) for path in paths]
    before, after = ([one.estimate("whittle").hurst for one in some] for some in (plain, dated))
    assert np.mean(before) < 0.4  # what the cycle does
    assert np.mean(after) > 0.45
    assert "rough" not in [one.verdict for one in plain + dated]
    assert all(one.weekly_cycle == 7 for one in plain)
    assert all("repeats itself every 7 sessions" in " ".join(one.warnings) for one in plain)
    assert all(one.calendar is None for one in plain)
    assert all(one.calendar is not None and one.weekly_cycle is None for one in dated)


def test_a_rough_path_with_a_cycle_is_rough_only_with_dates():
    # Long enough for the model to win.
    paths = brownian_paths(0.1, 5_000, 20)[:6] + 3 * weekend(5_000)
    dated = [report(path, day_classes=weekdays(5_000), **EXACT) for path in paths]
    assert [one.verdict for one in dated].count("rough") >= 4
    assert "rough" not in [report(path, **EXACT).verdict for path in paths]


@pytest.mark.parametrize("week", [5, 7])
def test_the_week_is_found(week):
    rng = np.random.default_rng(2)
    cycle = np.where(np.arange(1_500) % week == 0, -0.3, 0.0)
    paths = 0.5 * autoregression(0.98, 1_500, rng, 20) + 0.1 * rng.standard_normal((20, 1_500))
    assert all(weekly_cycle(path + cycle) == week for path in paths)
    assert all(weekly_cycle(path) is None for path in paths)


def test_holidays_do_not_hide_the_week():
    rng = np.random.default_rng(3)
    days = np.arange(2_600)
    open_ = (days % 7 < 5) & (rng.random(2_600) > 0.035)
    cycle = np.where(days[open_] % 7 == 0, -0.3, 0.0)
    path = 0.5 * autoregression(0.98, len(cycle), rng)[0]
    assert weekly_cycle(path + cycle) == 5


def test_false_alarms_are_rare():
    paths = brownian_paths(0.3)
    assert np.mean([weekly_cycle(path) is not None for path in paths]) <= 0.02
