"""Which of an asset's models in service ``auto`` means."""

from models_store.runtime import LoadedModel
from models_store.store import Store
from training.evaluation.study import SampleParts
from volatility.errors import RoughcastError
from volatility.evaluation.compare import BENCHMARKS, compare


def serving(store: Store, asset: str, model: str) -> LoadedModel | None:
    """The version in service; None where there is none, or it fails its checks."""
    try:
        return store.load(asset, model)
    except RoughcastError:
        return None


def name_champion(asset: str, parts: SampleParts, store: Store) -> None:
    """Point ``champion`` at the model in service with the lowest QLIKE on the selection part.

    Losses on the test part have no say, so that the choice makes nothing better that they show.
    Which forecasts stand by the wrong dates, and are no candidates, all dates tell.

    Raises
    ------
    MisalignedForecasts, TooFewObservations : the models in service cannot be compared, by the
        selection part or, as readers will want to, on the test part.
    """
    loaded = [serving(store, asset, model) for model in store.models(asset)]
    tracks = [model.track for model in loaded if model]
    if not tracks:
        return
    present = {track.model for track in tracks}
    baseline = next(name for name in (*BENCHMARKS, tracks[0].model) if name in present)
    left_out = compare(tracks, start=parts.test, baseline=baseline).left_out
    chosen_by = [parts.of_selection(track) for track in tracks if track.model not in left_out]
    store.set_champion(asset, compare(chosen_by, baseline=baseline).rows[0].model)
