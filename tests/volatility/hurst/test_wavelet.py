import numpy as np
import pytest
import pywt

from tests.volatility.hurst.paths import brownian_paths
from volatility.hurst import wavelet
from volatility.hurst.wavelet import expectation_coefficients, interior_details


def raw_slope(path):
    """Slope of log2 of the variances over the levels, as a textbook would read it."""
    details = interior_details(path)[:5]
    return np.polyfit(np.arange(1, 6), np.log2([np.mean(d**2) for d in details]), 1)[0]


def test_levels_run_from_fine_to_coarse_and_slopes_have_the_right_sign():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(20_000)
    assert raw_slope(noise) == pytest.approx(0.0, abs=0.15)
    assert raw_slope(np.cumsum(noise)) == pytest.approx(2.0, abs=0.25)
    assert raw_slope(brownian_paths(0.8, 20_000, 1)[0]) == pytest.approx(2.6, abs=0.25)
    assert wavelet(np.cumsum(noise)).scales == (2, 4, 8, 16, 32, 64, 128)


def test_details_are_those_of_the_library_away_from_the_ends():
    path = brownian_paths(0.3)[0]
    coarse_first = pywt.wavedec(path.copy(), "db4", level=4, mode="symmetric")
    for level, ours in enumerate(interior_details(path)[:4], start=1):
        theirs = coarse_first[-level]
        dropped = len(theirs) - len(ours)
        assert 0 < dropped <= 14
        start = next(i for i in range(dropped + 1) if np.isclose(theirs[i], ours[0], atol=1e-12))
        np.testing.assert_allclose(theirs[start : start + len(ours)], ours, atol=1e-10)


def test_ends_do_not_matter():
    # Padding would see the jump from end to end, or a kink, of a path with a steep trend.
    path = brownian_paths(0.3)[0]
    trend = np.linspace(0, 1_000, len(path))
    assert wavelet(path + trend).hurst == pytest.approx(wavelet(path).hurst, abs=1e-5)


@pytest.mark.parametrize("hurst", [0.1, 0.5])
def test_expectation_is_exact(hurst):
    coefficients = expectation_coefficients(3)
    lags = np.arange(1.0, coefficients.shape[1] + 1)
    found = np.mean(
        [[np.mean(d**2) for d in interior_details(p)[:3]] for p in brownian_paths(hurst)], axis=0
    )
    np.testing.assert_allclose(found, coefficients @ lags ** (2 * hurst), rtol=0.03)


@pytest.mark.parametrize("nobs", [200, 201, 202, 203, 1_000])
def test_those_coefficients_are_dropped_that_an_end_has_touched_and_no_other(nobs):
    path = 5.0 + brownian_paths(0.3, nobs, 1)[0]
    found = interior_details(path)
    ways = ("zero", "constant", "reflect")  # of going on beyond the ends
    approximations, kept = {way: path.copy() for way in ways}, []
    for _ in range(7):
        details = {}
        for way, values in approximations.items():
            approximations[way], details[way] = pywt.dwt(values, "db4", mode=way)
        reference = details["zero"]
        alike = [np.isclose(details[way], reference, rtol=0, atol=1e-9) for way in ways]
        kept.append(reference[np.all(alike, axis=0)])
    kept = [detail for detail in kept if len(detail) >= 4]
    assert [len(detail) for detail in found] == [len(detail) for detail in kept]
    for ours, theirs in zip(found, kept, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
