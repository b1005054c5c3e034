"""What pydantic finds wrong with a request, in words that say what would do."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_FORMATS = {"date": "a date", "date-time": "a date and time"}
_COUNTED = {"Dictionary": ("an object", "field")}  # all else that is counted is a list in JSON
Node = dict[str, Any]  # of a JSON schema


def told(detail: ErrorDetails, field: str, schema: type[BaseModel] | None) -> tuple[str, str]:
    """What is wrong, in a sentence, and what is needed.

    Parameters
    ----------
    detail : of pydantic.
    field : where it is in the request.
    schema : of the body; None of parameters.
    """
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden" and schema:
        place = detail["loc"][:-1]
        names = [name for it in _at(schema, place) for name in it.get("properties", ())]
        return f"{field}: there is no such field", ", ".join(names) or "no field"
    if kind == "missing" and schema:
        needed = next(map(_kind, _at(schema, detail["loc"])), "a value")
        return f"{field}: it is missing; needed: {needed}", needed
    for bound, limit in (("at least", "min_length"), ("at most", "max_length")):
        if kind in ("too_short", "too_long") and limit in context:
            whole, part = _COUNTED.get(context["field_type"], ("a list", "item"))
            needed = f"{whole} of {bound} {_counted(context[limit], part)}"
            found = _counted(context["actual_length"], part)
            return f"{field}: found {found}; needed: {needed}", needed
    return f"{field}: {detail['msg']}", detail["msg"]


def _counted(number: int | None, what: str) -> str:
    if number is None:  # of what is not counted to its end
        return f"more {what}s"
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@lru_cache
def _described(schema: type[BaseModel]) -> Node:
    return schema.model_json_schema()


def _at(schema: type[BaseModel], location: tuple[int | str, ...]) -> list[Node]:
    """The forms that a schema gives to what stands at a place of a body."""
    whole = _described(schema)
    found = [whole]
    for part in location:
        below = [_child(it, part) for it in found]
        found = [form for it in below if it for form in _forms(it, whole.get("$defs", {}))]
    return found


def _child(node: Node, part: int | str) -> Node | None:
    if isinstance(part, int):
        return node.get("items")
    child: Node | None = node.get("properties", {}).get(part)
    more = node.get("additionalProperties")
    return child or (more if isinstance(more, dict) else None)


def _forms(node: Node, definitions: Node) -> Iterator[Node]:
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    if "anyOf" not in node:
        yield node
    for it in node.get("anyOf", ()):
        if it.get("type") != "null":
            yield from _forms(it, definitions)


def _kind(node: Node) -> str:
    return _FORMATS.get(node.get("format", "")) or _KINDS.get(node.get("type", ""), "a value")
