"""Walk-forward forecasts side by side: losses, tests and coverage on the same dates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

from volatility.arrays import BoolArray, FloatArray
from volatility.errors import MisalignedForecasts, TooFewObservations, UnknownModel
from volatility.evaluation.alignment import Sessions, Timing, examine
from volatility.evaluation.confidence_set import (
    CONFIDENCE_LEVEL,
    ConfidenceSet,
    model_confidence_set,
)
from volatility.evaluation.diebold_mariano import DieboldMariano, diebold_mariano
from volatility.evaluation.influence import Influence, influence
from volatility.evaluation.interval_scores import interval_scores
from volatility.evaluation.losses import (
    check_paired,
    correlation_score,
    mae_loss,
    qlike_loss,
    qlike_losses,
    r_squared_score,
    rmse_loss,
)
from volatility.evaluation.superior_ability import superior_ability_pvalues
from volatility.evaluation.tracks import Aligned, ForecastTrack, align
from volatility.series import DatedSeries

# Each model is tested against those of them that are present.
BENCHMARKS = ("last_value", "har", "log_har", "calendar_log_har")


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """How one model did; losses as in `volatility.evaluation.losses`.

    Attributes
    ----------
    model : its name.
    qlike_loss : of the variance; the headline.
    qlike_ratio : qlike_loss over that of the baseline.
    rmse_volatility, mae_volatility : of ``sqrt(rv)``, decimal per day.
    r_squared_log, correlation_log : of ``log_rv``.
    interval_loss_log : by level, of intervals of ``log_rv``.
    coverage : by level, the share of outcomes inside the interval given at the time.
    coverage_by_tercile : by level, the same for the lowest, middle and highest third of forecasts.
    coverage_after_breaks : by level, the same for the sessions after the five largest breaks.
    crps_log : continuous ranked probability score of ``log_rv``; None where no interval was given.
    coverage_nobs : dates with an interval: none is given before enough errors are known.
    diebold_mariano : by benchmark, tests on QLIKE.
    in_confidence_set : whether the model may be the best.
    confidence_set_pvalue : of that.
    information_lag : sessions from the newest information to the target; None if it cannot be told.
    influence : by benchmark, the day that the comparison with it depends on most.
    qlike_loss_by_seed : QLIKE of each of the fits that the model is the mean of, by seed.
    """

    model: str
    qlike_loss: float
    qlike_ratio: float
    rmse_volatility: float
    mae_volatility: float
    r_squared_log: float
    correlation_log: float
    interval_loss_log: Mapping[float, float]
    coverage: Mapping[float, float]
    coverage_by_tercile: Mapping[float, tuple[float, float, float]]
    coverage_after_breaks: Mapping[float, float]
    crps_log: float | None
    coverage_nobs: int
    diebold_mariano: Mapping[str, DieboldMariano]
    in_confidence_set: bool
    confidence_set_pvalue: float
    information_lag: int | None
    influence: Mapping[str, Influence]
    qlike_loss_by_seed: Mapping[int, float] = field(default_factory=dict)

    @property
    def qlike_seed_mean(self) -> float | None:
        """QLIKE of one seed alone, on average; None where no seed is told of."""
        losses = self.qlike_loss_by_seed.values()
        return fmean(losses) if losses else None

    @property
    def qlike_seed_deviation(self) -> float | None:
        """Standard deviation of QLIKE between seeds, n - 1 in its denominator; None below two."""
        losses = self.qlike_loss_by_seed.values()
        return stdev(losses) if len(losses) > 1 else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Models on the same dates, the lowest QLIKE first.

    Attributes
    ----------
    span : first and last target date scored.
    nobs : number of dates scored.
    horizon : sessions ahead.
    baseline : the model that ratios refer to.
    confidence_level : of the model confidence set.
    rows : one a model.
    spa_pvalue : by benchmark, of "no other model is better", whatever the number of models.
    warnings : by model, what its forecasts' timing makes one doubt.
    left_out : by model, why it was not compared: its forecasts stand by the wrong dates, without
        doubt.
    """

    span: tuple[np.datetime64, np.datetime64]
    nobs: int
    horizon: int
    baseline: str
    confidence_level: float
    rows: tuple[ComparisonRow, ...]
    spa_pvalue: Mapping[str, float]
    warnings: Mapping[str, str]
    left_out: Mapping[str, str]


def compare(
    tracks: Sequence[ForecastTrack],
    start: np.datetime64 | None = None,
    baseline: str = "har",
    level: float = CONFIDENCE_LEVEL,
    daily: DatedSeries | None = None,
) -> Comparison:
    """Score models on the dates that all of them forecast.

    Parameters
    ----------
    tracks : one a model, all of one horizon.
    start : first target date scored; all common dates when None. Earlier dates still serve as
        the past errors that intervals are made of, and to tell when forecasts were made.
    baseline : the model that ratios refer to.
    level : of the model confidence set.
    daily : the asset's series day by day, with dates. Forecasts of longer horizons overlap, so
        that only with it can be told when they were made; at horizon 1 the tracks' own rv does.

    Returns
    -------
    The same for the same input: the bootstrap's seed is fixed.

    Raises
    ------
    MisalignedForecasts : tracks disagree about a date, the forecasts of ``baseline`` stand by the
        wrong dates beyond doubt, or ``daily`` lacks a target date.
    UnknownModel : no track is named ``baseline``.
    TooFewObservations : too few common dates since ``start``.
    """
    aligned, scored, losses, timings, left_out = qlike_of(tracks, start, baseline, daily)
    confidence_set = model_confidence_set(losses, level, horizon=aligned.horizon)
    rows = [
        _row(model, aligned, scored, losses, baseline, confidence_set, timings[model])
        for model in losses
    ]
    dates = aligned.target_dates[scored]
    benchmarks = tuple(name for name in BENCHMARKS if name in losses)
    return Comparison(
        span=(dates[0], dates[-1]),
        nobs=len(dates),
        horizon=aligned.horizon,
        baseline=baseline,
        confidence_level=level,
        rows=tuple(sorted(rows, key=lambda row: row.qlike_loss)),
        spa_pvalue=superior_ability_pvalues(losses, benchmarks, horizon=aligned.horizon),
        warnings={
            model: _odd(model, it)
            for model, it in timings.items()
            if it.information_lag not in (1, None) and not it.beyond_doubt
        },
        left_out=left_out,
    )


class QlikeLosses(NamedTuple):
    """Losses of models on the same dates.

    Attributes
    ----------
    aligned : all models' forecasts.
    scored : (n,) the dates that losses are of.
    losses : by model, (scored,) QLIKE, without the models left out.
    timings : by model, when its forecasts seem to have been made.
    left_out : by model, why it is not compared.
    """

    aligned: Aligned
    scored: BoolArray
    losses: Mapping[str, FloatArray]
    timings: Mapping[str, Timing]
    left_out: Mapping[str, str]


def qlike_of(
    tracks: Sequence[ForecastTrack],
    start: np.datetime64 | None = None,
    baseline: str = "har",
    daily: DatedSeries | None = None,
) -> QlikeLosses:
    """What a comparison is made of; takes and raises what :func:`compare` does."""
    aligned = align(tracks)
    _check_baseline(aligned, baseline)
    timings = _timings(aligned, daily)
    left_out = {model: _odd(model, it) for model, it in timings.items() if it.beyond_doubt}
    _check_in_time(baseline, timings, left_out)
    scored = _scored(aligned, start)
    losses = {
        model: qlike_losses(aligned.rv[scored], forecast[scored])
        for model, forecast in aligned.forecasts.items()
        if model not in left_out
    }
    check_paired(losses)
    return QlikeLosses(aligned, scored, losses, timings, left_out)


def cumulated_differences(compared: QlikeLosses, against: str) -> Mapping[str, FloatArray]:
    r"""Sums of loss differences up to each date, by which one sees when a model won or lost.

    Parameters
    ----------
    compared : losses of models on the same dates.
    against : the model that the others are compared with.

    Returns
    -------
    By model, (scored,) in the order of the dates: falling where the model is better. That of
    ``against`` is zero.

    Raises
    ------
    UnknownModel : ``against`` is not compared.

    Notes
    -----
    .. math:: D_t = \sum_{s \le t} (L_s - L^{\mathrm{against}}_s)

    References
    ----------
    Goyal & Welch (2008), Review of Financial Studies 21(4).
    """
    if against not in compared.losses:
        needed = f"one of {', '.join(compared.losses)}"
        raise UnknownModel(
            f"{against} is not among the models that are compared; needed: {needed}",
            field="against",
            found=against,
            needed=needed,
        )
    reference = compared.losses[against]
    return {model: np.cumsum(losses - reference) for model, losses in compared.losses.items()}


def _check_baseline(aligned: Aligned, baseline: str) -> None:
    if baseline not in aligned.forecasts:
        raise UnknownModel(
            f"the baseline {baseline} is not among {', '.join(aligned.forecasts)}",
            field="baseline",
            found=baseline,
            needed=f"one of {', '.join(aligned.forecasts)}",
        )


def _scored(aligned: Aligned, start: np.datetime64 | None) -> BoolArray:
    """Which target dates are scored; (n,)."""
    if start is None:
        return np.ones(len(aligned.rv), dtype=np.bool_)
    scored = aligned.target_dates >= start
    if not scored.any():
        raise TooFewObservations(
            f"no forecast on or after {start}; the last is of {aligned.target_dates[-1]}",
            field="start",
            found=str(start),
            needed=f"a date up to {aligned.target_dates[-1]}",
        )
    return scored


def _timings(aligned: Aligned, daily: DatedSeries | None) -> Mapping[str, Timing]:
    """When each model's forecasts were made, as far as its revisions tell."""
    sessions = _sessions(aligned, daily)
    return {model: examine(forecast, sessions) for model, forecast in aligned.forecasts.items()}


def _sessions(aligned: Aligned, daily: DatedSeries | None) -> Sessions | None:
    """The sessions whose outcomes forecasts follow, one by one, where they are known."""
    if aligned.horizon == 1:
        return Sessions.of(aligned.rv, aligned.target_dates)
    if daily is None:
        return None
    rows = np.searchsorted(daily.dates, aligned.target_dates)
    absent = daily.dates[np.minimum(rows, len(daily) - 1)] != aligned.target_dates
    if absent.any():
        date = aligned.target_dates[absent][0]
        raise MisalignedForecasts(
            f"the daily series has no session on {date}, a target date",
            field="daily",
            found=f"{daily.dates[0]} to {daily.dates[-1]} without it",
            needed=str(date),
        )
    return Sessions.of(daily.rv, daily.dates, rows)


def _odd(model: str, timing: Timing) -> str:
    """What is wrong with when forecasts seem to have been made."""
    doubt = "stand by the wrong dates" if timing.beyond_doubt else "may stand by the wrong dates"
    return (
        f"{model} follows the news of {timing.information_lag} sessions before its target, where a "
        f"forecast made the session before follows that of 1: its forecasts {doubt}"
    )


def _check_in_time(
    baseline: str, timings: Mapping[str, Timing], left_out: Mapping[str, str]
) -> None:
    if baseline in left_out:
        raise MisalignedForecasts(
            left_out[baseline],
            field=baseline,
            found=timings[baseline].information_lag,
            needed="news from the session before the target",
        )


def _row(
    model: str,
    aligned: Aligned,
    scored: BoolArray,
    losses: Mapping[str, FloatArray],
    baseline: str,
    confidence_set: ConfidenceSet,
    timing: Timing,
) -> ComparisonRow:
    rv, forecast = aligned.rv[scored], aligned.forecasts[model][scored]
    log_rv, log_forecast = np.log(rv), np.log(forecast)
    intervals = interval_scores(aligned.rv, aligned.forecasts[model], scored, aligned.horizon)
    qlike = float(losses[model].mean())
    against = [name for name in BENCHMARKS if name in losses and name != model]
    dates = aligned.target_dates[scored]
    return ComparisonRow(
        model=model,
        qlike_loss=qlike,
        qlike_ratio=qlike / float(losses[baseline].mean()),
        rmse_volatility=rmse_loss(np.sqrt(rv), np.sqrt(forecast)),
        mae_volatility=mae_loss(np.sqrt(rv), np.sqrt(forecast)),
        r_squared_log=r_squared_score(log_rv, log_forecast),
        correlation_log=correlation_score(log_rv, log_forecast),
        interval_loss_log=intervals.loss_log,
        coverage=intervals.coverage,
        coverage_by_tercile=intervals.coverage_by_tercile,
        coverage_after_breaks=intervals.coverage_after_breaks,
        crps_log=intervals.crps_log,
        coverage_nobs=intervals.nobs,
        diebold_mariano={
            name: diebold_mariano(losses[model], losses[name], aligned.horizon) for name in against
        },
        in_confidence_set=model in confidence_set.included,
        confidence_set_pvalue=confidence_set.pvalues[model],
        information_lag=timing.information_lag,
        influence={name: influence(losses[model], losses[name], dates) for name in against},
        qlike_loss_by_seed={
            seed: qlike_loss(rv, own[scored]) for seed, own in aligned.by_seed[model].items()
        },
    )
