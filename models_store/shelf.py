"""What serves of a store: listed at once, verified and opened when it is first asked for."""

import threading
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from dataclasses import replace
from typing import Any

from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.evidence import Evidence
from models_store.names import CHAMPION, UNIVERSAL
from models_store.place import Card, Place, Refusal, State
from models_store.rack import Rack
from models_store.runtime import LoadedModel
from models_store.store import Store
from models_store.universal.store import Newest, UniversalStore

_EMPTY = Rack()


class Voice:
    """How a place tells a shelf what becomes of it; heard only while the place stands there.

    Parameters
    ----------
    shelf : it.

    Attributes
    ----------
    is_heard : whether the place stands there.
    refusal : what was told while nobody heard it, the last of it.
    """

    def __init__(self, shelf: "Shelf", is_heard: bool = False) -> None:
        self._shelf, self.is_heard = shelf, is_heard
        self.refusal: Refusal | None = None

    @property
    def returned(self) -> Callable[[str, str, int], None]:
        """Called with asset, model and version of what was lost and can be read again."""
        return self._shelf.returned

    def refuse(self, asset: str, model: str, refusal: Refusal | None) -> None:
        """Note what is refused of the place now."""
        if not self._shelf.refuse(asset, model, refusal, self):
            self.refusal = refusal


class Shelf:
    """Every model of a store that serves.

    What is asked for is verified first, whether or not anything else is.

    Parameters
    ----------
    store : it.
    told : called with each refusal when it is found.
    returned : called with asset, model and version of what was lost and can be read again.

    Attributes
    ----------
    store : where the models come from.
    racks : the models of each asset; a rack is another object whenever anything of it has changed.
    newest : the model for every asset, verified and opened, as :attr:`racks` replaced as a whole.
        Where its newest version cannot be read, an earlier one serves until it can.
    """

    def __init__(
        self,
        store: Store,
        told: Callable[[Refusal], None] = lambda _: None,
        returned: Callable[[str, str, int], None] = lambda *_: None,
    ) -> None:
        self.store = store
        self._telling, self._told, self.returned = threading.Lock(), told, returned
        self.racks: dict[str, Rack] = {}
        self.newest = Newest()
        self.newest = self.look_for_newest()
        self.tell(self.newest.refused)
        for asset, models in store.listing().items():
            if not models:
                self._change(asset, is_listed=False)
                reason = "the folder of the asset cannot be read"
                self.refuse(asset, CHAMPION, Refusal(asset, CHAMPION, None, reason, None))
                continue
            self._list(asset, models)
            self._read_champion(asset)

    @property
    def champions(self) -> dict[str, str]:
        """What ``auto`` means, by asset; absent where none is named or it cannot be read."""
        named = ((asset, self.rack(asset).champion) for asset in sorted(self.racks))
        return {asset: champion for asset, champion in named if champion}

    def rack(self, asset: str) -> Rack:
        """The models of an asset; an empty rack, always the same, where it has none."""
        return self.racks.get(asset, _EMPTY)

    def assets(self) -> list[str]:
        """Assets that have a model in service, as far as is known, sorted."""
        return [asset for asset in sorted(self.racks) if self.models(asset)]

    def models(self, asset: str) -> list[str]:
        """Models of an asset in service, as far as is known, sorted."""
        return self.rack(asset).models()

    def open(self, asset: str, model: str) -> LoadedModel | None:
        """A model, verified and opened if it is not open; None where there is none in service."""
        return self.rack(asset).open(model)

    def evidence(self, asset: str) -> dict[str, Evidence]:
        """What the models of an asset say of themselves, their files verified; by name."""
        return self.rack(asset).evidence()

    def is_lost(self, asset: str, model: str) -> bool:
        """Whether a model that is to serve cannot be read at present."""
        return self.rack(asset).is_lost(model)

    def places(self) -> Iterator[Place]:
        """The place of every model, by asset and name."""
        for asset in sorted(self.racks):
            yield from self.rack(asset).places.values()

    def verify_one(self, asset: str, model: str) -> None:
        """Verify a model, if it has not been yet."""
        place = self.rack(asset).find(model)
        if place is not None and place.state is State.UNVERIFIED:
            place.open()

    def verify(self) -> None:
        """Verify every model that has not been yet."""
        for asset in sorted(self.racks):
            for model in self.rack(asset).places:
                self.verify_one(asset, model)

    def lost(self) -> list[tuple[str, str]]:
        """Asset and name of what cannot be read at present: models, and who is champion.

        An asset whose folder cannot be read is named as if its champion could not.
        """
        racks = [(asset, self.rack(asset)) for asset in sorted(self.racks)]
        models = [(asset, it) for asset, rack in racks for it in rack.places if rack.is_lost(it)]
        if self.newest.is_lost:
            models.append((UNIVERSAL, UNIVERSAL))
        champions = [asset for asset, it in racks if it.is_champion_lost or not it.is_listed]
        return models + [(asset, CHAMPION) for asset in champions]

    def retry(self, asset: str, name: str) -> bool:
        """Try to read again a model or a champion that is lost; return whether that succeeds."""
        if not self.rack(asset).is_listed and not self._list_again(asset):
            return False
        return self._read_champion(asset) if name == CHAMPION else bool(self.open(asset, name))

    def cards(self) -> list[Card]:
        """What there is to say of every model in service, by asset and name.

        Those that have not been verified are verified first, 5 to 100 ms each.
        """
        self.verify()
        return [it.card for it in self.places() if it.card and it.serves]

    def beside(self, companion: str) -> list[tuple[str, str]]:
        """Asset and name of every model that looks at a companion and serves, or may again.

        As :meth:`cards` it verifies first what has not been.
        """
        self.verify()
        found = (it.card for it in self.places() if it.card and it.state is not State.REFUSED)
        return [(it.asset, it.model) for it in found if companion in it.companions]

    @property
    def unverified(self) -> int:
        """How many models have not been verified yet."""
        return sum(it.state is State.UNVERIFIED for it in self.places())

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """All that is known to be refused: the model for every asset, then by asset and model."""
        by_asset = (it for asset in sorted(self.racks) for it in self.rack(asset).refusals)
        return (*self.newest.refused, *by_asset)

    @property
    def not_as_promoted(self) -> list[Refusal]:
        """Why another version of a model serves than the store says, or none; a model once."""
        return [it for it in self.refused if it.model != CHAMPION]

    def promoted(self, asset: str, model: str) -> int | None:
        """The version that the store says is to serve, where another does, or none."""
        if (asset, model) == (UNIVERSAL, UNIVERSAL):
            return next((it.version for it in self.newest.refused), None)
        rack = self.rack(asset)
        held, place = rack.held_back.get(model), rack.places.get(model)
        promoted = held.promoted if held else place.promoted if place else None
        return promoted[0] if promoted else None

    def refuse(
        self, asset: str, model: str, refusal: Refusal | None, by: Voice | None = None
    ) -> bool:
        """Note what is refused of a model now; None if nothing is.

        Returns
        -------
        Whether it was heard: not ``by`` the place of another rack than the one that serves.
        """
        with self._telling:
            if by is not None and not by.is_heard:
                return False
            told = {**self.rack(asset).told}
            if refusal == told.pop(model, None):
                return True
            if refusal is not None:
                told[model] = refusal
            self.racks[asset] = replace(self.rack(asset), told=told)
        if refusal is not None:
            self._told(refusal)
        return True

    def exchange(self, asset: str, before: Rack, after: Rack) -> bool:
        """Put another rack, made from the one that serves, in its place; nobody is told of it.

        Returns
        -------
        Whether it serves now; not where ``before`` does not any more.
        """
        with self._telling:
            if self.rack(asset) is not before:
                return False
            for place in before.places.values():
                place.told.is_heard = False
            for place in after.places.values():
                place.told.is_heard = True
            self.racks[asset] = after
            return True

    def look_for_newest(self) -> Newest:
        """The model for every asset, as the store has it now."""
        return UniversalStore(self.store.root, self.store.trusted).after(self.newest)

    def tell(self, refused: Iterable[Refusal], before: Container[Refusal] = ()) -> None:
        """Tell of what is refused and was not before."""
        for refusal in refused:
            if refusal not in before:
                self._told(refusal)

    def _change(self, asset: str, **changes: Any) -> None:
        with self._telling:
            self.racks[asset] = replace(self.rack(asset), **changes)

    def _list(self, asset: str, models: Collection[str]) -> None:
        places = {it: Place(self.store, asset, it, Voice(self, is_heard=True)) for it in models}
        self._change(asset, places=places, is_listed=True)

    def _list_again(self, asset: str) -> bool:
        """List the models of an asset whose folder could not be read; return whether it can be."""
        try:
            models = self.store.models(asset)
        except OSError:
            return False
        self._list(asset, models)
        return True

    def _read_champion(self, asset: str) -> bool:
        """Note which model is champion, if one is; return whether that can be read."""
        try:
            champion = self.store.champion(asset)
        except ArtifactRefused as error:
            if isinstance(error, ArtifactUnreadable):
                self._change(asset, is_champion_lost=True)
            self.refuse(asset, CHAMPION, Refusal(asset, CHAMPION, None, error.reason, None))
            return False
        named = champion or self.rack(asset).champion
        self._change(asset, champion=named, is_champion_lost=False)
        is_missing = named is not None and self.rack(asset).is_missing(named)
        self.refuse(asset, CHAMPION, absent_champion(asset, named) if is_missing else None)
        return True


def absent_champion(asset: str, model: str | None) -> Refusal:
    """What is wrong with a champion that is no model in service."""
    return Refusal(asset, CHAMPION, None, f"it names {model}, which is not in service", None)
