"""What the figures of a study draw, line by line, of more models than have a colour."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.training.evaluation.studies import results
from training.evaluation import figures
from training.evaluation.run import Evaluated
from training.reports.drawings import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY

RANKED = ("far", "best", "second", "har", "third", "log_har", "fourth", "calendar_log_har")
TITLE = "FIRST (garman_klass), 1 session ahead, "


@cache
def many() -> Evaluated:
    """Eight models, each of which says more than the one before; the first is far from HAR."""
    result = results()[0]
    comparison, own = result.comparisons["test"], result.tracks["har"]
    rows = [
        replace(comparison.rows[place % 5], model=model, in_confidence_set=model != "second")
        for place, model in enumerate(RANKED)
    ]
    rows[0] = replace(rows[0], qlike_ratio=1.7)
    tracks = {
        model: replace(own, model=model, forecast=own.forecast * (0.9 + 0.05 * place))
        for place, model in enumerate(RANKED)
    }
    comparisons = {"test": replace(comparison, rows=tuple(rows))}
    return replace(result, tracks=tracks, comparisons=comparisons)


def looks(axes: Axes) -> list[tuple[object, ...]]:
    """Of each line its label, colour, dashes, width and marks."""
    lines: list[Any] = [*axes.lines]
    return [
        (
            "" if it.get_label().startswith("_") else it.get_label(),
            it.get_color(),
            it.get_linestyle(),
            it.get_linewidth(),
            *((it.get_marker(), it.get_markersize()) if it.get_marker() != "None" else ()),
        )
        for it in lines
    ]


def test_the_best_model_and_benchmarks_have_a_colour_each_over_their_intervals() -> None:
    (axes,) = figures.forecasts(many()).axes
    assert looks(axes) == [
        ("realized", GREY, "None", 1.5, ".", 3.0),
        ("far", BLUE, "-", 1.1),
        ("har", RED, "--", 1.1),
        ("log_har", GREEN, "-.", 1.1),
        ("calendar_log_har", PURPLE, ":", 1.1),
    ]
    bands: list[Any] = [*axes.collections]
    assert [it.get_alpha() for it in bands] == [0.25, 0.15]
    assert [it.get_linewidth().tolist() for it in bands] == [[0], [0]]
    assert [it.get_facecolor()[0, :3].round(3).tolist() for it in bands] == [[0, 0.447, 0.698]] * 2
    assert axes.get_ylabel() == "volatility, % per day (log scale)"
    minor = axes.yaxis.get_minor_formatter()
    assert [minor(value) for value in (0.2, 0.3, 0.5)] == ["0.2", "", "0.5"]
    legends: list[Any] = [*axes.figure.legends]
    (legend,) = legends
    texts = [it.get_text() for it in legend.get_texts()]
    assert texts == ["80% interval of far", "95% interval of far", *(it[0] for it in looks(axes))]
    assert (legend._ncols, legend._outside_loc) == (4, "lower")


def test_losses_of_six_models_add_up_in_colour_and_of_the_others_in_grey() -> None:
    result = many()
    (axes,) = figures.cumulative_losses(result).axes
    shown = ["far", "best", "second", "third", "log_har", "calendar_log_har"]
    assert looks(axes) == [
        ("", GREY, "-", 0.5),
        *(
            (model, color, dashes, 1.3)
            for model, (color, dashes) in zip(shown, figures.LINES, strict=True)
        ),
        ("", "black", "-", 0.8),
        ("", "black", ":", 0.8),
    ]
    lines: list[Any] = [*axes.lines]
    assert lines[0].get_alpha() == 0.6
    assert set(lines[-2].get_ydata()) == {0}
    start = result.comparisons["test"].span[0]
    assert set(lines[-1].get_xdata()) == {start}
    sums = [it.get_ydata() for it in lines[1:7]]
    low, high = min(0.0, *(it.min() for it in sums)), max(0.0, *(it.max() for it in sums))
    margin = 0.1 * (high - low)
    assert axes.get_ylim() == pytest.approx((low - margin, high + margin))
    assert axes.get_ylabel() == "cumulative QLIKE less HAR's"
    dates = result.tracks["har"].target_dates
    assert axes.get_title() == (
        f"{TITLE}{dates[0]} to {dates[-1]}, n = 350; dotted: the test part begins"
    )
    legend: Any = axes.get_legend()
    assert [it.get_text() for it in legend.get_texts()] == shown
    assert (legend._ncols, legend.get_title().get_text()) == (3, "in grey: the other models")


def test_ratios_are_marks_with_capped_bars_and_the_far_one_is_an_arrow_at_the_edge() -> None:
    result = many()
    (axes,) = figures.qlike_ratios(result).axes
    rows = result.comparisons["test"].rows
    mark, caps = ("", BLUE, "None", 1.5, "o", 6.0), ("", BLUE, "None", 1.5, "|", 4.0)
    bars = [mark, caps, caps] * (len(rows) - 1)
    line = ("", "black", "-", 0.8)
    assert looks(axes) == [("", BLUE, "None", 1.5, ">", 6.0), *bars, line]
    lines: list[Any] = [*axes.lines]
    assert (lines[0].get_xdata(), lines[0].get_ydata()) == ([0.6], [0])
    assert lines[0].get_markerfacecolor() == BLUE
    assert set(lines[-1].get_xdata()) == {0}
    texts: list[Any] = [*axes.texts]
    (text,) = texts
    assert (text.get_text(), text.xy, text.xyann) == ("+70% ", (0.6, 0), (-6, 0))
    assert (text.get_ha(), text.get_va(), text.anncoords) == ("right", "center", "offset points")
    left = min(row.qlike_ratio for row in rows) - 1
    assert axes.get_xlim() == pytest.approx((left - 0.15, 0.6 * 1.03))
    assert axes.get_xlabel() == (
        "QLIKE relative to HAR's, with a 95 % interval (Diebold-Mariano); "
        "filled: in the 90 % model confidence set"
    )
    assert axes.get_ylim() == pytest.approx((len(rows) - 0.4, -0.6))  # the best on top
    assert axes.get_yticks().tolist() == list(range(len(rows)))


def test_coverage_has_big_rings_round_the_marks_of_thirds() -> None:
    result = many()
    (axes,) = figures.coverage(result).axes
    assert looks(axes) == [
        ("lowest third of forecasts", SKY, "None", 1.5, "v", 6.0),
        ("middle third of forecasts", ORANGE, "None", 1.5, "s", 6.0),
        ("highest third of forecasts", RED, "None", 1.5, "^", 6.0),
        ("overall", "black", "None", 1.5, "o", 9.0),
        ("", "black", "-", 0.8),
    ]
    lines: list[Any] = [*axes.lines]
    assert lines[3].get_markerfacecolor() == "none"
    assert [list(it.get_ydata()) for it in lines[:4]] == [list(range(8))] * 4
    for tercile in range(3):
        shares = [row.coverage_by_tercile[0.8][tercile] for row in result.comparisons["test"].rows]
        assert list(lines[tercile].get_xdata()) == shares
    assert set(lines[4].get_xdata()) == {0.8}
    assert axes.get_xlabel() == "share of outcomes inside the 80% interval"
    legend: Any = axes.get_legend()
    anchor = legend.get_bbox_to_anchor().transformed(axes.transAxes.inverted())
    assert (anchor.x0, anchor.y0) == pytest.approx((0.5, -0.55 / 8 - 0.1))
    assert (legend._ncols, legend._loc) == (4, 9)  # 9 is in the middle above


def test_figures_are_told_in_words_to_whoever_does_not_see_them() -> None:
    result = many()
    comparison, tracks = result.comparisons["test"], result.tracks
    ratios, forecasts, sums, coverage = (it.describe(result) for it in figures.FIGURES)
    said = ", ".join(f"{row.model} {row.qlike_ratio - 1:+.1%}" for row in comparison.rows)
    assert ratios == f"QLIKE relative to HAR's, the lowest first: {said}."
    rv, dates = tracks["har"].rv[-175:], tracks["har"].target_dates[-175:]
    assert forecasts == (
        f"Realized volatility goes from {100 * np.sqrt(rv.min()):.2g} % per day "
        f"({dates[rv.argmin()]}) to {100 * np.sqrt(rv.max()):.2g} % ({dates[rv.argmax()]}), "
        "with forecasts of far and of benchmarks through it."
    )
    ends = dict(it.rsplit(" ", 1) for it in sums.partition(": ")[2].rstrip(".").split(", "))
    assert list(ends) == [model for model in RANKED if model != "har"]
    (axes,) = figures.cumulative_losses(result).axes
    lines: list[Any] = [*axes.lines]
    drawn = {it.get_label(): f"{it.get_ydata()[-1]:+.1f}" for it in lines[1:7]}
    assert drawn.items() <= ends.items()
    assert coverage.startswith("Of intervals at 80 %, between ")
    assert "`" not in coverage
    alone = replace(result, tracks={"har": tracks["har"]})
    assert figures.FIGURES[2].describe(alone).endswith("over the last half: no other model.")
    bare = tuple(replace(row, coverage={}) for row in comparison.rows)
    without = replace(result, comparisons={"test": replace(comparison, rows=bare)})
    assert figures.FIGURES[3].describe(without) == "No model has an interval yet."


def test_a_drawing_has_a_title_a_caption_and_words() -> None:
    drawings = figures.draw(many(), "drawn")
    assert [it.title for it in drawings] == [
        f"{it.title}, {TITLE.removesuffix(', ')}" for it in figures.FIGURES
    ]
    assert [it.caption for it in drawings] == [it.caption for it in figures.FIGURES]
    assert [it.alt for it in drawings] == [it.describe(many()) for it in figures.FIGURES]
    for drawing, kind in zip(drawings, figures.FIGURES, strict=True):
        text = drawing.svg.decode()
        assert kind.title in text
        assert "n = 175" in text or "n = 350" in text
