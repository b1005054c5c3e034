"""Which past errors an interval is made of, as outcomes come in after a model was fitted.

An artifact brings the errors of its walk-forward, each made before its outcome was known. The
sessions of a history that came after the fit add the model's own errors on them. Intervals are
made of the newest of both: the procedure whose coverage the walk-forward has counted day by day.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

import numpy as np

from models_store.manifest import IntervalCalibration
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.intervals import MINIMUM, WINDOW, ordered_offsets
from volatility.evaluation.tracks import ForecastTrack


class Multipliers(NamedTuple):
    """What an interval multiplies the forecast of rv, and of volatility, by."""

    lower: float
    upper: float
    lower_root: float
    upper_root: float

    @classmethod
    def of(cls, offsets: tuple[float, float]) -> "Multipliers":
        """From the log offsets of rv."""
        lower, upper = map(math.exp, offsets)
        return cls(lower, upper, math.sqrt(lower), math.sqrt(upper))


@dataclass(frozen=True, eq=False)
class Calibration:
    """The past errors behind a forecast's intervals.

    Attributes
    ----------
    nobs : how many.
    from_history : how many of them are of sessions of the history, forecast by this very model; the
        others are of its walk-forward.
    through : the last session of which the error is known.
    multipliers : by level.
    ordered : (m,) the log residuals, ``log(rv / forecast)``, that are not those of the manifest,
        increasing.
    """

    nobs: int
    from_history: int
    through: date
    multipliers: Mapping[float, Multipliers]
    ordered: FloatArray = field(default_factory=lambda: np.empty(0))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Calibration)
            and (self.nobs, self.from_history, self.through, self.multipliers)
            == (other.nobs, other.from_history, other.through, other.multipliers)
            and np.array_equal(self.ordered, other.ordered)
        )

    def __hash__(self) -> int:
        return hash((self.nobs, self.from_history, self.through))


@dataclass(frozen=True, eq=False)
class Record:
    """The errors of a model's walk-forward.

    Attributes
    ----------
    target_dates : (n,) sessions that were forecast, the first of several at a longer horizon.
    residuals : (n,) log residuals.
    horizon : sessions ahead.
    end : the last session that any of them knows, and the fit too.
    at_end : the calibration at that session, as the manifest has it.
    """

    target_dates: DateArray
    residuals: FloatArray
    horizon: int
    end: np.datetime64
    at_end: Calibration

    @classmethod
    def of(
        cls, track: ForecastTrack, end: date, intervals: Sequence[IntervalCalibration]
    ) -> "Record":
        """From the walk-forward and what the manifest says of intervals.

        Parameters
        ----------
        track : walk-forward forecasts.
        end : last session of the training data.
        intervals : of every level.
        """
        multipliers = {it.level: Multipliers.of((it.lower, it.upper)) for it in intervals}
        nobs = min((it.calibration_nobs for it in intervals), default=0)
        return cls(
            track.target_dates,
            np.log(track.rv / track.forecast),
            track.horizon,
            np.datetime64(end, "D"),
            Calibration(nobs, 0, end, multipliers),
        )

    def until(self, as_of: np.datetime64) -> Calibration:
        """From the errors known at the close of a session.

        Where they are too few, or the session lies behind all of them, that is :attr:`at_end`.
        """
        if as_of >= self.end:
            return self.at_end
        begun = int(np.searchsorted(self.target_dates, as_of, side="right"))
        return self._newest(begun - (self.horizon - 1), np.empty(0), as_of)

    def continued(self, residuals: FloatArray, through: np.datetime64) -> Calibration:
        """From the errors of the walk-forward and (m,) newer ones, known through a session."""
        if not len(residuals):
            return self.at_end
        return self._newest(len(self.residuals), residuals, through)

    def _newest(self, count: int, more: FloatArray, through: np.datetime64) -> Calibration:
        newest = np.concatenate([self.residuals[: max(0, count)], more])[-WINDOW:]
        if len(newest) < MINIMUM:
            return self.at_end
        from_history = min(len(more), WINDOW)
        known: date = through.astype("datetime64[D]").item()
        return self._calibration(newest, from_history, known)

    def _calibration(self, residuals: FloatArray, from_history: int, through: date) -> Calibration:
        ordered = np.sort(residuals)
        multipliers = {
            level: Multipliers.of(ordered_offsets(ordered, level))
            for level in self.at_end.multipliers
        }
        return Calibration(len(ordered), from_history, through, multipliers, ordered)
