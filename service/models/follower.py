"""Follows the store: what is promoted there serves within seconds, without a restart."""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterable

import structlog

from models_store.mirror import Mirror
from models_store.names import UNIVERSAL
from models_store.traces import Traces
from service.models import log as models_log
from service.models.catalogue import Catalogue
from service.models.turning import Turned, Turner
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

_GLANCE = 0.2  # seconds between questions whether the store notes a change
_STOPPING = 2.0  # seconds that a stop waits for a look under way


class SwapTally:
    """What became of what the store says, counted since the start.

    Attributes
    ----------
    swaps : versions and champions that were put in the place of others.
    refused : those that were tried and do not serve.
    """

    def __init__(self) -> None:
        self.swaps = self.refused = 0


class Follower:
    """A thread that looks, every few seconds, whether the store says something else than serves.

    Where the store notes a change, it looks at once.

    Parameters
    ----------
    catalogue : the models that serve.
    turner : changes which do.
    traces : how the store looked before the catalogue read it.
    tally : where swaps are counted.
    seconds : between two looks; 0 for none but those that are asked for.
    mirror : of the store, where that is elsewhere: brought into step before each look.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        turner: Turner,
        traces: Traces,
        tally: SwapTally,
        seconds: float = 0.0,
        mirror: Mirror | None = None,
    ) -> None:
        self._catalogue, self._turner, self._traces = catalogue, turner, traces
        self._tally, self._seconds, self._mirror = tally, seconds, mirror
        self._looked = time.monotonic()  # the catalogue has just read all
        self._left: dict[str, set[str]] = {}
        self._looking = threading.Lock()
        self._stopping = threading.Event()
        # A daemon: a store that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="store-follower", daemon=True)

    @property
    def age(self) -> float:
        """Seconds since the last look that came to an end began."""
        return time.monotonic() - self._looked

    @property
    def is_late(self) -> bool:
        """Whether looks that are to be made take too long, or come to no end."""
        return self._seconds > 0 and self.age > 2 * self._seconds + 60

    @property
    def doubt(self) -> str | None:
        """Why what serves may not be what the store elsewhere says; None where it is."""
        return self._mirror.doubt if self._mirror else None

    def start(self) -> None:
        """Begin to follow the store, unless looks are made only when they are asked for."""
        if self._seconds:
            self._thread.start()

    def stop(self) -> None:
        """End; a look that is under way is waited for, if it takes no longer than 2 s."""
        self._stopping.set()
        if self._seconds:
            self._thread.join(_STOPPING)
        self._turner.stop()

    def look(self, again: Iterable[tuple[str, str]] | None = ()) -> Turned:
        """Look now, and let serve what is new.

        Parameters
        ----------
        again : asset and model of what is tried again though its pointer is the same, if it does
            not serve; None for all that is refused.
        """
        with self._looking:
            began, known = time.monotonic(), set(self._catalogue.shelf.refused)
            in_step = self._mirror is None or self._bring(self._mirror, again is None)
            anyway = defaultdict[str, set[str]](set)
            for asset, name in self._refused() if again is None else again:
                anyway[asset].add(name)
            for asset, names in (*self._traces.watched().items(), *self._left.items()):
                anyway[asset] |= names
            changed = self._traces.look()
            found = Turned()
            for asset in sorted({*changed, *anyway}):
                if self._stopping.is_set():
                    break
                found += self._turn(asset, changed.get(asset, ()), anyway.get(asset, ()))
            self._left = {asset: set(names) for asset, names in found.left.items()}
            self._tally.swaps += len(found.swaps) + len(found.champions)
            self._tally.refused += sum(it not in known for it in found.refused)
            self._watch()
            self._catalogue.on_trial.look(self._catalogue.assets())
            _write(found)
            if in_step:
                self._looked = began
            return found

    def _bring(self, mirror: Mirror, anyway: bool) -> bool:
        """Bring what is new from elsewhere; whether that could be done."""
        try:
            return mirror.follow(anyway)
        except (OSError, RoughcastError) as error:  # the mirror itself is gone
            log.warning("the store's mirror cannot be written", reason=str(error))
            return False

    def _refused(self) -> list[tuple[str, str]]:
        return [(it.asset, it.model) for it in self._catalogue.shelf.refused]

    def _turn(self, asset: str, names: Collection[str], anyway: Collection[str]) -> Turned:
        both = {*names, *anyway}
        try:
            if asset == UNIVERSAL:
                return self._turner.turn_universal()
            return self._turner.turn(asset, both, anyway)
        except Exception:
            log.exception("models not followed", asset=asset)
            return Turned(left={asset: both})

    def _watch(self) -> None:
        """Look at the folders of what does not serve: it may yet be signed, or repaired."""
        shelf, root = self._catalogue.shelf, self._catalogue.store.root
        folders = {}
        for refusal in shelf.not_as_promoted:
            asset, model = refusal.asset, refusal.model
            version = shelf.promoted(asset, model)
            if version is not None:
                folder = root / asset if asset == UNIVERSAL else root / asset / model
                folders[asset, model] = folder / str(version)
        self._traces.watch(folders)

    def _run(self) -> None:
        began = self._looked
        while not self._stopping.wait(min(_GLANCE, self._seconds)):
            is_due = time.monotonic() - began >= self._seconds
            if not is_due and not self._traces.are_out_of_date():
                continue
            began = time.monotonic()
            try:
                self.look()
            except Exception:
                log.exception("the store not looked at")


def _write(found: Turned) -> None:
    """Write into the log what serves now; of what is refused it has told."""
    for swap in found.swaps:
        models_log.swapped(swap)
    for champion in found.champions:
        models_log.named(champion)
