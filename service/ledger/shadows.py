"""What is forecast beside an answer, and told to nobody: benchmarks, and models on trial."""

import time
from collections.abc import Iterator
from typing import NamedTuple

import structlog

from models_store import Store
from models_store.changed import CHANGED
from models_store.shadows import shadows
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.forecasts.forecaster import forecast
from service.forecasts.query import ClockReading, Questions
from service.forecasts.requests import ForecastRequest
from service.http.clock import moment_of
from service.ledger.records import Entry
from service.models.skill import HARDEST
from volatility.errors import NotFound, RoughcastError

log = structlog.get_logger("service")

BENCHMARKS = ("har", HARDEST)  # what live forecasts are measured against
_LOOKING = 10.0  # seconds between looks at a store that may have changed without a note
_MOST_KEPT = 100_000  # assets and horizons whose shadows are known to be recorded


class Shadow(NamedTuple):
    """A model whose forecasts are recorded beside those that are answered.

    Parameters
    ----------
    model : its name.
    version : the one meant; None for that which serves.
    """

    model: str
    version: int | None


_BENCHMARKS = tuple(Shadow(it, None) for it in BENCHMARKS)


class Trials:
    """Which versions are on trial, looked at again when the store has changed.

    Parameters
    ----------
    store : in which they are named.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[Shadow, ...]] = {}
        self._noted: int | None = None  # when the last change of the store was noted
        self._looked = time.monotonic()

    def of(self, asset: str) -> tuple[Shadow, ...]:
        """Those of an asset; none of them while the store does not say so."""
        self._follow()
        known = self._known.get(asset)
        if known is None:
            known = self._known[asset] = self._read(asset)
        return known

    def _follow(self) -> None:
        """Forget what is known where the store notes a change, and now and then."""
        try:
            noted = (self._store.root / CHANGED).stat().st_mtime_ns
        except OSError:
            noted = None
        if noted != self._noted or time.monotonic() - self._looked > _LOOKING:
            self._known.clear()
            self._noted, self._looked = noted, time.monotonic()

    def _read(self, asset: str) -> tuple[Shadow, ...]:
        try:
            return tuple([Shadow(*it) for it in shadows(self._store, asset).items()])
        except (OSError, RoughcastError) as error:
            log.warning("versions on trial not known", asset=asset, reason=str(error))
            return ()


class Shadows:
    """Forecasts once, for each state of an asset that is asked about, what is recorded beside.

    It does so a moment after the answer, from the same bars: what has come in since is not seen.

    Parameters
    ----------
    questions : by which they are asked.
    holdings : the held history.
    """

    def __init__(self, questions: Questions, holdings: Holdings) -> None:
        self._questions, self._holdings = questions, holdings
        self._trials = Trials(questions.catalogue.store)
        self._done: dict[tuple[str, int], tuple[object, ...]] = {}

    def beside(self, entry: Entry) -> Iterator[Entry]:
        """The shadows of an answer of now, as far as the models can forecast what was asked."""
        question = entry.questions[0]
        held = question.history
        if question.as_of is not None or not isinstance(held, Held):
            return
        rack = self._questions.catalogue.shelf.rack(held.asset.asset)  # a retrain makes another
        trials = self._trials.of(held.asset.asset)
        state = held.revision, question.last_closed.tobytes(), trials, rack
        for horizon in [it.horizon for it in entry.questions]:
            done = self._done.get((held.asset.asset, horizon))
            if done is not None and done[:3] == state[:3] and done[3] is rack:
                continue
            if len(self._done) >= _MOST_KEPT:
                self._done.clear()
            self._done[held.asset.asset, horizon] = state
            reading = ClockReading(moment_of(entry.issued_at), _AsAnswered(held, self._holdings))
            for shadow in (*_BENCHMARKS, *trials):
                yield from self._forecast(shadow, horizon, reading, entry)

    def _forecast(
        self, shadow: Shadow, horizon: int, reading: ClockReading, entry: Entry
    ) -> Iterator[Entry]:
        asset = entry.questions[0].choice.asset
        request = ForecastRequest(
            asset=asset, model=shadow.model, model_version=shadow.version, horizon=horizon
        )
        try:
            asked = self._questions.of(request, reading)
            issued = forecast(asked)
        except NotFound:  # the asset has no such model, or the store no such version
            return
        except RoughcastError as error:
            log.info("shadow not forecast", asset=asset, model=shadow.model, reason=str(error))
            return
        shadowed = Entry(asked, issued, entry.issued_at, "shadow")
        # A companion of which bars have come in since the answer is not what it was.
        if all(it <= entry.issued_at for it in shadowed.questions[0].beside.known_at):
            yield shadowed


class _AsAnswered(PastHoldings):
    """What is held, and of one asset what an answer was made from."""

    def __init__(self, held: Held, holdings: Holdings) -> None:
        super().__init__(holdings, {})
        self._read[held.asset.asset] = held

    def find(self, asset: str) -> Held | None:
        return self._read.get(asset) or self._holdings.find(asset)
