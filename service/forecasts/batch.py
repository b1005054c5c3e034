"""Batches of forecast requests, in which a bad item fails alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from service.forecasts.encoding import Counted, Encoded, EncodedForecasts
from service.forecasts.issuing import Answers, T
from service.forecasts.ladder import Failed, Failures, descend_in_batch
from service.forecasts.query import Asked, ClockReading, Questions
from service.forecasts.replay import in_batch
from service.forecasts.requests import MAX_BATCH, MAX_EXPLAINED, BatchRequest, ForecastRequest
from service.http.bodies import read, read_short
from service.http.duplicates import duplicates
from service.http.errors import Fault, InvalidRequest
from service.http.giving_way import give_way
from service.http.json import to_bytes
from service.http.json_lists import Content, LongValue
from service.http.problems import MOST_FAULTS, from_validation, problem_of
from service.http.slices import Faults, cut, read_in_slices, too_long
from volatility.errors import RoughcastError

Parsed = ForecastRequest | RoughcastError

MOST_INVALID = 1_000  # items that do not fit the schema and fail alone; it takes 20 µs to say why
# Items that are answered, and let go of, together: ten thousand at once are no faster, and keep
# every other thread waiting for ten milliseconds when they are freed, or made one answer of.
_TOGETHER = 256
_REQUESTS = TypeAdapter(list[ForecastRequest])


class Answer(NamedTuple):
    """A batch's answer, and of how many forecasts of each asset, model and flags it is."""

    parts: list[bytes]  # of its JSON, a few hundred kilobytes each
    forecasts: Counter[Counted]


def parse(body: Content) -> Iterator[Parsed]:
    """The items of a batch, each a request or what is wrong with it.

    Explanations of more than :data:`.MAX_EXPLAINED` forecasts are refused, those of the last items.

    Raises
    ------
    MalformedJson, InvalidRequest, BodyTooLarge : the batch as a whole is at fault; or, while it is
        iterated, more than :data:`MOST_INVALID` of its items are.
    """
    return _as_allowed(_read(body))


def is_long(items: Sequence[Parsed], questions: Questions) -> bool:
    """Whether an item would keep others waiting; see :meth:`.Questions.is_long`."""
    return any(isinstance(it, ForecastRequest) and questions.is_long(it) for it in items)


def answer(
    items: Iterable[Parsed], questions: Questions, encoded: EncodedForecasts, path: str
) -> Answer:
    """Answer what can be answered, in order: each forecast's own bytes, or its problem.

    Raises
    ------
    InvalidRequest : of :func:`parse`, whose items may be iterated here.
    """
    made = _Made(path)
    for some in answered(items, questions, encoded):
        made.add(some)
    return made.answer()


def answered(
    items: Iterable[Parsed], questions: Questions, answers: Answers[T]
) -> Iterator[list[T | RoughcastError]]:
    """Answer what can be answered, in order, some items at a time.

    Parameters
    ----------
    items : requests, or what is wrong with them.
    questions : asked at one and the same time.
    answers : in the form that is wanted.
    """
    questions = questions.pinned()  # of each model the batch has one version
    reading, failures, rest = questions.read_clock(), Failures(), iter(items)
    try:
        while some := list(islice(rest, _TOGETHER)):
            results = answers.answer_batch(asked_of(some, questions, reading))
            yield descend_in_batch(some, results, questions, answers, failures)
            give_way()
    finally:
        failures.log()


def answer_at_once(
    items: Sequence[Parsed], questions: Questions, encoded: EncodedForecasts, path: str
) -> Answer | None:
    """As :func:`answer`, on the event loop; None where a model fails.

    Others are to be asked then, which may have to be opened first.
    """
    questions = questions.pinned()
    results = encoded.answer_batch(asked_of(items, questions, questions.read_clock()))
    if any(isinstance(it, Failed) for it in results):
        return None
    made = _Made(path)
    made.add(results)
    return made.answer()


def asked_of(
    items: Iterable[Parsed], questions: Questions, reading: ClockReading
) -> list[Asked | RoughcastError]:
    """What each item asks at one and the same time, or why it cannot be asked."""
    return [
        it if isinstance(it, RoughcastError) else _asked_or_error(it, questions, reading)
        for it in items
    ]


def _asked_or_error(
    item: ForecastRequest, questions: Questions, reading: ClockReading
) -> Asked | RoughcastError:
    try:
        if item.known_at is not None:
            raise in_batch(item.known_at)
        return questions.of(item, reading)
    except RoughcastError as error:
        return error


class _Made:
    """An answer that is made part by part."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._parts: list[bytes] = []
        self._number = 0
        self._forecasts: Counter[Counted] = Counter()

    def add(self, results: Sequence[Encoded | RoughcastError]) -> None:
        """Add the results of some items as one part."""
        bodies = [
            it.body
            if isinstance(it, Encoded)
            else to_bytes(problem_of(it, f"{self._path}#/items/{number}"))
            for number, it in enumerate(results, self._number)
        ]
        self._parts.append((b"," if self._parts else b"") + b",".join(bodies))
        made = [it for it in results if isinstance(it, Encoded)]
        self._forecasts.update((it.asset, it.model, it.flags) for it in made)
        self._number += len(results)

    def answer(self) -> Answer:
        """All of it."""
        failed = self._number - self._forecasts.total()
        head = b'{"failed":%d,"items":[' % failed
        return Answer([head, *self._parts, b"]}"], self._forecasts)


def _read(body: Content) -> Iterable[Parsed]:
    read = None
    with suppress(InvalidRequest):  # in slices it is found out which items are at fault
        read = read_short(BatchRequest, body)
    if read is not None:
        return read.items
    lists, rest = cut(BatchRequest, body, keep=0)
    if not lists:
        return read_in_slices(BatchRequest, body).items
    _check_around(lists[0], rest)
    return _up_to_most_invalid(_items(lists[0], body))


def _check_around(items: LongValue, rest: Content) -> None:
    """Check the batch without its items, and how many these are."""
    found = Faults()
    found.of(BatchRequest.model_validate_json, rest)
    if len(items) > MAX_BATCH:
        found.add([too_long(items, MAX_BATCH)])
    if found.details:
        raise from_validation(found.details, BatchRequest, found.stopped)


def _items(items: LongValue, body: Content) -> Iterator[Parsed]:
    """Read items, each by itself where one of some does not fit the schema."""
    for first, last in items.slices():
        try:
            part = items.part(body, first, last)
            read = _REQUESTS.validate_json(part) if last - first > 1 else []
            if read and not duplicates(part, read):
                yield from read
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


def _as_allowed(items: Iterable[Parsed]) -> Iterator[Parsed]:
    explained = 0
    for item in items:
        if isinstance(item, ForecastRequest) and item.model_version is not None:
            yield _names_a_version(item.model_version)
            continue
        if isinstance(item, ForecastRequest) and item.explain:
            explained += len(item.horizons or (item.horizon,))
            if explained > MAX_EXPLAINED:
                yield _too_many_explained(explained)
                continue
        yield item


def _names_a_version(version: int) -> InvalidRequest:
    needed = "POST /forecast, or items without model_version"
    detail = (
        "model_version: a version that does not serve is opened for each request; "
        f"found {version}; needed: {needed}"
    )
    return InvalidRequest(
        [Fault("model_version_in_batch", detail, "model_version", version, needed)]
    )


def _too_many_explained(explained: int) -> InvalidRequest:
    needed = f"at most {MAX_EXPLAINED} forecasts of a batch explained"
    detail = f"explain: found {explained} forecasts to explain up to here; needed: {needed}"
    return InvalidRequest([Fault("too_many_explained", detail, "explain", explained, needed)])
