"""Answers forecast requests; a single one is a batch of one, so that both give the same bytes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models_store import Forecast, ForecastInput
from service.assets.holdings import Held, Holdings
from service.forecasts.encoding import encode
from service.forecasts.query import Question, from_held, from_inline
from service.forecasts.schemas import ForecastRequest, Skill
from service.http.clock import Clock, Moment, Watch
from service.models.catalogue import Catalogue, Choice
from volatility.errors import RoughcastError

# Answers from held history, of about a kilobyte each: they stay the same until a bar comes in or a
# session closes.
_MAX_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """One encoded forecast, and whose it is."""

    asset: str
    model: str
    body: bytes


class Forecaster:
    """Answers forecast requests.

    Parameters
    ----------
    catalogue : the models.
    holdings : the held history.
    clock : the time, with its zone.
    """

    def __init__(self, catalogue: Catalogue, holdings: Holdings, clock: Clock) -> None:
        self._catalogue = catalogue
        self._holdings = holdings
        self._watch = Watch(clock)
        self._remembered: dict[tuple[object, ...], Answer] = {}

    def forecast(self, request: ForecastRequest) -> Answer:
        """Answer one request.

        Raises
        ------
        RoughcastError : it cannot be answered; the error says why.
        """
        answer = self.forecast_batch([request])[0]
        if isinstance(answer, RoughcastError):
            raise answer
        return answer

    def forecast_batch(self, requests: Sequence[ForecastRequest]) -> list[Answer | RoughcastError]:
        """Answer every request, or say why not, in order."""
        moment = self._watch.moment()
        settled = [self._settle(request, moment) for request in requests]
        answers = self._ask([it for it in settled if isinstance(it, _Pending)])
        return [answers[id(it)] if isinstance(it, _Pending) else it for it in settled]

    def _settle(
        self, request: ForecastRequest, moment: Moment
    ) -> "Answer | _Pending | RoughcastError":
        try:
            choice = self._catalogue.resolve(request.asset, request.model)
            if request.history is not None:
                pending = _Pending(from_inline(request, request.history, choice, moment), None)
            else:
                held = self._holdings.get(request.asset)
                key = _key(request, choice, held, moment)
                remembered = self._remembered.get(key)
                if remembered is not None:
                    return remembered
                pending = _Pending(from_held(request, choice, held, moment), key)
        except RoughcastError as error:
            return error
        return pending

    def _ask(self, pending: Sequence["_Pending"]) -> dict[int, Answer | RoughcastError]:
        by_model: dict[str, list[_Pending]] = defaultdict(list)
        for one in pending:
            by_model[one.question.choice.model.sha256].append(one)
        return {
            id(one): answer for group in by_model.values() for one, answer in self._ask_model(group)
        }

    def _ask_model(
        self, group: Sequence["_Pending"]
    ) -> Iterator[tuple["_Pending", Answer | RoughcastError]]:
        """Ask one model all its questions at once; where it refuses one, find out which."""
        try:
            yield from self._answers(group)
        except RoughcastError:
            refusals = [(one, one.refusal()) for one in group]
            yield from ((one, refusal) for one, refusal in refusals if refusal)
            yield from self._answers([one for one, refusal in refusals if not refusal])

    def _answers(self, group: Sequence["_Pending"]) -> list[tuple["_Pending", Answer]]:
        if not group:
            return []
        questions = [one.question for one in group]
        model = questions[0].choice.model
        skill = self._catalogue.skill(model)
        forecasts = model.forecast_batch(
            [ForecastInput(it.history, it.levels, it.horizon) for it in questions]
        )
        return [
            (one, self._answer(one, forecast, skill))
            for one, forecast in zip(group, forecasts, strict=True)
        ]

    def _answer(self, one: "_Pending", forecast: Forecast, skill: Skill | str) -> Answer:
        answer = Answer(forecast.asset, forecast.model, encode(one.question, forecast, skill))
        if one.key is not None:
            self._remember(one.key, answer)
        return answer

    def _remember(self, key: tuple[object, ...], answer: Answer) -> None:
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = answer


@dataclass(frozen=True, slots=True)
class _Pending:
    """A question that has no answer yet, and the key to remember its answer under."""

    question: Question
    key: tuple[object, ...] | None

    def refusal(self) -> RoughcastError | None:
        """What the model has against the question, if anything."""
        question = self.question
        try:
            question.choice.model.check(
                ForecastInput(question.history, question.levels, question.horizon)
            )
        except RoughcastError as error:
            return error
        return None


def _key(
    request: ForecastRequest, choice: Choice, held: Held, moment: Moment
) -> tuple[object, ...]:
    """Everything that an answer from held history depends on."""
    return (
        request.asset,
        choice.model.sha256,
        choice.degraded_reason,
        request.horizon,
        request.levels,
        request.as_of,
        held.revision,
        moment.last_closed_session(held.calendar),
    )
