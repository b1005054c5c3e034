import numpy as np
import pytest

from training.reproduction.roughness import (
    plain_dfa,
    plain_rescaled_range,
    plain_variogram,
    wavelet_hurst,
    wavelet_scaling,
)
from volatility.simulation.fractional import fractional_brownian_motion


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return fractional_brownian_motion(0.5, 2**14, np.random.default_rng(3))[0]


def test_the_published_numbering_turns_the_slope_round(walk: np.ndarray) -> None:
    scaling = wavelet_scaling(walk)
    assert scaling.published_line.slope == pytest.approx(-scaling.line.slope, rel=1e-12)
    assert scaling.published_line.r_squared == pytest.approx(scaling.line.r_squared, rel=1e-12)


def test_a_random_walk_has_a_wavelet_slope_of_two(walk: np.ndarray) -> None:
    scaling = wavelet_scaling(walk)
    assert len(scaling.levels) == 7
    assert scaling.line.slope == pytest.approx(2.0, abs=0.15)
    assert wavelet_hurst(scaling.line.slope) == pytest.approx(0.5, abs=0.08)
    assert scaling.log_variances[0] < scaling.log_variances[-1]  # the finest level first


def test_a_short_path_has_fewer_levels() -> None:
    assert len(wavelet_scaling(np.random.default_rng(0).standard_normal(300)).levels) == 5


def test_the_variogram_of_a_random_walk(walk: np.ndarray) -> None:
    assert plain_variogram(walk, 30) == pytest.approx(0.5, abs=0.03)


def test_methods_for_noise_see_a_walk_as_smooth(walk: np.ndarray) -> None:
    """On levels, DFA gives H + 1 and R/S is near 1, whatever H is."""
    assert plain_dfa(walk) == pytest.approx(1.5, abs=0.05)
    assert plain_rescaled_range(walk) > 0.9


def test_methods_for_noise_see_noise_as_noise() -> None:
    noise = np.random.default_rng(5).standard_normal(2**14)
    assert plain_dfa(noise) == pytest.approx(0.5, abs=0.03)
    assert plain_rescaled_range(noise) == pytest.approx(0.55, abs=0.05)
