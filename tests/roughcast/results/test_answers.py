"""Results are made of what the service answers."""

from dataclasses import replace

from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from roughcast.results.hurst import HurstReport
from tests.roughcast.results.made_up import (
    COMPARISON,
    COMPARISON_ANSWER,
    FORECAST,
    FORECAST_ANSWER,
    NEXT,
    REPORT,
    REPORT_ANSWER,
    answer_of,
)


def test_every_field_of_an_answer_is_read() -> None:
    found = Forecast.of_answer(FORECAST_ANSWER)
    assert found == FORECAST  # but for what is known here alone
    assert (found.history, found.periods_per_year) == (None, None)


def test_an_answer_of_one_horizon_is_read() -> None:
    """And one that was recorded before all of it was told."""
    answer = {**FORECAST_ANSWER, **answer_of(NEXT), "as_of": None, "target_date": None}
    del answer["term_structure"]
    expected = replace(FORECAST, horizons=(NEXT,), as_of=None, target_date=None)
    assert Forecast.of_answer(answer) == expected
    del answer["quantiles"]
    bare = replace(NEXT, quantiles=(), effective_nobs=None)
    assert Forecast.of_answer(answer | {"calibration": {}}) == replace(expected, horizons=(bare,))


def test_a_comparison_and_a_report_are_read_whole() -> None:
    assert Comparison.of_answer(COMPARISON_ANSWER) == COMPARISON
    assert HurstReport.of_answer(REPORT_ANSWER) == REPORT
