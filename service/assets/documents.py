"""JSON of bars in any form, read and freed some kilobytes at a time, between which others run."""

from itertools import islice
from typing import Any

from service.http.errors import MalformedJson
from service.http.giving_way import give_way
from service.http.json_lists import Content, LongValue, lists_of, objects_of, outline
from service.http.slices import outside, parts
from volatility.formats import documents

_LONG = 8 * 1024  # bytes of a list or an object that is read in slices
_DEEPEST = 7  # a column of a table within four objects, and one around all
_AROUND = "content"  # name of the document within one that has no list at its top
_FREED_AT_ONCE = 5_000  # items, in a third of a millisecond
_FEW = 100  # items of an object, such as columns, which may be long themselves


def read(content: Content) -> Any:
    """What a document has in it.

    Raises
    ------
    MalformedJson, Unreadable : it is not JSON, or an object has a name twice.
    BodyTooLarge : an item of a list has more values, or anything is longer, than any request needs.
    """
    whole = b"".join((b'{"%b":' % _AROUND.encode(), content, b"}"))
    found = outline(whole)
    lists = [it for it in lists_of(whole, found, _DEEPEST) if it.end - it.start > _LONG]
    long = sorted([*lists, *objects_of(whole, found, _DEEPEST, _LONG)], key=lambda it: it.start)
    document = documents.parsed(outside(whole, long))
    if len(document) > 1:  # what is around the body has made names of what stands behind it
        raise MalformedJson(
            "the body is not JSON: there is more behind its end",
            field="body",
            needed="a JSON document (RFC 8259)",
        )
    for it in long:  # the outer ones first, each of whose items are there before theirs
        values = _at(document, it)
        for _, part in parts(it, whole, within=long):
            if it.is_list:
                values += documents.parsed(part)
            else:
                documents.add_names(values, documents.parsed(part))
    return document[_AROUND]


def let_go(value: Any) -> None:
    """Free what was read some items at a time: all at once keeps other threads waiting for 6 ms."""
    if isinstance(value, dict) and len(value) <= _FEW:
        for it in value.values():
            let_go(it)
    while isinstance(value, dict | list) and len(value) > _FREED_AT_ONCE:
        if isinstance(value, list):
            del value[-_FREED_AT_ONCE:]
        else:
            for name in [*islice(value, _FREED_AT_ONCE)]:
                del value[name]
        give_way()


def _at(document: Any, long: LongValue) -> Any:
    for name in long.path:
        document = document[name]
    return document
