"""How a request is answered without keeping others waiting, whatever the answer is written in."""

from starlette.types import Scope

from models_store import PredictionFailed
from service.forecasts.issuing import Answers, T
from service.forecasts.ladder import descend
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest
from service.http.lanes import Lane, Lanes, lanes_of
from volatility.errors import InvalidSeries


async def answer(body: ForecastRequest, scope: Scope, answers: Answers[T]) -> T:
    """Answer one request: at once, or in a thread where it would keep others waiting.

    Parameters
    ----------
    body : what is asked.
    scope : of the HTTP request, with the application's state.
    answers : in the form that is wanted.

    Raises
    ------
    RoughcastError : it cannot be answered; the error says why.
    """
    questions: Questions = scope["state"]["questions"]
    try:
        if questions.is_long(body):
            lane = lane_for(body, lanes_of(scope), questions)
            return await lane.run(_answer, body, questions, answers)
        return _answer(body, questions, answers)
    except (PredictionFailed, InvalidSeries) as error:
        lanes = lanes_of(scope)
        lane = lanes.models if body.known_at is None else lanes.ingest
        return await lane.run(descend, body, error, questions, answers)


def lane_for(body: ForecastRequest, lanes: Lanes, questions: Questions) -> Lane:
    """Threads for a long forecast: what the store or the database has to answer delays no other."""
    if body.known_at is not None:
        return lanes.ingest
    return lanes.work if questions.is_open(body) else lanes.models


def _answer(body: ForecastRequest, questions: Questions, answers: Answers[T]) -> T:
    return answers.answer(questions.of(body))
