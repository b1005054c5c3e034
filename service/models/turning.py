"""What serves is changed: prepared beside it, and put in its place between two requests."""

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from models_store import LoadedModel, Refusal
from models_store.comparison import JUDGED
from models_store.names import UNIVERSAL
from models_store.rack import Rack
from models_store.succession import NewChampion, Succession, Swap, succeed
from models_store.universal.store import Newest
from service.models.asset_choices import AUTO, AssetChoices
from service.models.catalogue import Catalogue
from service.models.choice import Choice
from service.models.comparing import Comparer
from service.models.standings import Standing
from service.models.universal import Universal

log = structlog.get_logger("service")

_TRIES = 5  # at a change, while what serves changes otherwise
_Prepared = dict[tuple[str, str], tuple[Rack, Choice]]  # by asset and model


class Rehearsal(Protocol):
    """Asks models that do not serve yet, so that their first request finds all that it needs."""

    def ask(self, models: Catalogue, asset: str, model: str, before: LoadedModel | None) -> None:
        """Ask a model what was asked of the one before it, if one was.

        Parameters
        ----------
        models : pinned to the model that is to answer.
        asset, model : that are asked for.
        before : the model that answers now.
        """

    def ask_universal(self, models: Catalogue, before: Universal) -> None:
        """Ask the model for every asset what was asked of the one before it.

        Parameters
        ----------
        models : pinned to the one that is to answer.
        before : the one that answers now.
        """


@dataclass(frozen=True)
class Turned:
    """What a look at the store has changed, and what it has not.

    Parameters
    ----------
    swaps, champions : what serves from now on.
    refused : what was tried and does not serve.
    left : names by asset, to be tried again by the next look.
    """

    swaps: tuple[Swap, ...] = ()
    champions: tuple[NewChampion, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __add__(self, other: "Turned") -> "Turned":
        return Turned(
            self.swaps + other.swaps,
            self.champions + other.champions,
            self.refused + other.refused,
            {**self.left, **other.left},
        )


class Turner:
    """Changes what serves. One change is made after the other.

    Parameters
    ----------
    catalogue : the models that serve.
    rehearsal : who asks what is to serve before it does.
    """

    def __init__(self, catalogue: Catalogue, rehearsal: Rehearsal | None = None) -> None:
        self._catalogue, self._rehearsal = catalogue, rehearsal
        self._turning = threading.Lock()
        self._comparer = Comparer()

    def turn(self, asset: str, names: Collection[str], anyway: Collection[str] = ()) -> Turned:
        """Let what the pointers of an asset name serve, or hold it back.

        Parameters
        ----------
        asset, names, anyway : as in :func:`models_store.succession.succeed`.
        """
        with self._turning:
            for _ in range(_TRIES):
                found = succeed(self._catalogue.shelf, asset, names, anyway)
                if found.after is found.before or self._serve(found):
                    left = {asset: found.unreadable} if found.unreadable else {}
                    return Turned(found.swaps, found.champions, found.refused, left)
            return Turned(left={asset: frozenset(names)})

    def turn_universal(self) -> Turned:
        """Let the newest version of the model for every asset serve that can."""
        shelf = self._catalogue.shelf
        with self._turning:
            before, newest = shelf.newest, shelf.look_for_newest()
            self._serve_universal(newest)
        refused = tuple(it for it in newest.refused if it not in before.refused)
        shelf.tell(refused)
        if newest.model is None or newest.model is before.model:
            return Turned(refused=refused)
        version = newest.model.version
        if before.is_lost:
            shelf.returned(UNIVERSAL, UNIVERSAL, version)
        served_before = before.model.version if before.model else None
        return Turned((Swap(UNIVERSAL, UNIVERSAL, served_before, version),), refused=refused)

    def stop(self) -> None:
        """End the process that compares models, if there is one."""
        self._comparer.stop()

    def retry(self, asset: str, name: str) -> bool:
        """Try to read again what is lost; return whether that succeeds."""
        shelf = self._catalogue.shelf
        if (asset, name) != (UNIVERSAL, UNIVERSAL):
            return shelf.retry(asset, name)
        self.turn_universal()
        return not shelf.newest.is_lost

    def _serve(self, found: Succession) -> bool:
        """Prepare a rack and let it serve; whether it does, as nothing else has changed."""
        catalogue, asset, before = self._catalogue, found.asset, found.before
        standing = catalogue.standings.of_rack(asset, found.after)
        horizons = {JUDGED, *catalogue.standings.of(asset).comparisons}
        unknown = () if standing.recall(horizons) else horizons - standing.comparisons.keys()
        compared = self._comparer.compared(catalogue.store, asset, found.after, unknown)
        if compared is not None:
            standing.know(compared)
        elif found.after.models() and not standing.find_out(horizons, anyway=False):
            return False
        prepared: _Prepared = {}
        asked: set[str] = set()
        while new := self._kept(asset).keys() - asked:  # as requests go on to open others
            prepared |= self._prepared(asset, standing, sorted(new))
            asked |= new
        is_done = catalogue.open_choices.turn(
            prepared, lambda: catalogue.standings.exchange(asset, before, standing)
        )
        if is_done:
            catalogue.shelf.tell(found.after.refusals, before.refusals)
        return is_done

    def _kept(self, asset: str) -> dict[str, Choice | None]:
        """The choices of an asset that are kept open, and ``auto`` while there is room."""
        choices = self._catalogue.open_choices
        kept: dict[str, Choice | None] = {} if choices.are_full else {AUTO: None}
        return kept | {model: it for (whose, model), it in choices.kept().items() if whose == asset}

    def _prepared(self, asset: str, standing: Standing, asked: Collection[str]) -> _Prepared:
        """Choices of an asset made from another rack, and asked what is to be asked of them."""
        catalogue, kept = self._catalogue, self._kept(asset)
        made = AssetChoices(asset, standing, catalogue.universal)
        found = {model: made.of(model) for model in asked if not made.are_lost(model)}
        choices = {(asset, model): it for model, it in found.items() if it is not None}
        pinned = catalogue.pinned(choices)
        for (_, model), choice in choices.items():
            known = kept.get(model)
            before = known.model if known else None
            if self._rehearsal is not None and choice.model is not before:
                with _logging(asset, model):
                    self._rehearsal.ask(pinned, asset, model, before)
        return {asked: (standing.rack, it) for asked, it in choices.items()}

    def _serve_universal(self, newest: Newest) -> None:
        """Prepare the model for every asset, and the choices that it answers, and let it serve."""
        catalogue, before = self._catalogue, self._catalogue.universal
        known = catalogue.shelf.newest
        if newest.model is known.model and newest.refused == known.refused:
            catalogue.shelf.newest = newest
            return
        universal = Universal.of(newest, before)
        prepared: _Prepared = {}
        for (asset, model), choice in catalogue.open_choices.kept().items():
            if choice.source is before or choice.degraded_reason:  # else it has no say in it
                standing = catalogue.standings.of(asset)
                found = AssetChoices(asset, standing, universal).of(model)
                if found is not None:
                    prepared[asset, model] = standing.rack, found
        if self._rehearsal is not None and newest.model is not known.model:
            choices = {asked: choice for asked, (_, choice) in prepared.items()}
            with _logging(UNIVERSAL, UNIVERSAL):
                self._rehearsal.ask_universal(catalogue.pinned(choices, universal), before)

        def swap() -> bool:
            catalogue.shelf.newest, catalogue.universal = newest, universal
            return True

        catalogue.open_choices.turn(prepared, swap)


@contextmanager
def _logging(asset: str, model: str) -> Iterator[None]:
    """Go on after any error: whoever asks for the same gets it, too."""
    try:
        yield
    except Exception:
        log.exception("model not asked before it serves", asset=asset, model=model)
