"""From what a model predicts to rv, within what training has seen."""

from typing import NamedTuple

import numpy as np

from volatility.arrays import BoolArray, FloatArray, Scale


class Bounds(NamedTuple):
    """What of rv was seen in training, and so what a forecast may be; decimal² per day.

    Of many fits, (batch,) each: one for each row of what they predict.
    """

    low: float | FloatArray
    high: float | FloatArray
    mean: float | FloatArray

    @classmethod
    def of(cls, rv: FloatArray) -> "Bounds":
        """Bounds of (n,) rv."""
        return cls(float(rv.min()), float(rv.max()), float(rv.mean()))


def to_rv(
    prediction: FloatArray, scale: Scale, residual_variance: float | FloatArray, bounds: Bounds
) -> tuple[FloatArray, BoolArray]:
    r"""Move predictions to the mean of ``rv`` and keep them inside the range seen in training.

    Parameters
    ----------
    prediction : (batch,) rv on the levels scale, log rv on the logs scale.
    scale : which of the two.
    residual_variance : variance of the log residuals, or (batch,) of them; used on the logs scale.
    bounds : of ``rv`` in training.

    Returns
    -------
    (batch,) ``rv``, and (batch,) whether it is something else than the prediction.

    Notes
    -----
    If log rv given the past is normal with variance :math:`s^2`, the mean of rv is
    :math:`\exp(\mu + s^2/2)`. The range is the "insanity filter" of Swanson & White (1997): no
    model has seen beyond its data. A linear model in levels that predicts a negative variance has
    said nothing about its size, and least of all that it is the smallest ever seen: as in
    Bollerslev, Patton & Quaedvlieg (2016) the mean takes its place.
    """
    rv = np.exp(prediction + 0.5 * residual_variance) if scale == "logs" else prediction
    kept = np.minimum(np.maximum(rv, bounds.low), bounds.high)  # np.clip takes three times as long
    if scale == "levels" and (rv <= 0).any():
        kept = np.where(rv <= 0, bounds.mean, kept)
    return kept, kept != rv
