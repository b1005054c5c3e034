from datetime import UTC, datetime

import numpy as np
import pytest

from volatility.calendars import get_calendar
from volatility.sessions import bars_in, closing_times, dates_of, offsets_of, places_of

NEW_YORK = get_calendar("XNYS")


def stamps(*texts):
    return np.array(texts, "datetime64[s]")


def counts(calendar, dates, interval, offset=0):
    places = np.searchsorted(calendar.session_dates, np.array(dates, "datetime64[D]"))
    return bars_in(places, np.full(len(places), offset), interval, calendar).tolist()


def test_a_bar_belongs_to_the_session_that_it_is_in():
    # 2019-07-02 is a full day, 9:30 to 16:00 in New York; the 3rd closes at 13:00, 17:00 UTC; the
    # 4th is a holiday.
    found = dates_of(
        stamps(
            "2019-07-02T13:25",
            "2019-07-02T13:30",
            "2019-07-02T19:55",
            "2019-07-02T20:00",
            "2019-07-03T16:55",
            "2019-07-03T17:00",
            "2019-07-04T14:00",
        ),
        300,
        NEW_YORK,
    ).astype(str)
    assert found.tolist() == ["NaT", "2019-07-02", "2019-07-02", "NaT", "2019-07-03", "NaT", "NaT"]


@pytest.mark.parametrize(
    ("opened", "date"),
    [
        ("2019-03-08T14:30", "2019-03-08"),  # the last Friday of winter time opens at 14:30 UTC
        ("2019-03-08T13:30", "NaT"),
        ("2019-03-11T13:30", "2019-03-11"),  # and the Monday after at 13:30
        ("2019-03-11T20:00", "NaT"),
        ("2019-11-01T13:30", "2019-11-01"),
        ("2019-11-04T13:30", "NaT"),
        ("2019-11-04T20:55", "2019-11-04"),
    ],
)
def test_sessions_keep_the_exchange_s_own_time(opened, date):
    assert str(dates_of(stamps(opened), 300, NEW_YORK)[0]) == date


def test_a_session_that_begins_on_the_day_before_in_utc():
    # Sydney opens at 10:00, in summer 23:00 UTC of the day before.
    found = dates_of(stamps("2021-01-04T23:00", "2021-01-05T04:55"), 300, get_calendar("XASX"))
    assert found.astype(str).tolist() == ["2021-01-05", "2021-01-05"]


def test_how_many_bars_a_session_has():
    dates = ["2019-07-02", "2019-07-03"]
    assert counts(NEW_YORK, dates, 300) == [78, 42]  # 6.5 and 3.5 hours
    assert counts(NEW_YORK, dates, 60) == [390, 210]
    # On the clock 13:00 to 19:00 UTC and 13:00 to 16:00, the first of them half a bar.
    assert counts(NEW_YORK, dates, 3600) == [7, 4]
    # On the open 13:30 to 19:30 and 13:30 to 16:30, the last of them half a bar.
    assert counts(NEW_YORK, dates, 3600, offset=1800) == [7, 4]


def test_a_late_open():
    # São Paulo opens at 13:00 local time, 16:00 UTC, on Ash Wednesday; at 10:00 on other days.
    brazil = get_calendar("BVMF")
    ordinary, ash_wednesday = counts(brazil, ["2023-02-23", "2023-02-22"], 300)
    assert ordinary - ash_wednesday == 3 * 12
    outside, inside = places_of(stamps("2023-02-22T15:55", "2023-02-22T16:00"), 300, brazil)
    assert outside == -1
    assert brazil.session_dates[inside] == np.datetime64("2023-02-22")


def test_a_pause_is_no_part_of_a_session():
    # Hong Kong pauses from 12:00 to 13:00, 4:00 to 5:00 UTC, not on half days.
    hong_kong = get_calendar("XHKG")
    assert counts(hong_kong, ["2020-12-30", "2020-12-31"], 300) == [66, 30]
    pause = stamps("2020-12-30T03:55", "2020-12-30T04:00", "2020-12-30T04:55", "2020-12-30T05:00")
    assert (places_of(pause, 300, hong_kong) >= 0).tolist() == [True, False, False, True]
    assert (places_of(stamps("2020-12-30T03:30"), 3600, hong_kong) >= 0).all()


def test_a_bar_that_reaches_beyond_the_close_closes_with_it():
    found = closing_times(stamps("2019-07-02T18:30", "2019-07-02T19:30"), 3600, NEW_YORK)
    assert found.tolist() == [
        datetime(2019, 7, 2, 19, 30, tzinfo=UTC).replace(tzinfo=None),
        datetime(2019, 7, 2, 20, 0, tzinfo=UTC).replace(tzinfo=None),
    ]


def test_bars_stand_on_the_clock_or_on_the_open():
    opened = stamps("2019-07-02T14:00", "2019-07-02T14:30", "2019-07-02T14:15")
    places = places_of(opened, 3600, NEW_YORK)
    assert offsets_of(opened, 3600, places, NEW_YORK).tolist() == [0, 1800, -1]
