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
    PanelWalkForward,
    TrackKey,
    short_name,
)
from volatility.arrays import FloatArray
from volatility.evaluation import losses
from volatility.evaluation.intervals import LEVELS, ordered_offsets
from volatility.evaluation.pooled_errors import PooledErrors, pool_errors, scaled_from
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import KINDS

ByKind = Mapping[str, Mapping[int, KindRecord]]  # by kind and horizon
_DIGITS = 6  # of quantiles: a millionth of a log


class PanelRecords(NamedTuple):
    """What a panel's evaluation says of each kind of asset."""

    by_kind: ByKind
    short_histories: Mapping[int, ByKind]  # by sessions of history


NO_RECORDS = PanelRecords({}, {})  # of a version that was made to be evaluated


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
    """Records by kind and horizon; a kind without an asset has those of all kinds together.

    Parameters
    ----------
    assets : of the panel.
    tracks : forecasts of assets left out of their fit, those of ``universal`` among them.
    scores : of the same.
    plan : how the panel was cut.
    sessions : of history that forecasts saw, one of the plan's; None for all of it.
    """
    model = UNIVERSAL if sessions is None else short_name(sessions)
    judged = {score.asset for score in scores}  # an asset may have had no fit to be forecast by
    kinds = {asset.asset: asset.kind for asset in assets if asset.asset in judged}
    horizons = sorted({key.horizon for key in tracks if key.model == model})
    records: dict[str, dict[int, KindRecord]] = {}
    for kind in KINDS:
        members = [name for name, own in kinds.items() if own == kind] or list(kinds)
        records[kind] = {}
        for horizon in horizons:
            keys = [TrackKey(name, model, horizon) for name in members]
            own = [tracks[key] for key in keys if key in tracks]
            changes = [
                it.change
                for it in scores
                if (it.model, it.horizon) == (model, horizon) and it.asset in members
            ]
            # Of a short history no outcome is known that would tell how large errors are.
            known = sessions is None
            records[kind][horizon] = _record(own, fmean(changes), horizon, plan, known)
    return records


def _record(
    tracks: Sequence[ForecastTrack],
    change: float,
    horizon: int,
    plan: PanelWalkForward,
    known: bool,
) -> KindRecord:
    residuals = [np.log(track.rv / track.forecast) for track in tracks]
    pooled = pool_errors(residuals, horizon, known=known)
    return KindRecord(
        assets=len(tracks),
        log_har_change=change,
        evaluation=_evaluation(tracks, plan),
        error_size=pooled.size,
        error_quantiles=tuple(np.round(pooled.quantiles, _DIGITS).tolist()),
        coverage_observed=_coverage(residuals, horizon, known),
    )


def _coverage(residuals: Sequence[FloatArray], horizon: int, known: bool) -> dict[str, float]:
    """Coverage on each asset of the errors of the others; of its own where it is alone."""
    covered: dict[str, list[float]] = {str(level): [] for level in LEVELS}
    for place, own in enumerate(residuals):
        others = [it for other, it in enumerate(residuals) if other != place] or [own]
        pooled = pool_errors(others, horizon, known=known)
        errors = scaled_from(own, pooled.size, horizon, known=known)
        for level in LEVELS:
            covered[str(level)].append(_share_inside(errors, pooled, level, horizon))
    return {level: fmean(shares) for level, shares in covered.items()}


def _share_inside(errors: FloatArray, pooled: PooledErrors, level: float, horizon: int) -> float:
    lower, upper = ordered_offsets(pooled.quantiles, level, horizon)
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
