"""Paths of known exponent, drawn once for all tests."""

from functools import lru_cache

import numpy as np

from volatility.arrays import FloatArray
from volatility.simulation.fractional import fractional_brownian_motion


@lru_cache(maxsize=8)
def brownian_paths(hurst: float, nobs: int = 1_500, paths: int = 200) -> FloatArray:
    """(paths, nobs) fractional Brownian motion; read-only."""
    rng = np.random.default_rng([round(1000 * hurst), nobs])
    path = fractional_brownian_motion(hurst, nobs, rng, paths)
    path.flags.writeable = False
    return path
