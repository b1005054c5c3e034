"""Which of an asset's models in service ``auto`` means."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from models_store.runtime import LoadedModel
from models_store.store import Store
from training.evaluation.study import SampleParts
from training.models.registry import COMBINATION
from volatility.errors import RoughcastError
from volatility.evaluation.compare import BENCHMARKS, qlike_of
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import ForecastTrack, align

_CHANCE = 0.05
NOTHING_NEW: Mapping[str, ForecastTrack] = MappingProxyType({})


def serving(store: Store, asset: str, model: str) -> LoadedModel | None:
    """The version in service; None where there is none, or it fails its checks."""
    try:
        version = store.current(asset, model)
        return None if version is None else store.load(asset, model)
    except RoughcastError:
        return None


def name_champion(
    asset: str, parts: SampleParts, store: Store, new: Mapping[str, ForecastTrack] = NOTHING_NEW
) -> None:
    """Point ``champion`` at the combination, or at what was better on the selection part.

    The combination's members are fixed before any data; a model of the asset takes its place where
    its QLIKE on the selection part is lower by more than chance (Diebold-Mariano, 5 %). Without a
    combination it is the model with the lowest QLIKE there. Losses on the test part have no say, so
    that the choice makes nothing better that they show. Which forecasts stand by the wrong dates,
    and are no candidates, all dates tell.

    Parameters
    ----------
    asset : whose.
    parts : of the sample.
    store : with the models in service.
    new : by model, walk-forward forecasts of versions that serve since this moment: these are not
        read again.

    Raises
    ------
    MisalignedForecasts, TooFewObservations : the models in service cannot be compared, by the
        selection part or, as readers will want to, on the test part.
    """
    found = [new.get(model) or _served_track(store, asset, model) for model in store.models(asset)]
    tracks = [track for track in found if track]
    if not tracks:
        return
    present = {track.model for track in tracks}
    baseline = next(name for name in (*BENCHMARKS, tracks[0].model) if name in present)
    left_out = qlike_of(tracks, start=parts.test, baseline=baseline).left_out
    chosen_by = [parts.of_selection(track) for track in tracks if track.model not in left_out]
    best = qlike_of(chosen_by, baseline=baseline).best
    combined = COMBINATION in {track.model for track in chosen_by}
    doubtful = combined and not _better(best, COMBINATION, chosen_by)
    store.set_champion(asset, COMBINATION if doubtful else best)


def _served_track(store: Store, asset: str, model: str) -> ForecastTrack | None:
    loaded = serving(store, asset, model)
    return loaded.track if loaded else None


def _better(model: str, other: str, tracks: Sequence[ForecastTrack]) -> bool:
    """Whether a model's QLIKE is lower than another's by more than chance."""
    if model == other:
        return False
    together = align(tracks)
    losses, others = (
        qlike_losses(together.rv, together.forecasts[name]) for name in (model, other)
    )
    test = diebold_mariano(losses, others, together.horizon)
    return test.mean_difference < 0 and test.pvalue < _CHANCE
