"""What a forecast is made of, whatever the kind of its predictor.

A kind explains itself by the method of :class:`~models_store.predictors.predictor.Explains`, if its
predictions are sums; what it does not tell stands as one part. To the prediction come what moves it
to the mean and what keeps it inside of what training saw.
"""

import numpy as np

from models_store.predictors.predictor import Explains, Predictor
from volatility.arrays import Windows
from volatility.contributions import Part, total
from volatility.series import Bounds, to_rv


def parts_of(predictor: Predictor, windows: Windows, usual_rv: float) -> list[Part]:
    """Parts of a prediction, on its scale; one where the kind of predictor tells none.

    Parameters
    ----------
    predictor : that predicts.
    windows : as for its ``predict``.
    usual_rv : see :class:`~models_store.predictors.predictor.Explains`.
    """
    if isinstance(predictor, Explains):
        return predictor.explain(windows, usual_rv)
    return [Part("whole", "other", predictor.predict(windows).values)]


def parts_of_rv(
    predictor: Predictor, windows: Windows, residual_variance: float, bounds: Bounds
) -> list[Part]:
    """Parts of the rv that a prediction becomes.

    The prediction is what its parts add up to, to the last digits: it is not made once more.

    Parameters
    ----------
    predictor, windows : see :func:`parts_of`.
    residual_variance, bounds : see :func:`volatility.series.to_rv`.

    Returns
    -------
    Parts that sum to log rv on the logs scale, to rv on the levels scale.
    """
    parts = parts_of(predictor, windows, float(bounds.mean))
    values = total(parts)
    rv, replaced = to_rv(values, predictor.scale, residual_variance, bounds)
    if predictor.scale == "logs":
        if residual_variance:
            values = values + 0.5 * residual_variance
            correction = np.full(len(values), 0.5 * residual_variance)
            parts.append(Part("bias_correction", "bias_correction", correction))
        rv = np.log(rv)
    if replaced.any():
        parts.append(Part("clipping", "clipping", np.where(replaced, rv - values, 0.0)))
    return parts
