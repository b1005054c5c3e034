"""How the models of each asset compare, found out when it is first asked."""

import threading
from collections.abc import Callable, Collection
from functools import partial

from models_store import LoadedModel, Shelf, Store
from models_store.comparison import JUDGED, AssetComparison, Compared, compare_at
from models_store.rack import Rack
from models_store.stored_comparisons import recall
from service.models.skill import ModelSkill
from volatility.errors import RoughcastError

_TRIES = 5  # at the evidence of an asset, while reading it tells of more that is refused


class Standing:
    """How the models of one rack compare.

    Compared are the forecasts that were published with the models, whose files are verified.

    Parameters
    ----------
    store : that they are in.
    asset : whose.
    rack : its models, whether they serve yet, still or no longer.
    serving : gives the rack that serves.

    Attributes
    ----------
    rack : as given.
    comparisons : those found out, by horizon.
    """

    def __init__(self, store: Store, asset: str, rack: Rack, serving: Callable[[], Rack]) -> None:
        self._store, self._asset, self.rack, self._serving = store, asset, rack, serving
        self.comparisons: dict[int, AssetComparison] = {}
        self._horizons: tuple[int, ...] | None = None
        self._kind: str | None = None
        self._finding_out = threading.Lock()

    def is_known(self, horizon: int) -> bool:
        """Whether :meth:`comparison` answers at once; also where no model forecasts so far."""
        if horizon in self.comparisons:
            return True
        return self._horizons is not None and horizon not in self._horizons

    def find_out(self, horizons: Collection[int], anyway: bool = True) -> bool:
        """Find out how the models compare at some horizons: once, however many ask.

        What was compared when they were published is read; anything else is compared now.

        Parameters
        ----------
        horizons : sessions ahead.
        anyway : whether to compare them though another rack serves since, as reading what they say
            of themselves has told of more that is refused.

        Returns
        -------
        Whether they are compared.
        """
        if self._are_known(horizons):
            return True
        with self._finding_out:
            if self._are_known(horizons) or self.recall(horizons):
                return True
            unknown = [it for it in horizons if it not in self.comparisons]
            serving = self._serving()
            models = self.rack.evidence()
            if not anyway and self._serving() is not serving:
                return False
            rack = self.rack
            self.know(compare_at(models, rack.champion, rack.refusals, unknown))
            return True

    def recall(self, horizons: Collection[int]) -> bool:
        """Take over what the store has of comparisons of these very versions.

        Returns
        -------
        Whether all of these horizons are known now.
        """
        versions = self.rack.known_versions()
        if versions:
            rack, unknown = self.rack, [it for it in horizons if it not in self.comparisons]
            found = recall(
                self._store, self._asset, versions, rack.champion, rack.refusals, unknown
            )
            if found is not None:
                self.know(found)
        return self._are_known(horizons)

    def know(self, compared: Compared) -> None:
        """Take over what was found out of the models of this rack."""
        self.comparisons |= compared.comparisons
        self._horizons, self._kind = compared.horizons, compared.kind

    def comparison(self, horizon: int) -> AssetComparison | None:
        """How the models compare; None where none serves."""
        self.find_out((horizon,))
        return self.comparisons.get(horizon)

    def horizons(self) -> list[int]:
        """Sessions ahead that some model forecasts, sorted."""
        self.find_out((JUDGED,))
        return list(self._horizons or ())

    def kind(self) -> str | None:
        """What the models take their asset for, where one of them depends on that."""
        self.find_out((JUDGED,))
        return self._kind

    def skill(self, model: LoadedModel, horizon: int) -> ModelSkill | str:
        """How a model did at a horizon, or why that is not known."""
        asset, name = model.manifest.asset, model.manifest.model
        comparison = self.comparison(horizon)
        if comparison is None or comparison.versions.get(name) != model.version:
            return f"{name} is not compared: its files are not those that it was opened from"
        result, row = comparison.result, comparison.row(name)
        if isinstance(result, RoughcastError):
            return f"the models of {asset} cannot be compared: {result}"
        if row is None:
            reasons = {it.model: it.reason for it in comparison.excluded}
            return f"{name} is not compared: {reasons[name]}"
        return ModelSkill.of(row, result)

    def problems(self, asset: str) -> list[str]:
        """What went wrong in comparing the models one session ahead, if they are compared."""
        comparison = self.comparisons.get(JUDGED)
        if comparison is None:
            return []
        found = [f"{asset}/{it.model} {it.reason}" for it in comparison.misaligned]
        if isinstance(comparison.result, RoughcastError):
            return [f"the models of {asset} cannot be compared: {comparison.result}", *found]
        return found

    def _are_known(self, horizons: Collection[int]) -> bool:
        return self._horizons is not None and all(it in self.comparisons for it in horizons)


class Standings:
    """How the models of each asset compare, by the rack that serves.

    Parameters
    ----------
    shelf : the models.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._known: dict[str, Standing] = {}
        self._exchanging = threading.Lock()

    def of(self, asset: str) -> Standing:
        """How the models of the rack that serves compare, as far as it has been found out."""
        known = self._known.get(asset)
        if known is not None and known.rack is self._shelf.rack(asset):
            return known
        with self._exchanging:
            known, rack = self._known.get(asset), self._shelf.rack(asset)
            if known is None or known.rack is not rack:
                known = self._known[asset] = self.of_rack(asset, rack)
            return known

    def of_rack(self, asset: str, rack: Rack) -> Standing:
        """How the models of any rack of an asset compare; nothing is found out of them yet."""
        return Standing(self._shelf.store, asset, rack, partial(self._shelf.rack, asset))

    def exchange(self, asset: str, before: Rack, standing: Standing) -> bool:
        """Let another rack serve, with what was found out of it; see :meth:`Shelf.exchange`."""
        with self._exchanging:
            is_done = self._shelf.exchange(asset, before, standing.rack)
            if is_done:
                self._known[asset] = standing
            return is_done

    def is_known(self, asset: str, horizon: int) -> bool:
        """Whether :meth:`comparison` answers at once; also where no model forecasts so far."""
        return self.of(asset).is_known(horizon)

    def comparison(self, asset: str, horizon: int) -> AssetComparison | None:
        """How the models of an asset compare; None where none serves."""
        return self._found_out(asset, horizon).comparison(horizon)

    def horizons(self, asset: str) -> list[int]:
        """Sessions ahead that some model of an asset forecasts, sorted."""
        return self._found_out(asset, JUDGED).horizons()

    def kind(self, asset: str) -> str | None:
        """What the models of an asset take it for, where one of them depends on that."""
        return self._found_out(asset, JUDGED).kind()

    def problems(self) -> list[str]:
        """What went wrong in comparing models one session ahead, of those compared so far."""
        return [it for asset in sorted(self._known) for it in self._known[asset].problems(asset)]

    def _found_out(self, asset: str, horizon: int) -> Standing:
        """Compare what serves at a horizon; where reading it tells of refusals, what is left."""
        for _ in range(_TRIES):
            standing = self.of(asset)
            if standing.find_out((horizon,), anyway=False):
                break
        return standing
