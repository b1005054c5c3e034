import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from tests.training.evaluation.studies import results
from training.evaluation import figures
from training.reports.drawings import BLUE, STYLE
from volatility.evaluation.losses import qlike_losses


def test_four_figures_the_same_bytes_twice() -> None:
    one, other = figures.draw(results()[0], "drawn"), figures.draw(results()[0], "drawn")
    assert one == other
    assert len({it.svg for it in one}) == 4
    assert [it.file for it in one] == [
        "drawn/FIRST-1-qlike-against-har.svg",
        "drawn/FIRST-1-forecasts-and-realized-volatility.svg",
        "drawn/FIRST-1-cumulative-qlike-against-har.svg",
        "drawn/FIRST-1-coverage-by-third-of-the-forecasts.svg",
    ]
    for drawing in one:
        tree = ET.fromstring(drawing.svg)
        assert tree.tag.endswith("svg")
        # Titles of files say what is shown, since they stand alone.
        shown = " ".join("".join(it.itertext()).strip() for it in tree.iter())
        assert drawing.title.partition(",")[0] in shown


def test_ratios_stand_by_their_models_with_the_interval_of_the_test() -> None:
    result = results()[0]
    rows = result.comparisons["test"].rows
    (axes,) = figures.qlike_ratios(result).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.model for row in rows]
    row = next(row for row in rows if row.model == "log_har")
    containers: list[Any] = axes.containers  # of error bars
    bars = {bar.lines[0].get_ydata()[0]: bar for bar in containers}
    bar = bars[rows.index(row)]
    assert bar.lines[0].get_xdata()[0] == pytest.approx(row.qlike_ratio - 1)
    (segment,) = bar.lines[2][0].get_segments()
    reach = (segment[1, 0] - segment[0, 0]) / 2
    # The interval holds 0 exactly when the test at 5 % does not reject.
    assert (abs(row.qlike_ratio - 1) < reach) == (row.diebold_mariano["har"].pvalue > 0.05)


def test_a_model_far_off_is_drawn_at_the_edge_with_its_number() -> None:
    result = results()[0]
    comparison = result.comparisons["test"]
    rows = tuple(
        replace(row, qlike_ratio=3.0) if row.model == "last_value" else row
        for row in comparison.rows
    )
    far = replace(result, comparisons={"test": replace(comparison, rows=rows)})
    (axes,) = figures.qlike_ratios(far).axes
    assert [text.get_text().strip() for text in axes.texts] == ["+200%"]
    assert axes.get_xlim()[1] < 1


def test_cumulative_losses_end_at_the_sum_of_the_differences() -> None:
    result = results()[0]
    (axes,) = figures.cumulative_losses(result).axes
    lines = {line.get_label(): line for line in axes.lines}
    har, log_har = result.tracks["har"], result.tracks["log_har"]
    difference = qlike_losses(log_har.rv, log_har.forecast) - qlike_losses(har.rv, har.forecast)
    assert np.asarray(lines["log_har"].get_ydata())[-1] == pytest.approx(difference.sum())
    assert len(np.asarray(lines["log_har"].get_ydata())) == len(har)


def test_forecasts_are_of_the_test_part_in_percent_a_day() -> None:
    result = results()[0]
    (axes,) = figures.forecasts(result).axes
    lines = {line.get_label(): line for line in axes.lines}
    har = result.tracks["har"]
    nobs = result.comparisons["test"].nobs
    assert {"realized", "har", "log_har"} <= lines.keys()
    np.testing.assert_allclose(
        np.asarray(lines["har"].get_ydata()), 100 * np.sqrt(har.forecast[-nobs:])
    )
    np.testing.assert_allclose(
        np.asarray(lines["realized"].get_ydata()), 100 * np.sqrt(har.rv[-nobs:])
    )


def test_intervals_of_the_best_model_are_those_that_were_scored() -> None:
    result = results()[0]
    comparison = result.comparisons["test"]
    best = comparison.rows[0]
    (axes,) = figures.forecasts(result).axes
    bands: list[Any] = [*axes.collections]
    assert [band.get_label() for band in bands] == [
        f"80% interval of {best.model}",
        f"95% interval of {best.model}",
    ]
    realized = 100 * np.sqrt(result.tracks["har"].rv[-comparison.nobs :])
    for band, level in zip(bands, (0.8, 0.95), strict=True):
        (path,) = band.get_paths()
        # Down one bound and back along the other, with a point more at each turn and the end.
        corners = path.vertices[:, 1]
        low, high = corners[1 : 1 + comparison.nobs], corners[-2 : -2 - comparison.nobs : -1]
        inside = (low <= realized) & (realized <= high)
        assert inside.mean() == pytest.approx(best.coverage[level])


def test_figures_are_of_one_width_and_have_room_for_every_model() -> None:
    result = results()[0]
    rows = round(1.3 + 0.28 * len(result.comparisons["test"].rows), 9)
    sizes = [it.make(result).get_size_inches().round(9).tolist() for it in figures.FIGURES]
    assert sizes == [[9.0, rows], [9.0, 3.9], [9.0, 4.2], [9.0, rows]]


@pytest.mark.parametrize("make", [it.make for it in figures.FIGURES])
def test_axes_have_labels(make: Any) -> None:
    (axes,) = make(results()[0]).axes
    assert axes.get_xlabel()
    assert axes.get_ylabel() or axes.get_yticklabels()[0].get_text() in results()[0].tracks


def test_dates_of_a_longer_horizon_are_those_of_its_first_session() -> None:
    one, five = results()[:2]
    assert figures.forecasts(one).axes[0].get_xlabel() == "session that was forecast"
    assert figures.cumulative_losses(five).axes[0].get_xlabel().startswith("first of 5 sessions")


def test_coverage_has_a_mark_a_tercile_and_one_overall() -> None:
    result = results()[0]
    (axes,) = figures.coverage(result).axes
    lines = {line.get_label(): line for line in axes.lines}
    rows = result.comparisons["test"].rows
    assert list(np.asarray(lines["overall"].get_xdata())) == [row.coverage[0.8] for row in rows]
    marks = {name: line.get_marker() for name, line in lines.items() if "_child" not in str(name)}
    assert marks == {
        "lowest third of forecasts": "v",
        "middle third of forecasts": "s",
        "highest third of forecasts": "^",
        "overall": "o",
    }
    lowest = lines["lowest third of forecasts"]
    assert list(np.asarray(lowest.get_xdata())) == [row.coverage_by_tercile[0.8][0] for row in rows]


def test_models_without_intervals_are_left_out_of_coverage() -> None:
    result = results()[0]
    comparison = result.comparisons["test"]
    bare = tuple(replace(row, coverage={}, coverage_by_tercile={}) for row in comparison.rows)
    short = replace(result, comparisons={"test": replace(comparison, rows=bare)})
    (axes,) = figures.coverage(short).axes
    assert all(
        len(np.asarray(line.get_xdata())) in (0, 2) for line in axes.lines
    )  # 2: the nominal level


def test_marks_are_filled_for_models_of_the_confidence_set() -> None:
    result = results()[0]
    comparison = result.comparisons["test"]
    rows = tuple(
        replace(row, in_confidence_set=number % 2 == 0)
        for number, row in enumerate(comparison.rows)
    )
    shown = replace(result, comparisons={"test": replace(comparison, rows=rows)})
    (axes,) = figures.qlike_ratios(shown).axes
    containers: list[Any] = axes.containers
    faces = {bar.lines[0].get_ydata()[0]: bar.lines[0].get_markerfacecolor() for bar in containers}
    assert [faces[place] for place in range(len(rows))] == [
        BLUE if row.in_confidence_set else "white" for row in rows
    ]


def test_a_figure_says_what_it_is_of() -> None:
    result, later = results()[:2]
    first, last = result.comparisons["test"].span
    nobs, measure = result.comparisons["test"].nobs, result.study.data.target.series.measure
    title = f"FIRST ({measure}), 1 session ahead, {first} to {last}, n = {nobs}"
    assert [make(result).axes[0].get_title().partition(";")[0] for make in (
        figures.qlike_ratios, figures.forecasts, figures.coverage
    )] == [title] * 3  # fmt: skip
    assert (
        figures.coverage(later)
        .axes[0]
        .get_title()
        .startswith(f"FIRST ({measure}), mean of 5 sessions ahead")
    )
    (axes,) = figures.forecasts(result).axes
    assert (axes.get_yscale(), axes.yaxis.get_major_formatter()(0.5)) == ("log", "0.5")
    (axes,) = figures.qlike_ratios(result).axes
    assert axes.xaxis.get_major_formatter()(0.25) == "+25%"
    (axes,) = figures.coverage(result).axes
    assert axes.xaxis.get_major_formatter()(0.8) == "80%"


@pytest.mark.parametrize(
    ("value", "leads"),
    [(0.2, True), (0.5, True), (1.0, False), (20.0, True), (0.05, True), (3, False)],
)
def test_between_powers_of_ten_two_and_five_are_written(value: float, leads: bool) -> None:
    assert figures._leads(value) is leads


def test_a_legend_has_no_frame_and_lines_differ_in_colour_and_dash() -> None:
    result = results()[0]
    with mpl.rc_context(dict(STYLE)):  # type: ignore[arg-type]
        (axes,) = figures.forecasts(result).axes
    (legend,) = axes.figure.legends
    assert not legend.get_frame_on()
    shown = [line for line in axes.lines if line.get_label() != "realized"]
    assert [(it.get_color(), it.get_linestyle()) for it in shown] == [*figures.LINES[: len(shown)]]
    assert len({color for color, _ in figures.LINES}) == len(figures.LINES) == 6
    assert not axes.spines["top"].get_visible()
