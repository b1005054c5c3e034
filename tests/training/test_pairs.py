import numpy as np

from training.pairs import make_pairs
from volatility.calendars import get_calendar
from volatility.series import RealizedSeries


def test_every_window_is_paired_with_the_session_after_it() -> None:
    dates = np.datetime64("2020-01-01") + np.arange(6)
    series = RealizedSeries(rv=np.arange(1.0, 7.0), measure="parkinson", dates=dates)
    pairs = make_pairs(series, 3, get_calendar("24/7"))
    assert pairs.windows["rv"].tolist() == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert pairs.targets.tolist() == [4, 5, 6]
    assert pairs.as_of.tolist() == dates[2:5].tolist()
    assert pairs.target_dates.tolist() == dates[3:].tolist()


def test_what_follows_a_gap_is_not_one_session_ahead() -> None:
    dates = np.array(
        ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"], "M8[D]"
    )
    series = RealizedSeries(rv=np.arange(1.0, 6.0), measure="parkinson", dates=dates)
    around_the_clock = make_pairs(series, 2, get_calendar("24/7"))
    assert around_the_clock.target_dates.astype(str).tolist() == ["2020-01-03", "2020-01-07"]
    exchange = make_pairs(series, 2, get_calendar("XNYS"))  # 4 and 5 January: a weekend
    assert exchange.target_dates.astype(str).tolist() == ["2020-01-03", "2020-01-06", "2020-01-07"]
