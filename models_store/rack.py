"""The models of one asset in one state, which is never changed but replaced."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from models_store.evidence import Evidence
from models_store.names import CHAMPION
from models_store.place import Card, Place, Refusal, State
from models_store.runtime import LoadedModel


class HeldBack(NamedTuple):
    """What the store says and the shelf does not follow: what is wrong with it."""

    refusal: Refusal
    promoted: tuple[int, str] | None = None  # version and digest, of a pointer that can be read


@dataclass(frozen=True, eq=False)
class Rack:
    """The models of one asset in one state: what serves, which is champion, what is refused.

    Whoever takes a rack has one version of each model, one champion and what belongs to them. Two
    racks of one asset are two states of it, whatever is in them.

    Attributes
    ----------
    places : by model. Racks that follow each other share those that stayed.
    champion : absent where none is named or it cannot be read.
    told : what the places and the champion were refused for, by model or :data:`CHAMPION`.
    held_back : versions and champions of the store that do not serve, since they fail their
        checks, and another does; by model or :data:`CHAMPION`.
    is_listed : whether the folder of the asset could be read.
    is_champion_lost : whether the champion cannot be read at present.
    """

    places: Mapping[str, Place] = field(default_factory=dict)
    champion: str | None = None
    told: Mapping[str, Refusal] = field(default_factory=dict)
    held_back: Mapping[str, HeldBack] = field(default_factory=dict)
    is_listed: bool = True
    is_champion_lost: bool = False

    @cached_property
    def refusals(self) -> tuple[Refusal, ...]:
        """What is refused, by model; the champion's last."""
        found = {**self.told, **{name: it.refusal for name, it in self.held_back.items()}}
        return tuple(found[name] for name in sorted(found, key=lambda it: (it == CHAMPION, it)))

    def refusal(self, model: str) -> Refusal | None:
        """Why a model, or its newest version, is not in service, if that is known."""
        return next((it for it in self.refusals if it.model == model), None)

    def models(self) -> list[str]:
        """Models in service, as far as is known, sorted."""
        return [name for name, it in self.places.items() if it.serves]

    def find(self, model: str) -> Place | None:
        """The place of a model that serves or is lost, as far as is known."""
        place = self.places.get(model)
        return None if place is None or place.state is State.REFUSED else place

    def is_missing(self, model: str) -> bool:
        """Whether a model was never promoted, or is not there: else it may serve, or is refused."""
        return self.find(model) is None and self.refusal(model) is None

    def is_lost(self, model: str) -> bool:
        """Whether a model that is to serve cannot be read at present."""
        place = self.places.get(model)
        return place is not None and place.state is State.LOST

    def may_serve(self) -> bool:
        """Whether some model serves, or would if it could be read again."""
        return any(map(self.find, self.places))

    def open(self, model: str) -> LoadedModel | None:
        """A model, verified and opened if it is not open; None where there is none in service."""
        place = self.find(model)
        return place.open() if place else None

    def cards(self) -> dict[str, Card]:
        """What is known of the models that passed, those lost since among them."""
        return {name: it.card for name, it in self.places.items() if it.card}

    def known_versions(self) -> dict[str, tuple[int, str]] | None:
        """Number and digest of each version in service; None where one of them is not known."""
        found = {}
        for name in self.models():
            known = self.places[name].known_version
            if known is None:
                return None
            found[name] = known
        return found

    def evidence(self) -> dict[str, Evidence]:
        """What the models say of themselves, their files verified; by name."""
        found = {name: it.evidence() for name, it in self.places.items()}
        return {name: it for name, it in found.items() if it}
