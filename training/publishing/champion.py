"""Which of an asset's models in service ``auto`` means."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from models_store.runtime import LoadedModel
from models_store.store import Store
from training.evaluation.study import SampleParts
from training.models.registry import COMBINATION
from volatility.arrays import FloatArray
from volatility.errors import RoughcastError
from volatility.evaluation.compare import BENCHMARKS, qlike_of
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import check_paired, qlike_losses
from volatility.evaluation.superior_ability import superior_ability_pvalues
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

    The combination's members are fixed before any data; the model of the asset with the lowest
    QLIKE on the selection part takes its place where that is lower by more than chance, and by more
    than that of the best of so many models would be (Diebold-Mariano and superior predictive
    ability, 5 % each). Without a combination it is the model with the lowest QLIKE there. Losses on
    the test part have no say, so that the choice makes nothing better that they show. Which
    forecasts stand by the wrong dates, and are no candidates, all dates tell.

    Parameters
    ----------
    asset : whose.
    parts : of the sample.
    store : with the models in service.
    new : by model, walk-forward forecasts of versions that serve since this moment: these are not
        read again. A comparison on the test part has found their dates to be the right ones; where
        no others serve they are not examined again.

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
    left_out = () if present <= set(new) else _late(tracks, parts)
    together = align([parts.of_selection(it) for it in tracks if it.model not in left_out])
    losses = {
        model: qlike_losses(together.rv, forecast) for model, forecast in together.forecasts.items()
    }
    check_paired(losses)
    best = min(losses, key=lambda model: float(losses[model].mean()))
    if COMBINATION in losses and not _is_beaten(COMBINATION, best, losses, together.horizon):
        best = COMBINATION
    store.set_champion(asset, best)


def _served_track(store: Store, asset: str, model: str) -> ForecastTrack | None:
    loaded = serving(store, asset, model)
    return loaded.track if loaded else None


def _late(tracks: Sequence[ForecastTrack], parts: SampleParts) -> Collection[str]:
    """Models whose forecasts stand by the wrong dates."""
    present = {track.model for track in tracks}
    baseline = next(name for name in (*BENCHMARKS, tracks[0].model) if name in present)
    return qlike_of(tracks, start=parts.test, baseline=baseline).left_out


def _is_beaten(model: str, best: str, losses: Mapping[str, FloatArray], horizon: int) -> bool:
    """Whether the best of all is better than a model, and that not as the best of many chances."""
    if not _better(losses[best], losses[model], horizon):
        return False
    return superior_ability_pvalues(losses, (model,), horizon=horizon)[model] < _CHANCE


def _better(losses: FloatArray, others: FloatArray, horizon: int) -> bool:
    """Whether the mean of some losses is lower than that of others by more than chance."""
    test = diebold_mariano(losses, others, horizon)
    return test.mean_difference < 0 and test.pvalue < _CHANCE
