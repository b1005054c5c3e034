import json
from importlib import resources

import numpy as np
import pytest

from benchmarks import hurst_calibration, hurst_table
from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst import report, whittle
from volatility.hurst.calibration import Moments, moments_of

ESTIMATORS = (
    "rescaled_range",
    "dfa",
    "variogram",
    "wavelet",
    "whittle",
    "variogram_corrected",
)


def test_the_command_makes_the_shipped_table(capsys):
    assert hurst_table.main(["--check"]) == 0
    assert "H = 0.1" in capsys.readouterr().out


def test_a_table_made_otherwise_is_noticed(monkeypatch):
    monkeypatch.setattr(hurst_calibration, "SEED", 7)
    assert hurst_table.main(["--check"]) == 1


def test_data_files_are_small():
    folder = resources.files("volatility.hurst")
    files = [file for file in folder.iterdir() if file.name.endswith(".json")]
    assert len(files) == 2
    assert all(len(file.read_bytes()) < 100_000 for file in files)
    assert all(json.loads(file.read_text("utf-8"))["seed"] for file in files)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_errors_shrink_with_the_root_of_the_length(name):
    short, long, longer = (moments_of(name, nobs) for nobs in (1_000, 20_000, 80_000))
    middle = slice(1, 15)
    ratio = short.deviation[middle] / long.deviation[middle]
    assert ratio == pytest.approx(np.full(14, np.sqrt(20)), rel=0.35)
    np.testing.assert_allclose(longer.deviation, long.deviation / 2)


def test_lengths_are_interpolated():
    shorter, between, longer = (moments_of("dfa", nobs) for nobs in (1_000, 1_200, 1_500))
    assert (longer.deviation < between.deviation).all()
    assert (between.deviation < shorter.deviation).all()


def test_noise_taken_out_costs_precision():
    clean, noisy = (moments_of("variogram_corrected", 1_500, share) for share in (0.0, 0.6))
    assert (noisy.deviation[2:10] > 1.2 * clean.deviation[2:10]).all()


def test_a_biased_estimate_is_traced_back():
    # An estimator that is always 0.1 too high, with deviation 0.05.
    grid = np.linspace(0.1, 0.9, 9)
    moments = Moments(grid, grid + 0.1, np.full(9, 0.05))
    assert moments.true_hurst(0.4) == pytest.approx(0.3)
    assert moments.true_hurst(0.4, 2.0) == pytest.approx(0.2)
    assert moments.true_hurst(0.4, -2.0) == pytest.approx(0.4)
    assert moments.true_hurst(0.15) == pytest.approx(0.05)
    assert moments.true_hurst(0.05) == 0.0
    assert moments.true_hurst(1.2) == 1.0


def test_estimates_say_their_bias():
    path = brownian_paths(0.1)[0]
    bias = whittle(path).bias_at_estimate
    assert abs(bias) < 0.005
    every = report(path, measure="realized_variance", intraday_nobs=288).estimates
    assert all(abs(one.bias_at_estimate) < 0.02 for one in every)
