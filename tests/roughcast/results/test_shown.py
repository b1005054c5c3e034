"""What each kind of result shows: every cell of its table, in a terminal, a notebook, a frame."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from roughcast.results.summary import Coefficient
from roughcast.results.tables import Tabular
from tests.roughcast.results.made_up import COMPARISON, FORECAST, NEXT, REPORT, SUMMARY

SHOWN = (
    (
        FORECAST,
        """A<B: volatility per year by har 3, from 2021-02-03

sessions  volatility    80% interval    98% interval
1              16.0%  11.0% to 22.0%   7.0% to 32.0%
5              24.0%  16.0% to 36.0%  12.0% to 48.0%
note: log_har was refused
note: it is made up
note: it is far ahead""",
    ),
    (
        COMPARISON,
        """SPX: parkinson 1 session ahead, 2020-01-01 to 2021-02-03, n = 400

model     QLIKE  vs har      p  p: calendar  set
log_har  0.2100  -16.0%  0.012            –  yes
har      0.2500       –      –        0.400   no
note: vs har: QLIKE relative to its; p: two-sided Diebold-Mariano; set: in the 90% model
  confidence set
note: SPA, that none is better than har: p 0.031
note: ewma stands by the wrong dates
note: one day decides""",
    ),
    (
        SUMMARY,
        """log_har: log rv of the mean of 5 sessions ahead, 2019-01-02 to 2021-02-03, n = 600, R² =
0.6124

          coefficient  std. error      t  P>|t|
constant      -0.5123         0.1  -5.12  0.000
mean_1            0.4        0.05   8.00  0.000
note: standard errors are robust to heteroskedasticity and autocorrelation (Newey-West,
  7 lags), p-values allow for so many
note: omega = 0.123457, beta = 0.9
note: prices jump""",
    ),
    (
        REPORT,
        """SPX: log volatility of 900 sessions is rough, H = 0.123 (whittle)

estimator      H  std. error  95% interval
dfa        0.200       0.030  0.14 to 0.26
whittle    0.123           –             –
noise          –           –             –
note: all say so
note: no measure is named""",
    ),
)


@pytest.mark.parametrize(("result", "shown"), SHOWN)
def test_it_is_shown_as_a_table(result: Tabular, shown: str) -> None:
    assert repr(result) == result.text() == shown


def test_what_is_not_known_is_not_shown() -> None:
    bare = replace(
        FORECAST, asset=None, model_version=0, as_of=None, degraded_reason=None, horizons=(NEXT,)
    )
    assert bare.title == "volatility per year by har"
    assert bare.notes == ("it is made up",)
    five = replace(COMPARISON, asset=None, horizon=5, spa_pvalue={"log_har": 0.5})
    assert five.title == "parkinson 5 sessions ahead, 2020-01-01 to 2021-02-03, n = 400"
    assert five.notes[1:] == ("ewma stands by the wrong dates", "one day decides")
    perfect = replace(COMPARISON.scores[0], qlike_ratio=None)
    assert replace(COMPARISON, scores=(perfect,)).lines()[1][2] == "–"
    garch = replace(SUMMARY, horizon=1, r_squared=None, remark="by other means", learned={})
    assert garch.title == "log_har: log rv of 1 session ahead, 2019-01-02 to 2021-02-03, n = 600"
    assert garch.notes == ("by other means", "prices jump")
    doubtful = replace(REPORT, asset=None, hurst=None)
    assert doubtful.title == "log volatility of 900 sessions is rough"


def test_a_narrow_text_is_folded_and_some_notes_are_counted() -> None:
    *_, first, more = REPORT.text(40, 1).splitlines()
    assert (first, more) == ("note: all say so", "note: 1 more with -v")
    assert REPORT.text(40, 2).splitlines()[-1] == "note: no measure is named"
    assert REPORT.text(40).splitlines()[:3] == [
        "SPX: log volatility of 900 sessions is",
        "rough, H = 0.123 (whittle)",
        "",
    ]


def test_a_notebook_has_the_same_cells() -> None:
    """What is told may have a mark of HTML in it."""
    row = "<tr><td>{}</td><td>{}%</td><td>{}</td><td>{}</td></tr>".format
    assert FORECAST._repr_html_() == (
        "<p><b>A&lt;B: volatility per year by har 3, from 2021-02-03</b></p><table><thead><tr>"
        "<th>sessions</th><th>volatility</th><th>80% interval</th><th>98% interval</th></tr>"
        f"</thead><tbody>{row(1, '16.0', '11.0% to 22.0%', '7.0% to 32.0%')}"
        f"{row(5, '24.0', '16.0% to 36.0%', '12.0% to 48.0%')}</tbody></table>"
        "<p>log_har was refused</p><p>it is made up</p><p>it is far ahead</p>"
    )
    head = SUMMARY._repr_html_().partition("<thead>")[2].partition("</thead>")[0]
    assert head == (
        "<tr><th></th><th>coefficient</th><th>std. error</th><th>t</th><th>P&gt;|t|</th></tr>"
    )


FRAMES = (
    (
        FORECAST,
        "horizon",
        {
            "rv": {1: 1e-4, 5: 2.25e-4},
            "volatility": {1: 0.01, 5: 0.015},
            "volatility_annualized": {1: 0.16, 5: 0.24},
            "rv_lower_80": {1: 5e-5, 5: 1e-4},
            "rv_upper_80": {1: 2e-4, 5: 5e-4},
            "rv_lower_98": {1: 2e-5, 5: 6e-5},
            "rv_upper_98": {1: 4e-4, 5: 9e-4},
            "rv_quantile_5": {1: 3e-5, 5: 8e-5},
        },
    ),
    (
        COMPARISON,
        "model",
        {
            "qlike_loss": {"log_har": 0.21, "har": 0.25},
            "qlike_ratio": {"log_har": 0.84, "har": 1.0},
            "rmse_volatility": {"log_har": 0.002, "har": 0.003},
            "mae_volatility": {"log_har": 0.0015, "har": 0.0025},
            "r_squared_log": {"log_har": 0.61, "har": 0.5},
            "pvalue_har": {"log_har": 0.0123, "har": np.nan},
            "in_confidence_set": {"log_har": True, "har": False},
            "coverage_80": {"log_har": 0.79, "har": np.nan},
            "pvalue_calendar_log_har": {"log_har": np.nan, "har": 0.4},
            "coverage_98": {"log_har": np.nan, "har": 0.9},
        },
    ),
    (
        SUMMARY,
        None,
        {
            "coefficient": {"constant": -0.51234, "mean_1": 0.4},
            "standard_error": {"constant": 0.1, "mean_1": 0.05},
            "t": {"constant": -5.1234, "mean_1": 8.0},
            "pvalue": {"constant": 0.0004, "mean_1": 0.0},
        },
    ),
    (
        REPORT,
        "estimator",
        {
            "hurst": {"dfa": 0.2, "whittle": 0.1234, "noise": np.nan},
            "standard_error": {"dfa": 0.03, "whittle": np.nan, "noise": np.nan},
            "lower": {"dfa": 0.14, "whittle": np.nan, "noise": np.nan},
            "upper": {"dfa": 0.26, "whittle": np.nan, "noise": np.nan},
        },
    ),
)


@pytest.mark.parametrize(("result", "index", "columns"), FRAMES)
def test_its_frame_has_every_number(
    result: Tabular, index: str | None, columns: dict[str, Any]
) -> None:
    expected = pd.DataFrame(columns).rename_axis(index)
    pd.testing.assert_frame_equal(result.to_frame(), expected, check_exact=True)


def test_quantities_that_no_estimator_tells_are_numbers_too() -> None:
    nothing = replace(REPORT, estimates=REPORT.estimates[2:]).to_frame()
    bare = tuple(Coefficient(it.name, it.value, None, None, None) for it in SUMMARY.coefficients)
    unsure = replace(SUMMARY, coefficients=bare, critical=None)
    assert set(nothing.dtypes) == set(unsure.to_frame().dtypes) == {np.dtype(float)}
    assert unsure.lines()[1] == ["constant", "-0.5123", "–", "–", "–"]
