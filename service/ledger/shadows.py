"""What is forecast beside an answer, and told to nobody: benchmarks, and models on trial."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import structlog

from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.forecasts.forecaster import forecast
from service.forecasts.query import ClockReading, Questions
from service.forecasts.requests import ForecastRequest
from service.http.clock import moment_of
from service.http.errors import InvalidSetting
from service.ledger.records import Entry
from service.models.skill import HARDEST
from volatility.errors import NotFound, RoughcastError

log = structlog.get_logger("service")

BENCHMARKS = ("har", HARDEST)  # what live forecasts are measured against
_MOST_KEPT = 100_000  # assets and horizons whose shadows are known to be recorded


class Shadow(NamedTuple):
    """A model whose forecasts are recorded beside those that are answered.

    Parameters
    ----------
    model : its name, of any asset that has it.
    version : the one meant; None for that which serves.
    """

    model: str
    version: int | None

    @classmethod
    def of(cls, text: str) -> "Shadow":
        """Of ``model`` or ``model/version``.

        Raises
        ------
        InvalidSetting : it is neither.
        """
        model, _, version = text.partition("/")
        if not model or ("/" in text and not version.isdecimal()) or version == "0":
            raise InvalidSetting(
                f"shadows: {text!r} is neither a model nor a model and a version, such as lstm/2",
                field="shadows",
                found=text,
                needed="model or model/version, separated by commas",
            )
        return cls(model, int(version) if version else None)


class Shadows:
    """Forecasts once, for each state of an asset that is asked about, what is recorded beside.

    It does so a moment after the answer, from the same bars: what has come in since is not seen.

    Parameters
    ----------
    questions : by which they are asked.
    holdings : the held history.
    wanted : the models on trial; benchmarks come first without being named.
    """

    def __init__(
        self, questions: Questions, holdings: Holdings, wanted: Sequence[Shadow] = ()
    ) -> None:
        self._questions, self._holdings = questions, holdings
        named = (*(Shadow(it, None) for it in BENCHMARKS), *wanted)
        self._wanted = tuple(dict.fromkeys(named))
        self._done: dict[tuple[str, int], tuple[object, ...]] = {}

    def beside(self, entry: Entry) -> Iterator[Entry]:
        """The shadows of an answer of now, as far as the models can forecast what was asked."""
        question = entry.questions[0]
        held = question.history
        if question.as_of is not None or not isinstance(held, Held):
            return
        rack = self._questions.catalogue.shelf.rack(held.asset.asset)  # a retrain makes another
        state = held.revision, question.last_closed.tobytes(), rack
        for horizon in [it.horizon for it in entry.questions]:
            done = self._done.get((held.asset.asset, horizon))
            if done is not None and done[:2] == state[:2] and done[2] is rack:
                continue
            if len(self._done) >= _MOST_KEPT:
                self._done.clear()
            self._done[held.asset.asset, horizon] = state
            reading = ClockReading(moment_of(entry.issued_at), _AsAnswered(held, self._holdings))
            for shadow in self._wanted:
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
