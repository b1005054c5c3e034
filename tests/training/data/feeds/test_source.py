"""Times are read in the unit that makes them plausible, or refused."""

import numpy as np
import pytest

from training.data.feeds.source import FeedRefused, opening_times

HOURS = np.array(["2026-10-01T00:00:00", "2026-10-01T01:00:00"], "M8[s]")
SECONDS = HOURS.astype(np.int64).astype(np.float64)


@pytest.mark.parametrize("units", [1, 1_000, 1_000_000])
def test_seconds_milliseconds_and_microseconds_are_told_apart(units: int) -> None:
    np.testing.assert_array_equal(opening_times(SECONDS * units, "there"), HOURS)


@pytest.mark.parametrize("day", ["1980-01-01", "2099-12-31"])
@pytest.mark.parametrize("units", [1, 1_000, 1_000_000])
def test_whatever_the_date(day: str, units: int) -> None:
    stamps = np.array([day], "M8[s]")
    np.testing.assert_array_equal(opening_times(stamps.astype(np.float64) * units, "there"), stamps)


@pytest.mark.parametrize(
    "stamps",
    [
        SECONDS * 1e9,  # nanoseconds
        SECONDS / 60,
        SECONDS / 86_400,
        np.array([20261001.0, 20261002.0]),
        np.array([SECONDS[0], SECONDS[1] * 1_000]),  # two units in one page
        np.array([SECONDS[0] * 1_000, np.nan]),
        np.array([0.0, SECONDS[1]]),
        np.array([-SECONDS[0]]),
        np.array(["2100-01-01"], "M8[s]").astype(np.float64),
        np.array(["1979-12-31T23:59:59"], "M8[s]").astype(np.float64),
    ],
)
def test_what_is_no_time_in_any_unit_is_refused(stamps: np.ndarray) -> None:
    told = "there gives bars that open at .* which is no time in any unit; needed: seconds, mill"
    with pytest.raises(FeedRefused, match=told) as refused:
        opening_times(stamps, "there")
    assert (refused.value.code, refused.value.field) == ("implausible_times", "timestamps")
    assert refused.value.found == f"{stamps.min():.0f} to {stamps.max():.0f}"
    assert refused.value.needed == (
        "seconds, milliseconds, microseconds since 1970 of one kind, from 1980 to 2100"
    )


def test_parts_of_a_second_are_refused() -> None:
    with pytest.raises(FeedRefused, match=r"opens 1790812800\.5 seconds .* whole seconds") as error:
        opening_times(np.array([SECONDS[0] * 1_000, SECONDS[0] * 1_000 + 500]), "there")
    assert (error.value.code, error.value.field) == ("implausible_times", "timestamps")
    assert error.value.found == "a bar that opens 1790812800.5 seconds after 1970"
    assert error.value.needed == "whole seconds"


def test_no_times_are_none() -> None:
    assert opening_times(np.empty(0), "there").dtype == np.dtype("M8[s]")
