"""Every model of a store that can serve, at one moment, and what cannot."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from models_store.errors import ArtifactRefused
from models_store.runtime import LoadedModel
from models_store.store import CHAMPION, Store
from models_store.universal.model import UniversalModel
from models_store.universal.store import UniversalStore
from volatility.errors import UnknownVersion


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a :class:`Snapshot` could not load, and what serves in its place."""

    asset: str
    model: str
    version: int | None  # None when it is the pointer that cannot be read
    reason: str
    served_version: int | None  # an earlier version that took over, if any


@dataclass(frozen=True)
class Snapshot:
    """Every model of a store that passed its checks, at one moment."""

    models: Mapping[str, Mapping[str, LoadedModel]]  # by asset, by model
    champions: Mapping[str, str]  # by asset; absent where none is named or it cannot be read
    refused: tuple[Refusal, ...] = ()
    universal: UniversalModel | None = None  # the model for every asset

    @classmethod
    def of(cls, store: Store) -> Self:
        """Load every model that serves; refuse, with its reason, what fails its checks.

        Where the current version is refused, the newest earlier one that passes takes its place.
        """
        models: dict[str, dict[str, LoadedModel]] = {}
        champions: dict[str, str] = {}
        universal, refused = _load_universal(store)
        for asset, outcomes in _load_all(store).items():
            models[asset] = {}
            for model, (loaded, refusals) in outcomes.items():
                refused += refusals
                if loaded:
                    models[asset][model] = loaded
            try:
                champion = store.champion(asset)
            except ArtifactRefused as error:
                refused.append(Refusal(asset, CHAMPION, None, error.reason, None))
            else:
                if champion:
                    champions[asset] = champion
        return cls(models, champions, tuple(refused), universal)


def _load_universal(store: Store) -> tuple[UniversalModel | None, list[Refusal]]:
    """The model for every asset, if one can serve, and what cannot."""
    model, errors = UniversalStore(store.root, store.trusted).newest()
    served = model.version if model else None
    return model, [Refusal(it.asset, it.model, it.version, it.reason, served) for it in errors]


_Outcome = tuple[LoadedModel | None, list[Refusal]]  # what serves of one model, and what cannot


def _load_all(store: Store) -> dict[str, dict[str, _Outcome]]:
    """Every model by asset and name, in order, whichever is done first.

    On all cores: a network takes 15 ms to open and to replay, most of them without Python's lock,
    and a store has dozens.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        pending = {
            asset: {
                model: pool.submit(_load_or_fall_back, store, asset, model)
                for model in store.models(asset)
            }
            for asset in store.assets()
        }
        return {
            asset: {model: outcome.result() for model, outcome in of_asset.items()}
            for asset, of_asset in pending.items()
        }


def _load_or_fall_back(store: Store, asset: str, model: str) -> _Outcome:
    try:
        served = store.served(asset, model)
    except ArtifactRefused as error:
        # What served before is not known, so the newest version that passes must do.
        loaded = _first_that_loads(store, asset, model, reversed(store.versions(asset, model)))
        return loaded, [_refusal(error, loaded)]
    if not served:
        return None, []
    try:
        return store.load(asset, model), []
    except (ArtifactRefused, UnknownVersion) as error:
        loaded = _first_that_loads(store, asset, model, served[1:])
        if isinstance(error, UnknownVersion):
            error = ArtifactRefused(asset, model, served[0], "its folder is absent")
        return loaded, [_refusal(error, loaded)]


def _first_that_loads(
    store: Store, asset: str, model: str, versions: Iterable[int]
) -> LoadedModel | None:
    for version in versions:
        try:
            return store.load(asset, model, version)
        except (ArtifactRefused, UnknownVersion):
            continue
    return None


def _refusal(error: ArtifactRefused, loaded: LoadedModel | None) -> Refusal:
    served = loaded.version if loaded else None
    return Refusal(error.asset, error.model, error.version, error.reason, served)
