"""The universal model bound to one asset that has no model of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models_store.calibration import Calibration, pooled_calibration, scaled_calibration
from models_store.forecast import Forecast, ForecastInput
from models_store.horizon import HorizonModel, PredictedRv
from models_store.manifest import (
    HorizonRecord,
    IntervalCalibration,
    Manifest,
    TrainingData,
)
from models_store.predictors import pooled
from models_store.predictors.pooled import LookedAt, PooledPredictorSpec
from models_store.runtime import LoadedModel
from models_store.universal.manifest import KindRecord
from models_store.universal.model import NAME, UniversalModel
from volatility.arrays import DateArray, FloatArray, Windows
from volatility.bars import DAILY
from volatility.calendars import get_calendar
from volatility.evaluation.intervals import LEVELS, MINIMUM, WINDOW
from volatility.evaluation.pooled_errors import PooledErrors
from volatility.evaluation.tracks import ForecastTrack
from volatility.measures.columns import available
from volatility.own_scale import OUTCOMES, log_scales
from volatility.pairs import Pairs, make_pairs
from volatility.series import DatedSeries, RealizedSeries
from volatility.trailing import SESSIONS


class _Outcomes(NamedTuple):
    """What the sessions of a history say of forecasts that the model makes of them."""

    errors: FloatArray  # (m,) log residuals of forecasts with the scale that was known to them
    log_scale: float  # of the asset, as it is known at the end


_NOTHING = _Outcomes(np.empty(0), 0.0)


@dataclass(frozen=True)
class UniversalAssetModel(LoadedModel):
    """A model of an asset that nothing was fitted on.

    Its forecasts have the asset's own scale, and its intervals the asset's own errors, as far as
    the history tells them: from the outcomes of forecasts that the model makes of the history's
    own sessions, where at least 250 came before. With fewer, they are those of its kind.

    Attributes
    ----------
    sessions : of history that what is said of its kind was recorded with.
    pooled : the errors of the asset's kind, by horizon.
    capped_means : by horizon, of the model; see :func:`volatility.own_scale.log_scales`.
    """

    sessions: int
    pooled: Mapping[int, PooledErrors]
    capped_means: Mapping[int, float]

    @property
    def kind(self) -> str:
        """What the asset is taken for; one of :data:`volatility.scale_free.KINDS`."""
        return self._bound.asset_kind

    @cached_property
    def identity(self) -> str:
        """What tells it from every other model: its digest, and what it is bound to."""
        bound_to = (self.kind, self.manifest.calendar, self.manifest.measure, self.sessions)
        return " ".join(map(str, (self.sha256, *bound_to)))

    @property
    def _bound(self) -> PooledPredictorSpec:
        assert isinstance(self.manifest.predictor, PooledPredictorSpec)
        return self.manifest.predictor

    @cached_property
    def _horizons(self) -> Mapping[int, HorizonModel]:
        end = self.manifest.training.end
        return {
            it: HorizonModel(it, self.predictors[it], _nothing(it), self.manifest.at(it), end)
            for it in self.manifest.horizons
        }

    @cached_property
    def _of_kind(self) -> Mapping[int, Calibration]:
        """By horizon, for a history that tells no error of its own."""
        nothing = np.empty(0)
        return {
            horizon: pooled_calibration(kind, nothing, self._last(horizon), horizon=horizon)
            for horizon, kind in self.pooled.items()
        }

    def _last(self, horizon: int) -> date:
        """The last session of which its kind's errors are."""
        return self.manifest.at(horizon).evaluation.test_end

    def calibrate(
        self, history: RealizedSeries, outcomes: bool = True, horizon: int = 1
    ) -> Calibration:
        """The asset's own scale and errors at the end of a history, or those of its kind.

        Parameters
        ----------
        history : as for :meth:`forecast`.
        outcomes : whether to forecast the sessions of the history, at most 1,500 that have 250
            before them, and count the errors.
        horizon : sessions ahead.
        """
        return self._calibrated(history, (horizon,), outcomes)[horizon]

    def calibrations(self, history: RealizedSeries, horizon: int) -> Mapping[int, Calibration]:
        """As :meth:`calibrate`, of all horizons: the network tells of them at once."""
        self.at(horizon)
        return self._calibrated(history, self.manifest.horizons)

    def _calibrated(
        self, history: RealizedSeries, horizons: Sequence[int], outcomes: bool = True
    ) -> Mapping[int, Calibration]:
        if not isinstance(history, DatedSeries) or not len(history):
            return {it: self._of_kind[it] for it in horizons}
        through: date = history.dates[-1].astype("datetime64[D]").item()
        told = self._outcomes(history, horizons) if outcomes else {}
        return {it: self._calibration(told.get(it, _NOTHING), through, it) for it in horizons}

    def _calibration(self, told: _Outcomes, through: date, horizon: int) -> Calibration:
        if not len(told.errors):
            return self._of_kind[horizon]
        kind = self.pooled[horizon]
        if len(told.errors) < MINIMUM:
            last = max(through, self._last(horizon))
            found = pooled_calibration(kind, told.errors, last, horizon=horizon)
        else:
            found = scaled_calibration(told.errors, through, horizon, start=kind.size)
        return replace(found, log_scale=told.log_scale)

    def _outcomes(self, history: DatedSeries, horizons: Sequence[int]) -> dict[int, _Outcomes]:
        """Forecast the newest sessions of a history, and compare; by horizon.

        As many as the scale of the oldest error that counts in an interval is made of. A horizon
        of which there are none is left out.
        """
        known = [it for it in horizons if len(history) >= self.window_sessions + it]
        if not known:
            return {}
        first, last = min(known), max(known)
        seen = self._pairs(self._newest(history, last), first)  # windows of all horizons
        if not len(seen):  # where sessions are missing after every window
            return {}
        looked = LookedAt(seen.windows)
        self._predict(first, looked)
        assert looked.relative is not None
        return {
            it: self._compared(self._newest(history, it), it, seen.as_of, looked.relative)
            for it in known
        }

    def _newest(self, history: DatedSeries, horizon: int) -> DatedSeries:
        """The sessions that the outcomes at a horizon are forecast from, and are of."""
        return history.tail(OUTCOMES + WINDOW + self.window_sessions + horizon - 1)

    def _pairs(self, part: DatedSeries, horizon: int) -> Pairs:
        return make_pairs(part, self.window_sessions, self.calendar, horizon, self._columns)

    def _compared(
        self, part: DatedSeries, horizon: int, as_of: DateArray, relative: FloatArray
    ) -> _Outcomes:
        """Forecasts with their outcomes, from what the network says of (m,) sessions."""
        pairs = self._pairs(part, horizon)
        said = LookedAt(pairs.windows, relative[np.searchsorted(as_of, pairs.as_of)])
        residuals = np.log(pairs.targets) - self._predict(horizon, said).values
        rows = np.searchsorted(part.dates, pairs.as_of)
        ratios = np.full(len(part), np.nan)
        ordinary = self._bound.kind_scales[horizon]
        ratios[rows] = np.exp(residuals + ordinary)
        scales = log_scales(ratios, self.capped_means[horizon] * np.exp(ordinary), horizon)
        return _Outcomes(residuals - scales[rows], float(scales[-1]))

    def _told(self, inputs: Sequence[ForecastInput]) -> list[Calibration]:
        asked: dict[int, list[ForecastInput]] = {}  # by history
        for given in inputs:
            if given.calibration is None:
                asked.setdefault(id(given.history), []).append(given)
        told = {
            key: self._calibrated(those[0].history, [it.horizon for it in those])
            for key, those in asked.items()
        }
        return [it.calibration or told[id(it.history)][it.horizon] for it in inputs]

    def _windows(self, histories: Sequence[RealizedSeries]) -> LookedAt:
        return LookedAt(super()._windows(histories))

    def _forecast(
        self,
        model: HorizonModel,
        inputs: Sequence[ForecastInput],
        calibrations: Sequence[Calibration],
        windows: Windows,
    ) -> Iterator[Forecast]:
        predicted = self.predict_rv(windows, model.horizon)
        scales = np.array([it.log_scale for it in calibrations])
        scaled = PredictedRv(
            predicted.rv * np.exp(scales), predicted.replaced, predicted.diagnostics
        )
        asked = any(given.explain for given in inputs)
        told = model.explain(inputs, windows, scales) if asked else {}
        computed = self._computed(inputs, calibrations, scaled, told)
        return (self._compose(model, given, computed, at) for at, given in enumerate(inputs))


def bind(
    model: UniversalModel,
    asset: str,
    kind: str,
    calendar: str,
    measure: str,
    sessions: int = SESSIONS,
) -> UniversalAssetModel:
    """The model of an asset with daily bars that nothing was fitted on.

    Parameters
    ----------
    model : one that was evaluated on assets of the kind.
    asset : its name.
    kind : one of :data:`volatility.scale_free.KINDS`.
    calendar : its name.
    measure : of rv.
    sessions : of its history; only the newest 250 matter.
    """
    manifest = model.manifest
    columns = available(True, get_calendar(calendar).always_open)
    predictors = model.predictors(kind, calendar, measure, columns)
    recorded = manifest.recorded_sessions(kind, sessions)
    known = manifest.records(kind, recorded)
    return UniversalAssetModel(
        manifest=_bound_manifest(model, asset, pooled.describe(predictors), known),
        version=model.version,
        sha256=model.sha256,
        predictors=predictors,
        tracks={},
        sessions=recorded,
        pooled={it: _pooled(known[it]) for it in manifest.horizons},
        capped_means=dict(zip(manifest.horizons, manifest.capped_means, strict=True)),
    )


def _bound_manifest(
    model: UniversalModel,
    asset: str,
    bound: PooledPredictorSpec,
    known: Mapping[int, KindRecord],
) -> Manifest:
    manifest, market = model.manifest, get_calendar(bound.calendar)
    first, *further = manifest.horizons
    records = {it: _record(known[it], model, it) for it in manifest.horizons}
    return Manifest(
        asset=asset,
        model=NAME,
        predictor=bound,
        scale="logs",
        lookback=manifest.lookback,
        minimum_sessions=manifest.minimum_sessions,
        columns=bound.columns,
        measure=bound.measure,
        calendar=bound.calendar,
        periods_per_year=market.periods_per_year,
        bar_interval=DAILY,
        horizons=manifest.horizons,
        by_horizon={it: records[it] for it in further},
        training=_training(model),
        rv_medians=manifest.rv_medians,
        hyperparameters=manifest.hyperparameters,
        seed=manifest.seed,
        seeds=manifest.seeds,
        code_version=manifest.code_version,
        **dict(records[first]),
    )


def _record(record: KindRecord, model: UniversalModel, horizon: int) -> HorizonRecord:
    low, high = model.manifest.clip
    pooled_errors = _pooled(record)
    end = model.manifest.training_end
    calibration = pooled_calibration(pooled_errors, np.empty(0), end, horizon=horizon)
    return HorizonRecord(
        residual_variance=0.0,
        clip=(low, high),
        mean_rv=float(np.sqrt(low * high)),
        intervals=tuple(
            IntervalCalibration(
                level=level,
                lower=float(np.log(calibration.multipliers[level].lower)),
                upper=float(np.log(calibration.multipliers[level].upper)),
                calibration_nobs=pooled_errors.nobs,
                coverage_observed=record.coverage_observed[str(level)],
                nobs=pooled_errors.nobs,
            )
            for level in LEVELS
        ),
        evaluation=record.evaluation,
        learned={},
    )


def _pooled(record: KindRecord) -> PooledErrors:
    return PooledErrors(
        record.error_size, np.array(record.error_quantiles), record.evaluation.nobs, record.assets
    )


def _training(model: UniversalModel) -> TrainingData:
    assets = model.manifest.assets
    return TrainingData(
        asset=NAME,
        source=f"a panel of {len(assets)} assets",
        start=min(it.start for it in assets),
        end=model.manifest.training_end,
        nobs=sum(it.nobs for it in assets),
        missing_sessions=sum(it.missing_sessions for it in assets),
        sha256=model.sha256,
    )


def _nothing(horizon: int) -> ForecastTrack:
    nothing = np.empty(0, "datetime64[D]")
    return ForecastTrack(NAME, nothing, nothing, np.empty(0), np.empty(0), horizon)
