"""The errors of many assets together, for one that has too few of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray
from volatility.evaluation.intervals import check_enough, scale_errors

QUANTILES = 400  # that a class's errors are kept as


class PooledErrors(NamedTuple):
    """How a model errs on a class of assets, at one horizon.

    Attributes
    ----------
    size : mean absolute log residual of the class, which the scale of an asset starts from.
    quantiles : (q,) equally spaced quantiles of its scaled errors, increasing.
    nobs : residuals behind them.
    assets : how many the residuals are of.
    """

    size: float
    quantiles: FloatArray
    nobs: int
    assets: int

    def rank_horizon(self, horizon: int) -> float:
        r"""Sessions ahead by which order statistics of the quantiles are to be placed.

        The n errors behind q quantiles share sessions over h of them, and are worth
        :math:`2n/(h + 1)` separate ones. Where that is at least q, the quantiles are what they say.
        Where it is less they are placed as q errors that are worth as many, which are those over

        .. math:: h' = \frac{q}{n} (h + 1) - 1

        sessions. Days that assets share are not counted: n is of all assets.
        """
        return min(float(horizon), max(1.0, len(self.quantiles) / self.nobs * (horizon + 1) - 1))


def pool_errors(
    residuals: Sequence[FloatArray], horizon: int = 1, count: int = QUANTILES, *, known: bool = True
) -> PooledErrors:
    """Put the errors of a class of assets together.

    Parameters
    ----------
    residuals : of each asset (n,) log residuals of forecasts by a model that was not fitted on it,
        in order of time.
    horizon : sessions ahead.
    count : quantiles to keep.
    known : whether a new asset's own errors will be known. Those of every asset are scaled as its
        will be: from the size of the class on, or by that alone.

    Returns
    -------
    The class. An asset counts by its number of residuals.

    Raises
    ------
    TooFewObservations : fewer than 100 residuals in all.

    References
    ----------
    Dunn, Wasserman & Ramdas (2023), Journal of the American Statistical Association 118(544)
    (conformal prediction for a new group by pooling the groups there are).
    """
    nobs = sum(map(len, residuals))
    check_enough(nobs)
    size = float(np.abs(np.concatenate(residuals)).mean())
    errors = np.concatenate([scaled_from(own, size, horizon, known=known) for own in residuals])
    quantiles = np.quantile(errors, (np.arange(count) + 0.5) / count)
    return PooledErrors(size, quantiles, nobs, len(residuals))


def scaled_from(residuals: FloatArray, size: float, horizon: int, *, known: bool) -> FloatArray:
    """(n,) log residuals of one asset in units of their scale; see :func:`pool_errors`."""
    if known:
        return scale_errors(residuals, horizon, start=size).errors
    return np.asarray(residuals / np.sqrt(size))
