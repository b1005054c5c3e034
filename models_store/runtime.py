"""From an artifact and a history to a forecast: the one path that serving and evaluation share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from models_store import refusals
from models_store.calibration import Calibration, Record
from models_store.forecast import Forecast, ForecastInput, Interval, Quantile
from models_store.manifest import IntervalCalibration, Manifest
from models_store.predictors.calendar_adjusted import UNDATED
from models_store.predictors.predictor import Predictor
from models_store.units import MEDIAN_SESSIONS, Plausible, came_from_the_known
from volatility.arrays import DAY, BoolArray, FloatArray, Scale, Windows
from volatility.calendars import Calendar, get_calendar
from volatility.evaluation.intervals import WINDOW
from volatility.evaluation.tracks import ForecastTrack
from volatility.pairs import make_pairs
from volatility.series import DatedSeries, RealizedSeries


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


class _Place(NamedTuple):
    """Where a forecast stands in time."""

    as_of: date | None
    target_date: date | None
    missing_sessions: int  # inside the window that was used


class _Computed(NamedTuple):
    """What is computed for all histories at once: a value each, in their order."""

    rv: Sequence[float]
    volatility: Sequence[float]
    volatility_annualized: Sequence[float]
    replaced: Sequence[bool]
    places: Sequence[_Place]
    diagnostics: Sequence[Mapping[str, tuple[float, ...]]]


_NOWHERE = _Place(None, None, 0)
_NO_DIAGNOSTICS: Mapping[str, tuple[float, ...]] = MappingProxyType({})


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
    def _plausible(self) -> Plausible:
        return Plausible.of(self.manifest)

    @cached_property
    def _intervals(self) -> dict[float, IntervalCalibration]:
        return {interval.level: interval for interval in self.manifest.intervals}

    @cached_property
    def _record(self) -> Record:
        return Record.of(self.track, self.manifest.training.end, self.manifest.intervals)

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        """What the predictor sees besides rv."""
        knows_calendar = self.manifest.calendar_effects is not None
        return (*self.manifest.columns, DAY) if knows_calendar else self.manifest.columns

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
        ImplausibleUnit : the newest sessions' median rv lies far outside those seen in training.
        InvalidSeries : the history is in another measure (code ``measure_mismatch``), or lacks a
            column that the model needs (code ``missing_columns``).
        UnsupportedHorizon, UnsupportedLevel : not among those the artifact was made for.
        """
        return self.forecast_batch([ForecastInput(history, tuple(levels), horizon)])[0]

    def forecast_batch(self, inputs: Sequence[ForecastInput]) -> list[Forecast]:
        """Forecast many histories, each as :meth:`forecast` would, to the last bit.

        Raises
        ------
        As :meth:`forecast`, for the first history that is not acceptable; :meth:`check` tells the
        acceptable ones apart beforehand.
        """
        if not inputs:
            return []
        for given in inputs:
            self._check_input(given)
        histories = [given.history for given in inputs]
        used = self._windows(histories)
        self._check_units(histories)
        computed = self._computed(histories, self.predict_rv(used))
        return [self._compose(given, computed, at) for at, given in enumerate(inputs)]

    def calibrate(self, history: RealizedSeries, outcomes: bool = True) -> Calibration:
        """The past errors that intervals are made of at the end of a history.

        Parameters
        ----------
        history : as for :meth:`forecast`.
        outcomes : whether to forecast the sessions of the history that came after the fit, at most
            500, and count the errors. Without it, and where there is none, errors are those of the
            walk-forward up to the end of the history; where fewer than 100 were known by then, or
            the history has no dates, all of the walk-forward.
        """
        record = self._record
        if isinstance(history, DatedSeries) and len(history):
            as_of = history.dates[-1]
            if as_of < record.end:
                return record.until(as_of)
            if as_of == record.end or not outcomes:
                return record.at_end
            first = int(np.searchsorted(history.dates, record.end, side="right"))
            return record.continued(self._residuals(history, first), as_of)
        return record.at_end

    def check(self, given: ForecastInput) -> None:
        """Raise what :meth:`forecast` would raise for this input, without forecasting."""
        self._check_input(given)
        self._check_units([given.history])

    def _check_input(self, given: ForecastInput) -> None:
        history, levels, horizon, *_ = given
        manifest = self.manifest
        if horizon not in manifest.horizons:
            raise refusals.unsupported_horizon(manifest, horizon)
        for level in levels:
            if level not in self._intervals:
                raise refusals.unsupported_level(manifest, level)
        if history.measure != manifest.measure:
            raise refusals.measure_mismatch(manifest, history.measure)
        if history.rv.size < manifest.lookback:
            raise refusals.too_short(manifest, history.rv.size)
        missing = [name for name in manifest.columns if name not in history.columns]
        if missing:
            raise refusals.missing_columns(manifest, missing)
        if given.quantiles:
            self._calibration(given).quantiles(given.quantiles)

    def _calibration(self, given: ForecastInput) -> Calibration:
        """What the question brings, or what its history tells without much computing."""
        return given.calibration or self.calibrate(given.history, self.predictor.vectorized)

    def _residuals(self, history: DatedSeries, first: int) -> FloatArray:
        """Log residuals of this model's forecasts of the newest sessions, from place ``first`` on.

        At most :data:`~volatility.evaluation.intervals.WINDOW`; none where the history is too short
        for a forecast and its outcome.
        """
        lookback, horizon = self.required_sessions, self.manifest.horizons[0]
        newest = len(history) - WINDOW - horizon + 1
        part = history.part(slice(max(0, max(first, newest) - lookback), None))
        if len(part) < lookback + horizon:
            return np.empty(0)
        pairs = make_pairs(part, lookback, self.calendar, horizon, self._columns)
        residuals: FloatArray = np.log(pairs.targets / self.predict_rv(pairs.windows).rv)
        return residuals

    def _windows(self, histories: Sequence[RealizedSeries]) -> Windows:
        """The newest sessions of each history, (batch, required_sessions) for every column."""
        count = self.required_sessions
        rows = {"rv": [history.rv[-count:] for history in histories]}
        for name in self._columns:
            rows[name] = [history.column(name)[-count:] for history in histories]
        return {name: np.concatenate(part).reshape(-1, count) for name, part in rows.items()}

    def _check_units(self, histories: Sequence[RealizedSeries]) -> None:
        """Refuse a history whose newest sessions have a median in another unit."""
        for nobs in {min(len(history), MEDIAN_SESSIONS) for history in histories}:
            given = [it.rv for it in histories if min(len(it), MEDIAN_SESSIONS) == nobs]
            ranked = np.sort(np.concatenate([rv[-nobs:] for rv in given]).reshape(-1, nobs), axis=1)
            medians = (ranked[:, (nobs - 1) // 2] + ranked[:, nobs // 2]) / 2
            low, high, low_of_few, high_of_few = self._plausible
            if nobs < MEDIAN_SESSIONS:
                low, high = low_of_few, high_of_few
            for at in np.flatnonzero((medians < low) | (medians > high)):
                if not came_from_the_known(given[at], self.manifest):
                    found = float(medians[at])
                    raise refusals.implausible(self.manifest, found, nobs, low, high)

    def _computed(self, histories: Sequence[RealizedSeries], predicted: PredictedRv) -> _Computed:
        rv = predicted.rv
        return _Computed(
            rv=rv.tolist(),
            volatility=np.sqrt(rv).tolist(),
            volatility_annualized=np.sqrt(rv * self.manifest.periods_per_year).tolist(),
            replaced=predicted.replaced.tolist(),
            places=self._places(histories),
            diagnostics=_by_row(predicted.diagnostics, len(histories)),
        )

    def _compose(self, given: ForecastInput, computed: _Computed, at: int) -> Forecast:
        manifest = self.manifest
        as_of, target_date, missing = computed.places[at]
        rv, annualized = computed.rv[at], computed.volatility_annualized[at]
        calibration = self._calibration(given)
        return Forecast(
            asset=manifest.asset,
            model=manifest.model,
            model_version=self.version,
            model_sha256=self.sha256,
            as_of=as_of,
            target_date=target_date,
            horizon=given.horizon,
            measure=manifest.measure,
            rv=rv,
            volatility=computed.volatility[at],
            volatility_annualized=annualized,
            point="mean",
            intervals=tuple(
                [self._interval(rv, annualized, level, calibration) for level in given.levels]
            ),
            calibration=calibration,
            missing_sessions=missing,
            warnings=self._warnings(rv, computed.replaced[at], computed.places[at], calibration),
            diagnostics=computed.diagnostics[at],
            quantiles=Quantile.of(given.quantiles, calibration, rv, annualized)
            if given.quantiles
            else (),
        )

    def _places(self, histories: Sequence[RealizedSeries]) -> list[_Place]:
        """Of each history: as_of, the session after it, and sessions missing from the window."""
        places = [_NOWHERE] * len(histories)
        dated = [(at, it) for at, it in enumerate(histories) if isinstance(it, DatedSeries)]
        if not dated:
            return places
        count = self.required_sessions
        ends = np.array([history.dates[[-count, -1]] for _, history in dated])  # (dated, 2)
        first, last = self.calendar.positions(ends).T
        found = map(
            _Place,
            ends[:, 1].tolist(),
            self.calendar.session_dates[last + 1].tolist(),
            (last - first + 1 - count).tolist(),
        )
        for (at, _), place in zip(dated, found, strict=True):
            places[at] = place
        return places

    def _interval(
        self, rv: float, volatility_annualized: float, level: float, calibration: Calibration
    ) -> Interval:
        lower, upper, lower_root, upper_root = calibration.multipliers[level]
        observed = self._intervals[level]
        return Interval(
            level,
            (rv * lower, rv * upper),
            (volatility_annualized * lower_root, volatility_annualized * upper_root),
            observed.coverage_observed,
            observed.nobs,
        )

    def _warnings(
        self, rv: float, replaced: bool, place: _Place, calibration: Calibration
    ) -> tuple[str, ...]:
        found, (as_of, _, missing) = [], place
        if replaced:
            found.append(self._replacement(rv))
        if missing:
            found.append(
                f"{missing} sessions are missing inside the {self.required_sessions} sessions used"
            )
        if as_of is None and self.manifest.calendar_effects is not None:
            found.append(UNDATED)
        if as_of is not None and as_of < calibration.through:
            found.append(
                f"intervals are made of errors up to {calibration.through}, after {as_of}: too few "
                "were known by then"
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
