"""Figures 1 to 4, as SVG: the same bytes for the same results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from training.fitting_history import FittingHistory
from training.reports.drawings import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    STYLE,
    Drawing,
    to_svg,
)
from training.reproduction import paper
from training.reproduction.forecasts import Network, Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.protocol import Track
from training.reproduction.roughness import Line, WaveletScaling, wavelet_hurst, wavelet_scaling
from training.reproduction.tables.hurst import Asset, assets_of
from volatility.arrays import FloatArray

WIDTH = 10.0  # inches
POINTS = 1_500  # of a long line; more cannot be seen
SHOWN = 150  # forecasts in figures 3 and 4, from the first on
LEGEND_ROOM = 0.35  # of the height, above lines that cross
HYBRID = "hybrid"
FORECASTS = (
    ("har", BLUE, "-"),
    ("transfer", RED, "--"),
    ("lstm", GREEN, "-."),
    ("moving_average", PURPLE, ":"),
)
Panels: TypeAlias = "np.ndarray[tuple[int, int], np.dtype[np.object_]]"  # (rows, columns) Axes
PHASES = (
    ("lstm", "training", "LSTM from scratch"),
    ("transfer", "pretraining", "Transfer LSTM, pre-training"),
    ("transfer", "fine_tuning", "Transfer LSTM, fine-tuning"),
)


def figures_of(results: Results) -> list[Drawing]:
    """Figures 1 to 4."""
    with mpl.rc_context(dict(STYLE) | {"axes.grid.axis": "both"}):  # type: ignore[arg-type]
        return [kind.draw(number, results) for number, kind in enumerate(KINDS, 1)]


def wavelets(results: Results) -> tuple[Figure, str]:
    """Figure 1: both series, and the variance of their wavelet coefficients by level."""
    figure, axes = _panels(3, 2, 8.5)
    sentences = []
    for column, asset in enumerate(assets_of(results)):
        whole = asset.published.whole
        _draw_series(axes[0, column], Track(whole.times, whole.log_rv), asset.name)
        published = wavelet_scaling(whole.log_rv)
        daily = wavelet_scaling(asset.daily.log_volatility.values)
        _draw_scaling(axes[1, column], published, "published series, both numberings", twice=True)
        _draw_scaling(axes[2, column], daily, "daily measure without overlap", twice=False)
        sentences.append(_slopes(asset, published, daily))
    return figure, " ".join(sentences)


def training(results: Results) -> tuple[Figure, str]:
    """Figure 2: losses by epoch, every seed a line."""
    figure, axes = _panels(2, 3, 5.5)
    for row, sample in enumerate((results.published, results.daily)):
        for column, (model, phase, title) in enumerate(PHASES):
            histories = [one.trained.histories[phase] for one in sample.networks[model]]
            measure = "published series" if row == 0 else "daily measure"
            _draw_histories(axes[row, column], histories, f"{title}\n{measure}")
    for panel in axes[:, 0]:
        panel.set_ylabel("mean squared error")
    axes[0, 0].legend()
    return figure, (
        f"Mean squared error of log volatility by epoch, one line for each of {len(results.seeds)} "
        "seeds; dots mark the epoch whose weights are kept."
    )


def forecasts(results: Results) -> tuple[Figure, str]:
    """Figure 3: the same forecasts by position, by time, and on the daily measure."""
    figure, axes = _panels(3, 1, 9.0)
    titles = {
        ScoringProtocol.SAME: "same protocol: by position against HAR's targets",
        ScoringProtocol.ALIGNED: "aligned: the same forecasts at their own time",
        ScoringProtocol.PROPER: "proper measure: Bitcoin's daily variance, one day ahead",
    }
    for panel, (protocol, title) in zip(axes[:, 0], titles.items(), strict=True):
        for model, color, dashes in FORECASTS:
            pair = results.pairs(model, protocol)[0]
            panel.plot(
                pair.forecast[:SHOWN], dashes, color=color, linewidth=1.1, label=LABELS[model]
            )
        panel.plot(pair.actual[:SHOWN], color="black", linewidth=1.1, label="actual")
        panel.set_title(title)
        panel.set_ylabel("log volatility")
    axes[0, 0].legend(ncols=3)
    axes[1, 0].set_xlabel("hours")
    axes[2, 0].set_xlabel("days")
    return figure, (
        f"The first {SHOWN} forecasts of the test part, of networks with the first seed. By "
        "position, the networks' lines are drawn two hours and the moving average's 17 hours after "
        "the time that they are for."
    )


def hybrid(results: Results) -> tuple[Figure, str]:
    """Figure 4: the weight of HAR in the hybrid, and the hybrid's forecasts."""
    figure, axes = _panels(3, 1, 8.0)
    samples = {"published series": results.published, "daily measure": results.daily}
    weights = {name: _alphas(sample.networks[HYBRID]) for name, sample in samples.items()}
    for height, (_, alphas) in enumerate(weights.items()):
        axes[0, 0].plot(alphas, [height] * len(alphas), "o", color=BLUE, alpha=0.7)
    axes[0, 0].axvline(
        float(paper.HYBRID_ALPHA),
        color=RED,
        linestyle="--",
        label=f"printed {paper.HYBRID_ALPHA}",
    )
    axes[0, 0].set_yticks(range(len(weights)), list(weights))
    axes[0, 0].set_ylim(-0.6, len(weights) - 0.4)
    axes[0, 0].set_xlim(-0.02, 1.02)
    axes[0, 0].set_title("alpha, the weight of HAR, one dot a seed")
    axes[0, 0].set_xlabel("alpha")
    axes[0, 0].legend()
    for panel, protocol in (
        (axes[1, 0], ScoringProtocol.ALIGNED),
        (axes[2, 0], ScoringProtocol.PROPER),
    ):
        pair = results.pairs(HYBRID, protocol)[0]
        panel.plot(pair.actual[:SHOWN], color="black", linewidth=1.1, label="actual")
        panel.plot(pair.forecast[:SHOWN], "--", color=RED, linewidth=1.1, label=LABELS[HYBRID])
        panel.set_title(str(protocol))
        panel.set_ylabel("log volatility")
    axes[1, 0].legend()
    axes[1, 0].set_xlabel("hours")
    axes[2, 0].set_xlabel("days")
    found = "; ".join(f"{name}: {_range(alphas)}" for name, alphas in weights.items())
    return figure, (
        f"The weight of HAR that the hybrid learned ({found}; printed: {paper.HYBRID_ALPHA}), "
        f"and its first {SHOWN} forecasts with the first seed. Its forecasts begin where HAR's do, "
        "so that position and time agree."
    )


def alphas_of(results: Results) -> dict[str, list[float]]:
    """The hybrid's weight of HAR by sample, one a seed."""
    return {
        sample.sample.name: _alphas(sample.networks[HYBRID])
        for sample in (results.published, results.daily)
    }


@dataclass(frozen=True)
class Kind:
    """A figure of the paper.

    Attributes
    ----------
    make : draws it, and says in sentences what it shows.
    title : what it is.
    alt : the same for whoever does not see it.
    """

    make: Callable[[Results], tuple[Figure, str]]
    title: str
    alt: str

    def draw(self, number: int, results: Results) -> Drawing:
        """Draw it as the figure of that number."""
        figure, caption = self.make(results)
        return Drawing(
            f"figures/figure_{number}_{self.make.__name__}.svg",
            f"Figure {number}. {self.title}",
            caption,
            self.alt,
            to_svg(figure),
        )


KINDS = (
    Kind(
        wavelets,
        title="Both series, and the variance of their wavelet coefficients by level",
        alt="Left the S&P 500, right Bitcoin: log_rv as published, and below it the log variance "
        "of wavelet coefficients by level, of the published series and of a daily measure "
        "without overlap, each with a fitted line. The caption has the slopes.",
    ),
    Kind(
        training,
        title="Losses by epoch",
        alt="Training and validation losses by epoch of the LSTM from scratch, of pre-training and "
        "of fine-tuning, on the published series above and on the daily measure below.",
    ),
    Kind(
        forecasts,
        title="Forecasts and what happened",
        alt="Lines of HAR, the transfer LSTM, the LSTM from scratch, the moving average and the "
        "actual log volatility, in three panels: by position, by time, on the daily measure.",
    ),
    Kind(
        hybrid,
        title="The weight of HAR in the hybrid, and the hybrid's forecasts",
        alt="Above, one dot a seed on a scale from 0 to 1 beside the printed weight; below, the "
        "hybrid's forecasts and the actual log volatility. The caption has the weights.",
    ),
)


def _panels(rows: int, columns: int, height: float) -> tuple[Figure, Panels]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _draw_series(axes: Axes, track: Track, name: str) -> None:
    step = max(1, len(track) // POINTS)
    axes.plot(track.times[::step], track.values[::step], color=BLUE, linewidth=0.6)
    locator = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_title(f"{name}: log_rv as published, n = {len(track):,}")
    axes.set_ylabel("log volatility")


def _draw_scaling(axes: Axes, scaling: WaveletScaling, title: str, *, twice: bool) -> None:
    lines = [(scaling.log_variances, scaling.line, BLUE, "level 1 the finest")]
    if twice:
        reverse = (scaling.log_variances[::-1], scaling.published_line, RED, "level 1 the coarsest")
        lines.append(reverse)
    for variances, line, color, numbering in lines:
        _draw_line(axes, scaling.levels, variances, line, color, numbering)
    axes.set_title(title)
    axes.set_xlabel("level j, log2 of the scale")
    axes.set_ylabel("log2 variance")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + LEGEND_ROOM * (high - low))
    axes.legend(loc="upper center")


def _draw_line(
    axes: Axes, levels: FloatArray, variances: FloatArray, line: Line, color: str, numbering: str
) -> None:
    axes.plot(levels, variances, "o", color=color)
    axes.plot(
        levels,
        line.intercept + line.slope * levels,
        "--",
        color=color,
        label=f"{numbering}: slope {line.slope:+.3f}, R² {line.r_squared:.3f}",
    )


def _draw_histories(axes: Axes, histories: Sequence[FittingHistory], title: str) -> None:
    for place, history in enumerate(histories):
        labels = ("training", "validation") if place == 0 else (None, None)
        epochs = np.arange(1, len(history.validation_losses) + 1)
        axes.plot(epochs, history.training_losses, color=GREY, linewidth=0.8, label=labels[0])
        axes.plot(epochs, history.validation_losses, color=ORANGE, linewidth=0.8, label=labels[1])
        kept = history.best_epoch
        axes.plot(epochs[kept], history.validation_losses[kept], ".", color=RED)
    axes.set_title(title)
    axes.set_xlabel("epoch")


def _slopes(asset: Asset, published: WaveletScaling, daily: WaveletScaling) -> str:
    line = published.line
    return (
        f"{asset.name}: slope {published.published_line.slope:+.3f} as published (printed: "
        f"{paper.HURST[asset.name]['wavelet_slope']}, R² {paper.WAVELET_FIT[asset.name]}; here "
        f"R² {line.r_squared:.3f}), {line.slope:+.3f} with the finest level first, which is "
        f"H = {wavelet_hurst(line.slope):.3f}; on the daily measure {daily.line.slope:+.3f}."
    )


def _alphas(networks: Sequence[Network]) -> list[float]:
    return [network.trained.learned["alpha"] for network in networks]


def _range(values: Sequence[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"
