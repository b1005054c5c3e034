"""What of a recorded forecast has to come out again, and how one is asked for that is recorded."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from service.ledger.replaying import _differences, _gone, _request
from tests.errors import details

ANSWER: dict[str, Any] = {
    "forecast_id": "a1",
    "asset": "A",
    "model": "har",
    "model_version": 2,
    "model_sha256": "ff",
    "as_of": "2021-02-03",
    "target_date": "2021-02-04",
    "horizon": 5,
    "measure": "parkinson",
    "point": "mean",
    "missing_sessions": 0,
    "rv": 1e-4,
    "volatility": 0.01,
    "volatility_annualized": 0.16,
    "intervals": [{"level": 0.8, "rv": [5e-5, 2e-4], "coverage_observed": 0.79}],
    "quantiles": [{"probability": 0.1, "rv": 4e-5}],
    "calibration": {"nobs": 250},
    "diagnostics": {"attention": [0.5]},
    "skill": None,
    "stale_sessions": 0,
    "degraded_reason": None,
    "warnings": [],
}
KNOWN_SINCE = {
    "model_version": 3,  # the same artifact, published again
    "skill": {"baseline": "har"},
    "stale_sessions": 4,
    "degraded_reason": "another is champion by now",
    "warnings": ["the history is stale"],
}


def test_what_is_the_same_has_no_differences() -> None:
    assert _differences(ANSWER, {**ANSWER}) == ()
    assert _differences(ANSWER, ANSWER | KNOWN_SINCE) == ()


@pytest.mark.parametrize("name", sorted(ANSWER.keys() - KNOWN_SINCE.keys() - {"intervals"}))
def test_every_number_and_what_says_whose_it_is_must_come_out_again(name: str) -> None:
    other = {"nobs": 251} if name == "calibration" else "another"
    assert _differences(ANSWER, ANSWER | {name: other}) == (name,)
    assert _differences(ANSWER | {name: other}, ANSWER) == (name,)


@pytest.mark.parametrize(
    ("change", "differs"),
    [({"coverage_observed": 0.8}, False), ({"level": 0.9}, True), ({"rv": [5e-5, 2.1e-4]}, True)],
)
def test_bounds_of_each_level_must_and_how_often_they_held_need_not(
    change: dict[str, Any], differs: bool
) -> None:
    [interval] = ANSWER["intervals"]
    after = ANSWER | {"intervals": [interval | change]}
    assert _differences(ANSWER, after) == (("intervals",) if differs else ())
    assert _differences(ANSWER, ANSWER | {"intervals": []}) == ("intervals",)


def test_what_calibrations_have_told_since_is_no_difference() -> None:
    more = ANSWER | {"calibration": {"nobs": 250, "effective_nobs": 50}}
    assert _differences(ANSWER, more) == ()
    assert _differences(more, ANSWER) == ("calibration",)


def test_it_is_asked_for_as_it_was() -> None:
    record: Any = SimpleNamespace(
        asset="A", model="har", model_version=2, horizon=5, asked_as_of=None, forecast_id="a1"
    )
    asked = {"asset": "A", "model": "har", "model_version": 2, "horizon": 5}
    plain = _request(record, {"intervals": []})
    assert plain.model_dump(exclude_unset=True) == asked | {"levels": (), "quantiles": ()}
    record.asked_as_of = date(2021, 2, 3)
    assert _request(record, ANSWER).model_dump(exclude_unset=True) == asked | {
        "levels": (0.8,),
        "quantiles": (0.1,),
        "as_of": date(2021, 2, 3),
    }
    error = _gone(record, "there is no version 2")
    assert str(error) == "the forecast a1 cannot be made again: there is no version 2"
    needed = "the bars and the version that it was made from"
    assert details(error) == ("forecast_id", "a1", needed)
