"""How much lower the QLIKE of each model is than that of an asset's own log-HAR, by kind."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from training.data.assets import AssetData
from training.evaluation.panel.walk_forward import TrackKey
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack, align

REFERENCE = "log_har"
ALL = "all"


@dataclass(frozen=True)
class AssetScore:
    """One model on one asset at one horizon.

    Attributes
    ----------
    asset, kind, model, horizon : what is scored.
    nobs : target dates that the model and the asset's own log-HAR both have, in the last half.
    qlike_loss : mean over them.
    change : of QLIKE against the asset's own log-HAR; -0.07 is 7 % lower.
    pvalue : of equal QLIKE (Diebold-Mariano); None where the losses are the same.
    """

    asset: str
    kind: str
    model: str
    horizon: int
    nobs: int
    qlike_loss: float
    change: float
    pvalue: float | None


@dataclass(frozen=True)
class KindScore:
    """One model at one horizon on the assets of a kind.

    Attributes
    ----------
    kind : of asset, or ``all``.
    assets : how many.
    change : mean over them.
    better : how many have a lower QLIKE than their own log-HAR.
    worst : largest change.
    """

    kind: str
    model: str
    horizon: int
    assets: int
    change: float
    better: int
    worst: float


def score_assets(
    assets: Sequence[AssetData], tracks: Mapping[TrackKey, ForecastTrack]
) -> list[AssetScore]:
    """Every model against log-HAR on the same dates, by asset and horizon in order.

    Parameters
    ----------
    assets : of the panel.
    tracks : forecasts of the last half; log-HAR's among them.
    """
    kinds = {asset.asset: asset.kind for asset in assets}
    return [
        _score(kinds[key.asset], key, track, tracks[key._replace(model=REFERENCE)])
        for key, track in sorted(tracks.items())
        if key.model != REFERENCE and key._replace(model=REFERENCE) in tracks
    ]


def by_kind(scores: Sequence[AssetScore]) -> list[KindScore]:
    """Means over the assets of each kind and over all, by horizon and model."""
    return [
        score
        for horizon in sorted({it.horizon for it in scores})
        for model in sorted({it.model for it in scores})
        for score in _by_kind([it for it in scores if (it.horizon, it.model) == (horizon, model)])
    ]


def _by_kind(own: Sequence[AssetScore]) -> Iterator[KindScore]:
    if not own:
        return
    for kind in (*sorted({it.kind for it in own}), ALL):
        changes = [it.change for it in own if kind in (it.kind, ALL)]
        yield KindScore(
            kind=kind,
            model=own[0].model,
            horizon=own[0].horizon,
            assets=len(changes),
            change=fmean(changes),
            better=sum(it < 0 for it in changes),
            worst=max(changes),
        )


def _score(kind: str, key: TrackKey, track: ForecastTrack, reference: ForecastTrack) -> AssetScore:
    together = align([track, reference])
    losses = qlike_losses(together.rv, together.forecasts[track.model])
    others = qlike_losses(together.rv, together.forecasts[REFERENCE])
    same = np.array_equal(losses, others)
    test = None if same else diebold_mariano(losses, others, key.horizon)
    return AssetScore(
        asset=key.asset,
        kind=kind,
        model=key.model,
        horizon=key.horizon,
        nobs=len(losses),
        qlike_loss=float(losses.mean()),
        change=float(losses.mean() / others.mean() - 1),
        pvalue=test.pvalue if test else None,
    )
