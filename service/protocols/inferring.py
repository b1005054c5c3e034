"""How an inference is answered: one row as a single forecast is, several as a batch."""

from collections.abc import Iterator, Sequence
from typing import TypedDict

from starlette.types import Scope

from service.forecasts import batch
from service.forecasts.answering import answer, lane_for
from service.forecasts.forecaster import Issued, IssuedForecast
from service.forecasts.issuing import IssuedForecasts
from service.forecasts.query import Questions
from service.http.json_lists import Content
from service.http.lanes import lanes_of
from service.http.limits import BodyLimits
from service.http.middleware import ABOUT
from service.http.slices import SHORT
from service.protocols.inference import Inference, Target
from service.protocols.outputs import Answer, Encoded
from volatility.errors import RoughcastError


class ProtocolState(TypedDict):
    """What is used of the application's state."""

    questions: Questions
    issued: IssuedForecasts
    body_limits: BodyLimits


async def answer_inference(
    target: Target, content: Content, json_length: int | None, scope: Scope
) -> Encoded:
    """Answer the body of one inference.

    Parameters
    ----------
    target, content, json_length : as in :meth:`.Inference.of`.
    scope : of the HTTP request, with the application's state.

    Raises
    ------
    RoughcastError : the body is not as the protocol has it, or a row cannot be answered; the error
        says why, and which.
    """
    state: ProtocolState = scope["state"]
    of_held = target.request()
    scope[ABOUT] = (of_held.asset, of_held.model, None)
    lane = lane_for(of_held, lanes_of(scope), state["questions"])
    if len(content) > SHORT:
        return await lane.run(_read_and_answered, target, content, json_length, state)
    inference = Inference.of(target, content, json_length, state["body_limits"])
    if inference.rows > 1:
        return await lane.run(_answered, target, inference, state)
    [asked] = inference.requests()
    found = Answer(target.name, inference.wanted)
    [issued] = _sound([await answer(asked, scope, state["issued"])])
    scope[ABOUT] = (of_held.asset, issued.forecast.model, issued.forecast_id)
    found.add([issued])
    return found.encoded()


def _read_and_answered(
    target: Target, content: Content, json_length: int | None, state: ProtocolState
) -> Encoded:
    """Read a long body and answer it, in one thread: what it is made of is freed there as well."""
    inference = Inference.of(target, content, json_length, state["body_limits"])
    return _answered(target, inference, state)


def _answered(target: Target, inference: Inference, state: ProtocolState) -> Encoded:
    found, row = Answer(target.name, inference.wanted), 0
    for some in batch.answered(inference.requests(), state["questions"], state["issued"]):
        found.add(_sound(some, row))
        row += len(some)
    return found.encoded()


def _sound(results: Sequence[Issued | RoughcastError], first: int = 0) -> Iterator[IssuedForecast]:
    """The forecasts of rows from ``first`` on, all of which must be sound."""
    for row, it in enumerate(results, first):
        if isinstance(it, RoughcastError):
            it.add_note(f"row {row}")
            raise it
        assert isinstance(it, IssuedForecast)
        yield it
