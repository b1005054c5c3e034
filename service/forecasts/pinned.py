"""Versions of models that a request names, whether or not they serve."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from models_store import LoadedModel
from models_store.comparison import JUDGED
from models_store.names import UNIVERSAL
from models_store.universal.store import UniversalStore
from service.assets.holdings import Holdings, find_asset
from service.http.errors import Fault, InvalidRequest
from service.models.catalogue import AUTO, Catalogue
from service.models.choice import Choice
from service.models.universal import Universal
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion

Key = TypeVar("Key")
Opened = TypeVar("Opened")

_MOST_OPEN = 16  # a network takes 3 MB


class _NotServing:
    """What is known of a version that no comparison is made of."""

    def skill(self, model: LoadedModel, horizon: int) -> str:
        """Why it is not known how it did."""
        del horizon
        name = model.manifest.model
        return f"version {model.version} of {name} is not compared: it does not serve"


class PinnedModels:
    """Versions that were asked for last, each open.

    Parameters
    ----------
    catalogue : the models that serve, and the store that holds all.
    holdings : the held history, which says what the model for every asset is bound to.
    """

    def __init__(self, catalogue: Catalogue, holdings: Holdings) -> None:
        self._catalogue = catalogue
        self._holdings = holdings
        self._turning = threading.Lock()
        self._open: OrderedDict[tuple[str, str, int], LoadedModel] = OrderedDict()
        self._universals: OrderedDict[int, Universal] = OrderedDict()

    def choice(
        self, asset: str | None, model: str, version: int, sha256: str | None = None
    ) -> Choice:
        """A version of an asset's own model, or of the one for every asset.

        Parameters
        ----------
        asset, model, version : what is asked for.
        sha256 : the digest that it must have, if it is known.

        Raises
        ------
        UnknownVersion : there is no such version, or it has another digest.
        UnknownAsset, UnknownModel : there is no such model.
        ArtifactRefused : the version fails its checks.
        InvalidRequest : no model is named, or no asset.
        """
        if asset is None or model == AUTO:
            raise _names_no_model(asset)
        choices = list(self._candidates(asset, model, version, sha256))
        fitting = [it for it in choices if sha256 in (None, it.model.sha256)]
        if fitting:
            return fitting[0]
        if choices:
            raise UnknownVersion(f"version {version} of {asset}/{model} is another by now")
        raise self._unknown(asset, model, version)

    def _candidates(
        self, asset: str, model: str, version: int, sha256: str | None
    ) -> Iterator[Choice]:
        """The asset's own version, then that of the model for every asset."""
        with suppress(UnknownAsset, UnknownModel, UnknownVersion):
            yield self._own_choice(asset, model, version, sha256)
        known = find_asset(asset, self._holdings, self._catalogue)
        if model != UNIVERSAL or known is None:
            return
        with suppress(UnknownVersion):
            universal = self._universal(version)
            made = universal.choice(asset, known.kind, known.calendar, known.measure)
            yield replace(made, degraded_reason=None)

    def _own_choice(self, asset: str, model: str, version: int, sha256: str | None) -> Choice:
        found = self._own(asset, model, version, sha256)
        serving = self._catalogue.choice(asset, model)
        if serving is not None and serving.model.sha256 == found.sha256:
            return replace(serving, degraded_reason=None)
        source = _NotServing()
        return Choice(found, None, source.skill(found, JUDGED), asset, source)

    def _own(self, asset: str, model: str, version: int, sha256: str | None) -> LoadedModel:
        store, key = self._catalogue.store, (asset, model, version)
        with self._turning:
            known = self._open.get(key)
            if known is not None and sha256 not in (None, known.sha256):
                del self._open[key]  # by now its number is another's
        return self._kept(self._open, key, lambda: store.load(asset, model, version))

    def _universal(self, version: int) -> Universal:
        serving = self._catalogue.universal
        if serving.version == version:
            return serving
        return self._kept(self._universals, version, lambda: self._load_universal(version))

    def _load_universal(self, version: int) -> Universal:
        store = self._catalogue.store
        model = UniversalStore(store.root, store.trusted).load(version)
        if not model.manifest.by_kind:
            raise UnknownVersion(f"version {version} was made to be evaluated, not to serve")
        return Universal(model, None)

    def _kept(self, kept: OrderedDict[Key, Opened], key: Key, load: Callable[[], Opened]) -> Opened:
        """What is kept under a key; one at a time is loaded, and what was asked last stays."""
        with self._turning:
            found = kept.get(key)
            if found is None:
                found = kept[key] = load()
            kept.move_to_end(key)
            while len(kept) > _MOST_OPEN:
                kept.popitem(last=False)
            return found

    def _unknown(self, asset: str, model: str, version: int) -> UnknownVersion:
        store, own = self._catalogue.store, []
        with suppress(UnknownAsset, UnknownModel):
            own = store.versions(asset, model)
        versions = own or (
            UniversalStore(store.root, store.trusted).versions() if model == UNIVERSAL else []
        )
        needed = f"one of {', '.join(map(str, versions))}" if versions else "a published model"
        return UnknownVersion(
            f"there is no version {version} of {asset}/{model}",
            field="model_version",
            found=version,
            needed=needed,
        )


def _names_no_model(asset: str | None) -> InvalidRequest:
    field, found = ("asset", None) if asset is None else ("model", AUTO)
    needed = "an asset's name" if asset is None else "the name of the model whose version it is"
    detail = f"{field}: found {found}, with a model_version; needed: {needed}"
    return InvalidRequest([Fault("invalid_value", detail, field, found, needed)])
