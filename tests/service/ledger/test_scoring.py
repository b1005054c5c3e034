"""Live forecasts joined with outcomes, and what is made of both; by hand, without a service."""

import json
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.ledger.live import _margin, _skill
from service.ledger.performance import (
    ACTIVE,
    Against,
    _against,
    _alarm,
    _alarms,
    _interval,
    performance_of,
)
from service.ledger.records import Record, _known_at
from service.ledger.scoring import Scored, Track, score, tracks_of
from volatility.calendars import get_calendar
from volatility.errors import InvalidInput
from volatility.series import DatedSeries

FIRST = date(2021, 3, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def record(number: int, rv: float, version: int = 1, model: str = "har", **levels: Any) -> Record:
    intervals = [{"level": float(f"0.{it[1:]}"), "rv": bounds} for it, bounds in levels.items()]
    answer = json.dumps({"rv": rv, "measure": f"m{number}", "intervals": intervals}).encode()
    made: Any = {"model": model, "model_version": version, "model_sha256": f"{model}{version}"}
    others: Any = dict.fromkeys(set(Record._fields) - {*made, "target_date", "answer"})
    return Record(**others, **made, target_date=day(number), answer=answer)


def test_a_track_has_the_last_forecast_of_each_day_and_the_last_interval_of_each_level() -> None:
    [track] = tracks_of(
        [
            record(2, 3.0),
            record(0, 1.0, _8=[0.5, 1.5], _95=[0.1, 9.0]),
            record(0, 2.0, _8=[1.5, 2.5]),
        ]
    )
    assert track[:4] == ("har", 1, "har1", "m2")  # the measure of the last day
    assert track.target_dates.tolist() == [day(0), day(2)]
    assert track.forecast.tolist() == [2.0, 3.0]
    assert list(track.bounds) == [0.8, 0.95]
    np.testing.assert_array_equal(track.bounds[0.8], [[1.5, 2.5], [np.nan, np.nan]])
    np.testing.assert_array_equal(track.bounds[0.95], [[0.1, 9.0], [np.nan, np.nan]])


def test_each_version_of_each_model_has_a_track_in_their_order() -> None:
    given = [record(0, 1.0, 2), record(0, 2.0, 1), record(0, 3.0, 1, "b"), record(1, 4.0, 10)]
    told = [(it.model, it.version, it.forecast.tolist()) for it in tracks_of(given)]
    assert told == [("b", 1, [3.0]), ("har", 1, [2.0]), ("har", 2, [1.0]), ("har", 10, [4.0])]
    assert tracks_of([]) == []


def held(numbers: list[int]) -> Any:
    """An asset of which so many days are held, each with an rv of its number and 1."""
    dates = np.array([day(it) for it in numbers], "datetime64[D]")
    series = DatedSeries(np.array(numbers, float) + 1, "m", dates)

    def of(measure: str) -> DatedSeries:
        if not numbers:
            raise InvalidInput("no session")
        assert measure == "m"
        return series

    return SimpleNamespace(series=of, calendar=get_calendar("24/7"), sessions=lambda: dates)


def track(numbers: list[int], model: str = "mine", **bounds: Any) -> Track:
    dates = np.array([day(it) for it in numbers], "datetime64[D]")
    by_level = {float(f"0.{it[1:]}"): np.array(both, float) for it, both in bounds.items()}
    return Track(model, 1, "digest", "m", dates, np.full(len(dates), 2.0), by_level)


@pytest.mark.parametrize(
    ("days", "horizon", "rv", "pending", "missing"),
    [
        ([0, 1, 2, 3], 1, [1.0, 2.0, 3.0, 4.0], 0, 0),
        ([0, 1, 2], 1, [1.0, 2.0, 3.0], 1, 0),
        ([0, 1, 3], 1, [1.0, 2.0, 4.0], 0, 1),
        ([0, 1, 4], 1, [1.0, 2.0], 0, 2),
        ([0, 1, 2, 3], 2, [1.5, 2.5, 3.5], 1, 0),
        ([0, 1, 3], 2, [1.5], 1, 2),  # that of 2 and 3 is over, though 3 is held
        ([0, 1, 3, 4], 2, [1.5, 4.5], 0, 2),
        ([], 1, [], 4, 0),
    ],
)
def test_a_forecast_has_an_outcome_or_waits_or_will_have_none(
    days: list[int], horizon: int, rv: list[float], pending: int, missing: int
) -> None:
    bounds = [[it, 10.0 + it] for it in range(4)]
    found = score(track([0, 1, 2, 3], _8=bounds), held(days), horizon)
    assert (found.rv.tolist(), found.pending, found.missing) == (rv, pending, missing)
    ratio = np.array(rv) / 2
    np.testing.assert_allclose(found.losses, ratio - np.log(ratio) - 1, atol=1e-15)
    assert len(found.track.target_dates) == len(found.track.forecast) == len(rv)
    assert len(found.track.bounds[0.8]) == len(rv)


def scored(numbers: list[int], losses: list[float], model: str = "mine", **bounds: Any) -> Scored:
    rv = 1.0 + np.arange(len(numbers), dtype=np.float64)
    return Scored(track(numbers, model, **bounds), rv, np.array(losses), 0, 0)


def test_a_benchmark_is_met_on_common_dates_by_its_newest_version() -> None:
    mine = scored([0, 1, 2], [1.0, 2.0, 6.0])
    versions = [scored([0, 1], [4.0, 4.0]), scored([1, 5], [8.0, 1.0])]
    assert _against(mine, versions, 1) == Against(2, 3.0 / 12.0, None)
    other = versions[0]._replace(track=versions[0].track._replace(measure="other"))
    assert _against(mine, [other], 1) is None
    assert _against(mine, [scored([7], [1.0])], 1) is None
    without_loss = _against(mine, [scored([0], [0.0])], 1)
    assert without_loss is not None
    assert np.isnan(without_loss.qlike_ratio)


def test_bounds_of_an_interval_are_inside_and_what_was_not_asked_for_is_left_out() -> None:
    bounds = [[1.0, 5.0], [0.0, 2.0], [np.nan, np.nan], [4.5, 9.0]]
    mine = scored([0, 1, 2, 3], [1.0] * 4, _8=bounds, _95=[[np.nan, np.nan]] * 4)
    found = _interval(mine, 0.8, 0.79)
    assert found is not None
    assert (found.level, found.nobs, found.promised) == (0.8, 3, 0.79)
    assert found.coverage == pytest.approx(2 / 3)
    # Widths 4, 2 and 4.5, and 0.5 below the last bound, at 2 over 1 - 0.8.
    assert found.loss == pytest.approx((4 + 2 + 4.5 + 10 * 0.5) / 3)
    assert _interval(mine, 0.95, None) is None


def test_what_there_is_none_of_is_told_as_none() -> None:
    nothing = performance_of(scored([], []), {}, None, 1, held([0]))
    assert (nothing.qlike_loss, nothing.bias, nothing.against) == (None, None, {})
    assert (nothing.intervals, nothing.promised_qlike, nothing.alarms) == ((), None, {})
    mine = scored([0, 1], [1.0, 3.0], "har")
    found = performance_of(mine, {"har": [mine], "other": [mine]}, None, 1, held([0, 1]))
    assert (found.qlike_loss, found.bias) == (2.0, -0.25)
    assert list(found.against) == ["other"]  # and not itself


def test_an_interval_is_watched_from_what_it_says_or_covered_whichever_is_less() -> None:
    bounds = [[0.0, 9.0]] * 3
    mine = scored([0, 1, 2], [1.0] * 3, _8=bounds)
    for covered, promised in ((0.9, 0.2), (0.7, 0.3)):
        found = _alarms(mine, None, covered, 1, held([0, 1, 2]))
        assert list(found) == ["coverage"]
        assert found["coverage"].promised == pytest.approx(promised)
    assert list(_alarms(mine, 0.5, None, 1, held([0, 1, 2]))) == ["qlike"]
    assert _alarms(mine, 0.0, None, 1, held([0, 1, 2])) == {}
    assert _alarms(scored([0], [1.0]), None, 0.8, 1, held([0])) == {}


def test_an_alarm_is_active_for_22_sessions() -> None:
    dates = track(list(range(10))).target_dates
    values = np.full(10, 1e6)
    apart = np.arange(10)
    for later, active in ((ACTIVE - 1, True), (ACTIVE, False)):
        first = _alarm(values, dates, 1.0, np.append(apart, 0), apart)
        last = int(np.flatnonzero(dates == np.datetime64(first.raised[-1]))[0])
        found = _alarm(values, dates, 1.0, np.append(apart, last + later), apart)
        assert found.raised == first.raised
        assert found.active is active


@pytest.mark.parametrize(
    ("against", "told"),
    [
        (None, None),
        (Against(249, 0.9, 0.01), None),
        (Against(250, 0.9, None), None),
        (Against(250, 0.9, 0.01), (0.9, 0.01)),
    ],
)
def test_a_margin_needs_enough_outcomes_and_a_test(
    against: Against | None, told: tuple[float, float] | None
) -> None:
    assert _margin(against, 250) == told


def test_skill_is_told_beside_har_on_their_common_dates() -> None:
    mine = scored([0, 1, 4], [1.0] * 3)
    found: Any = SimpleNamespace(scored=mine, against={"har": Against(250, 0.9, 0.01)})
    assert _skill(found, 250) == (*("har", 0.9, 0.01, None, 250, (day(0), day(4)), None, "live"),)
    assert _skill(found, 251) is None
    found.against = {}
    assert _skill(found, 1) is None
    found.scored = scored([0, 1, 4], [1.0] * 3, "har")
    assert _skill(found, 250) == ("har", 1.0, None, None, 3, (day(0), day(4)), None, "live")


def test_a_record_tells_until_when_each_asset_that_was_looked_at_was_known() -> None:
    held: Any = SimpleNamespace(asset=SimpleNamespace(asset="A"), known_at=7)
    looked_at = tuple(SimpleNamespace(name=it) for it in "BC")
    alone: Any = SimpleNamespace(beside=SimpleNamespace(companions=(), known_at=()))
    beside: Any = SimpleNamespace(beside=SimpleNamespace(companions=looked_at, known_at=(5, 6)))
    assert dict(_known_at(alone, held)) == {"A": 7}
    assert dict(_known_at(beside, held)) == {"A": 7, "B": 5, "C": 6}
