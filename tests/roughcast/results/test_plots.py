"""What each kind of result draws: lines, marks and labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from roughcast.results.tables import Tabular
from tests.roughcast.results.made_up import COMPARISON, FORECAST, REPORT, SUMMARY


def drawn(result: Tabular) -> Any:
    axes: Any = result.plot()
    assert axes.get_title().replace("\n", " ") == result.title
    assert max(map(len, axes.get_title().splitlines())) <= 64
    assert axes.title.get_fontsize() == 10.0
    return axes


@pytest.mark.parametrize("result", [FORECAST, COMPARISON, SUMMARY, REPORT])
def test_it_is_drawn_into_axes_that_are_given(result: Tabular) -> None:
    axes = Figure().add_subplot()
    assert result.plot(axes) is axes
    assert axes.lines


def legend_of(axes: Any) -> list[str]:
    legend = axes.get_legend()
    assert not legend.get_frame_on()
    return [it.get_text() for it in legend.get_texts()]


def reaches(axes: Any) -> list[Any]:
    """Ends of the bars of error, by row."""
    [bars] = axes.containers
    return list(bars.lines[2][0].get_segments())


def test_a_forecast_is_drawn_after_what_was_as_a_fan() -> None:
    axes = drawn(FORECAST)
    past, ahead = axes.lines
    assert (past.get_xdata().tolist(), past.get_ydata().tolist()) == ([-1, 0], [0.32, 0.16])
    assert (past.get_color(), past.get_linewidth()) == ("0.5", 1)
    assert (ahead.get_xdata().tolist(), ahead.get_ydata().tolist()) == ([1, 5], [0.16, 0.24])
    assert (ahead.get_color(), ahead.get_marker()) == ("C0", "o")
    assert legend_of(axes) == ["realized", "98%", "80%", "forecast, mean up to there"]
    wide, narrow = axes.collections
    assert [it.get_alpha() for it in (wide, narrow)] == [0.15, 0.35]
    for band, bounds in ((wide, [0.07, 0.32, 0.12, 0.48]), (narrow, [0.11, 0.22, 0.16, 0.36])):
        assert set(band.get_paths()[0].vertices[:, 1]) == set(bounds)
        assert band.get_facecolor()[0].tolist() == list(to_rgba("C0", band.get_alpha()))
        assert band.get_linewidth() == 0
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "sessions from 2021-02-03",
        "volatility per year",
    )
    assert axes.yaxis.get_major_formatter()(0.16) == "16%"
    assert axes.get_ylim()[0] == 0
    unknown = drawn(replace(FORECAST, history=None, as_of=None))
    assert (len(unknown.lines), unknown.get_xlabel()) == (1, "sessions ahead")
    assert len(drawn(replace(FORECAST, periods_per_year=None)).lines) == 1


def test_losses_are_drawn_against_the_baseline_s_from_date_to_date() -> None:
    axes = drawn(COMPARISON)
    log_har, har = axes.lines
    assert log_har.get_ydata().tolist() == pytest.approx([-0.1, 0.2])
    assert [str(it)[:10] for it in log_har.get_xdata()] == ["2021-02-02", "2021-02-03"]
    assert (har.get_ydata(), har.get_color(), har.get_linewidth()) == ([0, 0], "0.7", 1)
    assert legend_of(axes) == ["log_har", "har"]
    assert axes.get_xlabel() == "target date"
    assert axes.get_ylabel() == "QLIKE less that of har, cumulated"


def test_ratios_are_drawn_where_losses_are_not_known() -> None:
    axes = drawn(replace(COMPARISON, losses=None))
    assert [it.get_width() for it in axes.patches] == pytest.approx([0.0, -0.16])
    assert [it.get_text() for it in axes.get_yticklabels()] == ["har", "log_har"]
    [zero] = axes.lines
    assert (zero.get_xdata(), zero.get_color(), zero.get_linewidth()) == ([0, 0], "0.7", 1)
    assert axes.get_xlabel() == "QLIKE against that of har"
    assert axes.xaxis.get_major_formatter()(0.25) == "25%"


def test_coefficients_are_drawn_with_their_intervals() -> None:
    axes = drawn(SUMMARY)
    expected = [[[0.3, 0], [0.5, 0]], [[-0.71234, 1], [-0.31234, 1]]]
    assert np.array(reaches(axes)) == pytest.approx(np.array(expected))
    [bars] = axes.containers
    marks, caps, _ = bars.lines
    assert (marks.get_marker(), marks.get_linestyle(), len(caps)) == ("o", "None", 2)
    assert caps[0].get_markersize() == 6.0  # twice what is said of one side
    zero = axes.lines[-1]
    assert (zero.get_xdata(), zero.get_color(), zero.get_linewidth()) == ([0, 0], "0.7", 1)
    assert [it.get_text() for it in axes.get_yticklabels()] == ["mean_1", "constant"]
    assert axes.get_xlabel() == "coefficient, on log rv, with its 95 % interval"
    unsure = tuple(replace(it, standard_error=None) for it in SUMMARY.coefficients)
    for bare in (replace(SUMMARY, coefficients=unsure), replace(SUMMARY, critical=None)):
        points = [[[0.4, 0]] * 2, [[-0.51234, 1]] * 2]
        assert [it.tolist() for it in reaches(drawn(bare))] == points


def test_exponents_are_drawn_with_their_intervals_and_the_headline_filled() -> None:
    axes = drawn(REPORT)
    whittle, reach, dfa, brownian = axes.lines
    assert (list(reach.get_xdata()), list(reach.get_ydata())) == ([0.14, 0.26], [1, 1])
    assert (reach.get_color(), reach.get_linewidth()) == ("C0", 1)
    assert [(list(it.get_xdata()), list(it.get_ydata())) for it in (whittle, dfa)] == [
        ([0.1234], [0]),
        ([0.2], [1]),
    ]
    assert [it.get_fillstyle() for it in (whittle, dfa)] == ["full", "none"]
    assert {(it.get_marker(), it.get_color()) for it in (whittle, dfa)} == {("o", "C0")}
    assert (brownian.get_xdata(), brownian.get_color(), brownian.get_linewidth()) == (
        [0.5, 0.5],
        "0.7",
        1,
    )
    assert [it.get_text() for it in axes.get_yticklabels()] == ["whittle", "dfa"]
    assert axes.get_xlabel().startswith("Hurst exponent of log volatility, with its interval")
