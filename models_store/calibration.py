"""Which past errors an interval is made of, as outcomes come in after a model was fitted.

An artifact brings the errors of its walk-forward, each made before its outcome was known. The
sessions of a history that came after the fit add the model's own errors on them. Intervals are
made of the newest of both, each in units of how large errors were at its time: the procedure whose
coverage the walk-forward has counted day by day. An asset with too few errors has those of its
class.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models_store.manifest import IntervalCalibration
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.intervals import (
    LEVELS,
    MINIMUM,
    WINDOW,
    ScaledErrors,
    effective_nobs,
    lowest_probability,
    ordered_offsets,
    ordered_quantiles,
    scale_errors,
)
from volatility.evaluation.pooled_errors import PooledErrors
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
    scale : what the next error is expected to be in units of.
    ordered : (m,) the scaled errors, increasing.
    horizon : sessions ahead.
    rank_horizon : by which order statistics are placed; None for the horizon, as of errors of one's
        own.
    log_scale : log of what the forecast itself is multiplied by, where outcomes tell that; the
        errors are those that are left.
    effective_nobs : how many errors that share no session they are worth; of several assets each
        counts by itself.
    """

    nobs: int
    from_history: int
    through: date
    multipliers: Mapping[float, Multipliers]
    scale: float
    ordered: FloatArray
    horizon: int = 1
    rank_horizon: float | None = None
    log_scale: float = 0.0
    effective_nobs: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "effective_nobs", effective_nobs(self.nobs, self.horizon))

    @classmethod
    def of(
        cls,
        ordered: FloatArray,
        scale: float,
        levels: Iterable[float],
        *,
        nobs: int,
        from_history: int,
        through: date,
        horizon: int,
        rank_horizon: float | None = None,
    ) -> "Calibration":
        """From (m,) scaled errors in increasing order, and the scale of the next."""
        ranks = rank_horizon or horizon
        multipliers = {level: _multipliers(ordered, scale, level, ranks) for level in levels}
        return cls(nobs, from_history, through, multipliers, scale, ordered, horizon, rank_horizon)

    def quantiles(self, probabilities: Sequence[float]) -> list[float]:
        """What the forecast of rv is multiplied by to give quantiles of the outcome.

        Raises
        ------
        TooFewObservations : fewer than 100 errors.
        UnsupportedQuantile : a probability further out than the errors tell.
        """
        found = ordered_quantiles(self.ordered, probabilities, self.rank_horizon or self.horizon)
        return [math.exp(self.scale * offset) for offset in found.tolist()]

    @cached_property
    def widest_level(self) -> float:
        """Highest level whose bounds are inside of what the errors tell."""
        return 1 - 2 * lowest_probability(len(self.ordered), self.rank_horizon or self.horizon)

    def warnings(self, levels: Sequence[float]) -> list[str]:
        """Say so of intervals that would be wider, if the errors told more."""
        wider = sorted(it for it in set(levels) if it > self.widest_level + 1e-12)
        if not wider:
            return []
        named, widest = " and ".join(map(str, wider)), self.widest_level
        return [f"past errors tell no interval beyond {widest:.3f}, which is given for {named}"]

    @cached_property
    def content(self) -> bytes:
        """The errors and their scale, by which a forecast is told from one with other intervals."""
        scales = np.array([self.scale, self.log_scale] if self.log_scale else [self.scale])
        return self.ordered.tobytes() + scales.tobytes()

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Calibration)
            and (self.nobs, self.from_history, self.through, self.multipliers)
            == (other.nobs, other.from_history, other.through, other.multipliers)
            and self.content == other.content
        )

    def __hash__(self) -> int:
        return hash((self.nobs, self.from_history, self.through))


def pooled_calibration(
    pooled: PooledErrors,
    residuals: FloatArray,
    through: date,
    *,
    horizon: int = 1,
    levels: Sequence[float] = LEVELS,
) -> Calibration:
    """Intervals of an asset that has fewer than 100 errors of its own.

    Parameters
    ----------
    pooled : the errors of its class.
    residuals : (m,) its own log residuals, if any: they move the scale away from that of the class.
    through : the last session of which any of the errors are.
    horizon : sessions ahead.
    levels : nominal coverages.

    Raises
    ------
    TooFewObservations : the class is kept as fewer than 100 quantiles.
    """
    scale = float(scale_errors(residuals, horizon, pooled.size).scales[-1])
    return Calibration.of(
        pooled.quantiles,
        scale,
        levels,
        nobs=pooled.nobs,
        from_history=len(residuals),
        through=through,
        horizon=horizon,
        rank_horizon=pooled.rank_horizon(horizon),
    )


def scaled_calibration(
    residuals: FloatArray, through: date, horizon: int, start: float
) -> Calibration:
    """Intervals of an asset without a walk-forward, from (m,) log residuals of its own.

    Parameters
    ----------
    residuals : at least 100, in order of time.
    through : the last session known to the forecast.
    horizon : sessions ahead.
    start : mean absolute residual before the first.

    Raises
    ------
    TooFewObservations : fewer than 100.
    """
    errors, scales = scale_errors(residuals, horizon, start)
    newest = np.sort(errors[-WINDOW:])
    return Calibration.of(
        newest,
        float(scales[-1]),
        LEVELS,
        nobs=len(newest),
        from_history=len(newest),
        through=through,
        horizon=horizon,
    )


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
        residuals = np.log(track.rv / track.forecast)
        errors, scales = scale_errors(residuals, track.horizon)
        at_end = Calibration(
            nobs=min((it.calibration_nobs for it in intervals), default=0),
            from_history=0,
            through=end,
            multipliers={it.level: Multipliers.of((it.lower, it.upper)) for it in intervals},
            scale=float(scales[-1]),
            ordered=np.sort(errors[-WINDOW:]),
            horizon=track.horizon,
        )
        return cls(track.target_dates, residuals, track.horizon, np.datetime64(end, "D"), at_end)

    def until(self, as_of: np.datetime64) -> Calibration:
        """From the errors known at the close of a session.

        Where they are too few, or the session lies behind all of them, that is :attr:`at_end`.
        """
        if as_of >= self.end:
            return self.at_end
        begun = int(np.searchsorted(self.target_dates, as_of, side="right"))
        known = max(0, begun - (self.horizon - 1))
        return self._newest(self._scaled, known, 0, as_of)

    def continued(self, residuals: FloatArray, through: np.datetime64) -> Calibration:
        """From the errors of the walk-forward and (m,) newer ones, known through a session."""
        if not len(residuals):
            return self.at_end
        scaled = scale_errors(np.concatenate([self.residuals, residuals]), self.horizon)
        from_history = min(len(residuals), WINDOW)
        return self._newest(scaled, len(scaled.errors), from_history, through)

    @cached_property
    def _scaled(self) -> ScaledErrors:
        return scale_errors(self.residuals, self.horizon)

    def _newest(
        self, scaled: ScaledErrors, known: int, from_history: int, through: np.datetime64
    ) -> Calibration:
        newest = scaled.errors[:known][-WINDOW:]
        if len(newest) < MINIMUM:
            return self.at_end
        return Calibration.of(
            np.sort(newest),
            float(scaled.scales[known]),
            self.at_end.multipliers,
            nobs=len(newest),
            from_history=from_history,
            through=through.astype("datetime64[D]").item(),
            horizon=self.horizon,
        )


def _multipliers(ordered: FloatArray, scale: float, level: float, horizon: float) -> Multipliers:
    lower, upper = ordered_offsets(ordered, level, horizon)
    return Multipliers.of((scale * lower, scale * upper))
