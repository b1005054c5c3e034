r"""What the outcomes of a kind of asset say of the scale of forecasts made for assets of all kinds.

A model of logs is moved to means by one mean of ratios over its whole panel, but the wider the
errors of logs, the more the mean lies above: what suffices for stocks is too little for coins. A
kind's mean ratio counts as far as it stands out from how it varies from year to year. Assets of a
kind share their news, so that years tell more of what chance does than thousands of their rows.
"""

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.own_scale import capped

STANDARD_ERRORS = 3.0  # from the panel's mean that a kind's must be to count; decisions/0058
FEWEST_YEARS = 3


def kind_log_scale(ratios: FloatArray, years: NDArray[np.int64], panel_mean: float) -> float:
    r"""Log of what to multiply the forecasts of a kind of asset by.

    Parameters
    ----------
    ratios : (n,) rv over forecast, of all assets of the kind; NaN where it is unknown.
    years : (n,) calendar year of each.
    panel_mean : mean capped ratio over the assets of all kinds.

    Notes
    -----
    .. math:: b = \log\big(1 + w\,(\bar r / m - 1)\big), \quad
              w = \max\Big(0,\; 1 - \frac{9 V}{(\bar r - m)^2}\Big), \quad
              V = \frac{Y}{Y - 1} \sum_y \Big(\sum_{i \in y} (r_i - \bar r) / n\Big)^2

    with capped ratios r, their mean, the panel's mean m, and the variance V of the kind's mean by
    its Y years. 0 where ratios are known in fewer than three years, or differ by less than three
    standard errors from the panel's.
    """
    known = ~np.isnan(ratios)
    own = capped(ratios[known])
    _, place = np.unique(years[known], return_inverse=True)
    count = int(place.max(initial=-1)) + 1
    if count < FEWEST_YEARS:
        return 0.0
    mean = own.mean()
    by_year = np.bincount(place, own - mean) / len(own)
    variance = np.square(by_year).sum() * count / (count - 1)
    distance = mean - panel_mean
    if distance**2 <= STANDARD_ERRORS**2 * variance:
        return 0.0
    weight = 1.0 - STANDARD_ERRORS**2 * variance / distance**2
    return float(np.log1p(weight * distance / panel_mean))
