"""What answers ``auto`` where the model that was chosen fails: the next of the ladder that can."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from models_store import PredictionFailed
from service.forecasts.issuing import Answers, T
from service.forecasts.query import Asked, Question, Questions, TermStructure
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import AUTO, LADDER
from service.models.choice import Choice
from volatility.errors import InvalidSeries, RoughcastError

log = structlog.get_logger("service")

Failed = PredictionFailed | InvalidSeries  # after which another model may answer


class Failures:
    """Failures of models, by model: the first with the asset that was asked, and how many."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str | None, PredictionFailed, int]] = {}

    def add(self, request: ForecastRequest, error: PredictionFailed) -> None:
        """Count one."""
        asset, first, number = self._found.get(error.model, (request.asset, error, 0))
        self._found[error.model] = asset, first, number + 1

    def log(self) -> None:
        """Write a warning for each model."""
        for model, (asset, error, number) in self._found.items():
            log.warning(
                "prediction failed",
                asset=asset,
                model=model,
                reason=str(error),
                failures=number,
                exc_info=error,
            )


def descend(
    request: ForecastRequest,
    error: Failed,
    questions: Questions,
    answers: Answers[T],
) -> T:
    """Answer ``auto`` from the first model of the ladder that can, and say why.

    The model that was chosen is asked again by the next request. Each model that fails is a warning
    in the log.

    Parameters
    ----------
    request : what was asked.
    error : of the model that was chosen.
    questions, answers : as for the first try.

    Raises
    ------
    PredictionFailed : a model was asked for by name, or none of the ladder can answer.
    InvalidSeries : the request has a fault that is its own.
    """
    failures = Failures()
    found = _descend(request, error, questions, answers, failures)
    failures.log()
    if isinstance(found, RoughcastError):
        raise found
    return found


def descend_in_batch(
    items: Sequence[ForecastRequest | RoughcastError],
    results: Sequence[T | RoughcastError],
    questions: Questions,
    answers: Answers[T],
    failures: Failures,
) -> list[T | RoughcastError]:
    """The results of a batch, with those that failed answered as by :func:`descend` if they can be.

    What fails is added to ``failures``.
    """
    return [
        _descend(item, result, questions, answers, failures)
        if isinstance(item, ForecastRequest) and isinstance(result, Failed)
        else result
        for item, result in zip(items, results, strict=True)
    ]


def _descend(
    request: ForecastRequest,
    error: Failed,
    questions: Questions,
    answers: Answers[T],
    failures: Failures,
) -> T | RoughcastError:
    if isinstance(error, PredictionFailed):
        failures.add(request, error)
    if request.model != AUTO or not _is_ours(request, error, questions):
        return error
    failed = error.model if isinstance(error, PredictionFailed) else None
    reasons = [*_reasons_before(request, questions), str(error)]
    for name in LADDER:
        if name == failed:
            continue
        asked = request.model_copy(update={"model": name})
        reason = f"{'; '.join(reasons)}; {name} answers instead"
        try:
            return answers.answer(_because(reason, questions.of(asked)))
        except PredictionFailed as another:
            failures.add(request, another)
            reasons.append(str(another))
        except RoughcastError:
            continue  # there is none, or it cannot answer what is asked
    return error


def _is_ours(request: ForecastRequest, error: RoughcastError, questions: Questions) -> bool:
    """Whether another model may answer: one failed, or stands in and needs more than was sent.

    Companions are missing only where the model that is to answer without them is not in service.
    """
    if isinstance(error, PredictionFailed) or error.code == "missing_companions":
        return True
    choice = _own_choice(request, questions)
    if error.code != "missing_columns" or choice is None:
        return False
    return choice.model.manifest.model != questions.catalogue.champion(choice.asset or "")


def _own_choice(request: ForecastRequest, questions: Questions) -> Choice | None:
    """The asset's own model that is asked, before its history has been looked at."""
    return questions.catalogue.choice(request.asset, request.model) if request.asset else None


def _reasons_before(request: ForecastRequest, questions: Questions) -> list[str]:
    """Why the model that was chosen is itself not the one that was meant, if it is not."""
    try:
        asked = questions.of(request)
    except RoughcastError:  # which the ladder is descended for
        choice = _own_choice(request, questions)
    else:
        choice = (asked.questions[0] if isinstance(asked, TermStructure) else asked).choice
    return [choice.degraded_reason] if choice and choice.degraded_reason else []


def _because(reason: str, asked: Asked) -> Asked:
    """The same question, with the reason why another model is asked it."""
    if isinstance(asked, TermStructure):
        return TermStructure(tuple([_because_of_one(reason, it) for it in asked.questions]))
    return _because_of_one(reason, asked)


def _because_of_one(reason: str, question: Question) -> Question:
    choice = question.choice
    said = "; ".join([reason, *filter(None, [choice.degraded_reason])])
    return question._replace(choice=replace(choice, degraded_reason=said))
