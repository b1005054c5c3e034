"""Which versions are on trial, as of the last look at the store."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import structlog

from models_store import ArtifactRefused, Store
from models_store.pointers import Shadow
from models_store.shadows import shadow, tried_models

log = structlog.get_logger("service")

NONE: Mapping[str, Shadow] = MappingProxyType({})


class OnTrial:
    """Versions on trial, which whoever looks at the store reads for all others.

    Parameters
    ----------
    store : in which they are named.

    Attributes
    ----------
    faults : by asset and model, why it is not known which is; such a model has none on trial.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: Mapping[str, Mapping[str, Shadow]] = {}
        self.faults: Mapping[tuple[str, str], str] = {}

    def of(self, asset: str) -> Mapping[str, Shadow]:
        """Those of an asset, by model; the same object until one of them is another."""
        return self._found.get(asset, NONE)

    def version(self, asset: str, model: str) -> int | None:
        """That of one model; None where none is on trial, or it is not known."""
        found = self.of(asset).get(model)
        return found.version if found else None

    def look(self, assets: Iterable[str]) -> None:
        """Read those of some assets again, which are then all that there are."""
        found: dict[str, Mapping[str, Shadow]] = {}
        faults: dict[tuple[str, str], str] = {}
        for asset in assets:
            before, those = self.of(asset), self._read(asset, faults)
            if those:
                found[asset] = before if those == before else those
        for (asset, model), reason in sorted(faults.items() - self.faults.items()):
            log.warning("version on trial not known", asset=asset, model=model, reason=reason)
        self._found, self.faults = found, faults

    def _read(self, asset: str, faults: dict[tuple[str, str], str]) -> Mapping[str, Shadow]:
        """Those of an asset; of what cannot be read the last answer stays."""
        before, found = self.of(asset), dict[str, Shadow]()
        try:
            names = tried_models(self._store, asset)
        except OSError:  # which is told of its models
            return before
        for model in names:
            try:
                named = shadow(self._store, asset, model)
            except ArtifactRefused as error:
                faults[asset, model] = " ".join(error.reason.split())
                named = before.get(model)
            if named is not None:
                found[model] = named
        return found
