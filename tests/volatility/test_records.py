"""Bars of records, such as come out of JSON."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest

from volatility.bars import DAILY, from_records
from volatility.errors import InvalidBars

PRICES = {"open": 2.0, "high": 4.0, "low": 1.0, "close": 3.0}
DAY = {"date": date(2021, 10, 26)}
IN_UTC = {"timestamp": datetime(2021, 10, 26, 12, tzinfo=UTC)}
NOON = {"timestamp": IN_UTC["timestamp"].replace(tzinfo=None)}
IN_ZONE = {"timestamp": datetime(2021, 10, 26, 14, tzinfo=timezone(timedelta(hours=2)))}


@pytest.mark.parametrize("time", [DAY, NOON])
def test_daily_bars_have_a_date_or_the_date_of_a_timestamp(time: dict[str, Any]) -> None:
    bars = from_records([time | PRICES], DAILY)
    assert bars.timestamps == np.array(["2021-10-26"], "M8[s]")
    found = [getattr(bars, name)[0] for name in PRICES]
    assert found == list(PRICES.values())


@pytest.mark.parametrize("time", [NOON, IN_UTC, IN_ZONE])
def test_shorter_bars_open_at_their_timestamp_in_utc(time: dict[str, Any]) -> None:
    bars = from_records([time | PRICES], 3600)
    assert bars.timestamps == np.array(["2021-10-26T12"], "M8[s]")


@pytest.mark.parametrize(
    ("time", "interval", "found"),
    [
        ({}, DAILY, "no time at bar 1"),
        (DAY | NOON, DAILY, "date and timestamp at bar 1"),
        (DAY, 3600, "date at bar 1"),
        ({}, 3600, "no time at bar 1"),
    ],
)
def test_a_time_that_is_not_clear_is_refused(
    time: dict[str, Any], interval: int, found: str
) -> None:
    good = DAY if interval == DAILY else NOON
    with pytest.raises(InvalidBars) as caught:
        from_records([good | PRICES, time | PRICES], interval)
    assert (caught.value.code, caught.value.found) == ("unclear_time", found)
