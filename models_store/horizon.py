"""What an artifact has for one of its horizons, and what is computed with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from models_store.calibration import Calibration, Record
from models_store.errors import computing
from models_store.explanation import Explanation, explanations
from models_store.forecast import ForecastInput, Interval
from models_store.manifest import HorizonRecord, IntervalCalibration
from models_store.predictors.explaining import parts_of_rv
from models_store.predictors.predictor import Predictor
from volatility.arrays import BoolArray, FloatArray, Windows
from volatility.contributions import Part
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import Bounds

_NO_DIAGNOSTICS: Mapping[str, tuple[float, ...]] = MappingProxyType({})


class PredictedRv(NamedTuple):
    """What a model says of each row of its windows, as rv."""

    rv: FloatArray  # (batch,) decimal² per day
    replaced: BoolArray  # (batch,) whether the model said something that training never saw
    diagnostics: Mapping[str, FloatArray]  # (batch, k) each


class Place(NamedTuple):
    """Where a forecast stands in time."""

    as_of: date | None
    target_date: date | None
    missing_sessions: int  # between those that were used
    used_sessions: int


class Computed(NamedTuple):
    """What is computed for all histories at once: a value each, in their order."""

    rv: Sequence[float]
    volatility: Sequence[float]
    volatility_annualized: Sequence[float]
    replaced: Sequence[bool]
    places: Sequence[Place]
    diagnostics: Sequence[Mapping[str, tuple[float, ...]]]
    explanations: Mapping[int, Explanation]  # of those that ask for one, by place
    calibrations: Sequence[Calibration]


@dataclass(frozen=True)
class HorizonModel:
    """One horizon of a verified artifact.

    Attributes
    ----------
    horizon : sessions ahead.
    predictor : the function fitted for it.
    track : its out-of-sample forecasts.
    known : what the manifest says of it.
    training_end : the last session that the fit has seen.
    """

    horizon: int
    predictor: Predictor
    track: ForecastTrack
    known: HorizonRecord
    training_end: date

    def interval(
        self, rv: float, annualized: float, level: float, calibration: Calibration
    ) -> Interval:
        """Of a forecast of rv and annualized volatility, at a nominal level."""
        lower, upper, lower_root, upper_root = calibration.multipliers[level]
        observed = self.intervals[level]
        return Interval(
            level,
            (rv * lower, rv * upper),
            (annualized * lower_root, annualized * upper_root),
            observed.coverage_observed,
            observed.nobs,
        )

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

    def explain(
        self,
        inputs: Sequence[ForecastInput],
        windows: Windows,
        own_scale: FloatArray | None = None,
    ) -> Mapping[int, Explanation]:
        """What moved the forecasts of those inputs that ask for it, by place.

        Parameters
        ----------
        inputs : what is asked.
        windows : of each, (batch, lookback) of every column needed.
        own_scale : (batch,) logs of what the forecasts are multiplied by afterwards, if they are.
        """
        asked = [place for place, given in enumerate(inputs) if given.explain]
        rows = {name: values[asked] for name, values in windows.items()}
        with computing(self.track.model):
            parts = parts_of_rv(self.predictor, rows, self.known.residual_variance, self.bounds)
        if own_scale is not None:
            parts.append(Part("own_scale", "own_scale", own_scale[asked]))
        return dict(zip(asked, explanations(self.predictor.scale, parts), strict=True))

    def in_place(self, rv: float) -> str:
        """Says of a forecast that training never saw what took its place, ``rv``."""
        low, high, mean = self.bounds
        if rv == mean:
            return (
                f"{self.track.model} forecast a negative variance; the mean rv seen in training, "
                f"{mean:.3g}, takes its place"
            )
        return (
            f"the forecast was clipped to the range of rv seen in training, {low:.3g} to {high:.3g}"
        )


def filled_up(values: FloatArray, count: int) -> FloatArray:
    """``count`` values, NaN before the first."""
    if len(values) == count:
        return values
    return np.concatenate([np.full(count - len(values), np.nan), values])


def by_row(
    diagnostics: Mapping[str, FloatArray], count: int
) -> Sequence[Mapping[str, tuple[float, ...]]]:
    """From (batch, k) by name to a mapping a row; one shared empty one where there are none."""
    if not diagnostics:
        return [_NO_DIAGNOSTICS] * count
    rows = zip(*(values.tolist() for values in diagnostics.values()), strict=True)
    return [dict(zip(diagnostics, map(tuple, row), strict=True)) for row in rows]
