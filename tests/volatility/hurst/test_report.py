import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.volatility.hurst.paths import brownian_paths
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.errors import UnknownMeasure
from volatility.hurst import report
from volatility.measures.daily import rolling_std
from volatility.seasonality import day_classes
from volatility.series import daily_series
from volatility.simulation.fractional import rough_log_volatility
from volatility.simulation.multiscale import (
    autoregression,
    exponential_average,
    heterogeneous_autoregression,
)

PAPER = Path(__file__).parents[4] / "shared" / "paper"
NAMES = {"rescaled_range", "dfa", "variogram", "wavelet", "whittle", "variogram_corrected"}


def test_six_estimates_and_a_headline():
    path = brownian_paths(0.1, 5_000, 20)[1]
    found = report(path, measure="realized_variance", intraday_nobs=10**6)
    assert {one.estimator for one in found.estimates} == NAMES
    assert found.nobs == 5_000
    assert found.measure == "realized_variance"
    assert found.headline_estimator == "variogram_corrected"
    assert found.hurst == found.estimate("variogram_corrected").hurst
    assert found.verdict == "rough"
    assert "once the noise of realized_variance is taken out" in found.reason
    assert any("a floor" in warning for warning in found.warnings)


def test_undeclared_noise_is_said_and_the_headline_is_whittles():
    found = report(brownian_paths(0.1)[1], measure=None)
    assert found.headline_estimator == "whittle"
    assert found.estimate("variogram_corrected").hurst is None
    assert any("not declared" in warning for warning in found.warnings)
    assert found.verdict == "several_scales"
    assert "the size of the noise is not known" in found.reason


def test_brownian_log_volatility_is_not_rough():
    verdicts = [report(path, measure=None).verdict for path in brownian_paths(0.5)[:20]]
    assert verdicts.count("not_rough") >= 17
    assert "rough" not in verdicts


def test_brownian_log_volatility_under_noise_is_hardly_ever_called_rough():
    rng = np.random.default_rng(1)
    paths = 0.3 * brownian_paths(0.5)[:20]
    seen = paths + 0.5 * np.log(rng.chisquare(24, paths.shape) / 24)
    undeclared = [report(path, measure=None) for path in seen]
    declared = [report(path, measure="realized_variance", intraday_nobs=24) for path in seen]
    # Two to three percent, see docs/hurst.md; every plain interval ends below one half.
    assert [one.verdict for one in undeclared].count("rough") <= 2
    assert [one.verdict for one in declared].count("rough") <= 2
    assert [one.verdict for one in declared].count("not_rough") >= 15
    assert np.mean([one.estimate("whittle").interval[1] < 0.5 for one in declared]) > 0.9
    rises = [
        with_.hurst - without.hurst for with_, without in zip(declared, undeclared, strict=True)
    ]
    assert np.mean(rises) > 0.06


def test_a_reverting_factor_under_noise_is_inconclusive():
    rng = np.random.default_rng(2)
    factor = rough_log_volatility(0.5, 1_500, rng, mean_reversion=1 / 20)[0]
    found = report(factor + 0.3 * rng.standard_normal(1_500), measure=None)
    assert found.estimate("whittle").interval[1] < 0.5
    assert found.verdict == "inconclusive"
    assert "reverts to its mean" in found.reason
    assert found.upper_bound >= 0.5


@pytest.mark.parametrize("measure", [None, "parkinson", "squared_return"])
def test_white_noise_is_not_rough(measure):
    noise = 0.3 * np.random.default_rng(3).standard_normal(2_000)
    found = report(noise, measure=measure)
    assert found.verdict == "inconclusive"
    assert found.hurst is None
    assert found.headline_estimator is None
    assert "noise" in found.reason


def test_one_return_a_day_is_inconclusive_even_with_memory():
    rng = np.random.default_rng(4)
    returns = np.exp(0.3 * brownian_paths(0.1)[0]) * rng.standard_normal(1_500)
    found = report(np.log(np.abs(returns)), measure="squared_return")
    assert found.verdict == "inconclusive"
    assert found.hurst is None
    assert "one return a day is refused" in found.reason
    declared = report(np.log(np.abs(returns)), measure="realized_variance", intraday_nobs=1)
    assert declared.reason == found.reason


def test_noise_that_explains_nearly_everything_is_inconclusive():
    rng = np.random.default_rng(6)
    path = 0.1 * brownian_paths(0.1)[0] + 0.29 * rng.standard_normal(1_500)
    found = report(path, measure="parkinson")
    assert found.verdict == "inconclusive"
    assert found.hurst is None
    assert "at most 80% can be taken out" in found.reason


@pytest.mark.parametrize("window", [22, 24])
def test_rolling_deviation_of_independent_returns_is_an_artefact(window):
    returns = np.random.default_rng(window).standard_normal(1_500)
    path = np.log(rolling_std(returns, window, 252))
    for measure in (None, "rolling_std", "parkinson"):
        found = report(path, measure=measure)
        assert found.verdict == "artefact"
        assert found.hurst is None
        assert f"a rolling window of {window}" in found.reason
        assert len(found.estimates) == 6


def test_a_declared_rolling_measure_is_an_artefact_even_if_it_does_not_show():
    found = report(brownian_paths(0.3)[0], measure="rolling_std")
    assert found.verdict == "artefact"
    assert "overlapping windows" in found.reason


@pytest.mark.parametrize("decay", [0.94, 0.97])
def test_an_exponential_average_is_an_artefact(decay):
    returns = np.random.default_rng(7).standard_normal((1, 1_600))
    path = 0.5 * np.log(exponential_average(returns**2, decay))[0, 100:]
    found = report(path, measure=None)
    assert found.verdict == "artefact"
    assert found.hurst is None
    assert f"a weight of {decay:.3f} on the past" in found.reason


def test_two_factors_and_a_har_process_are_several_scales():
    rng = np.random.default_rng(9)
    two = 0.5 * autoregression(0.99, 1_500, rng)[0] + 0.3 * autoregression(0.6, 1_500, rng)[0]
    har = 0.3 * heterogeneous_autoregression((0.35, 0.35, 0.25), 1_500, rng)[0]
    declared: Any = {"measure": "realized_variance", "intraday_nobs": 10**6}
    found = report(two, **declared)
    assert found.verdict == "several_scales"
    assert found.comparison.over_two_factors < -4
    assert "a fractional model is less likely than" in found.reason
    assert report(har, **declared).verdict == "several_scales"


def test_the_reason_says_what_was_compared():
    path = 0.3 * brownian_paths(0.1, 5_000, 20)[1]
    found = report(path, measure="realized_variance", intraday_nobs=10**6)
    assert found.verdict == "rough"
    assert f"{found.comparison.over_two_factors:+.1f} nats from that of two" in found.reason


def test_a_path_smoother_than_brownian_is_not_said_to_be_brownian():
    found = report(brownian_paths(0.7)[0], measure=None)
    assert found.verdict == "not_rough"
    assert found.estimate("whittle").interval[0] > 0.5
    assert "smoother than Brownian (H = 0.5), which is rejected" in found.reason


def test_an_alternating_series_is_examined_without_a_warning():
    found = report(np.tile([0.0, 1.0], 300), measure=None)
    assert found.estimate("variogram").hurst == pytest.approx(0, abs=1e-9)
    assert found.verdict != "rough"


def test_a_short_series_is_inconclusive():
    found = report(brownian_paths(0.1)[0][:200], measure=None)
    assert found.verdict == "inconclusive"
    assert "200 sessions are too few" in found.reason
    assert found.hurst is not None


def test_estimators_that_contradict_each_other_are_pointed_out():
    # Smooth at short lags, stationary at long ones: not one exponent.
    rng = np.random.default_rng(5)
    path = rough_log_volatility(0.5, 5_000, rng, mean_reversion=1 / 5)[0]
    found = report(path, measure=None)
    assert any("do not overlap" in warning for warning in found.warnings)


def test_unknown_measures_are_refused():
    with pytest.raises(UnknownMeasure, match="garch"):
        report(brownian_paths(0.1)[0], measure="garch")


@pytest.mark.parametrize(
    ("asset", "lowest", "highest"),
    [
        ("SPX", 0.10, 0.20),
        ("BTC-USD", 0.11, 0.20),
        ("BTC-USD-1H", 0.07, 0.16),
        ("ETH-USD", 0.09, 0.20),
    ],
)
def test_shipped_assets(asset, lowest, highest):
    data = datasets.load(asset)
    series, _ = daily_series(data.bars, data.measure, get_calendar(data.calendar))
    found = report(
        0.5 * series.log_rv,
        measure=data.measure,
        intraday_nobs=24 if data.measure == "realized_variance" else None,
        day_classes=day_classes(series.dates, get_calendar(data.calendar)),
    )
    assert lowest < found.hurst < highest
    assert found.estimate("variogram").hurst < found.hurst
    assert found.verdict == "several_scales"
    assert found.comparison.rejects_one_factor
    assert 0 < found.calendar.share < 0.05


@pytest.mark.skipif(not PAPER.is_dir(), reason="the paper's files are not part of the project")
@pytest.mark.parametrize("name", ["btc_data", "btc_train", "spx_data", "spx_train"])
def test_the_papers_series_are_artefacts(name):
    with gzip.open(PAPER / f"{name}.csv.gz", "rt") as file:
        header = file.readline().rstrip("\n").split(",")
        column = header.index("log_rv")
        path = np.array([float(line.rstrip("\n").split(",")[column]) for line in file])
    found = report(path, measure=None)
    assert found.verdict == "artefact"
    assert f"a rolling window of {24 if name.startswith('btc') else 22}" in found.reason
