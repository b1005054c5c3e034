"""What a panel's evaluation says of each kind of asset, for the manifest of the universal model."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np

from models_store.manifest import Evaluation
from models_store.universal.manifest import KindRecord
from training.data.assets import AssetData
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import (
    UNIVERSAL,
    PanelJob,
    PanelWalkForward,
    TrackKey,
    count_outcomes,
    short_name,
)
from volatility.arrays import FloatArray
from volatility.errors import TooFewObservations
from volatility.evaluation import losses
from volatility.evaluation.intervals import LEVELS, MINIMUM, ordered_offsets
from volatility.evaluation.pooled_errors import PooledErrors, pool_errors, scaled_from
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import KINDS

ByKind = Mapping[str, Mapping[int, KindRecord]]  # by kind and horizon
_DIGITS = 6  # of quantiles: a millionth of a log


class PanelRecords(NamedTuple):
    """What a panel's evaluation says of each kind of asset."""

    by_kind: ByKind
    short_histories: Mapping[int, ByKind]  # by sessions of history


class _Judged(NamedTuple):
    """One asset's forecasts at a horizon, and how they compare with its own log-HAR."""

    kind: str
    track: ForecastTrack
    change: float


NO_RECORDS = PanelRecords({}, {})  # of a version that was made to be evaluated


def check_outcomes(jobs: Sequence[PanelJob], horizons: Sequence[int]) -> None:
    """Refuse a panel that can have no record at a horizon: before its fits, not after.

    Parameters
    ----------
    jobs : the panel's, see :func:`training.evaluation.panel.walk_forward.panel_jobs`.
    horizons : that there must be records of.

    Raises
    ------
    TooFewObservations : the last halves of all assets together have fewer than 100 outcomes.
    """
    for horizon in horizons:
        _check_enough(count_outcomes(jobs, horizon), horizon)


def panel_records(
    assets: Sequence[AssetData],
    tracks: Mapping[TrackKey, ForecastTrack],
    scores: Sequence[AssetScore],
    plan: PanelWalkForward,
) -> PanelRecords:
    """Records of full histories, and of those to which the plan has cut them besides."""
    return PanelRecords(
        kind_records(assets, tracks, scores, plan),
        {it: kind_records(assets, tracks, scores, plan, it) for it in plan.histories},
    )


def kind_records(
    assets: Sequence[AssetData],
    tracks: Mapping[TrackKey, ForecastTrack],
    scores: Sequence[AssetScore],
    plan: PanelWalkForward,
    sessions: int | None = None,
) -> dict[str, dict[int, KindRecord]]:
    """Records by kind and horizon.

    Where the assets of a kind have fewer than 100 outcomes at a horizon, or there are none, those
    of all kinds together stand for it.

    Parameters
    ----------
    assets : of the panel.
    tracks : forecasts of assets left out of their fit, those of ``universal`` among them.
    scores : of the same.
    plan : how the panel was cut.
    sessions : of history that forecasts saw, one of the plan's; None for all of it.

    Raises
    ------
    TooFewObservations : all kinds together have fewer than 100 outcomes at a horizon.
    """
    model = UNIVERSAL if sessions is None else short_name(sessions)
    horizons = sorted({key.horizon for key in tracks if key.model == model})
    records: dict[str, dict[int, KindRecord]] = {kind: {} for kind in KINDS}
    for horizon in horizons:
        changes = {
            it.asset: it.change for it in scores if (it.model, it.horizon) == (model, horizon)
        }
        judged = [  # an asset may have had no fit to be forecast by, or no log-HAR of its own
            _Judged(it.kind, tracks[TrackKey(it.asset, model, horizon)], changes[it.asset])
            for it in assets
            if it.asset in changes
        ]
        _check_enough(_outcomes(judged), horizon)
        for kind in KINDS:
            own = [it for it in judged if it.kind == kind]
            # Of a short history no outcome is known that would tell how large errors are.
            records[kind][horizon] = _record(
                own if _outcomes(own) >= MINIMUM else judged, horizon, plan, sessions is None
            )
    return records


def _outcomes(judged: Sequence[_Judged]) -> int:
    return sum(len(it.track) for it in judged)


def _check_enough(nobs: int, horizon: int) -> None:
    if nobs < MINIMUM:
        raise TooFewObservations(
            f"the last halves of all assets of the panel have {nobs} outcomes of forecasts "
            f"at horizon {horizon}; intervals need {MINIMUM}",
            field="panel",
            found=nobs,
            needed=f"at least {MINIMUM}: longer histories, or more assets",
        )


def _record(
    judged: Sequence[_Judged], horizon: int, plan: PanelWalkForward, known: bool
) -> KindRecord:
    tracks = [it.track for it in judged]
    residuals = [np.log(track.rv / track.forecast) for track in tracks]
    pooled = pool_errors(residuals, horizon, known=known)
    return KindRecord(
        assets=len(tracks),
        log_har_change=fmean(it.change for it in judged),
        evaluation=_evaluation(tracks, plan),
        error_size=pooled.size,
        error_quantiles=tuple(np.round(pooled.quantiles, _DIGITS).tolist()),
        coverage_observed=_coverage(residuals, horizon, known),
    )


def _coverage(residuals: Sequence[FloatArray], horizon: int, known: bool) -> dict[str, float]:
    """Coverage on each asset of the errors of the others.

    Where those are fewer than 100, as where it is alone, of all with its own among them.
    """
    covered: dict[str, list[float]] = {str(level): [] for level in LEVELS}
    for place, own in enumerate(residuals):
        others = [it for other, it in enumerate(residuals) if other != place]
        enough = sum(map(len, others)) >= MINIMUM
        pooled = pool_errors(others if enough else residuals, horizon, known=known)
        errors = scaled_from(own, pooled.size, horizon, known=known)
        for level in LEVELS:
            covered[str(level)].append(_share_inside(errors, pooled, level, horizon))
    return {level: fmean(shares) for level, shares in covered.items()}


def _share_inside(errors: FloatArray, pooled: PooledErrors, level: float, horizon: int) -> float:
    lower, upper = ordered_offsets(pooled.quantiles, level, pooled.rank_horizon(horizon))
    return float(np.mean((errors >= lower) & (errors <= upper)))


def _evaluation(tracks: Sequence[ForecastTrack], plan: PanelWalkForward) -> Evaluation:
    rv = [track.rv for track in tracks]
    forecast = [track.forecast for track in tracks]
    roots = [(np.sqrt(a), np.sqrt(f)) for a, f in zip(rv, forecast, strict=True)]
    logs = [(np.log(a), np.log(f)) for a, f in zip(rv, forecast, strict=True)]
    return Evaluation(
        protocol=(
            f"the last half of each of {len(tracks)} assets, forecast by fits on assets of the "
            f"other {plan.folds - 1} of {plan.folds} folds, every {plan.months} months"
        ),
        refit_every=plan.months * 21,
        test_start=min(track.target_dates[0] for track in tracks).item(),
        test_end=max(track.target_dates[-1] for track in tracks).item(),
        nobs=sum(map(len, tracks)),
        qlike_loss=fmean(map(losses.qlike_loss, rv, forecast)),
        rmse_volatility=fmean(losses.rmse_loss(*it) for it in roots),
        mae_volatility=fmean(losses.mae_loss(*it) for it in roots),
        r_squared_log=fmean(losses.r_squared_score(*it) for it in logs),
        correlation_log=fmean(losses.correlation_score(*it) for it in logs),
    )
