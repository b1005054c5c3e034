"""Where lists are is told without parsing, whatever stands in strings and wherever chunks end."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.http import json_lists
from service.http.errors import MalformedJson
from service.http.json_lists import LongValue, lists_of, objects_of, outline

texts = st.text(alphabet='ab"\\[]{},: \n', max_size=6)
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=12,
)
documents = st.dictionaries(texts, values, max_size=4)


def lists_in(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], list[Any]]:
    """Lists of a document, none of whose parents is one, up to four deep."""
    if isinstance(value, list):
        return {path: value} if 1 <= len(path) <= 3 else {}
    found: dict[tuple[str, ...], list[Any]] = {}
    for name, child in value.items() if isinstance(value, dict) else ():
        found |= lists_in(child, (*path, name))
    return found


def is_named(path: tuple[str, ...]) -> bool:
    return all(path)


def items_of(found: LongValue, content: bytes) -> list[Any]:
    number = found.number_in(content)
    return [json.loads(content[found.start_of(it) : found.end_of(it)]) for it in range(number)]


@given(document=documents, chunk=st.sampled_from([2, 3, 7, 1 << 17]))
@settings(max_examples=300, derandomize=True)
def test_lists_are_those_of_the_parsed_document(document: dict[str, Any], chunk: int) -> None:
    content = json.dumps(document, ensure_ascii=False).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_lists, "_CHUNK", chunk)
        found = {it.path: items_of(it, content) for it in lists_of(content, outline(content))}
    expected = {path: it for path, it in lists_in(document).items() if is_named(path)}
    assert found == expected


@pytest.mark.parametrize("chunk", range(2, 24))
def test_a_chunk_may_end_anywhere_among_backslashes(chunk: int) -> None:
    text = ("X\\", '\\\\"', 'a\\"]', "\\" * 7, '"\\X"', "},")
    document = {"X": ["]", *text], "b": {"c": [*text, 1]}}
    content = json.dumps(document).encode()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_lists, "_CHUNK", chunk)
        found = {it.path: items_of(it, content) for it in lists_of(content, outline(content))}
    assert found == {("X",): document["X"], ("b", "c"): [*text, 1]}


@pytest.mark.parametrize(
    "content", [b'{"a": [', b'{"a": "', b"[[]", b"}", b'"\\"', b'"\\', b'"a', b"]"]
)
def test_brackets_and_quotes_that_do_not_match_are_no_json(content: bytes) -> None:
    with pytest.raises(MalformedJson, match="do not match"):
        outline(content)


def test_a_list_that_ends_as_an_object_is_left_to_pydantic() -> None:
    content = b'{"a": [1, 2}}'
    assert lists_of(content, outline(content)) == []


def test_slices_are_of_some_kilobytes_and_of_all_items_in_order() -> None:
    content = json.dumps({"a": ["x" * size for size in (10, 40_000, 5)] + [1] * 600}).encode()
    [found] = lists_of(content, outline(content))
    slices = list(found.slices())
    assert slices[:2] == [(0, 1), (1, 2)]
    assert [first for first, _ in slices[1:]] == [last for _, last in slices[:-1]]
    assert slices[-1][1] == len(found) == 603
    assert max(last - first for first, last in slices) == 256
    parts = [json.loads(found.part(content, *it)) for it in slices]
    assert [it for part in parts for it in part] == json.loads(content)["a"]


def test_an_object_of_many_lists_is_left_to_pydantic() -> None:
    content = json.dumps({f"a{number}": [1] for number in range(65)}).encode()
    assert lists_of(content, outline(content)) == []


LONG: dict[str, Any] = {f"n{at}": at for at in range(9)}
LONG_LIST = [*range(50)]
ABCDE = [tuple("abcde"[:at]) for at in range(1, 6)]


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"a": LONG, "b": {"c": 1}, "d": LONG}, [("a",), ("d",)]),
        ({"a": {"b": {"c": 1}, "d": LONG}}, [("a",), ("a", "d")]),
        ({"a": {str(at): {"b": at} for at in range(20)}}, [("a",)]),
        ({"a": {"b": LONG_LIST, "c": 1}}, [("a",)]),
        ({"a": {"b": LONG}, "c": LONG_LIST}, [("a",), ("a", "b")]),
        ({"a": {"b": {"c": {"d": {"e": LONG}}}}}, ABCDE),
        (
            {"a": {"b": {"c": {"d": {"e": {"f": LONG}}}}}},
            ABCDE,
        ),
        ({"a": [LONG]}, []),
        ({'a"\\é\n': LONG}, [('a"\\é\n',)]),
        ({"": LONG}, []),
        ({f"a{number}": LONG for number in range(64)}, [(f"a{number}",) for number in range(64)]),
        ({f"a{number}": LONG for number in range(65)}, []),
    ],
)
def test_long_objects_are_found_within_each_other(
    document: dict[str, Any], paths: list[tuple[str, ...]]
) -> None:
    content = json.dumps(document).encode()
    objects = objects_of(content, outline(content), 6, 60)
    assert [it.path for it in objects] == paths
    for it in objects:
        read: dict[str, Any] = {}
        for first, last in it.slices():
            read |= json.loads(it.part(content, first, last))
        wanted = document
        for name in it.path:
            wanted = wanted[name]
        assert list(read.items()) == list(wanted.items())


def test_values_within_a_part_are_left_empty() -> None:
    content = json.dumps({"a": {"b": {"c": LONG, "d": 1}, "e": LONG_LIST, "f": [2]}}).encode()
    found = outline(content)
    lists = [it for it in lists_of(content, found) if it.path == ("a", "e")]
    within = sorted([*objects_of(content, found, 6, 60), *lists], key=lambda it: it.start)
    outer, inner = within[:2]
    assert json.loads(outer.part(content, 0, 3, within)) == {"b": {}, "e": [], "f": [2]}
    assert json.loads(outer.part(content, 1, 2, within)) == {"e": []}
    assert json.loads(inner.part(content, 0, 2, within)) == {"c": {}, "d": 1}


def test_an_object_that_ends_as_a_list_is_left_to_the_parser() -> None:
    content = b'{"a": {"b": 1]}'
    assert objects_of(content, outline(content), 6, 0) == []


@pytest.mark.parametrize(
    "name",
    [
        b'x\\"' + b"n" * 253,  # whose escaped quote is the first of what is looked at
        b"\xed\xa0\x80",  # no UTF-8
        b"n" * 256,
        b"a\x01",
    ],
)
def test_a_name_that_is_not_known_for_certain_is_none(name: bytes) -> None:
    content = b'{"%b": {"a": 1}, "b": [1]}' % name
    assert objects_of(content, outline(content), 6, 0) == []


@pytest.mark.parametrize("items", ["1, ,2", " ,1", "1, "])
def test_an_empty_item_alone_is_no_json(items: str) -> None:
    content = f'{{"a": [{items}]}}'.encode()
    [found] = lists_of(content, outline(content))
    parts = (found.part(content, item, item + 1) for item in range(len(found)))
    with pytest.raises(MalformedJson, match="a has an item that is empty"):
        list(parts)


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ({"a": {"b": {"c": [1]}}}, [("a", "b", "c")]),
        ({"a": {"b": {"c": {"d": [1]}}}}, []),  # deeper than any list of a request
        ({"a": [{"b": [1]}]}, [("a",)]),
        ({f"a{number}": [1] for number in range(64)}, [(f"a{number}",) for number in range(64)]),
        ({"k" * 250: [1]}, [("k" * 250,)]),
        ({"k" * 300: [1]}, []),
    ],
)
def test_lists_are_known_as_deep_and_by_names_as_long_as_requests_have(
    document: dict[str, Any], paths: list[tuple[str, ...]]
) -> None:
    content = json.dumps(document).encode()
    assert [it.path for it in lists_of(content, outline(content))] == paths


def test_a_list_is_shown_by_where_it_is() -> None:
    [found] = lists_of(b'{"a": [1, 2]}', outline(b'{"a": [1, 2]}'))
    assert repr(found) == "LongValue(path=('a',), start=7, end=11)"


def test_other_threads_have_their_turn_between_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[None] = []
    monkeypatch.setattr(json_lists, "give_way", lambda: turns.append(None))
    content = json.dumps({"a": list(range(600))}).encode()
    [found] = lists_of(content, outline(content))
    turns.clear()
    assert len(list(found.slices())) == len(turns) == 3


def test_other_threads_have_their_turn_while_a_body_is_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    turns: list[None] = []
    monkeypatch.setattr(json_lists, "give_way", lambda: turns.append(None))
    outline(json.dumps({"a": "A" * 300_000}).encode())
    assert len(turns) == 3  # one of each chunk
