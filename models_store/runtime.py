"""From an artifact and a history to a forecast: the one path that serving and evaluation share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from models_store.manifest import IntervalCalibration, Manifest
from models_store.predictors import Predictor, to_rv
from volatility.arrays import DateArray, FloatArray
from volatility.calendars import Calendar, get_calendar
from volatility.errors import (
    HistoryTooShort,
    ImplausibleUnit,
    InvalidSeries,
    UnsupportedHorizon,
    UnsupportedLevel,
)
from volatility.evaluation import ForecastTrack
from volatility.series import RealizedSeries

# A history whose typical variance lies this many times outside everything seen in training is in
# another unit (percent, annualized, a volatility) rather than in another regime.
IMPLAUSIBLE_FACTOR = 100.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A forecast interval, and how intervals of this level have covered out of sample."""

    level: float  # nominal coverage
    rv: tuple[float, float]
    volatility_annualized: tuple[float, float]
    coverage_observed: float  # on the test part
    nobs: int  # forecasts behind coverage_observed


@dataclass(frozen=True, slots=True)
class Forecast:
    """The next session's realized variance, with everything needed to read it."""

    asset: str
    model: str
    model_version: int
    model_sha256: str
    as_of: date | None  # None for a history without dates
    target_date: date | None
    horizon: int
    measure: str
    rv: float  # decimal² per day
    volatility: float  # decimal per day
    volatility_annualized: float  # decimal per year
    point: str  # "mean": what the point forecast estimates
    intervals: tuple[Interval, ...]
    missing_sessions: int  # inside the window that was used
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class LoadedModel:
    """A verified artifact, ready to forecast.

    Attributes
    ----------
    manifest : what the model is.
    version : its number in the store.
    sha256 : digest of the whole artifact (of its ``SHA256SUMS``).
    predictor : the fitted function.
    track : its out-of-sample forecasts, for comparison with other models.
    """

    manifest: Manifest
    version: int
    sha256: str
    predictor: Predictor
    track: ForecastTrack

    @property
    def required_sessions(self) -> int:
        """Sessions of history that a forecast needs."""
        return self.manifest.lookback

    @cached_property
    def calendar(self) -> Calendar:
        """The asset's sessions."""
        return get_calendar(self.manifest.calendar)

    @cached_property
    def _intervals(self) -> dict[float, IntervalCalibration]:
        return {interval.level: interval for interval in self.manifest.intervals}

    def predict_rv(self, window_rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean rv of the next session from (batch, lookback) rv, and whether it was clipped."""
        return to_rv(
            self.predictor.predict(window_rows),
            self.manifest.scale,
            self.manifest.residual_variance,
            self.manifest.clip,
        )

    def forecast(
        self, history: RealizedSeries, levels: Sequence[float] = (0.8, 0.95), horizon: int = 1
    ) -> Forecast:
        """Forecast the session after the last one of ``history``.

        Parameters
        ----------
        history : daily rv in this model's measure, the last value being the newest.
        levels : nominal coverages of the intervals wanted.
        horizon : sessions ahead.

        Raises
        ------
        HistoryTooShort : fewer sessions than :attr:`required_sessions`.
        ImplausibleUnit : rv lies far outside everything seen in training.
        InvalidSeries : the history is in another measure (code ``measure_mismatch``).
        UnsupportedHorizon, UnsupportedLevel : not among those the artifact was made for.
        """
        return self.forecast_batch([history], [levels], [horizon])[0]

    def forecast_batch(
        self,
        histories: Sequence[RealizedSeries],
        levels: Sequence[Sequence[float]],
        horizons: Sequence[int],
    ) -> list[Forecast]:
        """Forecast many histories, each as :meth:`forecast` would, to the last bit.

        Raises
        ------
        As :meth:`forecast`, for the first history that is not acceptable; :meth:`check` tells the
        acceptable ones apart beforehand.
        """
        if not histories:
            return []
        for history, wanted, horizon in zip(histories, levels, horizons, strict=True):
            self.check(history, wanted, horizon)
        stacked = np.stack([history.rv[-self.required_sessions :] for history in histories])
        rv, clipped = self.predict_rv(stacked)
        return [
            self._compose(history, float(value), bool(was_clipped), wanted, horizon)
            for history, value, was_clipped, wanted, horizon in zip(
                histories, rv, clipped, levels, horizons, strict=True
            )
        ]

    def check(
        self, history: RealizedSeries, levels: Sequence[float] = (), horizon: int = 1
    ) -> None:
        """Raise what :meth:`forecast` would raise for these arguments, without forecasting."""
        if horizon not in self.manifest.horizons:
            raise UnsupportedHorizon(
                f"horizon {horizon} is not supported by {self._name}; "
                f"it forecasts {list(self.manifest.horizons)} sessions ahead",
                field="horizon",
                found=horizon,
                needed=f"one of {list(self.manifest.horizons)}",
            )
        for level in levels:
            if level not in self._intervals:
                raise UnsupportedLevel(
                    f"level {level} is not supported by {self._name}; "
                    f"it has intervals for {sorted(self._intervals)}",
                    field="levels",
                    found=level,
                    needed=f"any of {sorted(self._intervals)}",
                )
        if history.measure != self.manifest.measure:
            raise InvalidSeries(
                f"the history's measure is {history.measure}, but {self._name} was fitted on "
                f"{self.manifest.measure}",
                code="measure_mismatch",
                field="history",
                found=history.measure,
                needed=self.manifest.measure,
            )
        if len(history) < self.required_sessions:
            raise HistoryTooShort(
                f"{self._description} needs {self.required_sessions} sessions; got {len(history)}",
                field="history",
                found=len(history),
                needed=f"at least {self.required_sessions} sessions",
            )
        self._check_unit(history.rv[-self.required_sessions :])

    def _check_unit(self, used: FloatArray) -> None:
        typical = float(np.median(used))
        low, high = self.manifest.clip
        if not low / IMPLAUSIBLE_FACTOR <= typical <= high * IMPLAUSIBLE_FACTOR:
            raise ImplausibleUnit(
                f"the history's median rv is {typical:.3g}, but {self.manifest.asset} ranged from "
                f"{low:.3g} to {high:.3g} in training; rv is a variance per day in decimal² "
                "(0.0004 for a 2 % day), not percent, not annualized and not a volatility",
                field="history",
                found=typical,
                needed=f"median rv between {low / IMPLAUSIBLE_FACTOR:.3g} "
                f"and {high * IMPLAUSIBLE_FACTOR:.3g}",
            )

    @property
    def _name(self) -> str:
        return f"{self.manifest.model} of {self.manifest.asset}"

    @property
    def _description(self) -> str:
        lags = self.manifest.hyperparameters.get("lags")
        return f"{self.manifest.model} with lags {lags}" if lags else self.manifest.model

    def _compose(
        self,
        history: RealizedSeries,
        rv: float,
        clipped: bool,
        levels: Sequence[float],
        horizon: int,
    ) -> Forecast:
        as_of, target_date, missing = self._place_in_time(history.dates)
        annualize = self.manifest.periods_per_year
        return Forecast(
            asset=self.manifest.asset,
            model=self.manifest.model,
            model_version=self.version,
            model_sha256=self.sha256,
            as_of=as_of,
            target_date=target_date,
            horizon=horizon,
            measure=self.manifest.measure,
            rv=rv,
            volatility=rv**0.5,
            volatility_annualized=(rv * annualize) ** 0.5,
            point="mean",
            intervals=tuple(self._interval(rv, level) for level in levels),
            missing_sessions=missing,
            warnings=self._warnings(clipped, missing),
        )

    def _place_in_time(self, dates: DateArray | None) -> tuple[date | None, date | None, int]:
        if dates is None:
            return None, None, 0
        used = dates[-self.required_sessions :]
        target = self.calendar.next_session(used[-1])
        missing = len(self.calendar.missing_sessions(used))
        return used[-1].astype(date), target.astype(date), missing

    def _interval(self, rv: float, level: float) -> Interval:
        calibration = self._intervals[level]
        bounds = rv * np.exp([calibration.lower, calibration.upper])
        annualized = np.sqrt(bounds * self.manifest.periods_per_year)
        return Interval(
            level=level,
            rv=(float(bounds[0]), float(bounds[1])),
            volatility_annualized=(float(annualized[0]), float(annualized[1])),
            coverage_observed=calibration.coverage_observed,
            nobs=calibration.nobs,
        )

    def _warnings(self, clipped: bool, missing: int) -> tuple[str, ...]:
        found = []
        if clipped:
            low, high = self.manifest.clip
            found.append(
                f"the forecast was clipped to the range of rv seen in training, "
                f"{low:.3g} to {high:.3g}"
            )
        if missing:
            found.append(
                f"{missing} sessions are missing inside the {self.required_sessions} sessions used"
            )
        return tuple(found)
