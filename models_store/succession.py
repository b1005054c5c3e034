"""What is to serve of an asset after another look at the store, beside what serves."""

from collections.abc import Collection
from dataclasses import fields, replace
from typing import NamedTuple

from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.names import CHAMPION
from models_store.place import Place, Refusal, State
from models_store.rack import HeldBack, Rack
from models_store.runtime import LoadedModel
from models_store.shelf import Shelf, Voice, absent_champion


class Swap(NamedTuple):
    """One model, or the model for every asset, of which another version is to serve."""

    asset: str
    model: str
    served_before: int | None  # None where none did
    served: int


class NewChampion(NamedTuple):
    """Another model that ``auto`` is to mean."""

    asset: str
    champion_before: str | None
    champion: str


class Succession(NamedTuple):
    """The rack that is to serve after the one that does, not on the shelf yet.

    Parameters
    ----------
    asset : whose.
    before, after : the racks; the same object where nothing has changed.
    swaps, champions : what is new in the one after.
    refused : what was tried now and is not to serve.
    unreadable : names of what could not be read, and is to be tried again by the next look.
    opened : the new models, which stay open as long as they are held.
    """

    asset: str
    before: Rack
    after: Rack
    swaps: tuple[Swap, ...]
    champions: tuple[NewChampion, ...]
    refused: tuple[Refusal, ...]
    unreadable: frozenset[str]
    opened: tuple[LoadedModel, ...]


def succeed(
    shelf: Shelf, asset: str, names: Collection[str], anyway: Collection[str] = ()
) -> Succession:
    """Read pointers again, and verify and open what they name beside what serves.

    A version that fails its checks is held back, and told of; what serves goes on. Where nothing
    does, it counts as at a start: an earlier version may serve in its place. An asset whose folder
    could not be read is left to :meth:`.Shelf.retry`.

    Parameters
    ----------
    shelf : with the models that serve.
    asset : whose.
    names : of models whose pointers may be others, or :data:`CHAMPION`.
    anyway : those of them that are tried again though their pointers are the same.
    """
    found = _Found(shelf, asset)
    if not found.before.is_listed:
        return found.succession()
    for model in sorted(set(names) - {CHAMPION}):
        found.read_pointer(model, model in anyway)
    if CHAMPION in names or found.before.refusal(CHAMPION) is not None:
        found.read_champion()
    return found.succession()


class _Found:
    """What is found of an asset, name by name."""

    def __init__(self, shelf: Shelf, asset: str) -> None:
        self._shelf, self._asset = shelf, asset
        self.before = shelf.rack(asset)
        self._places = dict(self.before.places)
        self._told = dict(self.before.told)
        self._held_back = dict(self.before.held_back)
        self._champion = self.before.champion
        self._is_champion_lost = self.before.is_champion_lost
        self._swaps: list[Swap] = []
        self._refused: list[Refusal] = []
        self._unreadable: set[str] = set()
        self._opened: list[LoadedModel] = []

    def succession(self) -> Succession:
        """All of it."""
        before, after, champions = self.before, self._after(), []
        if self._champion is not None and self._champion != before.champion:
            champions.append(NewChampion(self._asset, before.champion, self._champion))
        return Succession(
            self._asset,
            before,
            before if _are_the_same(before, after) else after,
            tuple(self._swaps),
            tuple(champions),
            tuple(self._refused),
            frozenset(self._unreadable),
            tuple(self._opened),
        )

    def _after(self) -> Rack:
        return replace(
            self.before,
            places=dict(sorted(self._places.items())),
            champion=self._champion,
            told=self._told,
            held_back=self._held_back,
            is_champion_lost=self._is_champion_lost,
        )

    def read_pointer(self, model: str, anyway: bool) -> None:
        """Read the pointer of a model, and try what it names if that is new."""
        known, voice = self._places.get(model), Voice(self._shelf)
        place = Place(self._shelf.store, self._asset, model, voice)
        if place.state is State.REFUSED and voice.refusal is None:
            return  # its pointer is not there, or not any more: what serves goes on
        if known is not None and self._is_known(model, known, place, anyway):
            return
        opened = place.open()
        if opened is not None:
            self._opened.append(opened)
        if known is None or voice.refusal is None or not _goes_on(known):
            self._let_serve(model, known, place)
        else:
            self._hold_back(model, known, place)

    def read_champion(self) -> None:
        """Read which model is champion; one that does not serve is held back."""
        name, store = self._asset, self._shelf.store
        try:
            found = store.champion(name)
        except ArtifactRefused as error:
            if isinstance(error, ArtifactUnreadable):
                self._unreadable.add(CHAMPION)
            self._hold_champion_back(Refusal(name, CHAMPION, None, error.reason, None))
            return
        if found is None:
            return
        place = self._places.get(found)
        if self._champion not in (None, found) and (place is None or not place.serves):
            self._hold_champion_back(absent_champion(name, found))
            return
        self._champion, self._is_champion_lost = found, False
        self._told.pop(CHAMPION, None)
        self._held_back.pop(CHAMPION, None)
        if self._after().is_missing(found):
            self._told[CHAMPION] = absent_champion(name, found)
            self._refused.append(self._told[CHAMPION])

    def _is_known(self, model: str, known: Place, place: Place, anyway: bool) -> bool:
        """Whether a pointer names what serves or is held back, and need not be tried."""
        if place.promoted is not None and place.promoted == known.promoted:
            self._held_back.pop(model, None)
            if anyway and known.state is State.LOST:
                known.open()
            is_lost = known.state is State.LOST
            return not anyway or is_lost or _serving(known) == known.promoted
        held = self._held_back.get(model)
        return not anyway and held is not None and held.promoted == place.promoted is not None

    def _let_serve(self, model: str, known: Place | None, place: Place) -> None:
        self._places[model] = place
        self._held_back.pop(model, None)
        self._told.pop(model, None)
        if place.told.refusal is not None:  # an earlier version serves, or none does
            self._told[model] = place.told.refusal
            self._refused.append(place.told.refusal)
        before = _serving(known)
        if place.card is not None and before != (place.card.version, place.card.sha256):
            served = place.card.version
            self._swaps.append(Swap(self._asset, model, before[0] if before else None, served))

    def _hold_back(self, model: str, known: Place, place: Place) -> None:
        refusal, before = place.told.refusal, _serving(known)
        assert refusal is not None
        refusal = replace(refusal, served_version=before[0] if before else None)
        self._held_back[model] = HeldBack(refusal, place.promoted)
        self._refused.append(refusal)
        if place.state is State.LOST:
            self._unreadable.add(model)

    def _hold_champion_back(self, refusal: Refusal) -> None:
        self._held_back[CHAMPION] = HeldBack(refusal)
        self._refused.append(refusal)


def _goes_on(known: Place) -> bool:
    """Whether what serves now can go on, or may again, once that is known."""
    if known.state is State.UNVERIFIED:
        known.open()
    return known.state is not State.REFUSED


def _serving(known: Place | None) -> tuple[int, str] | None:
    """Version and digest of what serves, as far as is known."""
    if known is None or not known.serves:
        return None
    return (known.card.version, known.card.sha256) if known.card else known.promoted


def _are_the_same(one: Rack, other: Rack) -> bool:
    return all(getattr(one, it.name) == getattr(other, it.name) for it in fields(Rack))
