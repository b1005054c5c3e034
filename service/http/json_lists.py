"""Where the long lists and objects of a JSON document are, without parsing it.

pydantic reads a document in one call, during which no other thread runs: ten megabytes keep every
other request waiting for a tenth of a second. A document whose long lists are known can be read in
slices. What stands in strings is passed over; whether the document is JSON at all is for pydantic
to say, which reads every byte of it in the end.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from service.http.errors import MalformedJson
from service.http.giving_way import give_way

Content = bytes | bytearray
Positions = NDArray[np.int64]

_CHUNK = 128 * 1024  # bytes looked at in one go: some tenths of a millisecond
_SLICE_BYTES = 16 * 1024  # a fifth of a millisecond for pydantic
_SLICE_ITEMS = 256
_DEEPEST = 4  # `companions.VIX.bars`, of objects, is the deepest list of a request
_MANY = 64  # lists or long objects at one depth, of which no request has so many
_LONGEST_KEY = 256
# Of a name as it is written; no quote within it is taken for its first.
_KEY = re.compile(rb'(?<!\\)("(?:[^"\\]|\\.)*")\s*:\s*\Z', re.DOTALL)
_OBJECT, _LIST, _END_OF_OBJECT, _END_OF_LIST, _COMMA, _QUOTE = b'{[}],"'
_KINDS = bytes(it if it in b'{[}],"' else 0 for it in range(256))
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"{[")] = 1
_STEPS[list(b"}]")] = -1


@dataclass(frozen=True, slots=True)
class LongValue:
    """A list or an object of a document, none of whose parents is a list.

    Attributes
    ----------
    path : names that lead to it.
    start, end : of what stands between its brackets.
    commas : (n,) where its items are told apart.
    brackets : around them.
    """

    path: tuple[str, ...]
    start: int
    end: int
    commas: Positions = field(repr=False)
    brackets: bytes = field(default=b"[]", repr=False)

    def __len__(self) -> int:
        return len(self.commas) + 1

    @property
    def is_list(self) -> bool:
        """Whether it is no object."""
        return self.brackets == b"[]"

    def number_in(self, content: Content) -> int:
        """Number of its items, which may be none."""
        return len(self) if len(self.commas) or content[self.start : self.end].strip() else 0

    def slices(self) -> Iterator[tuple[int, int]]:
        """Its items in groups of some kilobytes, or of one: the first, and that after the last."""
        ends = np.append(self.commas, self.end)
        first = 0
        while first < len(ends):
            within = self.start_of(first) + _SLICE_BYTES
            after = int(np.searchsorted(ends, within, side="right"))
            last = min(max(after, first + 1), first + _SLICE_ITEMS, len(ends))
            yield first, last
            give_way()
            first = last

    def part(
        self, content: Content, first: int, last: int, within: Sequence["LongValue"] = ()
    ) -> bytes:
        """A list or object of some of its items, those from ``first`` to before ``last``.

        Parameters
        ----------
        content : the document.
        first, last : items.
        within : values that are left empty in it, by where they start.

        Raises
        ------
        MalformedJson : one item of several is empty.
        """
        start, end = self.start_of(first), self.end_of(last - 1)
        first_within = bisect_right(within, start, key=_start)
        inner = within[first_within : bisect_right(within, end, key=_start)]
        items = b"".join([content[it] for it in around(inner, start, end)])
        if last - first == 1 < len(self) and not items.strip():
            raise MalformedJson(
                f"the body is not JSON: {'.'.join(self.path)} has an item that is empty",
                field="body",
                needed="a JSON document (RFC 8259)",
            )
        return self.brackets[:1] + items + self.brackets[1:]

    def start_of(self, item: int) -> int:
        """Where an item starts."""
        return self.start if item == 0 else int(self.commas[item - 1]) + 1

    def end_of(self, item: int) -> int:
        """Where it ends."""
        return self.end if item == len(self.commas) else int(self.commas[item])


def _start(value: LongValue) -> int:
    return value.start


def around(values: Sequence[LongValue], start: int, end: int, keep: int = 0) -> Iterator[slice]:
    """What of a part of a document is outside of some values, piece by piece.

    Parameters
    ----------
    values : by where they start; those that are within others are left out with them.
    start, end : of the part.
    keep : how many items of each value are taken for outside of it.
    """
    for it in values:
        if it.start >= start:
            yield slice(start, it.end_of(keep - 1) if keep else it.start)
            start = it.end
    yield slice(start, end)


@dataclass(frozen=True, slots=True)
class Outline:
    """The brackets and commas of a document that are in no string.

    Attributes
    ----------
    at, kind, depth : (n,) position; the character; how many brackets are open behind it.
    """

    at: Positions
    kind: NDArray[np.uint8]
    depth: NDArray[np.int32]

    def where(self, kind: int, depth: int) -> Positions:
        """Positions of one character at one depth."""
        found: Positions = self.at[(self.kind == kind) & (self.depth == depth)]
        return found


def outline(content: Content) -> Outline:
    """Look through a document, a chunk at a time.

    Raises
    ------
    MalformedJson : its brackets do not match, or a string does not end.
    """
    parts: list[tuple[Positions, NDArray[np.uint8], NDArray[np.int32]]] = []
    start, depth, in_string = 0, 0, False
    while start < len(content):
        chunk = content[start : start + _CHUNK]
        behind = len(chunk) - len(chunk.rstrip(b"\\"))
        if behind % 2 and len(chunk) == _CHUNK:  # what it escapes is in the next chunk
            chunk = chunk[:-1]
        at, kind, in_string = _structure(chunk, in_string)
        depths = depth + np.cumsum(_STEPS[kind], dtype=np.int32)
        parts.append((at + start, kind, depths))
        depth = int(depths[-1]) if len(depths) else depth
        start += len(chunk)
        give_way()
    if depth or in_string:
        raise MalformedJson(
            "the body is not JSON: its brackets or quotes do not match",
            field="body",
            needed="a JSON document (RFC 8259)",
        )
    at, kind, depths = (np.concatenate(it) for it in zip(*parts, strict=True)) if parts else _NONE
    return Outline(at, kind, depths)


def lists_of(content: Content, found: Outline, deepest: int = _DEEPEST) -> list[LongValue]:
    """The lists of a document, in the order of depth and place; none that is within another.

    Parameters
    ----------
    content : the document.
    found : its outline.
    deepest : how many brackets may be open within one.
    """
    lists: list[LongValue] = []
    for depth in range(2, deepest + 1):
        starts, ends = found.where(_LIST, depth) + 1, found.where(_END_OF_LIST, depth - 1)
        if len(starts) != len(ends):  # of an object that a square bracket ends
            break
        outer = _outside_of(lists, starts)
        if len(outer) > _MANY:
            break
        lists += _named(content, found, depth, starts[outer], ends[outer], b"[]")
    return lists


def objects_of(content: Content, found: Outline, deepest: int, longer_than: int) -> list[LongValue]:
    """The objects of a document that are longer than some bytes, in the order of depth and place.

    Those that are within others are among them, those within lists are not.

    Parameters
    ----------
    content : the document.
    found : its outline.
    deepest : how many brackets may be open within one.
    longer_than : bytes.
    """
    objects: list[LongValue] = []
    for depth in range(2, deepest + 1):
        starts, ends = found.where(_OBJECT, depth) + 1, found.where(_END_OF_OBJECT, depth - 1)
        if len(starts) != len(ends):  # of a list that a curly bracket ends
            break
        is_long = ends - starts > longer_than
        if np.count_nonzero(is_long) <= _MANY:
            objects += _named(content, found, depth, starts[is_long], ends[is_long], b"{}")
    return objects


_NONE = (np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.int32))


def _structure(chunk: Content, in_string: bool) -> tuple[Positions, NDArray[np.uint8], bool]:
    """Positions and kinds of what is in no string, and whether the chunk ends in one."""
    if b"\\" in chunk:  # pairs first, from the left: what is left before a quote escapes it
        chunk = chunk.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    # A table of bytes and a comparison, since numpy takes and finds integers four times as slowly.
    kinds = np.frombuffer(chunk.translate(_KINDS), dtype=np.uint8)
    at = np.flatnonzero(kinds != 0)
    kind = kinds[at]
    is_quote = kind == _QUOTE
    quotes = np.cumsum(is_quote, dtype=np.int32) + in_string
    outside = ~is_quote & (quotes % 2 == 0)
    return at[outside], kind[outside], bool(quotes[-1] % 2) if len(quotes) else in_string


def _outside_of(lists: Sequence[LongValue], starts: Positions) -> Positions:
    """Which of the positions are in none of the lists."""
    outside = np.ones(len(starts), dtype=np.bool_)
    for it in lists:
        outside &= (starts < it.start) | (starts >= it.end)
    return np.flatnonzero(outside)


def _named(
    content: Content,
    found: Outline,
    depth: int,
    starts: Positions,
    ends: Positions,
    brackets: bytes,
) -> list[LongValue]:
    """Those lists, or objects, of one depth to which names lead."""
    named: list[LongValue] = []
    if not len(starts):
        return named
    opens = (found.kind == _OBJECT) | (found.kind == _LIST)
    above = [found.at[opens & (found.depth == it)] for it in range(1, depth)]
    commas = found.where(_COMMA, depth)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        path = _path(content, above, start - 1)
        if path:
            first, last = np.searchsorted(commas, (start, end))
            named.append(LongValue(path, start, end, commas[first:last], brackets))
    return named


def _path(content: Content, above: Sequence[Positions], bracket: int) -> tuple[str, ...]:
    """Names that lead to a list or an object; none where one has none, or a parent is a list.

    Parameters
    ----------
    content : the document.
    above : where brackets open that are outside of it, by how many are open.
    bracket : where its own opens.
    """
    parents = [int(it[np.searchsorted(it, bracket) - 1]) for it in above]
    if any(content[it] != _OBJECT for it in parents):
        return ()
    names = [_key(content, it) for it in (*parents[1:], bracket)]
    return tuple(names) if all(names) else ()


def _key(content: Content, position: int) -> str:
    """The name before a value; empty where it is not known for certain."""
    start = max(0, position - _LONGEST_KEY)
    match = _KEY.search(bytes(content[start:position]))
    if match is None or (start and not match.start()):  # what is before its quote is not seen
        return ""
    try:
        name: str = json.loads(match[1].decode())
    except ValueError:
        return ""
    return name
