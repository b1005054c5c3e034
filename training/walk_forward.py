"""Out-of-sample forecasts: fit on what was known, forecast the next sessions, fit again.

A fit for a block of sessions sees data up to the day before the block and nothing later, from the
target or from any source. Each forecast is made from the window that ends the session before its
target date, so positions in two models' arrays never need to agree: dates do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import joblib  # type: ignore[import-untyped]
import numpy as np

from models_store.predictors import to_rv
from training.models.recipe import Fit, Recipe, TrainingSet
from training.pairs import Pairs
from volatility.arrays import FloatArray, Windows
from volatility.evaluation import ForecastTrack


@dataclass(frozen=True)
class Block:
    """Consecutive target sessions that one fit forecasts."""

    cut_off: np.datetime64  # last session the fit may see
    last_target: np.datetime64


@dataclass(frozen=True)
class BlockForecasts:
    """One recipe's forecasts for one block."""

    model: str
    cut_off: np.datetime64
    pairs: Pairs  # what was forecast, and what came
    forecast: FloatArray  # (n,) rv


def blocks(data: TrainingSet, refit_every: int) -> list[Block]:
    """Cut the second half of the target's sessions into blocks of ``refit_every``."""
    dates = data.target.series.dates
    assert dates is not None, "training series carry dates"
    first, end = len(dates) // 2, len(dates)
    return [
        Block(dates[start - 1], dates[min(start + refit_every, end) - 1])
        for start in range(first, end, refit_every)
    ]


def walk_forward(
    recipes: Sequence[Recipe], data: TrainingSet, parallel: joblib.Parallel
) -> Iterator[BlockForecasts]:
    """Forecast the second half of the target's sessions with every recipe.

    Parameters
    ----------
    recipes : models to evaluate.
    data : the target's whole history, and the sources'.
    parallel : where fits run; must return a generator.

    Yields
    ------
    Each block's forecasts as they are done, in no particular order; :func:`join` puts them in one.
    """
    jobs = [
        joblib.delayed(_forecast_block)(group, data, block)
        for refit_every, group in _by_refit_every(recipes).items()
        for block in blocks(data, refit_every)
    ]
    for forecasts in parallel(jobs):
        yield from forecasts


def count_fits(recipes: Sequence[Recipe], data: TrainingSet) -> int:
    """How many items :func:`walk_forward` yields."""
    return sum(len(blocks(data, recipe.refit_every)) for recipe in recipes)


def join(forecasts: Sequence[BlockForecasts], model: str) -> ForecastTrack:
    """One model's blocks in order of time."""
    own = sorted((part for part in forecasts if part.model == model), key=lambda p: p.cut_off)
    return ForecastTrack(
        model=model,
        as_of=np.concatenate([part.pairs.as_of for part in own]),
        target_dates=np.concatenate([part.pairs.target_dates for part in own]),
        forecast=np.concatenate([part.forecast for part in own]),
        rv=np.concatenate([part.pairs.targets for part in own]),
    )


def forecast_rv(fit: Fit, windows: Windows, seen: FloatArray) -> FloatArray:
    """Mean rv from (batch, lookback) windows, clipped to the range of ``seen``; (batch,)."""
    predictor = fit.predictor
    clip = (float(seen.min()), float(seen.max()))
    values = predictor.predict(windows).values
    rv, _ = to_rv(values, predictor.scale, fit.residual_variance, clip)
    return rv


def _forecast_block(
    recipes: Sequence[Recipe], data: TrainingSet, block: Block
) -> list[BlockForecasts]:
    known = data.until(block.cut_off)
    return [_forecast_one(recipe, data, known, block) for recipe in recipes]


def _forecast_one(
    recipe: Recipe, data: TrainingSet, known: TrainingSet, block: Block
) -> BlockForecasts:
    pairs = data.pairs(recipe.lookback, recipe.columns)
    inside = (pairs.target_dates > block.cut_off) & (pairs.target_dates <= block.last_target)
    ahead = pairs.where(inside)
    forecast = forecast_rv(recipe.fit(known), ahead.windows, known.target.series.rv)
    return BlockForecasts(recipe.name, block.cut_off, ahead, forecast)


def _by_refit_every(recipes: Sequence[Recipe]) -> dict[int, list[Recipe]]:
    """Recipes that fit at the same cut-offs go together, so that they can share a pre-training."""
    groups: dict[int, list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault(recipe.refit_every, []).append(recipe)
    return groups
