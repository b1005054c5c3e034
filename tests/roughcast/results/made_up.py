"""A result of each kind, of numbers that are made up, and as a service answers it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pandas as pd

from roughcast.results.comparison import Comparison, Score
from roughcast.results.forecast import Forecast, HorizonForecast, Interval, Quantile
from roughcast.results.hurst import Estimate, HurstReport
from roughcast.results.summary import Coefficient, Summary

DAY = date(2021, 2, 3)
NEXT = HorizonForecast(
    horizon=1,
    forecast_id="a1",
    rv=1e-4,
    volatility=0.01,
    volatility_annualized=0.16,
    intervals=(
        Interval(0.8, (5e-5, 2e-4), (0.11, 0.22), 0.79, 250),
        Interval(0.98, (2e-5, 4e-4), (0.07, 0.32), None, 0),
    ),
    effective_nobs=250,
    quantiles=(Quantile(0.05, 3e-5, 0.09),),
    warnings=("it is made up",),
)
LATER = replace(
    NEXT,
    horizon=5,
    forecast_id="a5",
    rv=2.25e-4,
    volatility=0.015,
    volatility_annualized=0.24,
    intervals=(
        Interval(0.8, (1e-4, 5e-4), (0.16, 0.36), 0.81, 50),
        Interval(0.98, (6e-5, 9e-4), (0.12, 0.48), 0.95, 50),
    ),
    effective_nobs=None,
    quantiles=(Quantile(0.05, 8e-5, 0.14),),
    warnings=("it is made up", "it is far ahead"),
)
FORECAST = Forecast(
    asset="A<B",
    model="har",
    model_version=3,
    model_sha256="ff",
    as_of=DAY,
    target_date=date(2021, 2, 4),
    measure="parkinson",
    horizons=(NEXT, LATER),
    stale_sessions=2,
    missing_sessions=1,
    degraded_reason="log_har was refused",
    history=pd.Series([4e-4, 1e-4]),
    periods_per_year=256,
)
COMPARISON = Comparison(
    asset="SPX",
    measure="parkinson",
    horizon=1,
    baseline="har",
    span=(date(2020, 1, 1), DAY),
    nobs=400,
    scores=(
        Score("log_har", 0.21, 0.84, 0.002, 0.0015, 0.61, {"har": 0.0123}, True, {0.8: 0.79}),
        Score("har", 0.25, 1.0, 0.003, 0.0025, 0.5, {"calendar_log_har": 0.4}, False, {0.98: 0.9}),
    ),
    spa_pvalue={"har": 0.0312},
    confidence_level=0.9,
    left_out={"ewma": "ewma stands by the wrong dates"},
    remarks=("one day decides",),
    losses=pd.DataFrame(
        {"log_har": [0.1, 0.4], "har": [0.2, 0.1]}, pd.DatetimeIndex(["2021-02-02", "2021-02-03"])
    ),
)
SUMMARY = Summary(
    model="log_har",
    horizon=5,
    unit="log rv",
    coefficients=(
        Coefficient("constant", -0.51234, 0.1, -5.1234, 0.0004),
        Coefficient("mean_1", 0.4, 0.05, 8.0, 0.0),
    ),
    r_squared=0.61238,
    nobs=600,
    span=(date(2019, 1, 2), DAY),
    lags=7,
    learned={"omega": 0.12345678, "beta": 0.9},
    critical=2.0,
    warnings=("prices jump",),
)
REPORT = HurstReport(
    asset="SPX",
    nobs=900,
    measure="parkinson",
    hurst=0.1234,
    headline_estimator="whittle",
    upper_bound=0.3,
    verdict="rough",
    reason="all say so",
    estimates=(
        Estimate("dfa", 0.2, 0.03, (0.14, 0.26), 0.95, ((1.0, 0.5), (2.0, 0.6)), None),
        Estimate("whittle", 0.1234, None, None, 0.95, (), None),
        Estimate("noise", None, None, None, 0.95, (), "it is too short"),
    ),
    warnings=("no measure is named",),
)


def answer_of(horizon: HorizonForecast) -> dict[str, Any]:
    """One of several horizons."""
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


FORECAST_ANSWER = {
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
COMPARISON_ANSWER = {
    "asset": "SPX",
    "measure": "parkinson",
    "horizon": 1,
    "baseline": "har",
    "span": ["2020-01-01", "2021-02-03"],
    "nobs": 400,
    "rows": [
        {
            **{name: it for name, it in vars(score).items() if name != "pvalues"},
            "diebold_mariano": {name: {"pvalue": it} for name, it in score.pvalues.items()},
            "coverage": {str(level): share for level, share in score.coverage.items()},
        }
        for score in COMPARISON.scores
    ],
    "spa_pvalue": {"har": 0.0312},
    "confidence_level": 0.9,
    "excluded": [{"model": "ewma", "reason": "ewma stands by the wrong dates"}],
    "warnings": {"log_har": "one day decides"},
}
REPORT_ANSWER = {
    **{name: it for name, it in vars(REPORT).items() if name not in ("estimates", "warnings")},
    "estimates": [
        {
            **vars(it),
            "interval": it.interval and [*it.interval],
            "points": [{"scale": scale, "value": value} for scale, value in it.points],
        }
        for it in REPORT.estimates
    ],
    "warnings": ["no measure is named"],
}
