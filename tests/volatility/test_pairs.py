import numpy as np
import pytest

from volatility.calendars import get_calendar
from volatility.errors import HistoryTooShort
from volatility.pairs import make_pairs, outcomes
from volatility.series import DatedSeries, RealizedSeries


def test_windows_and_targets_by_hand() -> None:
    dates = np.datetime64("2020-01-01") + np.arange(6)
    returns = np.arange(-3.0, 3.0)
    series = DatedSeries(np.arange(1.0, 7.0), "parkinson", dates, columns={"return": returns})
    pairs = make_pairs(series, 3, get_calendar("24/7"), columns=("return",))
    assert pairs.windows["rv"].tolist() == [[1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert pairs.windows["return"].tolist() == [[-3, -2, -1], [-2, -1, 0], [-1, 0, 1]]
    assert pairs.targets.tolist() == [4, 5, 6]
    assert pairs.as_of.tolist() == dates[2:5].tolist()
    assert pairs.target_dates.tolist() == dates[3:].tolist()
    assert list(make_pairs(series, 3, get_calendar("24/7")).windows) == ["rv"]


def test_the_day_is_a_column_of_every_series() -> None:
    dates = np.datetime64("1970-01-11") + np.arange(4)
    series = DatedSeries(np.arange(1.0, 5.0), "parkinson", dates)
    pairs = make_pairs(series, 2, get_calendar("24/7"), columns=("day",))
    assert pairs.windows["day"].tolist() == [[10, 11], [11, 12]]
    assert np.isnan(RealizedSeries(series.rv, "parkinson").column("day")).all()


def test_what_follows_a_gap_is_not_one_session_ahead() -> None:
    dates = np.array(
        ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-06", "2020-01-07"], "M8[D]"
    )
    series = DatedSeries(rv=np.arange(1.0, 6.0), measure="parkinson", dates=dates)
    around_the_clock = make_pairs(series, 2, get_calendar("24/7"))
    assert around_the_clock.target_dates.astype(str).tolist() == ["2020-01-03", "2020-01-07"]
    exchange = make_pairs(series, 2, get_calendar("XNYS"))  # 4 and 5 January: a weekend
    assert exchange.target_dates.astype(str).tolist() == ["2020-01-03", "2020-01-06", "2020-01-07"]


def test_several_sessions_ahead_by_hand() -> None:
    # 5 January is missing. Two sessions ahead of a window of two:
    #   as of 2nd: (4 + 9) / 2 on the 3rd and 4th
    #   as of 3rd: the 5th is missing; as of 4th: likewise; as of 6th: (36 + 49) / 2
    dates = np.array([f"2020-01-0{day}" for day in (1, 2, 3, 4, 6, 7, 8)], "M8[D]")
    rv = np.array([1.0, 2.0, 4.0, 9.0, 16.0, 36.0, 49.0])
    returns = np.arange(7.0)
    series = DatedSeries(rv, "parkinson", dates, columns={"return": returns})
    pairs = make_pairs(series, 2, get_calendar("24/7"), horizon=2, columns=("return",))
    assert pairs.as_of.astype(str).tolist() == ["2020-01-02", "2020-01-06"]
    assert pairs.targets.tolist() == [6.5, 42.5]
    assert pairs.target_dates.astype(str).tolist() == ["2020-01-03", "2020-01-07"]
    assert pairs.windows["rv"].tolist() == [[1, 2], [9, 16]]
    assert pairs.windows["return"].tolist() == [[0, 1], [3, 4]]


def test_a_horizon_of_one_session_is_that_session() -> None:
    dates = np.datetime64("2020-01-01") + np.arange(9)
    rv = np.random.default_rng(0).lognormal(-9, 1, 9)
    series = DatedSeries(rv, "parkinson", dates)
    for horizon in (1, 2, 5):
        pairs = make_pairs(series, 3, get_calendar("24/7"), horizon)
        assert len(pairs) == 9 - 3 - horizon + 1
        assert pairs.target_dates.tolist() == (pairs.as_of + 1).tolist()
        for row, target in enumerate(pairs.targets):
            assert target == pytest.approx(rv[3 + row : 3 + row + horizon].mean(), rel=1e-14)
    assert (make_pairs(series, 3, get_calendar("24/7")).targets == rv[3:]).all()


def test_too_short_a_series() -> None:
    series = DatedSeries(np.ones(6), "parkinson", np.datetime64("2020-01-01") + np.arange(6))
    assert len(make_pairs(series, 4, get_calendar("24/7"), horizon=2)) == 1
    with pytest.raises(HistoryTooShort, match="4 sessions and 3 ahead need 7 sessions; got 6"):
        make_pairs(series, 4, get_calendar("24/7"), horizon=3)


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_outcomes_are_the_targets_of_pairs(horizon: int) -> None:
    """Of a series with gaps: each target bit for bit, and nothing where a session is missing."""
    dates = np.arange("2021-01-01", "2021-03-02", dtype="datetime64[D]")
    kept = np.ones(len(dates), bool)
    kept[[20, 21, 40]] = False
    rng = np.random.default_rng(3)
    series = DatedSeries(rng.gamma(2.0, 1e-4, int(kept.sum())), "parkinson", dates[kept])
    calendar = get_calendar("24/7")
    pairs = make_pairs(series, 3, calendar, horizon)
    targets = np.append(dates, np.datetime64("2021-03-02"))
    found = dict(zip(targets.tolist(), outcomes(series, calendar, targets, horizon), strict=True))
    for target, expected in zip(pairs.target_dates.tolist(), pairs.targets, strict=True):
        assert found[target] == expected
    whole = {
        targets[it].item()
        for it in range(len(dates) - horizon + 1)
        if kept[it : it + horizon].all()
    }
    assert {it for it, value in found.items() if np.isfinite(value)} == whole


def test_of_too_few_sessions_there_are_no_outcomes() -> None:
    dates = np.arange("2021-01-01", "2021-01-03", dtype="datetime64[D]")
    series = DatedSeries(np.array([1e-4, 2e-4]), "parkinson", dates)
    calendar = get_calendar("24/7")
    assert np.isnan(outcomes(series, calendar, dates, 3)).all()
    assert outcomes(series, calendar, dates[:1], 2).tolist() == [pytest.approx(1.5e-4)]
    assert len(outcomes(series, calendar, dates[:0], 1)) == 0
