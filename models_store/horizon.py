"""What an artifact says of one of its horizons: rv from windows, intervals, past errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models_store.calibration import Record
from models_store.manifest import HorizonRecord, IntervalCalibration
from models_store.predictors.predictor import Predictor
from volatility.arrays import BoolArray, FloatArray, Scale, Windows
from volatility.evaluation.tracks import ForecastTrack


class Bounds(NamedTuple):
    """What of rv was seen in training, and so what a forecast may be; decimal² per day."""

    low: float
    high: float
    mean: float

    @classmethod
    def of(cls, rv: FloatArray) -> "Bounds":
        """Bounds of (n,) rv."""
        return cls(float(rv.min()), float(rv.max()), float(rv.mean()))


class PredictedRv(NamedTuple):
    """What a model says of each row of its windows, as rv."""

    rv: FloatArray  # (batch,) decimal² per day
    replaced: BoolArray  # (batch,) whether the model said something that training never saw
    diagnostics: Mapping[str, FloatArray]  # (batch, k) each


@dataclass(frozen=True)
class HorizonModel:
    """One horizon of a verified artifact.

    Attributes
    ----------
    predictor : the function fitted for it.
    track : its out-of-sample forecasts.
    known : what the manifest says of it.
    training_end : the last session that the fit has seen.
    """

    predictor: Predictor
    track: ForecastTrack
    known: HorizonRecord
    training_end: date

    @property
    def horizon(self) -> int:
        """Sessions ahead."""
        return self.track.horizon

    @cached_property
    def bounds(self) -> Bounds:
        """What a forecast may be."""
        return Bounds(*self.known.clip, self.known.mean_rv)

    @cached_property
    def intervals(self) -> Mapping[float, IntervalCalibration]:
        """What the manifest says of intervals, by level."""
        return {interval.level: interval for interval in self.known.intervals}

    @cached_property
    def record(self) -> Record:
        """The errors of the walk-forward."""
        return Record.of(self.track, self.training_end, self.known.intervals)

    def predict_rv(self, windows: Windows) -> PredictedRv:
        """Mean rv of the sessions ahead from (batch, lookback) windows of every column needed."""
        predictor = self.predictor
        values, diagnostics = predictor.predict(windows)
        rv, replaced = to_rv(values, predictor.scale, self.known.residual_variance, self.bounds)
        return PredictedRv(rv, replaced, diagnostics)


def to_rv(
    prediction: FloatArray, scale: Scale, residual_variance: float, bounds: Bounds
) -> tuple[FloatArray, BoolArray]:
    r"""Move predictions to the mean of ``rv`` and keep them inside the range seen in training.

    Parameters
    ----------
    prediction : (batch,) rv on the levels scale, log rv on the logs scale.
    scale : which of the two.
    residual_variance : variance of the log residuals; used on the logs scale.
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
