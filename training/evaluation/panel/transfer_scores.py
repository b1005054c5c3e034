"""What fine-tuning on a target is worth: QLIKE by strategy and by sessions known, over assets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from training.data.assets import AssetData
from training.evaluation.panel.transfer import (
    EVERYTHING,
    LOG_HAR,
    Chosen,
    TransferKey,
)
from training.models.pooled.transfer import SCRATCH, UNIVERSAL, Setting, Variant
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack

COMPARED = (UNIVERSAL, SCRATCH)  # with the same sessions known


@dataclass(frozen=True)
class TransferScore:
    """One model on one asset.

    Attributes
    ----------
    asset, kind, model, sessions : what is scored; 0 sessions known are all.
    epochs, ridge : of a model that learned from the asset.
    first, last : target dates.
    nobs : how many.
    qlike_loss : mean over them.
    change : of QLIKE against log-HAR fitted on all that was known of the asset.
    """

    asset: str
    kind: str
    model: str
    sessions: int
    epochs: int
    ridge: float
    first: str
    last: str
    nobs: int
    qlike_loss: float
    change: float


@dataclass(frozen=True)
class Difference:
    """One model against another that knew as much.

    Attributes
    ----------
    change : of the mean over assets of QLIKE, in units of that of log-HAR fitted on everything.
    better : assets on which QLIKE is lower.
    pvalue : of no difference, two-sided. Losses of all assets are added up date by date, and their
        differences tested as a series: assets that share a day's news count once.
    """

    change: float
    better: int
    pvalue: float


@dataclass(frozen=True)
class TransferSummary:
    """One model over all assets.

    Attributes
    ----------
    model, sessions : what is scored.
    assets, nobs : how many, and forecasts of all of them.
    change : mean over assets.
    better : assets with a lower QLIKE than log-HAR fitted on everything.
    against : by name of the other model, where that was tried with as many sessions known.
    """

    model: str
    sessions: int
    assets: int
    nobs: int
    change: float
    better: int
    against: Mapping[str, Difference]


@dataclass(frozen=True)
class _Losses:
    """QLIKE of each date, over the mean of that of log-HAR fitted on everything."""

    dates: DateArray
    relative: FloatArray


def choose(tracks: Mapping[TransferKey, ForecastTrack]) -> Chosen:
    """Of each model and number of sessions known, the setting that is best over all assets."""
    found: dict[tuple[str, int], dict[Setting, list[float]]] = {}
    for key, track in tracks.items():
        if key.variant.setting != Setting():
            changes = found.setdefault((key.variant.model, key.sessions), {})
            relative = _relative(key, track, tracks).relative
            changes.setdefault(key.variant.setting, []).append(float(relative.mean()))
    return {
        key: (min(changes, key=lambda setting: fmean(changes[setting])),)
        for key, changes in found.items()
    }


def chosen_elsewhere(
    assets: Sequence[AssetData], tracks: Mapping[TransferKey, ForecastTrack]
) -> dict[TransferKey, ForecastTrack]:
    """Of forecasts by several settings, those by the setting that is best on other markets.

    Parameters
    ----------
    assets : of the panel. What chooses an asset's settings are those of another calendar: others
        share its days and their news.
    tracks : by every setting.

    Returns
    -------
    None where all assets share a calendar. At a length that assets of one calendar alone reach,
    those of models without settings.
    """
    calendars = {asset.asset: asset.calendar_name for asset in assets}
    kept: dict[TransferKey, ForecastTrack] = {}
    for calendar in sorted({calendars[key.asset] for key in tracks}):
        others = {key: it for key, it in tracks.items() if calendars[key.asset] != calendar}
        if not others:
            continue
        chosen = choose(others)
        for key, track in tracks.items():
            model, setting = key.variant
            settings = chosen.get((model, key.sessions), ())
            if calendars[key.asset] == calendar and (setting == Setting() or setting in settings):
                kept[key] = track
    return dict(sorted(kept.items(), key=lambda it: it[0]))


def score_transfer(
    assets: Sequence[AssetData], tracks: Mapping[TransferKey, ForecastTrack]
) -> list[TransferScore]:
    """Every model on every asset, in order."""
    kinds = {asset.asset: asset.kind for asset in assets}
    scores = []
    for key, track in sorted(tracks.items(), key=lambda it: it[0]):
        reference = qlike_losses(*_reference(key, tracks))
        loss = float(qlike_losses(track.rv, track.forecast).mean())
        scores.append(
            TransferScore(
                asset=key.asset,
                kind=kinds[key.asset],
                model=key.variant.model,
                sessions=key.sessions,
                epochs=key.variant.setting.epochs,
                ridge=key.variant.setting.ridge,
                first=str(track.target_dates[0]),
                last=str(track.target_dates[-1]),
                nobs=len(track),
                qlike_loss=loss,
                change=loss / float(reference.mean()) - 1,
            )
        )
    return scores


def summarize(tracks: Mapping[TransferKey, ForecastTrack]) -> list[TransferSummary]:
    """Every model over all assets, by sessions known."""
    by_model: dict[tuple[int, str], dict[str, _Losses]] = {}
    for key, track in tracks.items():
        group = by_model.setdefault((key.sessions, key.variant.model), {})
        group[key.asset] = _relative(key, track, tracks)
    summaries = []
    for (sessions, model), own in sorted(by_model.items()):
        others = {
            name: by_model[sessions, name]
            for name in COMPARED
            if name != model and (sessions, name) in by_model
        }
        changes = [float(it.relative.mean()) - 1 for it in own.values()]
        summaries.append(
            TransferSummary(
                model=model,
                sessions=sessions,
                assets=len(changes),
                nobs=sum(len(it.dates) for it in own.values()),
                change=fmean(changes),
                better=sum(it < 0 for it in changes),
                against={name: _difference(own, it) for name, it in others.items()},
            )
        )
    return summaries


def _reference(
    key: TransferKey, tracks: Mapping[TransferKey, ForecastTrack]
) -> tuple[FloatArray, FloatArray]:
    reference = tracks[key._replace(variant=Variant(LOG_HAR), sessions=EVERYTHING)]
    return reference.rv, reference.forecast


def _relative(
    key: TransferKey, track: ForecastTrack, tracks: Mapping[TransferKey, ForecastTrack]
) -> _Losses:
    reference = qlike_losses(*_reference(key, tracks)).mean()
    return _Losses(track.target_dates, qlike_losses(track.rv, track.forecast) / reference)


def _difference(own: Mapping[str, _Losses], others: Mapping[str, _Losses]) -> Difference:
    both = [(own[asset], others[asset]) for asset in own]
    changes = [float(one.relative.mean() - other.relative.mean()) for one, other in both]
    dates = np.unique(np.concatenate([it.dates for it in own.values()]))
    losses, others_losses = (_by_date(it, dates) for it in zip(*both, strict=True))
    return Difference(
        change=fmean(changes),
        better=sum(it < 0 for it in changes),
        pvalue=diebold_mariano(losses, others_losses).pvalue,
    )


def _by_date(losses: Iterable[_Losses], dates: DateArray) -> FloatArray:
    """Sums over assets, each asset's mean loss counting the same; (dates,)."""
    total = np.zeros(len(dates))
    for it in losses:
        np.add.at(total, np.searchsorted(dates, it.dates), it.relative / len(it.dates))
    return total
