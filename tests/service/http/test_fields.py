"""Dates and times are read as they are written, and nothing else is taken for one."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from service.http.clock import microseconds
from service.http.fields import Day, DayOrTime, Listed, RequestBody, Time

READERS: dict[str, TypeAdapter[date]] = {
    "Day": TypeAdapter(Day),
    "Time": TypeAdapter(Time),
    "DayOrTime": TypeAdapter(DayOrTime),
}
TEXTS: list[tuple[str, str | None, str | None, str | None]] = [
    # What each of them reads of a text: Day, Time, DayOrTime.
    ("2021-10-26", "2021-10-26", None, "2021-10-26"),
    ("2021-10-26T13:00:00Z", None, "2021-10-26T13:00:00+00:00", "2021-10-26T13:00:00+00:00"),
    ("2021-10-26 13:00", None, "2021-10-26T13:00:00", "2021-10-26T13:00:00"),
    ("2021-10-26T13", None, "2021-10-26T13:00:00", "2021-10-26T13:00:00"),
    ("2021-10-26T13:00:00-04:00", None, "2021-10-26T13:00:00-04:00", "2021-10-26T13:00:00-04:00"),
    ("20211026", None, None, None),
    ("20211026T130000", None, None, None),
    ("2021-10-26T", None, None, None),
    ("2021-W43-2", None, None, None),
    ("2021-W43-2T13:00", None, None, None),
    ("2021-02-30", None, None, None),
    ("2021-02-30T00:00:00Z", None, None, None),
    ("1635206400", None, None, None),
    ("1635206400000", None, None, None),
    ("", None, None, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "day", "time", "either"), TEXTS)
def test_what_is_read_of_a_text(
    text: str, day: str | None, time: str | None, either: str | None
) -> None:
    for name, expected in (("Day", day), ("Time", time), ("DayOrTime", either)):
        read = READERS[name].validate_python
        if expected is None:
            with pytest.raises(ValidationError) as refused:
                read(text)
            kinds = {it["type"] for it in refused.value.errors()}
            assert kinds <= {"date_not_as_written", "datetime_parsing"}, name
        else:
            assert read(text).isoformat() == expected, name


def test_a_day_is_a_date_and_a_time_is_a_time() -> None:
    assert type(READERS["DayOrTime"].validate_python("2021-10-26")) is date
    assert type(READERS["DayOrTime"].validate_python("2021-10-26T00:00:00Z")) is datetime


Numbers = Annotated[str, Listed(r"^[0-9]+(,[0-9]+)*$", "numbers, such as 1,5")]


def test_a_list_in_a_query_says_what_it_needs() -> None:
    reader: TypeAdapter[str] = TypeAdapter(Numbers)
    assert reader.validate_python("1,5,22") == "1,5,22"
    for text in ("", "1,", "a", 5):
        with pytest.raises(ValidationError) as refused:
            reader.validate_python(text)
        [fault] = refused.value.errors()
        assert (fault["type"], fault["msg"]) == (
            "not_a_list",
            "Input should be numbers, such as 1,5",
        )
    assert reader.json_schema() == {
        "type": "string",
        "maxLength": 4096,
        "pattern": r"^[0-9]+(,[0-9]+)*$",
    }


class Body(RequestBody):
    number: float


def test_a_body_converts_nothing_passes_over_nothing_and_stays_as_it_is() -> None:
    body = Body.model_validate_json('{"number": 1}')
    for wrong in ('{"number": "1"}', '{"number": true}', '{"number": 1, "more": 2}', "{}"):
        with pytest.raises(ValidationError):
            Body.model_validate_json(wrong)
    with pytest.raises(ValidationError):
        body.number = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime.fromisoformat("1970-01-01"), 0),
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime.fromisoformat("1970-01-02T00:00:00.000007"), 86_400_000_007),
        (datetime(1970, 1, 1, 5, tzinfo=timezone(timedelta(hours=5))), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
    ],
)
def test_a_moment_without_a_zone_is_in_utc(moment: datetime, expected: int) -> None:
    assert microseconds(moment) == expected
