"""From an artifact and a history to a forecast: the one path that serving and evaluation share."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from models_store.manifest import IntervalCalibration, Manifest
from models_store.predictors import Bounds, Predictor, to_rv
from volatility.arrays import BoolArray, FloatArray, Windows
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


class Interval(NamedTuple):
    """A forecast interval, and how intervals of this level have covered out of sample."""

    level: float  # nominal coverage
    rv: tuple[float, float]
    volatility_annualized: tuple[float, float]
    coverage_observed: float  # on the test part
    nobs: int  # forecasts behind coverage_observed


class Forecast(NamedTuple):
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
    diagnostics: Mapping[str, tuple[float, ...]]  # what a network shows of itself, by name


class PredictedRv(NamedTuple):
    """What a model says of each row of its windows, as rv."""

    rv: FloatArray  # (batch,) decimal² per day
    replaced: BoolArray  # (batch,) whether the model said something that training never saw
    diagnostics: Mapping[str, FloatArray]  # (batch, k) each


_NOWHERE = (None, None, 0)
_NO_DIAGNOSTICS: Mapping[str, tuple[float, ...]] = MappingProxyType({})


class _Multipliers(NamedTuple):
    """What an interval multiplies the forecast of rv, and of volatility, by."""

    lower: float
    upper: float
    lower_root: float
    upper_root: float
    coverage_observed: float
    nobs: int

    @classmethod
    def of(cls, calibration: IntervalCalibration) -> "_Multipliers":
        lower, upper = math.exp(calibration.lower), math.exp(calibration.upper)
        return cls(
            lower,
            upper,
            math.sqrt(lower),
            math.sqrt(upper),
            calibration.coverage_observed,
            calibration.nobs,
        )


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
    def _bounds(self) -> Bounds:
        return Bounds(*self.manifest.clip, self.manifest.mean_rv)

    @cached_property
    def _intervals(self) -> dict[float, _Multipliers]:
        return {interval.level: _Multipliers.of(interval) for interval in self.manifest.intervals}

    def predict_rv(self, windows: Windows) -> PredictedRv:
        """Mean rv of the next session from (batch, lookback) windows of every column needed."""
        values, diagnostics = self.predictor.predict(windows)
        manifest = self.manifest
        rv, replaced = to_rv(values, manifest.scale, manifest.residual_variance, self._bounds)
        return PredictedRv(rv, replaced, diagnostics)

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
        InvalidSeries : the history is in another measure (code ``measure_mismatch``), or lacks a
            column that the model needs (code ``missing_columns``).
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
            self._check_question(history, wanted, horizon)
        used = self._windows(histories)
        self._check_units(used["rv"])
        return self._compose(histories, self.predict_rv(used), levels, horizons)

    def check(
        self, history: RealizedSeries, levels: Sequence[float] = (), horizon: int = 1
    ) -> None:
        """Raise what :meth:`forecast` would raise for these arguments, without forecasting."""
        self._check_question(history, levels, horizon)
        self._check_units(history.rv[None, -self.required_sessions :])

    def _check_question(
        self, history: RealizedSeries, levels: Sequence[float], horizon: int
    ) -> None:
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
        if self.manifest.columns:
            self._check_columns(history)

    def _check_columns(self, history: RealizedSeries) -> None:
        missing = [name for name in self.manifest.columns if name not in history.columns]
        if missing:
            needed = "bars, from which every column is measured"
            raise InvalidSeries(
                f"{self._name} needs {', '.join(self.manifest.columns)} beside rv; the history "
                f"lacks {', '.join(missing)}; send {needed}",
                code="missing_columns",
                field="history",
                found=f"a history without {', '.join(missing)}",
                needed=needed,
            )

    def _windows(self, histories: Sequence[RealizedSeries]) -> Windows:
        """The newest sessions of each history, (batch, required_sessions) for every column."""
        count = self.required_sessions
        rows = {"rv": [history.rv[-count:] for history in histories]}
        for name in self.manifest.columns:
            rows[name] = [history.columns[name][-count:] for history in histories]
        return {name: np.concatenate(part).reshape(-1, count) for name, part in rows.items()}

    def _check_units(self, used: FloatArray) -> None:
        """Refuse (batch, required_sessions) rv in which a row's median is in another unit."""
        medians = np.sort(used, axis=1)[:, self.required_sessions // 2]
        low, high = self.manifest.clip
        lowest, highest = low / IMPLAUSIBLE_FACTOR, high * IMPLAUSIBLE_FACTOR
        plausible = (medians >= lowest) & (medians <= highest)
        if not plausible.all():
            found = float(medians[~plausible][0])
            raise ImplausibleUnit(
                f"the history's median rv is {found:.3g}, but {self.manifest.asset} ranged from "
                f"{low:.3g} to {high:.3g} in training; rv is a variance per day in decimal² "
                "(0.0004 for a 2 % day), not percent, not annualized and not a volatility",
                field="history",
                found=found,
                needed=f"median rv between {lowest:.3g} and {highest:.3g}",
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
        histories: Sequence[RealizedSeries],
        predicted: PredictedRv,
        levels: Sequence[Sequence[float]],
        horizons: Sequence[int],
    ) -> list[Forecast]:
        manifest, rv = self.manifest, predicted.rv
        rows = zip(
            histories,
            horizons,
            levels,
            rv.tolist(),
            np.sqrt(rv).tolist(),
            np.sqrt(rv * manifest.periods_per_year).tolist(),
            predicted.replaced.tolist(),
            self._place_in_time(histories),
            _by_row(predicted.diagnostics, len(histories)),
            strict=True,
        )
        return [
            Forecast(
                asset=manifest.asset,
                model=manifest.model,
                model_version=self.version,
                model_sha256=self.sha256,
                as_of=as_of,
                target_date=target_date,
                horizon=horizon,
                measure=manifest.measure,
                rv=value,
                volatility=volatility,
                volatility_annualized=annualized,
                point="mean",
                intervals=tuple([self._interval(value, annualized, level) for level in wanted]),
                missing_sessions=missing,
                warnings=self._warnings(value, was_replaced, missing),
                diagnostics=diagnostics,
            )
            for (
                _,
                horizon,
                wanted,
                value,
                volatility,
                annualized,
                was_replaced,
                (as_of, target_date, missing),
                diagnostics,
            ) in rows
        ]

    def _place_in_time(
        self, histories: Sequence[RealizedSeries]
    ) -> list[tuple[date | None, date | None, int]]:
        """Of each history: as_of, the session after it, and sessions missing from the window."""
        places: list[tuple[date | None, date | None, int]] = [_NOWHERE] * len(histories)
        dated = [
            (at, history.dates) for at, history in enumerate(histories) if history.dates is not None
        ]
        if not dated:
            return places
        count = self.required_sessions
        ends = np.array([dates[[-count, -1]] for _, dates in dated])  # (dated, 2)
        first, last = self.calendar.positions(ends).T
        targets = self.calendar.session_dates[last + 1].tolist()
        missing = (last - first + 1 - count).tolist()
        for (at, _), as_of, target, gap in zip(
            dated, ends[:, 1].tolist(), targets, missing, strict=True
        ):
            places[at] = (as_of, target, gap)
        return places

    def _interval(self, rv: float, volatility_annualized: float, level: float) -> Interval:
        known = self._intervals[level]
        return Interval(
            level,
            (rv * known.lower, rv * known.upper),
            (volatility_annualized * known.lower_root, volatility_annualized * known.upper_root),
            known.coverage_observed,
            known.nobs,
        )

    def _warnings(self, rv: float, replaced: bool, missing: int) -> tuple[str, ...]:
        if not replaced and not missing:
            return ()
        found = []
        if replaced:
            found.append(self._replacement(rv))
        if missing:
            found.append(
                f"{missing} sessions are missing inside the {self.required_sessions} sessions used"
            )
        return tuple(found)

    def _replacement(self, rv: float) -> str:
        low, high, mean = self._bounds
        if rv == mean:
            return (
                f"{self.manifest.model} forecast a negative variance; the mean rv seen in "
                f"training, {mean:.3g}, takes its place"
            )
        return (
            f"the forecast was clipped to the range of rv seen in training, {low:.3g} to {high:.3g}"
        )


def _by_row(
    diagnostics: Mapping[str, FloatArray], count: int
) -> Sequence[Mapping[str, tuple[float, ...]]]:
    """From (batch, k) by name to a mapping a row; one shared empty one where there are none."""
    if not diagnostics:
        return [_NO_DIAGNOSTICS] * count
    rows = zip(*(values.tolist() for values in diagnostics.values()), strict=True)
    return [dict(zip(diagnostics, map(tuple, row), strict=True)) for row in rows]
