"""From an artifact and a history to a forecast: the one path that serving and evaluation share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from models_store import refusals
from models_store.calibration import Calibration
from models_store.errors import PredictionFailed, computing
from models_store.evidence import Evidence
from models_store.explanation import Explanation
from models_store.forecast import Forecast, ForecastInput, Quantile
from models_store.horizon import (
    Computed,
    HorizonModel,
    Place,
    PredictedRv,
    by_row,
    filled_up,
)
from models_store.predictors.calendar_adjusted import UNDATED
from models_store.predictors.predictor import Predictors
from models_store.units import Plausible, came_from_the_known, newest_medians
from volatility.arrays import DAY, FloatArray, Prediction, Windows
from volatility.calendars import Calendar, get_calendar
from volatility.evaluation.intervals import WINDOW
from volatility.pairs import make_pairs
from volatility.series import DatedSeries, RealizedSeries, to_rv

_NOWHERE = Place(None, None, 0, 0)
_NO_EXPLANATIONS: Mapping[int, Explanation] = MappingProxyType({})


@dataclass(frozen=True)
class LoadedModel(Evidence):
    """A verified artifact, ready to forecast.

    Attributes
    ----------
    predictors : the fitted functions, by horizon.
    """

    predictors: Predictors

    @property
    def identity(self) -> str:
        """What tells it from every other model: its digest, and what it is bound to."""
        return self.sha256

    @property
    def required_sessions(self) -> int:
        """Sessions of history that a forecast needs."""
        return self.manifest.minimum_sessions or self.manifest.lookback

    @property
    def window_sessions(self) -> int:
        """The newest sessions of a history, beyond which none is looked at."""
        return self.manifest.lookback

    @cached_property
    def calendar(self) -> Calendar:
        """The asset's sessions."""
        return get_calendar(self.manifest.calendar)

    @cached_property
    def _horizons(self) -> Mapping[int, HorizonModel]:
        manifest = self.manifest
        end = manifest.training.end
        return {
            it: HorizonModel(it, self.predictors[it], self.tracks[it], manifest.at(it), end)
            for it in manifest.horizons
        }

    @cached_property
    def _vectorized(self) -> bool:
        return all(predictor.vectorized for predictor in self.predictors.values())

    @cached_property
    def _plausible(self) -> Plausible:
        return Plausible.of(self.manifest)

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        """What the predictor sees besides rv."""
        dated = any(predictor.dated for predictor in self.predictors.values())
        return (*self.manifest.columns, DAY) if dated else self.manifest.columns

    def at(self, horizon: int) -> HorizonModel:
        """The model of one horizon.

        Raises
        ------
        UnsupportedHorizon : not one that the artifact was made for.
        """
        found = self._horizons.get(horizon)
        if found is None:
            raise refusals.unsupported_horizon(self.manifest, horizon)
        return found

    def predict_rv(self, windows: Windows, horizon: int = 1) -> PredictedRv:
        """Mean rv of the sessions ahead, from (batch, lookback) windows of every column needed.

        Raises
        ------
        UnsupportedHorizon : not one that the artifact was made for.
        PredictionFailed : the predictor raised an error, or said of a row what is no number.
        """
        model = self.at(horizon)
        values, diagnostics = self._predict(horizon, windows)
        variance = model.known.residual_variance
        rv, replaced = to_rv(values, self.manifest.scale, variance, model.bounds)
        return PredictedRv(rv, replaced, diagnostics)

    def _predict(self, horizon: int, windows: Windows) -> Prediction:
        """What the predictor says; whatever it raises comes out as `PredictionFailed`."""
        predictor = self.at(horizon).predictor
        with computing(self.manifest.model):
            said = predictor.predict(windows)
        finite = np.isfinite(said.values)
        # An infinite one would be clipped to what is known.
        if np.count_nonzero(finite) < len(finite):
            raise PredictionFailed(self.manifest.model, "it says what is no number")
        return said

    def forecast(
        self, history: RealizedSeries, levels: Sequence[float] = (0.8, 0.95), horizon: int = 1
    ) -> Forecast:
        """Forecast the session after the last one of ``history``, or the mean of several.

        Parameters
        ----------
        history : daily rv in this model's measure, the last value being the newest.
        levels : nominal coverages of the intervals wanted.
        horizon : sessions ahead.

        Raises
        ------
        PredictionFailed : the model could not be computed, or said what is no number.
        HistoryTooShort : fewer sessions than :attr:`required_sessions`.
        ImplausibleUnit : the newest sessions' median rv lies far outside those seen in training.
        InvalidSeries : the history is in another measure (code ``measure_mismatch``), or lacks a
            column that the model needs (code ``missing_columns``).
        UnsupportedHorizon, UnsupportedLevel : not among those the artifact was made for, or a level
            twice (code ``duplicate_level``).
        """
        return self.forecast_batch([ForecastInput(history, tuple(levels), horizon)])[0]

    def forecast_batch(self, inputs: Sequence[ForecastInput]) -> list[Forecast]:
        """Forecast many histories, each as :meth:`forecast` would, to the last bit.

        Raises
        ------
        As :meth:`forecast`, for the first history that :meth:`check` refuses.
        """
        if not inputs:
            return []
        self._check(inputs)
        calibrations = self._calibrations(inputs)
        places: dict[int, list[int]] = {}  # by horizon
        for place, given in enumerate(inputs):
            places.setdefault(given.horizon, []).append(place)
        seen: list[RealizedSeries] = []
        windows: Windows = {}
        forecasts: dict[int, Forecast] = {}
        for horizon, those in places.items():
            asked = [inputs[place] for place in those]
            histories = [given.history for given in asked]
            if histories != seen:  # horizons of a term structure share their windows
                seen, windows = histories, self._windows(histories)
            settled = [calibrations[place] for place in those]
            made = self._forecast(self.at(horizon), asked, settled, windows)
            forecasts.update(zip(those, made, strict=True))
        return [forecasts[place] for place in range(len(inputs))]

    def calibrate(
        self, history: RealizedSeries, outcomes: bool = True, horizon: int = 1
    ) -> Calibration:
        """The past errors that intervals are made of at the end of a history.

        Parameters
        ----------
        history : as for :meth:`forecast`.
        outcomes : whether to forecast the sessions of the history that came after the fit, at most
            500, and count the errors. Without it, and where there is none, errors are those of the
            walk-forward up to the end of the history; where fewer than 100 were known by then, or
            the history has no dates, all of the walk-forward.
        horizon : sessions ahead.

        Raises
        ------
        UnsupportedHorizon : not one that the artifact was made for.
        """
        record = self.at(horizon).record
        if isinstance(history, DatedSeries) and len(history):
            as_of = history.dates[-1]
            if as_of < record.end:
                return record.until(as_of)
            if as_of == record.end or not outcomes:
                return record.at_end
            first = int(np.searchsorted(history.dates, record.end, side="right"))
            return record.continued(self._residuals(history, first, horizon), as_of)
        return record.at_end

    def calibrations(self, history: RealizedSeries, horizon: int) -> Mapping[int, Calibration]:
        """As :meth:`calibrate`, with those of other horizons that take hardly longer."""
        return {horizon: self.calibrate(history, horizon=horizon)}

    def check(self, given: ForecastInput) -> None:
        """Raise what :meth:`forecast` would raise for this input, without forecasting."""
        self._check([given])
        if given.quantiles:
            self._calibrations([given])

    def _check(self, inputs: Sequence[ForecastInput]) -> None:
        for given in inputs:
            self._check_asked(given)
        self._check_units([given.history for given in inputs])

    def _check_asked(self, given: ForecastInput) -> None:
        history, levels, horizon, *_ = given
        if any(len({*asked}) < len(asked) for asked in (levels, given.quantiles)):
            raise refusals.twice(levels, given.quantiles)
        manifest = self.manifest
        intervals = self.at(horizon).intervals
        for level in levels:
            if level not in intervals:
                raise refusals.unsupported_level(manifest, level)
        if history.measure != manifest.measure:
            raise refusals.measure_mismatch(manifest, history.measure)
        if manifest.columns:  # a longer history would lack them, too
            refusals.check_own_columns(manifest, history)
        if history.rv.size < self.required_sessions:
            raise refusals.too_short(manifest, history.rv.size)
        if manifest.companions:
            refusals.check_columns(manifest, history)

    def _calibrations(self, inputs: Sequence[ForecastInput]) -> list[Calibration]:
        """What each question brings, or what its history tells without much computing.

        Raises
        ------
        UnsupportedQuantile : a probability further out than the errors tell.
        """
        found = self._told(inputs)
        for given, calibration in zip(inputs, found, strict=True):
            if given.quantiles:
                calibration.quantiles(given.quantiles)
        return found

    def _told(self, inputs: Sequence[ForecastInput]) -> list[Calibration]:
        outcomes = self._vectorized
        return [it.calibration or self.calibrate(it.history, outcomes, it.horizon) for it in inputs]

    def _residuals(self, history: DatedSeries, first: int, horizon: int) -> FloatArray:
        """Log residuals of this model's forecasts of the newest sessions, from place ``first`` on.

        At most :data:`~volatility.evaluation.intervals.WINDOW`; none where the history is too short
        for a forecast and its outcome.
        """
        lookback = self.window_sessions
        newest = len(history) - WINDOW - horizon + 1
        part = history.part(slice(max(0, max(first, newest) - lookback), None))
        if len(part) < lookback + horizon:
            return np.empty(0)
        pairs = make_pairs(part, lookback, self.calendar, horizon, self._columns)
        if not len(pairs):  # where sessions are missing, or companions are not known
            return np.empty(0)
        residuals: FloatArray = np.log(pairs.targets / self.predict_rv(pairs.windows, horizon).rv)
        return residuals

    def _windows(self, histories: Sequence[RealizedSeries]) -> Windows:
        """The newest sessions of each history, (batch, window_sessions) for every column.

        NaN stands before the first session of a shorter one.
        """
        count = self.window_sessions
        rows = {"rv": [history.rv[-count:] for history in histories]}
        for name in self._columns:
            rows[name] = [history.column(name)[-count:] for history in histories]
        if self.required_sessions < count:
            rows = {name: [filled_up(it, count) for it in part] for name, part in rows.items()}
        return {name: np.concatenate(part).reshape(-1, count) for name, part in rows.items()}

    def _check_units(self, histories: Sequence[RealizedSeries]) -> None:
        """Refuse a history whose newest sessions have a median in another unit."""
        for nobs, given, medians in newest_medians([history.rv for history in histories]):
            low, high = self._plausible.range(nobs)
            for rv, found in zip(given, medians, strict=True):
                if (found < low or found > high) and not came_from_the_known(rv, self.manifest):
                    raise refusals.implausible(self.manifest, found, nobs, low, high)

    def _forecast(
        self,
        model: HorizonModel,
        inputs: Sequence[ForecastInput],
        calibrations: Sequence[Calibration],
        windows: Windows,
    ) -> Iterator[Forecast]:
        predicted = self.predict_rv(windows, model.horizon)
        asked = any(given.explain for given in inputs)
        explanations = model.explain(inputs, windows) if asked else _NO_EXPLANATIONS
        computed = self._computed(inputs, calibrations, predicted, explanations)
        return (self._compose(model, given, computed, at) for at, given in enumerate(inputs))

    def _computed(
        self,
        inputs: Sequence[ForecastInput],
        calibrations: Sequence[Calibration],
        predicted: PredictedRv,
        explanations: Mapping[int, Explanation],
    ) -> Computed:
        rv = predicted.rv
        return Computed(
            rv=rv.tolist(),
            volatility=np.sqrt(rv).tolist(),
            volatility_annualized=np.sqrt(rv * self.manifest.periods_per_year).tolist(),
            replaced=predicted.replaced.tolist(),
            places=[self._place(given.history) for given in inputs],
            diagnostics=by_row(predicted.diagnostics, len(inputs)),
            explanations=explanations,
            calibrations=calibrations,
        )

    def _compose(
        self, model: HorizonModel, given: ForecastInput, computed: Computed, at: int
    ) -> Forecast:
        manifest = self.manifest
        as_of, target_date, missing, _ = computed.places[at]
        rv, annualized = computed.rv[at], computed.volatility_annualized[at]
        calibration = computed.calibrations[at]
        explanation = computed.explanations.get(at)
        warnings = self._warnings(computed.places[at], calibration)
        warnings += calibration.warnings(given.levels)
        if computed.replaced[at]:
            warnings.insert(0, model.in_place(rv))
        if explanation:
            warnings.extend(explanation.warnings)
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
                [model.interval(rv, annualized, level, calibration) for level in given.levels]
            ),
            calibration=calibration,
            missing_sessions=missing,
            warnings=tuple(warnings),
            diagnostics=computed.diagnostics[at],
            quantiles=Quantile.of(given.quantiles, calibration, rv, annualized)
            if given.quantiles
            else (),
            explanation=explanation,
            clipped=computed.replaced[at],
        )

    def _place(self, history: RealizedSeries) -> Place:
        """As_of, the session after it, and sessions missing from the window."""
        if not isinstance(history, DatedSeries):
            return _NOWHERE
        dates, calendar = history.dates, self.calendar
        count = min(len(dates), self.window_sessions)
        first, last = calendar.position(dates[-count]), calendar.position(dates[-1])
        return Place(
            dates[-1].item(),
            calendar.session_dates[last + 1].item(),
            last - first + 1 - count,
            count,
        )

    def _warnings(self, place: Place, calibration: Calibration) -> list[str]:
        found, (as_of, _, missing, used) = [], place
        if missing:
            found.append(f"{missing} sessions are missing between the {used} sessions used")
        if as_of is None and self.manifest.calendar_effects is not None:
            found.append(UNDATED)
        if as_of is not None and as_of < calibration.through:
            found.append(
                f"intervals are made of errors up to {calibration.through}, after {as_of}: too few "
                "were known by then"
            )
        return found
