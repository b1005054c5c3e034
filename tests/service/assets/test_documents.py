"""JSON of bars is read in slices whatever its form, and is what it is when read in one call."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.assets import documents, reading
from service.http import json_lists
from service.http.bodies import JSON
from service.http.errors import BodyTooLarge, MalformedJson
from service.http.limits import BodyLimits
from volatility.bars import DAILY, PRICES
from volatility.formats import documents as formats
from volatility.formats.reading import Options, Unreadable

LEVELS = {"open": 10.0, "high": 20.0, "low": 5.0, "close": 9.5}
LIMITS = BodyLimits(16 * 2**20, 10**6, 10**8)
DAYS = Options(interval=DAILY)


def prices_of(number: int) -> pd.DataFrame:
    return pd.DataFrame(
        {name: np.round(level + np.arange(number) % 7, 1) for name, level in LEVELS.items()},
        index=pd.date_range("1990-01-01", periods=number).strftime("%Y-%m-%d"),
    )


def by_column(table: pd.DataFrame, **more: Any) -> dict[str, Any]:
    return {"date": [*table.index], **{str(it): table[it].tolist() for it in table}, **more}


MANY = prices_of(3_000)
BY_ROW: dict[str, Any] = MANY.to_dict("index")  # type: ignore[assignment]
ONE_LONG = BY_ROW[MANY.index[0]] | {"note": "y" * 9_000}
ZEROS = [0] * 3_000
GERMAN = MANY.set_axis(["Eröffnung", "Hoch", "Tief", "Schluss"], axis="columns")
OTHERS = {f"T{at}": prices_of(1_300).reset_index().to_numpy().tolist() for at in range(65)}
LONG: dict[str, Any] = {
    "lists": [[day, *prices] for day, *prices in MANY.itertuples()],
    "lists by column": by_column(MANY),
    "lists by column, some of them short": by_column(MANY, dividends=ZEROS, splits=[0] * 3_000),
    "objects by column": MANY.to_dict(),
    "objects by column, with escapes in their names": GERMAN.to_dict(),
    "objects by row": BY_ROW,
    "objects by row, one of them long": BY_ROW
    | {"1990-01-01": BY_ROW["1990-01-01"] | {"x": "y" * 9_000}},
    "within four objects": {"a": {"b": {"c": {"d": MANY.to_dict()}}}},
    "within an object whose name has escapes": {"Börse": BY_ROW},
    "lists by column, within four": {"a": {"b": {"c": {"d": by_column(MANY)}}}},
}
NAMES = ["a", "b", "é", 'q"x', "\\", "", " ", ':,"', *("z" * number for number in (255, 256, 257))]
VALUES = st.recursive(
    st.sampled_from([1, 2.5, None, True, 'a"b', "\\", ",{}[]:", "y" * 50]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)
CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 1), st.sampled_from(b'{}[],:"\\ 1a')), max_size=2
)


@pytest.mark.parametrize("form", LONG)
def test_many_bars_are_read_in_slices(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    sizes = []
    parsed = formats.parsed

    def counted(content: Any) -> Any:
        sizes.append(len(content))
        return parsed(content)

    monkeypatch.setattr(formats, "parsed", counted)
    found = reading.read(json.dumps(LONG[form]).encode(), JSON, DAYS, LIMITS).bars
    assert {name: getattr(found, name).tolist() for name in PRICES} == MANY.to_dict("list")
    assert found.dates.astype(str).tolist() == [*MANY.index]
    assert max(sizes) <= 40_000  # of 130,000 at the least
    assert len(sizes) > 5


def test_the_bars_of_one_of_many_tickers_are_found() -> None:
    options = Options(interval=DAILY, ticker="T7")
    found = reading.read(json.dumps(OTHERS).encode(), JSON, options, LIMITS).bars
    assert found.open.tolist() == prices_of(1_300)["open"].tolist()


@given(
    document=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4) | VALUES,
    changes=CHANGES,
    sizes=st.tuples(st.sampled_from([0, 3, 20, 60]), st.sampled_from([1, 5, 20, 100])),
    most=st.sampled_from([1, 2, 64]),
    ascii_only=st.booleans(),
)
@settings(max_examples=400, derandomize=True, deadline=None)
def test_a_document_is_what_it_is_when_read_in_one_call(
    document: Any,
    changes: list[tuple[int, int, int]],
    sizes: tuple[int, int],
    most: int,
    ascii_only: bool,
) -> None:
    content = bytearray(json.dumps(document, ensure_ascii=ascii_only).encode())
    for at, left_out, instead in changes:
        content[at : at + left_out] = bytes([instead])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(documents, "_LONG", sizes[0])
        patched.setattr(json_lists, "_SLICE_BYTES", sizes[1])
        patched.setattr(json_lists, "_MANY", most)
        try:
            found = documents.read(content)
        except (Unreadable, MalformedJson):
            with pytest.raises(Unreadable):
                formats.parsed(content)
        else:
            assert json.dumps(found) == json.dumps(formats.parsed(content))


def test_a_name_that_stands_twice_in_a_long_object_is_refused() -> None:
    twice = json.dumps(MANY.to_dict()).replace('"1990-01-02"', '"1998-01-01"', 1)
    with pytest.raises(Unreadable, match=r"has the name '1998-01-01' twice") as refused:
        documents.read(twice.encode())
    assert refused.value.code == "malformed_json"


def test_what_is_too_long_for_one_call_is_refused_unread() -> None:
    with pytest.raises(BodyTooLarge, match="bytes outside of long lists"):
        documents.read(json.dumps("A" * 2**21).encode())
    long = {"A" * 300: dict.fromkeys(map(str, range(200_000)), 1.0)}  # too long a name to look for
    with pytest.raises(BodyTooLarge, match="bytes outside of long lists"):
        documents.read(json.dumps({"data": long}).encode())


@pytest.mark.parametrize(
    ("value", "left", "turns"),
    [
        ([0.5] * 12_000, 2_000, 2),
        ({str(it): [it] for it in range(12_000)}, 2_000, 2),
        ({str(it): {"open": 1.0} for it in range(5_000)}, 5_000, 0),  # in one go, then
        ({str(it): {"open": 1.0} for it in range(99)}, 99, 0),
        ({"open": [0.5] * 12_000, "data": {"low": {str(it): it for it in range(6_000)}}}, 2, 3),
        ("text", 4, 0),
    ],
)
def test_what_was_read_is_freed_some_items_at_a_time(
    monkeypatch: pytest.MonkeyPatch, value: Any, left: int, turns: int
) -> None:
    taken: list[None] = []
    monkeypatch.setattr(documents, "give_way", lambda: taken.append(None))
    documents.let_go(value)
    assert len(value) == left
    assert len(taken) == turns
