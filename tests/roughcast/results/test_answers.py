"""Results are made of what the service answers."""

from dataclasses import replace
from typing import Any

from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast, HorizonForecast
from roughcast.results.hurst import HurstReport
from tests.roughcast.results.made_up import COMPARISON, FORECAST, LATER, NEXT, REPORT


def answer_of(horizon: HorizonForecast) -> dict[str, Any]:
    """As the service says it."""
    return {
        "horizon": horizon.horizon,
        "forecast_id": horizon.forecast_id,
        "rv": horizon.rv,
        "volatility": horizon.volatility,
        "volatility_annualized": horizon.volatility_annualized,
        "intervals": [vars(it) for it in horizon.intervals],
        "calibration": {"effective_nobs": horizon.effective_nobs},
        "quantiles": [vars(it) for it in horizon.quantiles],
        "warnings": [*horizon.warnings],
    }


def test_every_field_of_an_answer_is_read() -> None:
    answer = {
        "asset": "A<B",
        "model": "har",
        "model_version": 3,
        "model_sha256": "ff",
        "as_of": "2021-02-03",
        "target_date": "2021-02-04",
        "measure": "parkinson",
        "term_structure": [answer_of(NEXT), answer_of(LATER)],
        "stale_sessions": 2,
        "missing_sessions": 1,
        "degraded_reason": "log_har was refused",
    }
    found = Forecast.of_answer(answer)
    assert found == FORECAST  # but for what is known here alone
    assert (found.history, found.periods_per_year) == (None, None)
    del answer["term_structure"]
    old = answer_of(NEXT) | {"calibration": {}}  # of a record from before these were told
    del old["quantiles"]
    alone = Forecast.of_answer(answer | old | {"as_of": None, "target_date": None})
    bare = replace(NEXT, quantiles=(), effective_nobs=None)
    assert alone == replace(FORECAST, horizons=(bare,), as_of=None, target_date=None)


def test_a_comparison_and_a_report_are_read_whole() -> None:
    rows = [
        {**vars(it), "diebold_mariano": {name: {"pvalue": p} for name, p in it.pvalues.items()}}
        | {"coverage": {str(level): share for level, share in it.coverage.items()}}
        for it in COMPARISON.scores
    ]
    answer = {
        **vars(COMPARISON),
        "span": ["2020-01-01", "2021-02-03"],
        "rows": rows,
        "excluded": [{"model": "ewma", "reason": "ewma stands by the wrong dates"}],
        "warnings": {"log_har": "one day decides"},
    }
    assert Comparison.of_answer(answer) == COMPARISON
    estimates = [
        {**vars(it), "points": [{"scale": scale, "value": value} for scale, value in it.points]}
        | {"interval": it.interval and [*it.interval]}
        for it in REPORT.estimates
    ]
    told = {**vars(REPORT), "estimates": estimates, "warnings": [*REPORT.warnings]}
    assert HurstReport.of_answer(told) == REPORT
