"""How often the check of a forecast's timing stops honest models, and sees shifted ones."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy.signal import lfilter

from volatility.arrays import FloatArray
from volatility.evaluation.alignment import Sessions, examine
from volatility.filters import trailing_means, windows
from volatility.simulation.fractional import rough_log_volatility
from volatility.simulation.garch import gjr_bars
from volatility.simulation.regression import har_process

WINDOW = 75  # sessions that an exponential mean with decay .94 needs
REFIT = 22
Asset = tuple[FloatArray, FloatArray]  # returns and rv
Make = Callable[[int, np.random.Generator], Asset]


def of_log_rv(draw: Callable[[int, np.random.Generator], FloatArray]) -> Make:
    """An asset with given log_rv, and returns of that variance."""

    def make(nobs: int, rng: np.random.Generator) -> Asset:
        rv = np.exp(draw(nobs, rng))
        return np.sqrt(rv) * rng.standard_normal(nobs), rv

    return make


def _near_unit_root(nobs: int, rng: np.random.Generator) -> FloatArray:
    slow = lfilter([1.0], [1.0, -0.995], 0.15 * rng.standard_normal(nobs + 500))[500:]
    return np.asarray(slow + 0.35 * rng.standard_normal(nobs) - 9.0)


def _rough(nobs: int, rng: np.random.Generator) -> FloatArray:
    path = rough_log_volatility(0.1, nobs, rng, mean_reversion=0.01)[0]
    return np.asarray(2.0 * path + np.log(rng.chisquare(20, nobs) / 20))


def _har(nobs: int, rng: np.random.Generator) -> FloatArray:
    return np.log(har_process((-0.8, 0.4, 0.3, 0.2), nobs, rng, scale="logs")[0])


def _coarse_gjr(nobs: int, rng: np.random.Generator) -> Asset:
    return gjr_bars(nobs, rng, steps=8)  # as noisy as a range measure


ASSETS: Mapping[str, Make] = {
    "GJR, 78 returns a session": gjr_bars,
    "GJR, 8 returns a session": _coarse_gjr,
    "HAR": of_log_rv(_har),
    "rough, H = 0.1": of_log_rv(_rough),
    "near a unit root": of_log_rv(_near_unit_root),
    "i.i.d.": of_log_rv(lambda nobs, rng: 0.6 * rng.standard_normal(nobs) - 9.0),
}
FROM_RETURNS = ("garch", "gjr", "ewma of squares")


def forecasts(asset: Asset, nobs: int) -> Mapping[str, FloatArray]:
    """Honest forecasts of the last ``nobs`` sessions, fitted again every 22 to what was before."""
    returns, rv = asset
    variance = float(np.mean(returns**2))
    first = len(rv) - nobs
    squares = returns**2
    losses = np.where(returns < 0, squares, 0.0)
    return {
        "last_value": rv[first - 1 : -1],
        "moving_average": windows(rv[first - 22 : -1], 22).mean(axis=-1),
        "ewma": windows(rv[first - WINDOW : -1], WINDOW) @ _weights(),
        "har": np.maximum(_walk(rv, nobs), rv[:first].min()),
        "log_har": np.exp(_walk(np.log(rv), nobs)),
        "garch": _filter(0.09 * squares, 0.89, 0.02 * variance)[first:],
        "gjr": _filter(0.18 * losses, 0.89, 0.02 * variance)[first:],
        "ewma of squares": _filter(0.06 * squares, 0.94, 0.0)[first:],
    }


def _weights() -> FloatArray:
    weights = 0.94 ** np.arange(WINDOW)[::-1]
    return np.asarray(weights / weights.sum())


def _filter(news: FloatArray, persistence: float, constant: float) -> FloatArray:
    """Variance of each session from the news of those before."""
    shocks = np.concatenate([[news.mean() / (1 - persistence)], constant + news[:-1]])
    return np.asarray(lfilter([1.0], [1.0, -persistence], shocks))


def _walk(values: FloatArray, nobs: int) -> FloatArray:
    means = trailing_means(windows(values[:-1], 22), (1, 5, 22))
    design, target = np.column_stack([means, np.ones(len(means))]), values[22:]
    parts = []
    for start in range(len(target) - nobs, len(target), REFIT):
        coefficients = np.linalg.lstsq(design[:start], target[:start], rcond=None)[0]
        parts.append(design[start : start + REFIT] @ coefficients)
    return np.concatenate(parts)


def _examined(make: Make, nobs: int, draws: int, seed: list[int]) -> Iterator[tuple[str, list]]:
    """By model, what is said of it on time, a day late and a day early."""
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        asset = make(2 * nobs + WINDOW, rng)
        sessions = Sessions.of(asset[1][-nobs - 1 : -1])
        for model, forecast in forecasts(asset, nobs + 2).items():
            yield model, [examine(forecast[by : by + nobs], sessions) for by in (1, 0, 2)]


def timing_table(draws: int, nobs: int = 300) -> list[str]:
    """Warnings by asset and model: of honest forecasts, and of shifted ones."""
    note = (
        f"n = {nobs}, {draws:,} assets of each kind; honest forecasts are fitted again every "
        f"{REFIT} sessions. Share warned of on time / a day late / a day early, in percent; models "
        "of returns together."
    )
    lines = [note, ""]
    rows: dict[str, dict[str, np.ndarray]] = {}
    for at, (name, make) in enumerate(ASSETS.items()):
        for model, told in _examined(make, nobs, draws, [9, at, nobs]):
            group = "of returns" if model in FROM_RETURNS else model
            warned = [it.information_lag in (0, 2) for it in told]
            counts = rows.setdefault(name, {}).setdefault(group, np.zeros(4))
            counts += [*warned, 1]
    models = list(next(iter(rows.values())))
    lines += ["| asset | " + " | ".join(models) + " |", "|---|" + "---|" * len(models)]
    for name, row in rows.items():
        cells = (" / ".join(f"{100 * it:.3g}" for it in c[:3] / c[3]) for c in row.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def false_alarm_table(draws: int, nobs: tuple[int, ...] = (250, 500)) -> list[str]:
    """Warnings and refusals of honest forecasts, of many."""
    lines = [
        "| asset | " + " | ".join(f"n = {n}: forecasts, warned, refused" for n in nobs) + " |",
        "|---|" + "---|" * len(nobs),
    ]
    for at, (name, make) in enumerate(ASSETS.items()):
        cells = []
        for n in nobs:
            told = [it[0] for _, it in _examined(make, n, draws, [10, at, n])]
            warned = sum(it.information_lag in (0, 2) for it in told)
            refused = sum(it.beyond_doubt for it in told)
            cells.append(f"{len(told):,}, {warned}, {refused}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines
