r"""What an asset's own outcomes say of the scale of forecasts that were not fitted to it.

QLIKE is least where the mean of rv over forecast is one, but that mean is at the mercy of a single
print: a flash crash of a thousand times a day's variance would lift every forecast of the next four
years. Each ratio is capped, and the mean compared with that of capped ratios over many assets.
"""

import numpy as np

from volatility.arrays import FloatArray

LARGEST_RATIO = 6.0  # of rv over forecast; 0.5 % of ratios are larger
OUTCOMES = 1_000  # newest that count: four years
FEWEST = 50  # that say anything
SHRINKAGE = 50.0  # outcomes of an ordinary asset of its kind that are added to its own


def capped(ratios: FloatArray) -> FloatArray:
    """Ratios of rv over forecast, none larger than :data:`LARGEST_RATIO`; NaN stays."""
    return np.minimum(ratios, LARGEST_RATIO)


def log_scales(ratios: FloatArray, capped_mean: float, horizon: int) -> FloatArray:
    r"""Log of what to multiply an asset's forecasts by, as it was known at each session.

    Parameters
    ----------
    ratios : (n,) rv over forecast, by session from which was forecast; NaN where it is unknown, or
        does not count. Those count whose forecast saw a full window of history: others are of
        another kind than what is multiplied.
    capped_mean : mean capped ratio over the assets that the model was fitted on, times the scale of
        the asset's kind where the forecasts to be multiplied have that already. The ratios are of
        forecasts without it, so that a cap means the same for all kinds.
    horizon : sessions until the outcome of a forecast is known.

    Returns
    -------
    (n,) the last of them for the next forecast.

    Notes
    -----
    .. math:: b = \log \frac{\sum_i \min(r_i, 6) + 50 m}{(n + 50)\, m}

    over the newest 1,000 ratios that are known, with the mean m of the many; 0 for fewer than 50.
    """
    known = ~np.isnan(ratios)
    counts = np.concatenate([[0], np.cumsum(known)])
    sums = np.concatenate([[0.0], np.cumsum(np.where(known, capped(ratios), 0.0))])
    end = np.maximum(np.arange(len(ratios)) - horizon + 1, 0)  # rows whose outcomes are known
    first = np.searchsorted(counts, np.maximum(counts[end] - OUTCOMES, 0))
    nobs, total = counts[end] - counts[first], sums[end] - sums[first]
    scaled = (total + SHRINKAGE * capped_mean) / ((nobs + SHRINKAGE) * capped_mean)
    return np.where(nobs < FEWEST, 0.0, np.log(scaled))
