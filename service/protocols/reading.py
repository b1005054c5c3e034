"""Bodies of which each item of the list `inputs` may be long itself: a tensor, or a series."""

from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel

from service.http.bodies import read
from service.http.errors import Fault, InvalidRequest
from service.http.giving_way import give_way
from service.http.json_lists import Content, LongValue, lists_of, outline
from service.http.slices import SHORT, check_values, outside

Schema = TypeVar("Schema", bound=BaseModel)
_INPUTS = "inputs"


def read_inputs(schema: type[Schema], item: type[BaseModel], most: int, content: Content) -> Schema:
    """Read a body; a long one input by input, the long lists of each in slices.

    Parameters
    ----------
    schema : of the body, with a list `inputs` that may be empty.
    item : of one input.
    most : how many there may be.
    content : JSON.

    Raises
    ------
    MalformedJson, InvalidRequest : it is not JSON, or does not fit the schema.
    BodyTooLarge : it has more values outside of long lists than any request needs.
    """
    if len(content) <= SHORT:
        return read(schema, content)
    inputs = [it for it in lists_of(content, outline(content)) if it.path == (_INPUTS,)]
    rest = outside(content, inputs)
    check_values(rest)
    body = read(schema, rest)
    found: list[BaseModel] = []
    for it in inputs:
        if len(it) > most:
            raise _too_many(len(it), most)
        found += _items(it, item, content)
    return body.model_copy(update={_INPUTS: found}) if found else body


def _items(inputs: LongValue, item: type[BaseModel], content: Content) -> list[BaseModel]:
    if not inputs.number_in(content):
        return []
    found = []
    for index in range(len(inputs)):
        try:
            found.append(read(item, content[inputs.start_of(index) : inputs.end_of(index)]))
        except InvalidRequest as error:
            raise _of_input(error, index) from None
        give_way()
    return found


def _of_input(error: InvalidRequest, index: int) -> InvalidRequest:
    """The same error, of one of the inputs."""
    place = f"{_INPUTS}[{index}]"
    faults = [
        replace(
            it,
            field=place if it.field == "body" else f"{place}.{it.field}",
            detail=f"{place}: {it.detail}",
        )
        for it in error.faults
    ]
    return InvalidRequest(faults)


def _too_many(found: int, most: int) -> InvalidRequest:
    needed = f"at most {most} inputs"
    detail = f"{_INPUTS}: found {found}; needed: {needed}"
    return InvalidRequest([Fault("too_many_items", detail, _INPUTS, found, needed)])
