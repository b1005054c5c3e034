"""Names that stand twice in a JSON object, of which pydantic keeps the last and says nothing.

Neither pydantic nor the parser under it can be asked to tell. What it has read tells how many names
there were, and so do a document's colons: only where these are more is the document read once more,
name by name, which takes as long again.
"""

import json
from collections import Counter
from collections.abc import Iterator, Set
from datetime import date, datetime
from typing import Any

from pydantic_core import ErrorDetails

from service.http.json_lists import Content

_SPACED = (b" :", b"\t:", b"\n:", b"\r:")
_NAMELESS = frozenset({bool, date, datetime, float, int, str, tuple, type(None)})
_NONE: frozenset[str] = frozenset()


class _Object(list[tuple[str, Any]]):
    """An object as it is written: its names and values in their order."""


def duplicates(content: Content, read: object) -> list[ErrorDetails]:
    """The names that stand more than once in an object, in pydantic's words.

    Parameters
    ----------
    content : JSON.
    read : what pydantic has made of it.
    """
    names = _names(read)
    if content.count(b":") == names:
        return []
    # Times and texts have colons of their own.
    if content.count(b'":') == names and not any(it in content for it in _SPACED):
        return []
    written = json.loads(
        content.decode(),
        object_pairs_hook=_Object,
        parse_float=_unread,
        parse_int=_unread,
        parse_constant=_unread,
    )
    return list(_found(written, ()))


def _names(read: object) -> int:
    """How many names of objects there are in what was read; in lists of any sort, at most.

    By exact types: pydantic's own check of what is a model takes as long as all the rest.
    """
    kind = type(read)
    if kind in _NAMELESS:
        return 0
    if isinstance(read, dict):
        return len(read) + sum(map(_names, read.values()))
    if not isinstance(read, list):
        given: Set[str] = getattr(read, "__pydantic_fields_set__", _NONE)
        return len(given) + sum([_names(getattr(read, name)) for name in given])
    if not read or type(read[0]) in _NAMELESS:
        return 0
    kinds = set(map(type, read))
    if kinds == {dict}:  # bars, which are flat
        return sum(map(len, read))
    return sum(map(_names, read))


def _found(written: object, path: tuple[str | int, ...]) -> Iterator[ErrorDetails]:
    if isinstance(written, _Object):
        for name, times in Counter(name for name, _ in written).items():
            if times > 1:
                yield _told((*path, name), times)
        for name, value in written:
            yield from _found(value, (*path, name))
    elif isinstance(written, list):
        for index, value in enumerate(written):
            yield from _found(value, (*path, index))


def _told(path: tuple[str | int, ...], times: int) -> ErrorDetails:
    return {
        "type": "duplicate_field",
        "loc": path,
        "msg": f"Field should be given once, not {times} times",
        "input": times,
        "ctx": {"code": "duplicate_field"},
    }


def _unread(_number: str) -> None:
    """In place of a number, of which Python writes and reads none with too many digits."""
