"""What simulation says of the estimators: bias, standard error, and expectations without formula.

The numbers stand in two package data files that ``python -m benchmarks.hurst_table`` makes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import UnsupportedLevel
from volatility.hurst.estimate import HurstEstimate, ScalingFit

BIAS_TABLE = "bias_table.json"
EXPECTATIONS = "expectations.json"


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and deviation of one estimator on fractional Brownian motion of one length.

    Attributes
    ----------
    hurst : (exponents,) increasing.
    mean, deviation : (exponents,)
    """

    hurst: FloatArray
    mean: FloatArray
    deviation: FloatArray

    def true_hurst(self, estimate: float, deviations: float = 0.0) -> float:
        """Exponent whose mean, so many deviations added, is the estimate; within [0, 1].

        Outside the simulated exponents it goes on in parallel to the diagonal.
        """
        expected = np.maximum.accumulate(self.mean + deviations * self.deviation)
        if estimate <= expected[0]:
            found = self.hurst[0] + estimate - expected[0]
        elif estimate >= expected[-1]:
            found = self.hurst[-1] + estimate - expected[-1]
        else:
            found = np.interp(estimate, expected, self.hurst)
        return float(np.clip(found, 0.0, 1.0))


def calibrated(
    estimator: str, fit: ScalingFit, nobs: int, level: float, noise_share: float = 0.0
) -> HurstEstimate:
    """An exponent with the standard error, interval and bias that simulation gives it.

    Parameters
    ----------
    estimator : name in the table.
    fit : what the estimator found.
    nobs : length of the path.
    level : nominal coverage of the interval, in (0, 1).
    noise_share : share of the one-session variogram that was taken out as noise.

    Raises
    ------
    UnsupportedLevel : level outside (0, 1).

    Notes
    -----
    The interval holds every exponent at which the estimate lies within the normal quantile times
    the deviation of the mean: a test turned round, so that bias is accounted for.
    """
    quantile = normal_quantile(level)
    moments = moments_of(estimator, nobs, noise_share)
    centre = moments.true_hurst(fit.hurst)
    lower = moments.true_hurst(fit.hurst, quantile)
    upper = moments.true_hurst(fit.hurst, -quantile)
    return HurstEstimate(
        estimator=estimator,
        hurst=min(max(fit.hurst, 0.0), 1.0),
        standard_error=float(np.interp(centre, moments.hurst, moments.deviation)),
        interval=(lower, upper),
        level=level,
        bias_at_estimate=float(np.interp(centre, moments.hurst, moments.mean - moments.hurst)),
        fit_slope=fit.slope,
        fit_intercept=fit.intercept,
        fit_r_squared=fit.r_squared,
        points=fit.points,
    )


def normal_quantile(level: float) -> float:
    """Half-width, in deviations, of a central normal interval."""
    if not 0 < level < 1:
        raise UnsupportedLevel(
            f"level is {level}", field="level", found=level, needed="a number in (0, 1)"
        )
    return NormalDist().inv_cdf((1 + level) / 2)


def moments_of(estimator: str, nobs: int, noise_share: float = 0.0) -> Moments:
    """Moments interpolated to a length and a share of noise.

    Parameters
    ----------
    estimator : name in the table.
    nobs : length of the path; beyond the longest simulated, deviations shrink as its root.
    noise_share : share of the one-session variogram that was taken out as noise.
    """
    table = _bias_table()
    lengths = table["nobs"]
    cells = table["estimators"][estimator]
    shares = cells["noise_share"]
    at_length = _weights(np.log(nobs), np.log(lengths))
    at_share = _weights(noise_share, shares)
    mean = np.einsum("s,n,snh->h", at_share, at_length, cells["mean"])
    log_deviation = np.einsum("s,n,snh->h", at_share, at_length, np.log(cells["deviation"]))
    shrinkage = np.sqrt(min(1.0, lengths[-1] / nobs))
    return Moments(table["hurst"], mean, np.exp(log_deviation) * shrinkage)


def rescaled_range_expectation() -> Callable[[float], FloatArray]:
    """Log of the expected rescaled range at the shipped scales, as a function of the exponent."""
    table = _expectations()["rescaled_range"]
    exponents, values = table["hurst"], table["log_expected"]

    def log_expected(hurst: float) -> FloatArray:
        return np.asarray(_weights(hurst, exponents) @ values)

    return log_expected


def range_noise() -> Mapping[str, float]:
    """Variance of the log of each range measure of a Brownian day of constant volatility.

    For Parkinson's the simulated value agrees with the exact one, 0.3287, from Feller's moments of
    the range.

    References
    ----------
    Feller (1951), Annals of Mathematical Statistics 22(3); Alizadeh, Brandt & Diebold (2002),
    Journal of Finance 57(3), table 1.
    """
    noise: Mapping[str, float] = _expectations()["log_rv_noise"]
    return noise


def stepwise_range_noise(measure: str, steps: int) -> float:
    """Variance of the log of a range measure of a day of so many steps.

    Parameters
    ----------
    measure : as in :func:`range_noise`.
    steps : changes of the price in the day, at least the fewest that were simulated.

    Notes
    -----
    The extremes of fewer steps fall short of those of a Brownian path by a random amount. Between
    simulated numbers the variance is interpolated in :math:`m^{-1/2}`, on which it depends nearly
    linearly; its value at 0 is that of :func:`range_noise`.
    """
    table = _expectations()["log_rv_noise_by_steps"]
    roots = np.append(table["steps"] ** -0.5, 0.0)[::-1]
    values = np.append(table[measure], range_noise()[measure])[::-1]
    return float(np.interp(steps**-0.5, roots, values))


def forget_tables() -> None:
    """Read the data files again when they are next needed: after they are made anew."""
    _bias_table.cache_clear()
    _expectations.cache_clear()


def _weights(x: float, grid: FloatArray) -> FloatArray:
    """Weights of linear interpolation on an increasing grid, held constant beyond its ends."""
    weights = np.zeros(len(grid))
    right = int(np.clip(np.searchsorted(grid, x), 1, len(grid) - 1)) if len(grid) > 1 else 0
    left = max(right - 1, 0)
    fraction = np.clip((x - grid[left]) / (grid[right] - grid[left]), 0, 1) if right else 1.0
    weights[left] = 1 - fraction
    weights[right] += fraction
    return weights


def _read(name: str) -> Any:
    return json.loads(resources.files("volatility.hurst").joinpath(name).read_text("utf-8"))


@lru_cache(maxsize=1)
def _bias_table() -> dict[str, Any]:
    table = _read(BIAS_TABLE)
    return {
        "hurst": np.array(table["hurst"]),
        "nobs": np.array(table["nobs"], dtype=np.float64),
        "estimators": {
            name: {key: np.array(values) for key, values in cells.items()}
            for name, cells in table["estimators"].items()
        },
    }


@lru_cache(maxsize=1)
def _expectations() -> dict[str, Any]:
    table = _read(EXPECTATIONS)
    curve = table["rescaled_range"]
    return {
        "rescaled_range": {key: np.array(values) for key, values in curve.items()},
        "log_rv_noise": table["log_rv_noise"],
        "log_rv_noise_by_steps": {
            key: np.array(values) for key, values in table["log_rv_noise_by_steps"].items()
        },
    }
