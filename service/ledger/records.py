"""A forecast as it was issued, with all that it takes to make it again."""

from collections.abc import Mapping, MutableMapping
from datetime import date
from typing import Literal, NamedTuple, cast

from service.assets.held import Held
from service.forecasts.encoding import encode
from service.forecasts.forecaster import Issued, IssuedForecast
from service.forecasts.query import Asked, Question, TermStructure
from service.http.clock import moment_of
from service.http.json import to_date

Role = Literal["answer", "shadow"]


class Record(NamedTuple):
    """One forecast from held history."""

    forecast_id: str
    asset: str
    model: str
    model_version: int
    model_sha256: str
    horizon: int
    as_of: date  # the last session whose data it used
    target_date: date  # the first session that it forecasts
    last_closed: date  # the last session that had closed when it was issued
    asked_as_of: date | None  # the day that was to be replayed, if one was
    issued_at: int  # microseconds since 1970, when it was first made
    last_issued_at: int  # and when it was last, from another state of the bars
    levels: tuple[float, ...]  # of its intervals
    known_at: Mapping[str, int]  # by asset that was looked at, as `Held` has it
    role: Role  # "shadow": computed beside an answer, and told to nobody
    answer: bytes  # JSON, as ``POST /forecast`` gives it for the one horizon

    @property
    def is_live(self) -> bool:
        """Whether it was issued before the session that it forecasts had closed."""
        return self.target_date > self.last_closed


class Entry(NamedTuple):
    """What was asked and answered, on its way to the ledger."""

    asked: Asked
    issued: Issued
    issued_at: int
    role: Role = "answer"
    body: bytes | None = None  # of the answer, where it has been encoded

    @property
    def questions(self) -> tuple[Question, ...]:
        """What was asked, at each horizon; of the same history."""
        return self.asked.questions if isinstance(self.asked, TermStructure) else (self.asked,)

    def records(self, known: MutableMapping[str, object]) -> list[Record]:
        """One a horizon, but of forecasts that are known from the same state of the bars.

        Parameters
        ----------
        known : by id, the state of the bars that each was last recorded from; takes up these.
        """
        issued, questions = self.issued, self.questions
        each = (issued,) if isinstance(issued, IssuedForecast) else issued
        held = questions[0].history
        assert isinstance(held, Held)
        state = held.known_at, questions[0].beside.known_at
        found = []
        for question, it in zip(questions, each, strict=True):
            if known.get(it.forecast_id) != state:
                known[it.forecast_id] = state
                found.append(self._record(question, it, held))
        return found

    def _record(self, question: Question, issued: IssuedForecast, held: Held) -> Record:
        said = issued.forecast
        assert said.as_of is not None
        assert said.target_date is not None
        return Record(
            issued.forecast_id,
            held.asset.asset,
            said.model,
            said.model_version,
            said.model_sha256,
            said.horizon,
            said.as_of,
            said.target_date,
            self._last_closed(question, held),
            question.as_of,
            self.issued_at,
            self.issued_at,
            tuple([it.level for it in said.intervals]),
            _known_at(question, held),
            self.role,
            self._answer(issued),
        )

    def _last_closed(self, question: Question, held: Held) -> date:
        """The last session that had closed when it was issued, whatever time it replays."""
        if question.known_at is None:
            return cast(date, question.last_closed.item())
        return to_date(held.calendar.last_closed_session(moment_of(self.issued_at)))

    def _answer(self, issued: IssuedForecast) -> bytes:
        said = issued.forecast
        if self.body is not None and issued is self.issued and said.explanation is None:
            return self.body
        # An explanation is ten times as long as the forecast, and can be asked for again.
        return encode(issued._replace(forecast=said._replace(explanation=None)))


def _known_at(question: Question, held: Held) -> dict[str, int]:
    beside = question.beside
    if not beside.companions:
        return {held.asset.asset: held.known_at}
    companions = zip(beside.companions, beside.known_at, strict=True)
    return {held.asset.asset: held.known_at} | {it.name: moment for it, moment in companions}
