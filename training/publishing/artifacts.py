"""From a fit and its walk-forward record to the files of an artifact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version

import numpy as np

from models_store import artifact
from models_store.manifest import (
    CompanionData,
    Evaluation,
    HorizonRecord,
    IntervalCalibration,
    LossHistory,
    Manifest,
    Margin,
    TrainingData,
)
from models_store.predictors.calendar_adjusted import without_calendar
from models_store.predictors.kinds import KINDS
from models_store.predictors.predictor import PredictorSpec
from training.data.assets import AssetData, TrainingSet
from training.evaluation.study import SampleParts
from training.evaluation.walk_forward import forecast_rv
from training.fitting_history import FittingHistory
from training.models.linear.asset_regressors import regressors_of
from training.models.recipe import Fit, Recipe, seen_in, stand_in_of
from volatility.arrays import DAY, FloatArray, Windows
from volatility.companions import RETURN, companions_in
from volatility.evaluation import losses
from volatility.evaluation.intervals import (
    LEVELS,
    MINIMUM,
    WINDOW,
    ordered_offsets,
    rolling_coverage,
    scale_errors,
)
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import Bounds

PROTOCOL = (
    "walk-forward over the last half, expanding; the third quarter chooses models, the last tests "
    "them; scored by target date"
)
REFERENCE_WINDOWS = 64  # newest windows, replayed at every load


@dataclass(frozen=True)
class FittedModel:
    """Fits on all of the data with their exported predictors, as a worker hands them back."""

    recipe: Recipe
    fits: Mapping[int, Fit]  # by horizon; the first is the one that the model is judged by
    spec: PredictorSpec
    model_file: bytes  # content of the file that the predictors' kind writes

    @property
    def fit(self) -> Fit:
        """Of the horizon that the model is judged by."""
        return next(iter(self.fits.values()))


def fit_and_export(recipe: Recipe, data: TrainingSet, further: Sequence[int] = ()) -> FittedModel:
    """Fit on everything and export; a network's export is checked against torch.

    Parameters
    ----------
    recipe : the model.
    data : what it is fitted on, at the horizon that it is judged by.
    further : horizons that the artifact holds besides.

    Raises
    ------
    ParityError : the exported network predicts something else.
    """
    horizons = (data.horizon, *further)
    fits = {horizon: recipe.fit(replace(data, horizon=horizon)) for horizon in horizons}
    predictors = {horizon: without_calendar(fit.predictor)[0] for horizon, fit in fits.items()}
    kind = KINDS[predictors[data.horizon].kind]
    spec = kind.describe(predictors)
    reference = _reference_windows(recipe, fits[data.horizon], data)
    return FittedModel(recipe, fits, spec, kind.write(predictors, spec, reference))


def to_files(
    fitted: FittedModel,
    data: TrainingSet,
    tracks: Mapping[int, ForecastTrack],
    parts: SampleParts,
    margins: Mapping[str, Margin] | None = None,
) -> dict[str, bytes]:
    """The files of the artifact; see :mod:`models_store.artifact`.

    Parameters
    ----------
    fitted : the model.
    data : what it was fitted on, at the horizon that it is judged by.
    tracks : by horizon, its walk-forward forecasts.
    parts : of the sample.
    margins : by benchmark, how far the model is from it at the horizon that it is judged by.
    """
    reference = _reference_windows(fitted.recipe, fitted.fit, data)
    seen = {horizon: seen_in(replace(data, horizon=horizon)) for horizon in fitted.fits}
    reference_rv = {
        horizon: forecast_rv(fit, reference, seen[horizon]) for horizon, fit in fitted.fits.items()
    }
    records = {
        horizon: _record(fitted, horizon, seen[horizon], tracks[horizon], parts)
        for horizon in fitted.fits
    }
    judged = records[data.horizon]
    told = judged.evaluation.model_copy(update={"margins": dict(margins or {})})
    records[data.horizon] = judged.model_copy(update={"evaluation": told})
    manifest = _manifest(fitted, data, records)
    return artifact.encode(manifest, fitted.model_file, tracks, reference, reference_rv)


def _record(
    fitted: FittedModel, horizon: int, seen: FloatArray, track: ForecastTrack, parts: SampleParts
) -> HorizonRecord:
    fit, bounds = fitted.fits[horizon], Bounds.of(seen)
    return HorizonRecord(
        residual_variance=fit.residual_variance,
        clip=(bounds.low, bounds.high),
        mean_rv=bounds.mean,
        intervals=calibrate(track, parts.test),
        evaluation=_evaluation(track, parts, fitted.recipe.refit_every),
        learned=dict(fit.learned),
    )


def _manifest(
    fitted: FittedModel, data: TrainingSet, records: Mapping[int, HorizonRecord]
) -> Manifest:
    fit, recipe = fitted.fit, fitted.recipe
    target = data.target
    judged, *further = records
    _, effects = without_calendar(fit.predictor)
    return Manifest(
        asset=target.asset,
        model=recipe.name,
        predictor=fitted.spec,
        scale=fit.predictor.scale,
        lookback=recipe.lookback,
        columns=recipe.columns,
        measure=target.series.measure,
        calendar=target.calendar_name,
        periods_per_year=target.calendar.periods_per_year,
        bar_interval=target.bar_interval,
        horizons=tuple(records),
        by_horizon={horizon: records[horizon] for horizon in further},
        training=_training_data(target, recipe),
        sources=tuple(_training_data(source, recipe) for source in fit.sources),
        companions=_companions(target, recipe),
        stand_in=stand_in_of(recipe),
        calendar_effects=None if effects is None else dict(effects),
        rv_medians=regressors_of(target).rv_medians,
        hyperparameters=dict(recipe.hyperparameters),
        histories={phase: _losses(history) for phase, history in fit.histories.items()},
        seed=data.seed,
        seeds=tuple(fit.by_seed),
        code_version=_code_version(),
        **dict(records[judged]),
    )


@cache
def _code_version() -> str:
    return version("roughcast")


def calibrate(track: ForecastTrack, test_start: np.datetime64) -> tuple[IntervalCalibration, ...]:
    """Conformal offsets from the newest errors, and the coverage such offsets have had.

    The offsets that serve come from the last 500 scaled errors. The coverage reported beside them
    was observed on the test part, where each interval was made from the errors before it.
    """
    residuals = np.log(track.rv / track.forecast)
    errors, scales = scale_errors(residuals, track.horizon)
    newest = np.sort(errors[-WINDOW:])
    known = np.arange(len(track)) - (track.horizon - 1)  # residuals before each forecast
    scored = (track.target_dates >= test_start) & (known >= MINIMUM)
    coverage = rolling_coverage(errors, LEVELS, track.horizon, np.flatnonzero(scored))
    found = []
    for level, observed in zip(LEVELS, coverage.tolist(), strict=True):
        lower, upper = ordered_offsets(newest, level, track.horizon)
        calibration = IntervalCalibration(
            level=level,
            lower=float(scales[-1]) * lower,
            upper=float(scales[-1]) * upper,
            calibration_nobs=len(newest),
            coverage_observed=observed,
            nobs=int(scored.sum()),
        )
        found.append(calibration)
    return tuple(found)


def _evaluation(track: ForecastTrack, parts: SampleParts, refit_every: int) -> Evaluation:
    tested = track.target_dates >= parts.test
    rv, forecast = track.rv[tested], track.forecast[tested]
    log_rv, log_forecast = np.log(rv), np.log(forecast)
    volatility, volatility_forecast = np.sqrt(rv), np.sqrt(forecast)
    return Evaluation(
        protocol=PROTOCOL,
        refit_every=refit_every,
        selection_start=track.target_dates[track.target_dates >= parts.selection][0].item(),
        test_start=track.target_dates[tested][0].item(),
        test_end=track.target_dates[-1].item(),
        nobs=int(tested.sum()),
        qlike_loss=losses.qlike_loss(rv, forecast),
        rmse_volatility=losses.rmse_loss(volatility, volatility_forecast),
        mae_volatility=losses.mae_loss(volatility, volatility_forecast),
        r_squared_log=losses.r_squared_score(log_rv, log_forecast),
        correlation_log=losses.correlation_score(log_rv, log_forecast),
        qlike_loss_by_seed=tuple(
            losses.qlike_loss(rv, own[tested]) for own in track.by_seed.values()
        ),
    )


def _reference_windows(recipe: Recipe, fit: Fit, data: TrainingSet) -> Windows:
    """The newest windows of what the model sees; the day is left out where it does not."""
    needed = ("rv", *recipe.columns, *((DAY,) if fit.predictor.dated else ()))
    series = data.target.series
    rows = regressors_of(data.target).rows(recipe.lookback, data.horizon, recipe.columns)
    newest = np.searchsorted(series.dates, rows.as_of[-REFERENCE_WINDOWS:])
    places = newest[:, None] + np.arange(1 - recipe.lookback, 1)
    columns = {name: series.rv if name == "rv" else series.column(name) for name in needed}
    return {name: values[places] for name, values in columns.items()}


def _losses(history: FittingHistory) -> LossHistory:
    return LossHistory(
        training_losses=history.training_losses,
        validation_losses=history.validation_losses,
        best_epoch=history.best_epoch,
    )


def _companions(target: AssetData, recipe: Recipe) -> tuple[CompanionData, ...]:
    seen = companions_in(recipe.columns)
    return tuple(
        CompanionData(
            measure=it.series.measure,
            calendar=it.calendar_name,
            bar_interval=it.bar_interval,
            **dict(_data_of(it, (RETURN,))),
        )
        for it in target.companions
        if it.asset in seen
    )


def _training_data(data: AssetData, recipe: Recipe) -> TrainingData:
    return _data_of(data, recipe.columns)


def _data_of(data: AssetData, columns: Sequence[str]) -> TrainingData:
    dates = data.series.dates
    return TrainingData(
        asset=data.asset,
        source=data.source,
        start=dates[0].item(),
        end=dates[-1].item(),
        nobs=len(dates),
        missing_sessions=len(data.calendar.missing_sessions(dates)),
        sha256=data.series.select(columns).sha256,
    )
