"""Calendar effects: planted ones are found, and nothing after a session changes its own."""

import numpy as np
import pytest

from volatility.calendars import get_calendar
from volatility.seasonality import (
    DAY_CLASSES,
    HALF_DAY,
    calendar_effects,
    day_classes,
    estimation_span,
    rolling_calendar_effects,
)

WEEK = np.array([0.2, 0.0, 0.1, 0.15, 0.05, -0.35, -0.15])


def daily(count: int) -> np.ndarray:
    return np.datetime64("2018-01-01") + np.arange(count)


def test_classes_are_weekdays_and_half_days() -> None:
    dates = np.array(["2019-07-02", "2019-07-03", "2019-07-05", "2019-12-24"], "M8[D]")
    classes = day_classes(dates, get_calendar("XNYS"))
    assert [DAY_CLASSES[it] for it in classes] == ["tuesday", "half_day", "friday", "half_day"]
    weekend = day_classes(np.array(["2019-07-06", "2019-07-07"], "M8[D]"), get_calendar("24/7"))
    assert [DAY_CLASSES[it] for it in weekend] == ["saturday", "sunday"]


def test_planted_effects_are_found() -> None:
    dates = daily(1400)
    classes = day_classes(dates, get_calendar("24/7"))
    noise = np.random.default_rng(1).normal(0, 0.3, len(dates))
    found = calendar_effects(-8 + WEEK[classes] + noise, classes)
    shrunk = WEEK * 200 / 210
    np.testing.assert_allclose(found[:7], shrunk, atol=4 * 0.3 / np.sqrt(200))
    assert found[HALF_DAY] == 0


def test_effects_against_a_plain_computation() -> None:
    generator = np.random.default_rng(2)
    log_rv, classes = generator.normal(-9, 1, 300), generator.integers(0, 8, 300)
    found = rolling_calendar_effects(log_rv, classes, 100)
    for t in (0, 1, 50, 100, 250, 300):
        part, of = log_rv[max(0, t - 100) : t], classes[max(0, t - 100) : t]
        expected = np.zeros(8)
        for c in np.unique(of):
            own = part[of == c]
            expected[c] = (own.mean() - part.mean()) * len(own) / (len(own) + 10)
        if t:
            expected[np.unique(of)] -= np.mean(expected[of])
        np.testing.assert_allclose(found[t], expected, atol=1e-12)


def test_effects_average_to_nothing() -> None:
    generator = np.random.default_rng(3)
    log_rv, classes = generator.normal(-9, 1, 200), generator.integers(0, 6, 200)
    effects = calendar_effects(log_rv, classes)
    assert effects[classes].mean() == pytest.approx(0, abs=1e-12)


def test_the_future_changes_no_effect() -> None:
    generator = np.random.default_rng(4)
    log_rv, classes = generator.normal(-9, 1, 400), generator.integers(0, 7, 400)
    changed = log_rv.copy()
    changed[300:] += 5
    before, after = (rolling_calendar_effects(it, classes, 250)[:301] for it in (log_rv, changed))
    np.testing.assert_array_equal(before, after)
    shorter = rolling_calendar_effects(log_rv[:300], classes[:300], 250)
    np.testing.assert_array_equal(shorter, before)


def test_no_session_has_no_effect() -> None:
    none = np.empty(0)
    np.testing.assert_array_equal(calendar_effects(none, none.astype(np.int64)), np.zeros(8))


def test_spans_are_years() -> None:
    assert estimation_span(get_calendar("24/7")) == 730
    assert estimation_span(get_calendar("XNYS")) == 1260
