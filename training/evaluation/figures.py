"""Four figures a study: what they show, how to read them, and what they look like in words.

Lines differ in their dashes, too, since not everybody can tell the colours apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.run import TEST, Evaluated
from training.evaluation.sentences import coverage_range
from training.evaluation.study import parts_of
from training.reports.drawings import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STYLE,
    Drawing,
    to_svg,
)
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.compare import Comparison, ComparisonRow
from volatility.evaluation.interval_scores import COVERAGE_LEVELS
from volatility.evaluation.intervals import rolling_offsets
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.tracks import Aligned, align

LINES = ((BLUE, "-"), (RED, "--"), (GREEN, "-."), (PURPLE, ":"), (ORANGE, "-"), (SKY, "--"))
DRAWN = ("har", "log_har", "calendar_log_har")  # benchmarks, beside the best models
WIDTH = 9.0  # inches
ROW = 0.28  # inches a model
FURTHEST = 0.6  # of HAR's QLIKE; what is further off is drawn at the edge with its number
LEVEL = 0.8


def draw(result: Evaluated, folder: str) -> list[Drawing]:
    """A study's figures as SVG, with paths below ``folder``."""
    with mpl.rc_context(dict(STYLE)):  # type: ignore[arg-type]
        return [_drawing(kind, result, folder) for kind in FIGURES]


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
    axes.set_title(_title(result, comparison.span, comparison.nobs))
    return figure


def forecasts(result: Evaluated) -> Figure:
    """Realized volatility on the test part, what models said, and the best one's intervals."""
    comparison = result.comparisons[TEST]
    figure = Figure(figsize=(WIDTH, 3.9), layout="constrained")
    axes = figure.subplots()
    tested = _scored(result)
    best = comparison.rows[0].model
    for level, bounds in _intervals(result, best).items():
        axes.fill_between(
            tested.target_dates, *_percent(bounds), color=BLUE, linewidth=0,
            alpha=0.25 if level == LEVEL else 0.15,
            label=f"{level:.0%} interval of {best}",
        )  # fmt: skip
    axes.plot(
        tested.target_dates, _percent(tested.rv), ".", color=GREY, markersize=3, label="realized"
    )
    shown = [model for model in dict.fromkeys((best, *DRAWN)) if model in tested.forecasts]
    for model, (color, dashes) in zip(shown, LINES, strict=False):
        axes.plot(
            tested.target_dates, _percent(tested.forecasts[model]), dashes, color=color,
            linewidth=1.1, label=model,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if _leads(value) else "")
    axes.set_ylabel("volatility, % per day (log scale)")
    axes.set_xlabel(_dates_of(result))
    axes.set_title(_title(result, comparison.span, comparison.nobs))
    figure.legend(ncols=4, loc="outside lower center")
    return figure


def cumulative_losses(result: Evaluated) -> Figure:
    """How each model's QLIKE less HAR's added up over the last half; downwards is better."""
    dates, sums = _sums(result)
    ranked = [row.model for row in result.comparisons[TEST].rows if row.model != "har"]
    others = [model for model in DRAWN if model in sums]
    shown = list(dict.fromkeys([*ranked[: len(LINES) - len(others)], *others]))
    figure = Figure(figsize=(WIDTH, 4.2), layout="constrained")
    axes = figure.subplots()
    for model in ranked:
        if model not in shown:
            axes.plot(dates, sums[model], color=GREY, linewidth=0.5, alpha=0.6)
    for model, (color, dashes) in zip(shown, LINES, strict=False):
        axes.plot(dates, sums[model], dashes, color=color, linewidth=1.3, label=model)
    axes.axhline(0, color="black", linewidth=0.8)
    begins = parts_of(result.study.data).test
    axes.axvline(begins, color="black", linewidth=0.8, linestyle=":")  # type: ignore[arg-type]
    low = min(0.0, *(float(sums[model].min()) for model in shown))
    high = max(0.0, *(float(sums[model].max()) for model in shown))
    margin = 0.1 * (high - low)  # the other models may leave the picture
    axes.set_ylim(low - margin, high + margin)
    axes.set_ylabel("cumulative QLIKE less HAR's")
    axes.set_xlabel(_dates_of(result))
    axes.set_title(f"{_title(result, dates, len(dates))}; dotted: the test part begins")
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
    axes.set_title(_title(result, comparison.span, comparison.nobs))
    axes.legend(
        ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.55 / len(comparison.rows) - 0.1)
    )
    return figure


def _ratios_in_words(result: Evaluated) -> str:
    rows = result.comparisons[TEST].rows
    ratios = ", ".join(f"{row.model} {row.qlike_ratio - 1:+.1%}" for row in rows)
    return f"QLIKE relative to HAR's, the lowest first: {ratios}."


def _forecasts_in_words(result: Evaluated) -> str:
    tested = _scored(result)
    realized = 100 * np.sqrt(tested.rv)
    calmest, wildest = int(realized.argmin()), int(realized.argmax())
    return (
        f"Realized volatility goes from {realized[calmest]:.2g} % per day "
        f"({tested.target_dates[calmest]}) to {realized[wildest]:.2g} % "
        f"({tested.target_dates[wildest]}), with forecasts of "
        f"{result.comparisons[TEST].rows[0].model} and of benchmarks through it."
    )


def _sums_in_words(result: Evaluated) -> str:
    _, sums = _sums(result)
    ends = ", ".join(
        f"{row.model} {sums[row.model][-1]:+.1f}"
        for row in result.comparisons[TEST].rows
        if row.model in sums
    )
    return f"QLIKE less HAR's, summed over the last half: {ends or 'no other model'}."


def _coverage_in_words(result: Evaluated) -> str:
    found = coverage_range(result.comparisons[TEST], LEVEL) or "No model has an interval yet."
    return found.replace("`", "")


@dataclass(frozen=True)
class Kind:
    """A figure that every study has.

    Attributes
    ----------
    title : what it is.
    make : draws it.
    caption : how to read it.
    describe : what it shows, in words.
    """

    title: str
    make: Callable[[Evaluated], Figure]
    caption: str
    describe: Callable[[Evaluated], str]


FIGURES = (
    Kind(
        "QLIKE against HAR",
        qlike_ratios,
        "Left of the line is better than HAR. Where the 95 % interval holds 0, chance may be the "
        "difference; filled marks may be the best model.",
        _ratios_in_words,
    ),
    Kind(
        "Forecasts and realized volatility",
        forecasts,
        "Test part. Each interval was made at its time, of errors known by then; outcomes are "
        "grey.",
        _forecasts_in_words,
    ),
    Kind(
        "Cumulative QLIKE against HAR",
        cumulative_losses,
        "Downwards is better than HAR. A step is a difference that a few days made.",
        _sums_in_words,
    ),
    Kind(
        "Coverage by third of the forecasts",
        coverage,
        "Near the line is good. Marks far apart are intervals that hold in calm times and not in "
        "others, or the other way round.",
        _coverage_in_words,
    ),
)


def _drawing(kind: Kind, result: Evaluated, folder: str) -> Drawing:
    asset, horizon = result.study.key
    figure = kind.make(result)
    axes = figure.axes[0]
    axes.set_title(f"{kind.title}\n{axes.get_title()}")
    return Drawing(
        file=f"{folder}/{asset}-{horizon}-{kind.title.lower().replace(' ', '-')}.svg",
        title=f"{kind.title}, {_about(result)}",
        caption=kind.caption,
        alt=kind.describe(result),
        svg=to_svg(figure),
    )


def _scored(result: Evaluated) -> Aligned:
    """What all models forecast of the test part."""
    aligned = align(list(result.tracks.values()))
    tested = aligned.target_dates >= parts_of(result.study.data).test
    return replace(
        aligned,
        target_dates=aligned.target_dates[tested],
        rv=aligned.rv[tested],
        forecasts={model: it[tested] for model, it in aligned.forecasts.items()},
    )


def _intervals(result: Evaluated, model: str) -> dict[float, FloatArray]:
    """(2, n) bounds of a model's intervals on the test part, by level, as they were scored."""
    aligned = align(list(result.tracks.values()))
    forecast = aligned.forecasts[model]
    tested = aligned.target_dates >= parts_of(result.study.data).test
    offsets = rolling_offsets(np.log(aligned.rv / forecast), COVERAGE_LEVELS, aligned.horizon)
    bounds = (forecast[:, None, None] * np.exp(offsets))[tested]
    return {level: bounds[:, place].T for place, level in enumerate(COVERAGE_LEVELS)}


def _sums(result: Evaluated) -> tuple[DateArray, dict[str, FloatArray]]:
    """Target dates of the last half, and by model QLIKE less HAR's, summed from the first on."""
    aligned = align(list(result.tracks.values()))
    losses = {model: qlike_losses(aligned.rv, of) for model, of in aligned.forecasts.items()}
    baseline = losses.pop("har")
    return aligned.target_dates, {model: np.cumsum(of - baseline) for model, of in losses.items()}


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


def _title(result: Evaluated, dates: Sequence[np.datetime64] | DateArray, nobs: int) -> str:
    """Of whom, of which measure, over which dates: the caption has what is shown."""
    return f"{_about(result)}, {dates[0]} to {dates[-1]}, n = {nobs:,}"


def _about(result: Evaluated) -> str:
    asset, horizon = result.study.key
    sessions = "1 session" if horizon == 1 else f"mean of {horizon} sessions"
    return f"{asset} ({result.study.data.target.series.measure}), {sessions} ahead"


def _dates_of(result: Evaluated) -> str:
    """Label of an axis of target dates."""
    horizon = result.study.key.horizon
    many = f"first of {horizon} sessions that were forecast together"
    return "session that was forecast" if horizon == 1 else many


def _percent(variance: FloatArray) -> FloatArray:
    """Variances per day as volatilities in percent."""
    return 100 * np.sqrt(variance)


def _leads(value: float) -> bool:
    """Whether a number on a log scale is 2 or 5 times a power of ten."""
    return round(value / 10 ** np.floor(np.log10(value) + 1e-9), 6) in {2, 5}


def _columns(points: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [x for x, _ in points], [y for _, y in points]
