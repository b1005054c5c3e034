"""One model of a store: which of its versions serves, as far as is known."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple, Protocol, Self

from models_store.errors import ArtifactRefused, ArtifactUnreadable
from models_store.evidence import AnyEvidence, Evidence
from models_store.runtime import LoadedModel
from models_store.store import Store
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion


@dataclass(frozen=True, slots=True)
class Refusal:
    """What failed its checks, and what serves in its place."""

    asset: str
    model: str
    version: int | None  # None when it is the pointer that cannot be read
    reason: str
    served_version: int | None  # an earlier version that took over, if any


class Card(NamedTuple):
    """What is known of a model that passed its checks, whether it is open or not."""

    asset: str
    model: str
    version: int
    sha256: str
    measure: str
    calendar: str
    bar_interval: int
    kind: str | None  # what it takes its asset for, if that matters to it
    horizons: tuple[int, ...]
    levels: tuple[float, ...]
    required_sessions: int
    columns: tuple[str, ...]
    companions: tuple[str, ...]
    training_end: date

    @classmethod
    def of(cls, model: LoadedModel) -> Self:
        """That of an open model."""
        manifest = model.manifest
        return cls(
            asset=manifest.asset,
            model=manifest.model,
            version=model.version,
            sha256=model.sha256,
            measure=manifest.measure,
            calendar=manifest.calendar,
            bar_interval=manifest.bar_interval,
            kind=manifest.predictor.kind_of_asset(),
            horizons=manifest.horizons,
            levels=tuple(interval.level for interval in manifest.intervals),
            required_sessions=model.required_sessions,
            columns=manifest.columns,
            companions=tuple(it.asset for it in manifest.companions),
            training_end=manifest.training.end,
        )


class State(Enum):
    """What is known of a model.

    ::

        UNVERIFIED   no version has passed all checks yet, and one may
        PASSES       a version has: it alone serves, whatever happens to it
        LOST         what is to serve cannot be read at present, or is not what passed: it is tried
                     again, and nothing takes its place
        REFUSED      every version that served is damaged, or none was promoted: for good
    """

    UNVERIFIED = "unverified"
    PASSES = "passes"
    LOST = "lost"
    REFUSED = "refused"


class Told(Protocol):
    """Who is told of what becomes of a model.

    Attributes
    ----------
    is_heard : whether what is told counts.
    refusal : what was told while it did not, the last of it.
    """

    is_heard: bool
    refusal: Refusal | None

    def refuse(self, asset: str, model: str, refusal: Refusal | None) -> None:
        """Note what is refused of a model now, in place of what was before; None if nothing is."""

    @property
    def returned(self) -> Callable[[str, str, int], None]:
        """Called with asset, model and version of what was lost and can be read again."""


class _Fault(NamedTuple):
    """Why a version does not serve: no exception, whose traceback would hold what was opened."""

    version: int | None
    reason: str
    lasting: bool = True  # whether it is damaged; otherwise it cannot be read at present


class Place:
    """One model on the shelf: its pointer counts as it was when it was first read.

    Where the version that is to serve is damaged, the newest that served before and passes takes
    over. Where it cannot be read, nothing does: with the disk that it is on, it may be back.

    Parameters
    ----------
    store : it.
    asset, model : of which a version was promoted.
    told : what is refused, and what is back.

    Attributes
    ----------
    told : as given.
    state : what is known.
    card : of the version that passed its checks, lost since or not; None before one has.
    promoted : the version that was to serve, and its digest; None where none was, or the pointer
        could not be read.
    """

    __slots__ = (
        "_asset",
        "_fault",
        "_left",
        "_lock",
        "_model",
        "_open",
        "_store",
        "card",
        "promoted",
        "state",
        "told",
    )

    def __init__(self, store: Store, asset: str, model: str, told: Told) -> None:
        self._store, self._asset, self._model, self.told = store, asset, model, told
        self._lock = threading.Lock()
        self._open: weakref.ref[LoadedModel] | None = None
        self._fault: _Fault | None = None  # the first that is lasting
        self.promoted: tuple[int, str] | None = None
        self._left: list[int] | None = None  # versions that may serve; None before the pointer is
        self.card: Card | None = None
        self.state = State.UNVERIFIED
        fault = self._list()
        if fault is not None:
            self._lose(fault)
        elif not self._left:
            self.state = State.REFUSED

    @property
    def serves(self) -> bool:
        """Whether a version serves, as far as is known."""
        return self.state in (State.UNVERIFIED, State.PASSES)

    @property
    def known_version(self) -> tuple[int, str] | None:
        """Number and digest of the version that serves, as far as both are known."""
        if self.card is not None:
            return self.card.version, self.card.sha256
        is_next = self.promoted is not None and self._left and self._left[0] == self.promoted[0]
        return self.promoted if is_next else None

    def peek(self) -> LoadedModel | None:
        """The model, if it is open."""
        return self._open() if self._open else None

    def open(self) -> LoadedModel | None:
        """The model, verified and opened if it is not open; None where no version serves.

        One thread opens it, and others that ask wait. It stays open while somebody holds it.
        """
        with self._lock:
            known = self.peek()
            if known is None:
                known = self._passing(self._load)
                self._open = weakref.ref(known) if known else None
            return known

    def evidence(self) -> Evidence | None:
        """What the version that serves says of itself, its files verified; None where none does.

        A version whose files are whole and that does not replay is refused later, when it is
        opened. One that was lost before it was verified is verified: nobody else may ask for it.
        """
        with self._lock:
            is_behind = self.state is State.LOST and self.card is None
            return self.peek() or self._passing(self._load if is_behind else self._read)

    def _load(self, version: int) -> LoadedModel:
        replayed = (self.card.sha256,) if self.card else ()
        return self._store.load(
            self._asset, self._model, version, self._digest_of(version), replayed
        )

    def _read(self, version: int) -> Evidence:
        return self._store.evidence(self._asset, self._model, version, self._digest_of(version))

    def _digest_of(self, version: int) -> str | None:
        """What a version's digest must be: that of what passed, or else the promoted one's."""
        if self.card is not None:
            return self.card.sha256
        return self.promoted[1] if self.promoted and self.promoted[0] == version else None

    def _passing(self, read: Callable[[int], AnyEvidence]) -> AnyEvidence | None:
        """What is read of the version that serves, and note what that tells; None if none does."""
        found = self._first(read)
        if isinstance(found, _Fault):
            self._lose(found)
            return None
        was_lost = self.state is State.LOST
        if isinstance(found, LoadedModel):
            self.card = self.card or Card.of(found)
        if found is None:
            self.state = State.REFUSED
        else:
            self.state = State.PASSES if self.card else State.UNVERIFIED
        self._tell(self._fault, found.version if found else None)
        if was_lost and found is not None:
            self.told.returned(self._asset, self._model, found.version)
        return found

    def _first(self, read: Callable[[int], AnyEvidence]) -> AnyEvidence | _Fault | None:
        """What is read of the first version that is not damaged; a fault where it is lost."""
        if self.card is not None:
            return self._try(read, self.card.version)
        unlisted = self._list() if self._left is None else None
        if unlisted is not None:
            return unlisted
        while self._left:
            found = self._try(read, self._left[0])
            if not isinstance(found, _Fault) or not found.lasting:
                return found
            self._fault = self._fault or found
            self._left = self._left[1:]
        return None

    def _list(self) -> _Fault | None:
        """Read which versions may serve, the one promoted first; a fault where that fails now."""
        try:
            try:
                pointer = self._store.pointer(self._asset, self._model)
            except ArtifactUnreadable:
                raise
            except ArtifactRefused as error:
                # What served before is not known, so the newest version that passes must do.
                self._left = self._store.versions(self._asset, self._model)[::-1]
                self._fault = _Fault(None, error.reason)
                return None
        except ArtifactUnreadable as error:
            return _Fault(None, error.reason, lasting=False)
        self._left = [pointer.version, *pointer.previous] if pointer else []
        self.promoted = (pointer.version, pointer.sha256) if pointer else None
        return None

    def _try(self, read: Callable[[int], AnyEvidence], version: int) -> AnyEvidence | _Fault:
        try:
            return read(version)
        except ArtifactRefused as error:
            return _Fault(version, error.reason, not isinstance(error, ArtifactUnreadable))
        except UnknownVersion:  # while others are there: one that served before was deleted
            is_promoted = self.promoted is not None and self.promoted[0] == version
            return _Fault(version, "its folder is absent", lasting=not is_promoted)
        except (UnknownAsset, UnknownModel):
            return _Fault(version, "its folder is absent", lasting=False)

    def _lose(self, fault: _Fault) -> None:
        self.state = State.LOST
        self._tell(fault, None)

    def _tell(self, fault: _Fault | None, served: int | None) -> None:
        refusal = None
        if fault is not None:
            refusal = Refusal(self._asset, self._model, fault.version, fault.reason, served)
        self.told.refuse(self._asset, self._model, refusal)
