import pytest

from service.http.errors import located
from service.http.problems import presentable
from volatility.errors import Finding, InvalidBars, InvalidInput, InvalidSeries


def test_fields_are_named_as_in_the_request() -> None:
    close = Finding("non_finite_price", "error", "close", "nan", "finite prices", 3)
    dates = Finding("unsorted_dates", "error", "dates", "2020-01-02", "increasing dates", 4)
    none = Finding("empty_bars", "error", "bars", "no bars", "at least one bar")
    error = located(InvalidBars([close, dates, none]), "history.")
    assert isinstance(error, InvalidBars)
    fields = [finding.field for finding in error.findings]
    assert fields == ["history.bars[3].close", "history.bars[4].date", "history.bars"]
    assert (error.field, error.code) == (fields[0], "non_finite_price")


def test_a_time_is_called_as_the_bars_call_it() -> None:
    wrong = Finding("misaligned_time", "error", "timestamps", "half past", "the hour", 4)
    error = located(InvalidBars([wrong]), "history.", time="timestamp")
    assert error.field == "history.bars[4].timestamp"


@pytest.mark.parametrize(("field", "expected"), [("rv", "history.rv"), (None, "history")])
def test_the_error_itself_stays_as_it_is(field: str | None, expected: str) -> None:
    error = InvalidSeries("nothing", code="empty_history", field=field, found=0, needed="a value")
    moved: InvalidInput = located(error, "history.")
    assert (type(moved), str(moved), moved.code) == (InvalidSeries, "nothing", "empty_history")
    assert (moved.field, moved.found, moved.needed) == (expected, 0, "a value")
    assert error.field == field


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (2**53 - 1, 2**53 - 1),  # beyond it, readers of JSON round
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (1 - 2**53, 1 - 2**53),
        (0.5, 0.5),
        (float("inf"), "inf"),
        (True, True),
        (None, None),
    ],
)
def test_what_was_found_is_shown_as_json_can_hold_it(found: object, shown: object) -> None:
    assert presentable(found) == shown
    assert type(presentable(found)) is type(shown)
