"""Four figures a study, as SVG: the same bytes for the same results.

Colours are those of Okabe & Ito (2008), which colour-blind people too can tell apart; lines also
differ in their dashes.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.run import TEST, Evaluated
from training.evaluation.study import parts_of
from volatility.arrays import DateArray
from volatility.evaluation.compare import Comparison, ComparisonRow
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import align

BLUE, ORANGE, GREEN, PURPLE, RED, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
)
LINES = ((BLUE, "-"), (RED, "--"), (GREEN, "-."), (PURPLE, ":"), (ORANGE, "-"), (SKY, "--"))
DRAWN = ("har", "log_har", "calendar_log_har")  # benchmarks, beside the best models
GREY = "#999999"
WIDTH = 9.0  # inches
ROW = 0.28  # inches a model
FURTHEST = 0.6  # of HAR's QLIKE; what is further off is drawn at the edge with its number
LEVEL = 0.8
STYLE = MappingProxyType(
    {
        "svg.hashsalt": "roughcast",  # else identifiers are random
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "x",
        "grid.color": "#e5e5e5",
        "legend.frameon": False,
        "font.size": 9,
    }
)


def draw(result: Evaluated) -> dict[str, bytes]:
    """A study's figures as SVG files, by what they show."""
    with mpl.rc_context(dict(STYLE)):  # type: ignore[arg-type]
        return {shows: _svg(make(result)) for shows, make in FIGURES.items()}


def qlike_ratios(result: Evaluated) -> Figure:
    """Each model's QLIKE relative to HAR's on the test part, with a 95 % interval."""
    comparison = result.comparisons[TEST]
    figure, axes = _rows(comparison)
    baseline = next(row for row in comparison.rows if row.model == comparison.baseline)
    for place, row in enumerate(comparison.rows):
        distance = row.qlike_ratio - 1
        face = BLUE if row.in_confidence_set else "white"
        if distance > FURTHEST:
            axes.plot(FURTHEST, place, ">", color=BLUE, markerfacecolor=face)
            axes.annotate(
                f"{distance:+.0%} ", (FURTHEST, place), ha="right", va="center", xytext=(-6, 0),
                textcoords="offset points",
            )  # fmt: skip
            continue
        half_width = _half_width(row, comparison.baseline) / baseline.qlike_loss
        axes.errorbar(
            distance, place, xerr=half_width, fmt="o", color=BLUE, markerfacecolor=face, capsize=2
        )
    axes.axvline(0, color="black", linewidth=0.8)
    left = min(row.qlike_ratio - 1 for row in comparison.rows)
    axes.set_xlim(left - 0.15, FURTHEST * 1.03)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:+.0%}")
    axes.set_xlabel(
        "QLIKE relative to HAR's, with a 95 % interval (Diebold-Mariano); "
        "filled: in the 90 % model confidence set"
    )
    axes.set_title(_title(result, comparison.span))
    return figure


def forecasts(result: Evaluated) -> Figure:
    """Realized volatility on the test part, and what the best model and three benchmarks said."""
    comparison = result.comparisons[TEST]
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    best = comparison.rows[0].model
    some = result.tracks[best]
    tested = some.target_dates >= parts_of(result.study.data).test
    axes.plot(
        some.target_dates[tested], 100 * np.sqrt(some.rv[tested]), ".", color=GREY, markersize=3,
        label="realized",
    )  # fmt: skip
    shown = [model for model in dict.fromkeys((best, *DRAWN)) if model in result.tracks]
    for model, (color, dashes) in zip(shown, LINES, strict=False):
        track = result.tracks[model]
        tested = track.target_dates >= parts_of(result.study.data).test
        axes.plot(
            track.target_dates[tested], 100 * np.sqrt(track.forecast[tested]), dashes,
            color=color, linewidth=1.1, label=model,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if _leads(value) else "")
    axes.set_ylabel("volatility, % per day (log scale)")
    axes.set_title(_title(result, comparison.span))
    axes.legend(ncols=5)
    return figure


def cumulative_losses(result: Evaluated) -> Figure:
    """How each model's QLIKE less HAR's added up over the last half; downwards is better."""
    aligned = align(list(result.tracks.values()))
    parts = parts_of(result.study.data)
    losses = {model: qlike_losses(aligned.rv, of) for model, of in aligned.forecasts.items()}
    sums = {model: np.cumsum(of - losses["har"]) for model, of in losses.items() if model != "har"}
    ranked = [row.model for row in result.comparisons[TEST].rows if row.model != "har"]
    others = [model for model in DRAWN if model in sums]
    shown = list(dict.fromkeys([*ranked[: len(LINES) - len(others)], *others]))
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    for model in ranked:
        if model not in shown:
            axes.plot(aligned.target_dates, sums[model], color=GREY, linewidth=0.5, alpha=0.6)
    for model, (color, dashes) in zip(shown, LINES, strict=False):
        axes.plot(
            aligned.target_dates, sums[model], dashes, color=color, linewidth=1.3, label=model
        )
    axes.axhline(0, color="black", linewidth=0.8)
    axes.axvline(parts.test, color="black", linewidth=0.8, linestyle=":")  # type: ignore[arg-type]
    low = min(0.0, *(float(sums[model].min()) for model in shown))
    high = max(0.0, *(float(sums[model].max()) for model in shown))
    margin = 0.1 * (high - low)  # the other models may leave the picture
    axes.set_ylim(low - margin, high + margin)
    axes.set_ylabel("cumulative QLIKE less HAR's")
    axes.set_title(f"{_title(result, aligned.target_dates)}; dotted: the test part begins")
    axes.legend(ncols=3, title="in grey: the other models")
    return figure


def coverage(result: Evaluated) -> Figure:
    """Coverage of 80 % intervals on the test part, overall and by third of the forecasts."""
    comparison = result.comparisons[TEST]
    figure, axes = _rows(comparison)
    markers = (
        ("lowest third", "v", SKY),
        ("middle third", "s", ORANGE),
        ("highest third", "^", RED),
    )
    for tercile, (label, marker, color) in enumerate(markers):
        points = [
            (row.coverage_by_tercile[LEVEL][tercile], place)
            for place, row in enumerate(comparison.rows)
            if LEVEL in row.coverage_by_tercile
        ]
        axes.plot(
            *_columns(points), marker, color=color, label=f"{label} of forecasts", markersize=6
        )
    points = [
        (row.coverage[LEVEL], place)
        for place, row in enumerate(comparison.rows)
        if LEVEL in row.coverage
    ]
    axes.plot(*_columns(points), "o", color="black", markerfacecolor="none", markersize=9,
              label="overall")  # fmt: skip
    axes.axvline(LEVEL, color="black", linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel(f"share of outcomes inside the {LEVEL:.0%} interval")
    axes.set_title(_title(result, comparison.span))
    axes.legend(
        ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.55 / len(comparison.rows) - 0.1)
    )
    return figure


FIGURES: Mapping[str, Callable[[Evaluated], Figure]] = MappingProxyType(
    {
        "QLIKE against HAR": qlike_ratios,
        "forecasts and realized volatility": forecasts,
        "cumulative QLIKE against HAR": cumulative_losses,
        "coverage by third of the forecasts": coverage,
    }
)


def _rows(comparison: Comparison) -> tuple[Figure, Axes]:
    """A figure with a row for each model, the best on top."""
    count = len(comparison.rows)
    figure = Figure(figsize=(WIDTH, 1.3 + ROW * count), layout="constrained")
    axes = figure.subplots()
    axes.set_yticks(range(count), [row.model for row in comparison.rows])
    axes.set_ylim(count - 0.4, -0.6)
    return figure, axes


def _half_width(row: ComparisonRow, baseline: str) -> float:
    """Of the 95 % interval of the mean loss difference; 0 where there is none."""
    test = row.diebold_mariano.get(baseline)
    return test.margin(0.95) if test else 0.0


def _title(result: Evaluated, dates: Sequence[np.datetime64] | DateArray) -> str:
    asset, horizon = result.study.key
    first, last = dates[0], dates[-1]
    sessions = "1 session" if horizon == 1 else f"{horizon} sessions"
    return f"{asset}, {sessions} ahead, {first} to {last}"


def _leads(value: float) -> bool:
    """Whether a number on a log scale is 2 or 5 times a power of ten."""
    return round(value / 10 ** np.floor(np.log10(value) + 1e-9), 6) in {2, 5}


def _columns(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [x for x, _ in points], [y for _, y in points]


def _svg(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
