import numpy as np
import pytest

from training.reproduction.protocol import Track, by_position, by_time, common_times


def track(first: int, values: list[float]) -> Track:
    times = np.datetime64("2025-01-01T00") + np.arange(first, first + len(values))
    return Track(times.astype("datetime64[s]"), np.array(values))


ACTUAL = track(0, [0.0, 1.0, 4.0, 9.0, 16.0])
HAR_TARGETS = track(2, [4.0, 9.0, 16.0])


def test_by_position_the_first_meets_the_first() -> None:
    perfect = track(1, [1.0, 4.0, 9.0, 16.0])  # forecasts that are right, from hour 1 on
    pair = by_position(perfect, HAR_TARGETS)
    np.testing.assert_array_equal(pair.actual, [4.0, 9.0, 16.0])
    np.testing.assert_array_equal(pair.forecast, [1.0, 4.0, 9.0])
    # Errors 3, 5, 7: 9 + 25 + 49 = 83
    assert pair.scores()["rmse"] == pytest.approx(np.sqrt(83 / 3), rel=1e-15)


def test_by_time_the_same_forecasts_are_right() -> None:
    perfect = track(1, [1.0, 4.0, 9.0, 16.0])
    pair = by_time(perfect, ACTUAL)
    assert len(pair) == 4
    assert pair.scores() == {"rmse": 0.0, "mae": 0.0, "r_squared": 1.0, "correlation": 1.0}


def test_by_time_only_the_chosen_times_count() -> None:
    pair = by_time(track(0, [5.0, 5.0, 4.0, 9.0, 15.0]), ACTUAL, HAR_TARGETS.times)
    np.testing.assert_array_equal(pair.squared_errors, [0.0, 0.0, 1.0])


def test_common_times_are_those_of_all() -> None:
    tracks = [ACTUAL, track(1, [0.0] * 6), track(-3, [0.0] * 7)]
    np.testing.assert_array_equal(common_times(tracks), ACTUAL.times[1:4])


def test_a_time_that_a_track_lacks_is_an_error() -> None:
    with pytest.raises(AssertionError, match="times that the track does not have"):
        HAR_TARGETS.at(ACTUAL.times[:2])


def test_position_and_time_agree_where_forecasts_begin_with_the_targets() -> None:
    forecast = track(2, [3.0, 8.0, 20.0])
    assert by_position(forecast, HAR_TARGETS).scores() == by_time(forecast, ACTUAL).scores()
