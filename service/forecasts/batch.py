"""Batches of forecast requests, in which a bad item fails alone."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from service.forecasts.encoding import Encoded, EncodedForecasts
from service.forecasts.ladder import descend_in_batch
from service.forecasts.query import Questions
from service.forecasts.requests import MAX_BATCH, MAX_EXPLAINED, BatchRequest, ForecastRequest
from service.http.bodies import read, read_short
from service.http.errors import Fault, InvalidRequest
from service.http.json import to_bytes
from service.http.json_lists import Content, LongList
from service.http.problems import MOST_FAULTS, from_validation, problem_of
from service.http.slices import Faults, cut, read_in_slices, too_long
from volatility.errors import RoughcastError

Parsed = ForecastRequest | RoughcastError

MOST_INVALID = 1_000  # items that do not fit the schema and fail alone; it takes 20 µs to say why
_REQUESTS = TypeAdapter(list[ForecastRequest])


class Answer(NamedTuple):
    """A batch's answer, and of how many forecasts of each asset and model it is."""

    body: bytes
    forecasts: Counter[tuple[str, str]]


def parse(body: Content) -> list[Parsed]:
    """The items of a batch, each a request or what is wrong with it.

    Explanations of more than :data:`.MAX_EXPLAINED` forecasts are refused, those of the last items.

    Raises
    ------
    MalformedJson, InvalidRequest, BodyTooLarge : the batch as a whole is at fault, or more than
        :data:`MOST_INVALID` of its items are.
    """
    return list(_with_few_explained(_read(body)))


def is_long(items: Sequence[Parsed], questions: Questions) -> bool:
    """Whether an item would keep others waiting; see :meth:`.Questions.is_long`."""
    return any(isinstance(it, ForecastRequest) and questions.is_long(it) for it in items)


def answer(
    items: Sequence[Parsed], questions: Questions, encoded: EncodedForecasts, path: str
) -> Answer:
    """Answer what can be answered, in order: each forecast's own bytes, or its problem."""
    results = encoded.answer_batch(questions.of_batch(items))
    results = descend_in_batch(items, results, questions, encoded)
    bodies = [
        it.body if isinstance(it, Encoded) else to_bytes(problem_of(it, f"{path}#/items/{index}"))
        for index, it in enumerate(results)
    ]
    forecasts = Counter((it.asset, it.model) for it in results if isinstance(it, Encoded))
    failed = len(results) - forecasts.total()
    return Answer(b'{"failed":%d,"items":[%b]}' % (failed, b",".join(bodies)), forecasts)


def _read(body: Content) -> list[Parsed]:
    read = None
    with suppress(InvalidRequest):  # in slices it is found out which items are at fault
        read = read_short(BatchRequest, body)
    if read is not None:
        return list(read.items)
    lists, rest = cut(BatchRequest, body, keep=0)
    if not lists:
        return list(read_in_slices(BatchRequest, body).items)
    _check_around(lists[0], rest)
    return list(_up_to_most_invalid(_items(lists[0], body)))


def _check_around(items: LongList, rest: Content) -> None:
    """Check the batch without its items, and how many these are."""
    found = Faults()
    found.of(partial(BatchRequest.model_validate_json, rest))
    if len(items) > MAX_BATCH:
        found.add([too_long(items, MAX_BATCH)])
    if found.details:
        raise from_validation(found.details, found.stopped)


def _items(items: LongList, body: Content) -> Iterator[Parsed]:
    """Read items, each by itself where one of some does not fit the schema."""
    for first, last in items.slices():
        try:
            if last - first > 1:
                yield from _REQUESTS.validate_json(items.part(body, first, last))
                continue
        except ValidationError:
            pass
        for it in range(first, last):
            yield _item(body[items.start_of(it) : items.end_of(it)])


def _item(content: Content) -> Parsed:
    try:
        return read(ForecastRequest, content)
    except InvalidRequest as error:
        return error


def _up_to_most_invalid(items: Iterator[Parsed]) -> Iterator[Parsed]:
    """The same items.

    Raises
    ------
    InvalidRequest : too many of them do not fit the schema.
    """
    faults: list[Fault] = []
    invalid = 0
    for index, item in enumerate(items):
        if isinstance(item, InvalidRequest):
            invalid += 1
            faults += [_in_batch(it, index) for it in item.faults if len(faults) < MOST_FAULTS]
            if invalid > MOST_INVALID:
                raise InvalidRequest(faults[:MOST_FAULTS], stopped=True)
        yield item


def _in_batch(fault: Fault, index: int) -> Fault:
    field = f"items[{index}]" if fault.field == "body" else f"items[{index}].{fault.field}"
    return replace(fault, field=field, detail=f"items[{index}]: {fault.detail}")


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
