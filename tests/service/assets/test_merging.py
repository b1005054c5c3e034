"""Which given bars are new, the same or others than those held, and what is told of it."""

import numpy as np
import pytest

from service.assets.merging import Merge, compare, conflict
from service.assets.rows import Stamp, rows_of, seconds_of
from tests.errors import details
from volatility.bars import DAILY, PRICES, Bars


def bars(*days: int, **changes: float) -> Bars:
    """Bars of days of January 2021, whose four prices all differ; with other prices of the last."""
    times = np.array([f"2021-01-{day:02}" for day in days], "datetime64[s]")
    opened, high, low, close = (np.array(days) + it for it in (100.0, 103.0, 98.0, 101.0))
    columns = {"open": opened, "high": high, "low": low, "close": close}
    for price, value in changes.items():
        columns[price][-1] = value
    return Bars(times, **columns, interval=DAILY)


@pytest.mark.parametrize(
    ("held", "given", "new", "contradicting", "position"),
    [
        (bars(4, 5, 6), bars(5, 6), [False, False], [False, False], [1, 2]),
        (bars(4, 6), bars(3, 5, 7), [True, True, True], [False] * 3, [0, 1, 2]),
        (bars(), bars(4, 5), [True, True], [False, False], [0, 0]),
        (bars(4), bars(), [], [], []),
        *((bars(4, 5), bars(5, 6, 5, **{it: 99.5}), [False, True, False], [False, False, True],
           [1, 2, 1]) for it in PRICES),
    ],
)  # fmt: skip
def test_given_bars_are_compared_by_time_and_every_price(
    held: Bars, given: Bars, new: list[bool], contradicting: list[bool], position: list[int]
) -> None:
    found = compare(held, given)
    assert found.new.tolist() == new
    assert found.contradicting.tolist() == contradicting
    assert found.position.tolist() == position
    assert found.written.tolist() == [a or b for a, b in zip(new, contradicting, strict=True)]


@pytest.mark.parametrize(
    ("given", "counts", "written", "revision"),
    [
        (bars(4, 5), (0, 2, 0), [], 7),
        (bars(4, 6, 7), (2, 1, 0), [6, 7], 8),
        (bars(4, 5, high=120.0), (0, 1, 1), [5], 8),
        (bars(3, 4, 5, low=90.0), (1, 1, 1), [3, 5], 8),
    ],
)
def test_a_merge_counts_and_is_another_revision_if_anything_was_written(
    given: Bars, counts: tuple[int, int, int], written: list[int], revision: int
) -> None:
    merge = Merge.of(compare(bars(4, 5), given), given, before=7, known_at=11)
    assert (merge.added, merge.unchanged, merge.replaced) == counts
    assert [it.day for it in merge.written.timestamps.tolist()] == written
    assert (merge.before, merge.revision, merge.known_at) == (7, revision, 11)


def test_the_first_contradiction_is_told_with_both_bars() -> None:
    held, given = bars(4, 5, 6), bars(3, 4, 5, 6)
    given.close[2:] = 0.5
    error = conflict("A", held, given, compare(held, given))
    assert str(error).startswith(
        "2 of the bars given for A contradict bars that are held; the first opens at "
        "2021-01-05T00:00:00: given open 105.0"
    )
    sent, expected = (f"open 105.0, high 108.0, low 103.0, close {it}" for it in (0.5, 106.0))
    assert details(error) == ("bars[2]", sent, expected)


def test_a_row_has_the_columns_of_its_table_in_their_order() -> None:
    first, second = rows_of("A", bars(4, 5), Stamp(9, "0a1b"))
    assert first == ("A", 1_609_718_400, 104.0, 107.0, 102.0, 105.0, 9, "0a1b")
    assert second[1] == 1_609_718_400 + 86_400
    assert seconds_of(np.array(["1970-01-02"], "datetime64[D]")).tolist() == [86_400]
