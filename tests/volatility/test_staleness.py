import numpy as np

from volatility.calendars import get_calendar
from volatility.series import DatedSeries, RealizedSeries
from volatility.staleness import age_warnings, sessions_since

FRIDAY, MONDAY, TUESDAY = (
    np.datetime64(it, "D") for it in ("2021-01-15", "2021-01-18", "2021-01-19")
)


def series(last: np.datetime64) -> DatedSeries:
    return DatedSeries(np.array([1e-4]), "garman_klass", np.array([last]))


def test_sessions_are_counted_and_not_days() -> None:
    """Monday was Martin Luther King's day: New York was closed."""
    assert sessions_since(series(FRIDAY), TUESDAY, get_calendar("XNYS")) == 1
    assert sessions_since(series(FRIDAY), TUESDAY, get_calendar("24/7")) == 4
    assert sessions_since(series(TUESDAY), FRIDAY, get_calendar("24/7")) == 0
    assert (
        sessions_since(RealizedSeries(np.array([1e-4]), "x"), TUESDAY, get_calendar("24/7")) is None
    )


def test_age_is_told_and_so_is_a_session_that_has_not_closed() -> None:
    [stale] = age_warnings(series(FRIDAY), 1, TUESDAY)
    assert stale == "the history is stale: it ends on 2021-01-15, and 1 session has closed since"
    assert "4 sessions have closed" in age_warnings(series(FRIDAY), 4, TUESDAY)[0]
    [ahead] = age_warnings(series(TUESDAY), 0, FRIDAY)
    assert ahead.startswith("the history ends on 2021-01-19, which has not closed")
    assert age_warnings(series(TUESDAY), 0, TUESDAY) == ()
    assert age_warnings(RealizedSeries(np.array([1e-4]), "x"), None, TUESDAY) == ()
