"""What is forecast beside an answer, and told to nobody: benchmarks, and models on trial."""

import math
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import structlog

from models_store.errors import ArtifactUnreadable
from models_store.pointers import Shadow
from models_store.rack import Rack
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.forecasts.forecaster import forecast
from service.forecasts.query import ClockReading, Questions
from service.forecasts.requests import ForecastRequest
from service.http.clock import moment_of
from service.http.errors import DatabaseUnavailable
from service.ledger.records import Entry, Noted
from service.models.choice import Choice
from service.models.skill import HARDEST
from volatility.errors import NotFound, RoughcastError

log = structlog.get_logger("service")

BENCHMARKS = ("har", HARDEST)  # what live forecasts are measured against
_MOST_KEPT = 100_000  # assets and horizons whose shadows are known to be recorded
_PASSING = (ArtifactUnreadable, DatabaseUnavailable)  # a store or database may be back
_RETRYING = 5.0  # seconds before another try of what could not be read


class _State(NamedTuple):
    """What shadows depend on."""

    revision: int  # of the asset's bars
    last_closed: bytes
    rack: Rack  # a retrain makes another
    tried: Mapping[str, Shadow]

    def is_that_of(self, other: "_State") -> bool:
        """Whether nothing has changed; a rack is compared as an object, not by what is in it."""
        return self[:2] == other[:2] and self.rack is other.rack and self.tried is other.tried


class _Done(NamedTuple):
    state: _State
    until: float  # by the monotonic clock; infinite unless something could not be read


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
        self._done: dict[tuple[str | None, int], _Done] = {}

    def beside(self, entry: Noted) -> Iterator[Entry]:
        """The shadows of an answer of now, as far as the models can forecast what was asked."""
        question = entry.questions[0]
        held = question.history
        if question.as_of is not None or not isinstance(held, Held):
            return
        asset, catalogue = held.asset.asset, self._questions.catalogue
        rack, tried = catalogue.shelf.rack(asset), catalogue.on_trial.of(asset)
        state = _State(held.revision, question.last_closed.tobytes(), rack, tried)
        for horizon in [it.horizon for it in entry.questions]:
            done = self._done.get((asset, horizon))
            if done and done.state.is_that_of(state) and time.monotonic() < done.until:
                continue
            if len(self._done) >= _MOST_KEPT:
                self._done.clear()
            self._done[asset, horizon] = _Done(state, math.inf)
            reading = ClockReading(moment_of(entry.issued_at), _AsAnswered(held, self._holdings))
            for model in BENCHMARKS:
                yield from self._forecast(model, None, horizon, reading, entry)
            for model, version in tried.items():
                yield from self._forecast(model, version, horizon, reading, entry)

    def _forecast(
        self, model: str, tried: Shadow | None, horizon: int, reading: ClockReading, entry: Noted
    ) -> Iterator[Entry]:
        """The forecast of a model's version on trial, or of a benchmark that serves."""
        asset = entry.questions[0].choice.asset
        request = ForecastRequest(asset=asset, model=model, horizon=horizon)
        try:
            asked = self._questions.of(request, reading, self._choice(asset, model, tried))
            issued = forecast(asked)
        except RoughcastError as error:
            if isinstance(error, _PASSING):
                self._try_again(asset, horizon)
            if tried is not None or not isinstance(error, NotFound):  # else there is no such model
                version = tried and tried.version
                about = {"asset": asset, "model": model, "version": version}
                log.info("shadow not forecast", **about, reason=str(error))
            return
        shadowed = Entry(asked, issued, entry.issued_at, "shadow")
        # A companion of which bars have come in since the answer is not what it was.
        if all(it <= entry.issued_at for it in shadowed.questions[0].beside.known_at):
            yield shadowed

    def _try_again(self, asset: str | None, horizon: int) -> None:
        """Let an answer that comes some seconds later have these shadows forecast once more."""
        done = self._done[asset, horizon]
        self._done[asset, horizon] = done._replace(until=time.monotonic() + _RETRYING)

    def _choice(self, asset: str | None, model: str, tried: Shadow | None) -> Choice | None:
        """The version on trial, which must have the digest that it was named with."""
        if tried is None or tried.version is None:
            return None
        return self._questions.versions.choice(asset, model, tried.version, tried.sha256)


class _AsAnswered(PastHoldings):
    """What is held, and of one asset what an answer was made from."""

    def __init__(self, held: Held, holdings: Holdings) -> None:
        super().__init__(holdings, {})
        self._read[held.asset.asset] = held

    def find(self, asset: str) -> Held | None:
        return self._read.get(asset) or self._holdings.find(asset)
