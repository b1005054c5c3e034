"""What answers ``auto`` where the model that was chosen fails: the next of the ladder that can."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from models_store import PredictionFailed
from service.forecasts.encoding import Encoded, EncodedForecasts
from service.forecasts.query import Asked, Question, Questions, TermStructure
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import AUTO, LADDER
from volatility.errors import InvalidSeries, RoughcastError

log = structlog.get_logger("service")


def descend(
    request: ForecastRequest,
    error: PredictionFailed | InvalidSeries,
    questions: Questions,
    encoded: EncodedForecasts,
) -> Encoded:
    """Answer ``auto`` from the first model of the ladder that can, and say why.

    The model that was chosen is asked again by the next request.

    Parameters
    ----------
    request : what was asked.
    error : of the model that was chosen.
    questions, encoded : as for the first try.

    Raises
    ------
    PredictionFailed : a model was asked for by name, or none of the ladder can answer.
    InvalidSeries : the request has a fault that is its own.
    """
    failed, reasons = set[str](), [str(error)]
    if isinstance(error, PredictionFailed):
        log.warning("prediction failed", asset=request.asset, reason=str(error), exc_info=error)
        failed.add(error.model)
    if request.model != AUTO or not _is_ours(request, error, questions):
        raise error
    for name in LADDER:
        if name in failed:
            continue
        asked = request.model_copy(update={"model": name})
        reason = f"{'; '.join(reasons)}; {name} answers instead"
        try:
            return encoded.answer(_because(reason, questions.of(asked)))
        except PredictionFailed as another:
            reasons.append(str(another))
        except RoughcastError:
            continue  # there is none, or it cannot answer what is asked
    raise error


def descend_in_batch(
    items: Sequence[ForecastRequest | RoughcastError],
    results: Sequence[Encoded | RoughcastError],
    questions: Questions,
    encoded: EncodedForecasts,
) -> list[Encoded | RoughcastError]:
    """The results of a batch, with those that failed answered by :func:`descend` if they can be."""
    return [
        _descend_or_refuse(item, result, questions, encoded)
        if isinstance(item, ForecastRequest)
        and isinstance(result, PredictionFailed | InvalidSeries)
        else result
        for item, result in zip(items, results, strict=True)
    ]


def _descend_or_refuse(
    request: ForecastRequest,
    error: PredictionFailed | InvalidSeries,
    questions: Questions,
    encoded: EncodedForecasts,
) -> Encoded | RoughcastError:
    try:
        return descend(request, error, questions, encoded)
    except RoughcastError as found:
        return found


def _is_ours(request: ForecastRequest, error: RoughcastError, questions: Questions) -> bool:
    """Whether another model may answer: one failed, or stands in and needs more than was sent."""
    if isinstance(error, PredictionFailed):
        return True
    return error.code == "missing_columns" and questions.is_degraded(request)


def _because(reason: str, asked: Asked) -> Asked:
    """The same question, with the reason why another model is asked it."""
    if isinstance(asked, TermStructure):
        return TermStructure(tuple([_because_of_one(reason, it) for it in asked.questions]))
    return _because_of_one(reason, asked)


def _because_of_one(reason: str, question: Question) -> Question:
    choice = question.choice
    said = "; ".join([reason, *filter(None, [choice.degraded_reason])])
    return question._replace(choice=replace(choice, degraded_reason=said))
