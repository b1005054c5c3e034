"""JSON bodies of any length, read so that nobody waits for it, and no more faults than are needed.

A short body is read in one call, by :func:`.bodies.read`. Of a longer one the long lists are read
in slices of some kilobytes, between which other threads run; a body with faults is read in the same
way, until :data:`.MOST_FAULTS` are found.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from types import UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from service.http.duplicates import duplicates
from service.http.errors import BodyTooLarge, MalformedJson
from service.http.json_lists import Content, LongValue, around, lists_of, outline
from service.http.limits import count_of
from service.http.problems import MOST_FAULTS, from_validation

SHORT = 64 * 1024  # bytes, read in a millisecond
_LONG_LIST = 8 * 1024  # bytes, of a body that is not short
_MOST_OUTSIDE = 5_000  # values outside of such lists: a request has some hundred
MOST_BYTES_OUTSIDE = 1024 * 1024  # of names and values there, read in one call

Schema = TypeVar("Schema", bound=BaseModel)
Values = TypeAdapter[list[Any]]


class Declared(NamedTuple):
    """A list as the schema declares it."""

    values: Values
    most: int | None


def read_in_slices(schema: type[Schema], content: Content) -> Schema:
    """Read a body whose lists are long, or have faults.

    Raises
    ------
    MalformedJson, InvalidRequest : it is not JSON, or does not fit the schema.
    BodyTooLarge : it has more values outside of lists than any request needs.
    """
    lists, skeleton = cut(schema, content, keep=1)
    found = Faults()
    read: Schema | None = found.of(schema.model_validate_json, skeleton)
    rest = [_rest(it, schema, content, found) for it in lists]
    if found.details:
        raise from_validation(found.details, schema, found.stopped)
    assert read is not None
    for it, values in zip(lists, rest, strict=True):
        _at(read, it.path).extend(values)
    return read


def cut(schema: type[BaseModel], content: Content, keep: int) -> tuple[list[LongValue], Content]:
    """The lists of a body that are read in slices, and the body with few of their items.

    They are those that its schema knows: in a short body all, in a long one those of some
    kilobytes.

    Raises
    ------
    MalformedJson : its brackets do not match.
    BodyTooLarge : it has more values outside of these lists than any request needs.
    """
    longer_than = _LONG_LIST if len(content) > SHORT else 0
    known = [it for it in lists_of(content, outline(content)) if declared(schema, it.path)]
    lists = [it for it in known if it.end - it.start > longer_than]
    lists = [it for it in lists if it.number_in(content) > keep]
    skeleton = outside(content, lists, keep)
    check_values(skeleton)
    if keep:
        for it in lists:
            it.part(content, 0, keep)  # refused where the first of several items is empty
    return lists, skeleton


def outside(content: Content, values: Sequence[LongValue], keep: int = 0) -> bytes:
    """A document without values that are read in slices, but with the first items of each.

    Raises
    ------
    BodyTooLarge : it has more bytes outside of them than any request needs.
    """
    values = sorted(values, key=lambda it: it.start)
    pieces = [*around(values, 0, len(content), keep)]
    _check_length(sum(it.stop - it.start for it in pieces))  # before they are copied
    return b"".join([content[it] for it in pieces])


class Faults:
    """What is wrong with a body, up to :data:`.MOST_FAULTS` faults.

    Attributes
    ----------
    details : as pydantic tells them, each where it is in the whole body.
    """

    def __init__(self) -> None:
        self.details: list[ErrorDetails] = []

    @property
    def stopped(self) -> bool:
        """Whether there may be more, which nobody has looked for."""
        return len(self.details) >= MOST_FAULTS

    def of(
        self,
        validate: Callable[[Content], Any],
        part: Content,
        prefix: tuple[str, ...] = (),
        first: int = 0,
    ) -> Any:
        """What pydantic makes of a part of the body; None where it has faults, which are kept.

        Parameters
        ----------
        validate : of pydantic.
        part : JSON.
        prefix : where in the body the part is.
        first : number of the first item of a list, if it is one.
        """
        try:
            read = validate(part)
        except ValidationError as error:
            self.add(error.errors(include_url=False), prefix, first)
            return None
        twice = duplicates(part, read)
        if twice:
            self.add(twice, prefix, first)
        return None if twice else read

    def add(
        self, details: list[ErrorDetails], prefix: tuple[str, ...] = (), first: int = 0
    ) -> None:
        """Keep faults, as long as there are not enough."""
        if details[0]["type"] == "json_invalid" and prefix:
            raise MalformedJson(
                f"the body is not JSON: {details[0]['ctx']['error'].partition(' at line')[0]} "
                f"within {'.'.join(prefix)}, from item {first} on",
                field="body",
                needed="a JSON document (RFC 8259)",
            )
        for detail in details[: MOST_FAULTS - len(self.details)]:
            match detail["loc"]:
                case (int(item), *rest) if prefix:
                    self.details.append({**detail, "loc": (*prefix, first + item, *rest)})
                case _:
                    self.details.append({**detail, "loc": (*prefix, *detail["loc"])})


@lru_cache
def declared(schema: type[BaseModel], path: tuple[str, ...]) -> Declared | None:
    """The list that a schema has at a path, if it has one there."""
    annotation: Any = schema
    field: FieldInfo | None = None
    strict = False  # as the model is that has the list: a number in quotes is none
    for name in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            strict = annotation.model_config.get("strict") or False
            field = annotation.model_fields.get(name)
            annotation = _without_none(field.annotation) if field else None
        elif get_origin(annotation) is dict:
            field, annotation = None, _without_none(get_args(annotation)[1])
        else:
            return None
    if get_origin(annotation) is not list or field is None:
        return None
    most = next((it.max_length for it in field.metadata if isinstance(it, MaxLen)), None)
    return Declared(TypeAdapter(annotation, config=ConfigDict(strict=strict)), most)


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, UnionType):
        return next(it for it in get_args(annotation) if it is not type(None))
    return annotation


def _rest(long: LongValue, schema: type[BaseModel], content: Content, found: Faults) -> list[Any]:
    """Items of a list from the second on."""
    known = declared(schema, long.path)
    assert known is not None
    if known.most is not None and len(long) > known.most:
        found.add([too_long(long, known.most)])
        return []
    values: list[Any] = []
    for first, part in parts(long, content, start=1):
        if found.stopped:
            break
        read = found.of(known.values.validate_json, part, long.path, first)
        values += read or ()
    return values


def parts(
    long: LongValue, content: Content, start: int = 0, within: Sequence[LongValue] = ()
) -> Iterator[tuple[int, bytes]]:
    """A list or an object as several, of some kilobytes each, and the first item of each.

    Parameters
    ----------
    long : the list or the object.
    content : the document.
    start : the first item that is wanted.
    within : values that are left empty in it, by where they start.

    Raises
    ------
    MalformedJson : an item is empty.
    BodyTooLarge : an item of a list has more values, or one of either is longer, than any request
        needs.
    """
    for at, last in long.slices():
        first = max(at, start)
        if first < last:
            part = long.part(content, first, last, within)
            if long.is_list:
                check_values(part)
            else:
                _check_length(len(part))
            yield first, part


def check_values(part: Content) -> None:
    """Refuse what has more values, or longer ones, than any request has in one place."""
    _check_length(len(part))
    if len(part) > _MOST_OUTSIDE and count_of(b",", part) > _MOST_OUTSIDE:
        needed = f"at most {_MOST_OUTSIDE} values outside of long lists"
        raise BodyTooLarge(
            f"the body has more values than any request needs; needed: {needed}",
            code="too_many_values",
            field="body",
            needed=needed,
        )


def _check_length(number: int) -> None:
    if number > MOST_BYTES_OUTSIDE:
        needed = f"at most {MOST_BYTES_OUTSIDE} bytes outside of long lists"
        raise BodyTooLarge(
            f"the body has more bytes of names and values than any request needs; needed: {needed}",
            field="body",
            found=f"{number} bytes",
            needed=needed,
        )


def _at(read: BaseModel, path: tuple[str, ...]) -> list[Any]:
    found: Any = read
    for name in path:
        found = found[name] if isinstance(found, dict) else getattr(found, name)
    return found  # type: ignore[no-any-return]


def too_long(long: LongValue, most: int) -> ErrorDetails:
    """What pydantic would say of a list of too many items, at which nobody looks."""
    number = len(long)
    return {
        "type": "too_long",
        "loc": long.path,
        "msg": f"List should have at most {most} items after validation, not {number}",
        "input": f"a list of {number} items",
        "ctx": {"field_type": "List", "max_length": most, "actual_length": number},
    }
