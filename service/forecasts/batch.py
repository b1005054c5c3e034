"""Batches of forecast requests, in which a bad item fails alone."""

from collections import Counter
from collections.abc import Iterator, Sequence

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json

from service.forecasts.encoding import Encoded, EncodedForecasts
from service.forecasts.ladder import descend_in_batch
from service.forecasts.query import Questions
from service.forecasts.requests import MAX_EXPLAINED, BatchRequest, ForecastRequest
from service.http.errors import Fault, InvalidRequest
from service.http.json import to_bytes
from service.http.problems import from_validation, problem_of
from volatility.errors import RoughcastError

Parsed = ForecastRequest | RoughcastError
Result = Encoded | RoughcastError


def parse(body: bytes) -> list[Parsed]:
    """The items of a batch, each a request or what is wrong with it.

    Explanations of more than :data:`.MAX_EXPLAINED` forecasts are refused, those of the last items.

    Raises
    ------
    MalformedJson, InvalidRequest : the batch as a whole is at fault.
    """
    try:
        items: list[Parsed] = list(BatchRequest.model_validate_json(body).items)
    except ValidationError as error:
        details = error.errors(include_url=False)
        by_item = _by_item(details)
        if by_item is None:
            raise from_validation(details) from error
        items = _without(body, by_item)
    return list(_with_few_explained(items))


def is_long(items: Sequence[Parsed], questions: Questions) -> bool:
    """Whether an item would keep others waiting; see :meth:`.Questions.is_long`."""
    return any(isinstance(it, ForecastRequest) and questions.is_long(it) for it in items)


def answer(
    items: Sequence[Parsed], questions: Questions, encoded: EncodedForecasts
) -> list[Result]:
    """Answer what can be answered, in order."""
    results = encoded.answer_batch(questions.of_batch(items))
    return descend_in_batch(items, results, questions, encoded)


def count(results: Sequence[Result]) -> Counter[tuple[str, str]]:
    """Forecasts by asset and model."""
    return Counter((it.asset, it.model) for it in results if isinstance(it, Encoded))


def encode(results: Sequence[Result], path: str) -> bytes:
    """The JSON of a batch's answer: each forecast's own bytes, or its problem."""
    items = [
        it.body if isinstance(it, Encoded) else to_bytes(problem_of(it, f"{path}#/items/{index}"))
        for index, it in enumerate(results)
    ]
    failed = sum(not isinstance(it, Encoded) for it in results)
    return b'{"failed":%d,"items":[%s]}' % (failed, b",".join(items))


def _with_few_explained(items: Sequence[Parsed]) -> Iterator[Parsed]:
    explained = 0
    for item in items:
        if isinstance(item, ForecastRequest) and item.explain:
            explained += len(item.horizons or (item.horizon,))
            if explained > MAX_EXPLAINED:
                yield _too_many_explained(explained)
                continue
        yield item


def _too_many_explained(explained: int) -> InvalidRequest:
    needed = f"at most {MAX_EXPLAINED} forecasts of a batch explained"
    detail = f"explain: found {explained} forecasts to explain up to here; needed: {needed}"
    return InvalidRequest([Fault("too_many_explained", detail, "explain", explained, needed)])


def _by_item(details: Sequence[ErrorDetails]) -> dict[int, list[ErrorDetails]] | None:
    """Faults by the item they are in, or None where one is outside of every item."""
    by_item: dict[int, list[ErrorDetails]] = {}
    for detail in details:
        match detail["loc"]:
            case ("items", int(index), *rest):
                by_item.setdefault(index, []).append({**detail, "loc": tuple(rest)})
            case _:
                return None
    return by_item


def _without(body: bytes, faulty: dict[int, list[ErrorDetails]]) -> list[Parsed]:
    """Parse the items that have no fault, and put the faults of the others in their places."""
    items = from_json(body)["items"]
    sound = {"items": [item for index, item in enumerate(items) if index not in faulty]}
    parsed = iter(BatchRequest.model_validate_json(to_json(sound)).items)
    return [
        from_validation(faulty[index]) if index in faulty else next(parsed)
        for index in range(len(items))
    ]
