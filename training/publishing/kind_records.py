"""What a panel's evaluation says of each kind of asset, for the manifest of the universal model."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from models_store.manifest import Evaluation
from models_store.universal.manifest import KindRecord
from training.data.assets import AssetData
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import UNIVERSAL, PanelWalkForward, TrackKey
from volatility.arrays import FloatArray
from volatility.evaluation import losses
from volatility.evaluation.intervals import LEVELS, ordered_offsets, scale_errors
from volatility.evaluation.pooled_errors import PooledErrors, pool_errors
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import KINDS

_DIGITS = 6  # of quantiles: a millionth of a log


def kind_records(
    assets: Sequence[AssetData],
    tracks: Mapping[TrackKey, ForecastTrack],
    scores: Sequence[AssetScore],
    plan: PanelWalkForward,
) -> dict[str, dict[int, KindRecord]]:
    """Records by kind and horizon; a kind without an asset has those of all kinds together.

    Parameters
    ----------
    assets : of the panel.
    tracks : forecasts of assets left out of their fit, those of ``universal`` among them.
    scores : of the same.
    plan : how the panel was cut.
    """
    judged = {score.asset for score in scores}  # an asset may have had no fit to be forecast by
    kinds = {asset.asset: asset.kind for asset in assets if asset.asset in judged}
    horizons = sorted({key.horizon for key in tracks if key.model == UNIVERSAL})
    records: dict[str, dict[int, KindRecord]] = {}
    for kind in KINDS:
        members = [name for name, own in kinds.items() if own == kind] or list(kinds)
        records[kind] = {}
        for horizon in horizons:
            keys = [TrackKey(name, UNIVERSAL, horizon) for name in members]
            own = [tracks[key] for key in keys if key in tracks]
            changes = [
                it.change
                for it in scores
                if (it.model, it.horizon) == (UNIVERSAL, horizon) and it.asset in members
            ]
            records[kind][horizon] = _record(own, fmean(changes), horizon, plan)
    return records


def _record(
    tracks: Sequence[ForecastTrack], change: float, horizon: int, plan: PanelWalkForward
) -> KindRecord:
    residuals = [np.log(track.rv / track.forecast) for track in tracks]
    pooled = pool_errors(residuals, horizon)
    return KindRecord(
        assets=len(tracks),
        log_har_change=change,
        evaluation=_evaluation(tracks, plan),
        error_size=pooled.size,
        error_quantiles=tuple(np.round(pooled.quantiles, _DIGITS).tolist()),
        coverage_observed=_coverage(residuals, horizon),
    )


def _coverage(residuals: Sequence[FloatArray], horizon: int) -> dict[str, float]:
    """Coverage on each asset of the errors of the others; of its own where it is alone."""
    covered: dict[str, list[float]] = {str(level): [] for level in LEVELS}
    for place, own in enumerate(residuals):
        others = [it for other, it in enumerate(residuals) if other != place] or [own]
        pooled = pool_errors(others, horizon)
        errors = scale_errors(own, horizon, pooled.size).errors
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
