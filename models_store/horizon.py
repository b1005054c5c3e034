"""What an artifact says of one of its horizons: rv from windows, intervals, past errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from models_store.bounds import Bounds, to_rv
from models_store.calibration import Record
from models_store.manifest import HorizonRecord, IntervalCalibration
from models_store.predictors.predictor import Predictor
from volatility.arrays import BoolArray, FloatArray, Windows
from volatility.evaluation.tracks import ForecastTrack


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
