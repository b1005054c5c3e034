"""Versions of models in the store, whether or not they serve."""

from models_store import LoadedModel
from models_store.universal.store import UniversalStore
from service.models.catalogue import Catalogue


def version_of(
    catalogue: Catalogue, asset: str, model: str, version: int | None = None
) -> LoadedModel:
    """One version of an asset's model, by default the one that answers.

    Raises
    ------
    UnknownAsset, UnknownModel, UnknownVersion : there is none.
    ArtifactRefused : it fails its checks.
    """
    served = catalogue.find(asset, model)
    if version is None:
        return catalogue.resolve(asset, model).model
    if served is not None and served.version == version:
        return served
    name = served.manifest.model if served else model  # where `auto` is asked for
    return catalogue.store.load(asset, name, version)


def versions_of(catalogue: Catalogue, asset: str, model: LoadedModel) -> list[int]:
    """Every version that the store has of a model which answers for an asset."""
    if model.manifest.asset == asset:
        return catalogue.store.versions(asset, model.manifest.model)
    return universal_store(catalogue).versions()  # it stands in


def universal_store(catalogue: Catalogue) -> UniversalStore:
    """Where the versions of the model for every asset are."""
    return UniversalStore(catalogue.store.root, catalogue.store.trusted)
