"""Which of an asset's models in service ``auto`` means."""

import numpy as np

from models_store.runtime import LoadedModel
from models_store.store import Store
from volatility.errors import RoughcastError
from volatility.evaluation.compare import compare


def serving(store: Store, asset: str, model: str) -> LoadedModel | None:
    """The version in service; None where there is none, or it fails its checks."""
    try:
        return store.load(asset, model)
    except RoughcastError:
        return None


def name_champion(asset: str, test_start: np.datetime64, store: Store) -> None:
    """Point ``champion`` at the model in service with the lowest QLIKE on the test part.

    It stays as it is where that model is outside the 90 % model confidence set.

    Raises
    ------
    MisalignedForecasts, TooFewObservations : the models in service cannot be compared.
    """
    loaded = [serving(store, asset, model) for model in store.models(asset)]
    tracks = [model.track for model in loaded if model]
    if not tracks:
        return
    best = compare(tracks, start=test_start, baseline=tracks[0].model).rows[0]
    if best.in_confidence_set:
        store.set_champion(asset, best.model)
