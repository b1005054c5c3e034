"""How often tests reject what is true, and find what is not: Diebold-Mariano, MCS and SPA."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.signal import lfilter

from volatility.calendars import get_calendar
from volatility.datasets import load
from volatility.evaluation.confidence_set import model_confidence_set
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import qlike_losses
from volatility.evaluation.superior_ability import superior_ability_pvalues
from volatility.regressor_names import design_of
from volatility.series import daily_series

MODELS = 20
REPLICATIONS = 4_000  # of the bootstrap: a p-value of .1 is known to .005
BURN_IN = 100
Draw = Callable[[int, int, np.random.Generator], np.ndarray]  # (nobs, models)


def autoregressive(coefficient: float, degrees: int | None = None) -> Draw:
    """Losses that are autoregressions of normal or Student's t noise with deviation 1."""

    def draw(nobs: int, models: int, rng: np.random.Generator) -> np.ndarray:
        shape = (nobs + BURN_IN, models)
        noise = rng.standard_normal(shape) if degrees is None else rng.standard_t(degrees, shape)
        noise /= 1.0 if degrees is None else np.sqrt(degrees / (degrees - 2))
        path = lfilter([1.0], [1.0, -coefficient], noise, axis=0)[BURN_IN:]
        return np.asarray(path * (1.0 - coefficient))

    return draw


def real_losses() -> np.ndarray:
    """QLIKE of forecasts of Bitcoin by exponential means of 20 speeds; (n, 20)."""
    dataset = load("BTC-USD")
    series, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
    decays = np.linspace(0.4, 0.92, MODELS).round(3)
    window = 75
    history = np.lib.stride_tricks.sliding_window_view(series.rv[:-1], window)
    forecasts = design_of(tuple(f"ewma_{decay:g}" for decay in decays)).build({"rv": history})
    return np.column_stack([qlike_losses(series.rv[window:], it) for it in forecasts.T])


def resampled(losses: np.ndarray) -> Draw:
    """Blocks of 20 days of real losses, each model's less its mean: equally good, heavy-tailed."""
    centred = losses / losses.std(axis=0) - (losses / losses.std(axis=0)).mean(axis=0)

    def draw(nobs: int, models: int, rng: np.random.Generator) -> np.ndarray:
        starts = rng.integers(len(centred), size=nobs // 20 + 1)
        rows = (starts[:, None] + np.arange(20)).ravel()[:nobs] % len(centred)
        return centred[rows, :models]

    return draw


def processes() -> Mapping[str, Draw]:
    """What losses are drawn from, by name."""
    return {
        "white": autoregressive(0.0),
        "autocorrelation 0.4": autoregressive(0.4),
        "autocorrelation 0.8": autoregressive(0.8),
        "t(3), autocorrelation 0.4": autoregressive(0.4, 3),
        "blocks of Bitcoin's QLIKE": resampled(real_losses()),
    }


def rejections_table(draws: int, nobs: tuple[int, ...] = (300, 600, 1_250)) -> list[str]:
    """Diebold-Mariano at a nominal 5 %, of equally good models."""
    note = (
        f"{draws:,} draws a cell, nominal 5 %. Power: n = 300, one of the two worse by 0.2; "
        "autoregressions are scaled so that their mean varies like that of white noise."
    )
    lines = [
        note,
        "",
        "| differential | " + " | ".join(f"n = {n:,}" for n in nobs) + " | power |",
        "|---|" + "---|" * (len(nobs) + 1),
    ]
    for row, (name, draw) in enumerate(processes().items()):
        rng = np.random.default_rng([5, row])
        shares = [_rejected(draw, n, 0.0, draws, rng) for n in nobs]
        shares.append(_rejected(draw, 300, 0.2, draws, rng))
        lines.append(f"| {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    for horizon in (5, 22):
        rng = np.random.default_rng([6, horizon])
        shares = [_overlapping(n, horizon, draws, rng) for n in nobs]
        cells = " | ".join(f"{share:.1%}" for share in shares)
        lines.append(f"| sums of {horizon} sessions, overlapping | {cells} | |")
    return lines


def _rejected(draw: Draw, nobs: int, worse: float, draws: int, rng: np.random.Generator) -> float:
    found = 0
    for _ in range(draws):
        losses = draw(nobs, 2, rng)
        found += diebold_mariano(losses[:, 0] + worse, losses[:, 1]).pvalue < 0.05
    return found / draws


def _overlapping(nobs: int, horizon: int, draws: int, rng: np.random.Generator) -> float:
    kernel, zero = np.ones(horizon) / horizon, np.zeros(nobs)
    noise = rng.standard_normal((draws, nobs + horizon - 1))
    pvalues = [
        diebold_mariano(np.convolve(row, kernel, "valid"), zero, horizon).pvalue for row in noise
    ]
    return float(np.mean(np.array(pvalues) < 0.05))


def many_models_table(draws: int, nobs: tuple[int, ...] = (300, 600)) -> list[str]:
    """Confidence set and superior ability, of equally good models and with one that stands out."""
    note = (
        f"{MODELS} models, {draws:,} draws a cell. *All stay*: share of 90 % confidence sets with "
        "all of them, which are equally good. *Leaves*: share without a model that is worse by "
        "0.3. *SPA*: p below 5 % where none is better than the benchmark; *finds*: where one is, "
        "by 0.3."
    )
    lines = [
        note,
        "",
        "| losses | "
        + " | ".join(
            f"{what}, n = {n}" for n in nobs for what in ("all stay", "leaves", "SPA", "finds")
        )
        + " |",
        "|---|" + "---|" * (4 * len(nobs)),
    ]
    drawn = {**processes(), "autocorrelation 0.4, one white and of ten deviations": _one_noisy}
    for row, (name, draw) in enumerate(drawn.items()):
        rng = np.random.default_rng([7, row])
        cells = [cell for n in nobs for cell in _many(draw, n, draws, rng)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _one_noisy(nobs: int, models: int, rng: np.random.Generator) -> np.ndarray:
    """Losses of which the last model's are much noisier, as those of the last value are."""
    losses = autoregressive(0.4)(nobs, models, rng)
    losses[:, -1] = 10.0 * rng.standard_normal(nobs)
    return losses


def _many(draw: Draw, nobs: int, draws: int, rng: np.random.Generator) -> list[str]:
    counts = np.zeros(4)
    for _ in range(draws):
        table = draw(nobs, MODELS, rng)
        equal = {f"m{at}": column for at, column in enumerate(table.T)}
        bad, good = equal | {"m1": equal["m1"] + 0.3}, equal | {"m1": equal["m1"] - 0.3}
        counts += (
            len(_confidence_set(equal)) == MODELS,
            "m1" not in _confidence_set(bad),
            _superior(equal) < 0.05,
            _superior(good) < 0.05,
        )
    return [f"{share:.3f}" for share in counts / draws]


def _confidence_set(losses: Mapping[str, np.ndarray]) -> frozenset[str]:
    return model_confidence_set(losses, replications=REPLICATIONS).included


def _superior(losses: Mapping[str, np.ndarray]) -> float:
    return superior_ability_pvalues(losses, ("m0",), replications=REPLICATIONS)["m0"]
