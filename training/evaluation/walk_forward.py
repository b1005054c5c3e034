"""Out-of-sample forecasts: fit on what was known, forecast the next sessions, fit again.

A fit for a block of sessions sees data up to the day before the block and nothing later, from the
target or from any source: no target that it learns from ends after its cut-off, whatever the
horizon. Each forecast is made from the window that ends the session before its target date, so
positions in two models' arrays never need to agree: dates do.

All fits of a regression are made in one pass, by one process; see
:mod:`training.models.linear.at_once`. Others are fitted block by block, wherever there is room.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from training.data.assets import TrainingSet
from training.evaluation.study import Study, StudyKey
from training.models.linear import at_once
from training.models.recipe import Fit, Recipe, members_of, seen_in
from volatility.arrays import DateArray, FloatArray, Windows
from volatility.evaluation.combination import combine
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import Bounds, to_rv

FitDone = Callable[[Recipe], None]  # called with the recipe of every fit that ends


@dataclass(frozen=True)
class Block:
    """Consecutive target sessions that one fit forecasts."""

    cut_off: np.datetime64  # last session the fit may see
    last_target: np.datetime64


@dataclass(frozen=True)
class BlockForecasts:
    """One recipe's forecasts for one block, and what came."""

    key: StudyKey
    recipe: Recipe
    cut_off: np.datetime64
    as_of: DateArray  # (n,)
    target_dates: DateArray  # (n,)
    forecast: FloatArray  # (n,) rv
    by_seed: Mapping[int, FloatArray]  # (n,) each: what the fits say that the model is the mean of
    rv: FloatArray  # (n,)


@dataclass(frozen=True)
class _Job:
    """What one process does at a time: some of a study's models for one block, or one for all."""

    key: StudyKey
    data: TrainingSet
    recipes: tuple[Recipe, ...]
    blocks: tuple[Block, ...]


def blocks(data: TrainingSet, refit_every: int) -> list[Block]:
    """Cut the second half of the target's sessions into blocks of ``refit_every``.

    Blocks without a target are left out: the last sessions of a sample begin no horizon that ends
    inside it.
    """
    dates = data.target.series.dates
    first, end = len(dates) // 2, len(dates)
    cut = [
        Block(dates[start - 1], dates[min(start + refit_every, end) - 1])
        for start in range(first, end, refit_every)
    ]
    targets = data.pairs(1).target_dates
    edges = np.array([(block.cut_off, block.last_target) for block in cut])
    before, through = np.searchsorted(targets, edges, side="right").T
    return [block for block, count in zip(cut, through - before, strict=True) if count]


def walk_forward(studies: Sequence[Study], parallel: joblib.Parallel) -> Iterator[BlockForecasts]:
    """Forecast the second half of every study's target with every one of its recipes.

    Parameters
    ----------
    studies : targets with their whole history, and their models.
    parallel : where fits run; must return a generator.

    Yields
    ------
    Each block's forecasts as they are done, in no particular order; :func:`tracks_of` puts them in
    one.
    """
    jobs = [job for study in studies for job in _jobs_of(study)]
    # Among equals the earliest comes first: if history is too short, it fails there.
    jobs.sort(key=lambda job: (*_smallness(job.recipes), job.blocks[0].cut_off))
    for forecasts in parallel(joblib.delayed(_forecast)(job) for job in jobs):
        yield from forecasts


def forecast_studies(
    studies: Sequence[Study], parallel: joblib.Parallel, fit_done: FitDone
) -> list[dict[str, ForecastTrack]]:
    """Each model's forecasts of the last half, by study in the order given.

    Parameters
    ----------
    studies, parallel : see :func:`walk_forward`.
    fit_done : told of every fit that ends.
    """
    forecasts: list[BlockForecasts] = []
    for part in walk_forward(studies, parallel):
        forecasts.append(part)
        fit_done(part.recipe)
    return [tracks_of(study, forecasts) for study in studies]


def count_fits(studies: Sequence[Study]) -> Counter[int]:
    """How many items :func:`walk_forward` yields, by the recipe's ``refit_every``."""
    fits: Counter[int] = Counter()
    for study in studies:
        for every, models in Counter(recipe.refit_every for recipe in _fitted(study)).items():
            fits[every] += models * len(blocks(study.data, every))
    return fits


def tracks_of(study: Study, forecasts: Iterable[BlockForecasts]) -> dict[str, ForecastTrack]:
    """A study's blocks in order of time, by model in the order of its recipes."""
    own: dict[str, list[BlockForecasts]] = {recipe.name: [] for recipe in _fitted(study)}
    for part in forecasts:
        if part.key == study.key:
            own[part.recipe.name].append(part)
    tracks = {model: _join(model, study.key.horizon, parts) for model, parts in own.items()}
    for recipe in study.recipes:
        if recipe.name not in tracks:
            tracks[recipe.name] = combine(recipe.name, [tracks[it] for it in members_of(recipe)])
    return {recipe.name: tracks[recipe.name] for recipe in study.recipes}


def together(recipes: Sequence[Recipe]) -> list[tuple[Recipe, ...]]:
    """Recipes in groups that are best fitted in one process, one after the other.

    Those that begin as the same network on the same sources share its pre-training, which a process
    keeps; the others share nothing, and stand alone. Big groups first, so that no process is left
    with one at the end: pre-training takes longest, and a model that is seldom fitted again is one
    that takes long.
    """
    shared: dict[tuple[tuple[str, ...], str | None, int], list[Recipe]] = {}
    for recipe in recipes:
        if recipe.sources:
            key = (recipe.sources, recipe.compared_with, recipe.refit_every)
            shared.setdefault(key, []).append(recipe)
    alone = [(recipe,) for recipe in recipes if not recipe.sources]
    return sorted([*map(tuple, shared.values()), *alone], key=_smallness)


def only_needed(data: TrainingSet, recipes: Sequence[Recipe]) -> TrainingSet:
    """``data`` without sources that none of ``recipes`` learns from: it is sent to a process."""
    needed = {name for recipe in recipes for name in recipe.sources}
    return replace(data, sources={name: data.sources[name] for name in sorted(needed)})


def forecast_rv(fit: Fit, windows: Windows, seen: FloatArray) -> FloatArray:
    """Mean rv from (batch, lookback) windows, within the bounds of ``seen``; (batch,)."""
    predictor = fit.predictor
    values = predictor.predict(windows).values
    rv, _ = to_rv(values, predictor.scale, fit.residual_variance, Bounds.of(seen))
    return rv


def _jobs_of(study: Study) -> list[_Job]:
    jobs = []
    for group in together(_fitted(study)):
        cut = blocks(study.data, group[0].refit_every)
        parts = [cut] if at_once.can_be(group[0]) else [[block] for block in cut]
        needed = only_needed(study.data, group)
        jobs += [_Job(study.key, needed, group, tuple(part)) for part in parts]
    return jobs


def _fitted(study: Study) -> Sequence[Recipe]:
    """The recipes that are fitted: not combinations of others, whose forecasts are made of theirs.

    A combination is fitted where some member is not evaluated beside it.
    """
    names = {recipe.name for recipe in study.recipes}
    return [it for it in study.recipes if not members_of(it) or not names >= set(members_of(it))]


def _smallness(group: Sequence[Recipe]) -> tuple[bool, int]:
    return (not group[0].sources, -group[0].refit_every)


def _forecast(job: _Job) -> list[BlockForecasts]:
    (recipe, *_), (block, *_) = job.recipes, job.blocks
    if at_once.can_be(recipe):
        return _forecast_at_once(recipe, job)
    known = job.data.until(block.cut_off)
    return [_forecast_one(recipe, job, block, known) for recipe in job.recipes]


def _forecast_at_once(recipe: at_once.AtOnce, job: _Job) -> list[BlockForecasts]:
    """Forecasts of every block, each by the fit at its cut-off."""
    data = job.data
    cut_offs = np.array([block.cut_off for block in job.blocks])
    pairs = data.pairs(recipe.lookback, recipe.columns)
    ahead = pairs.where(pairs.target_dates > cut_offs[0])
    fit_of = np.searchsorted(cut_offs, ahead.target_dates) - 1
    known = np.searchsorted(data.target.series.dates, cut_offs, side="right")
    said = at_once.predict(recipe, data, at_once.Schedule(known, ahead, fit_of))
    bounds = Bounds(*(part[fit_of] for part in _bounds_at(data, known)))
    rv, _ = to_rv(said.values, said.scale, said.residual_variance, bounds)
    edges = np.searchsorted(fit_of, np.arange(len(known) + 1))
    return [
        BlockForecasts(
            key=job.key,
            recipe=recipe,
            cut_off=block.cut_off,
            as_of=ahead.as_of[start:end],
            target_dates=ahead.target_dates[start:end],
            forecast=rv[start:end],
            by_seed={},
            rv=ahead.targets[start:end],
        )
        for block, start, end in zip(job.blocks, edges[:-1], edges[1:], strict=True)
    ]


def _bounds_at(data: TrainingSet, known: NDArray[np.int64]) -> tuple[FloatArray, ...]:
    """Lowest, highest and mean value that fits of so many sessions have seen; (fits,) each."""
    rv = data.target.series.rv
    if data.horizon > 1:
        pairs = data.pairs(1)
        first_ahead = np.searchsorted(data.target.series.dates, pairs.target_dates)
        rv, known = pairs.targets, np.searchsorted(first_ahead + data.horizon, known, side="right")
    newest = known - 1
    lowest, highest = np.minimum.accumulate(rv)[newest], np.maximum.accumulate(rv)[newest]
    return lowest, highest, np.cumsum(rv)[newest] / known


def _forecast_one(recipe: Recipe, job: _Job, block: Block, known: TrainingSet) -> BlockForecasts:
    pairs = job.data.pairs(recipe.lookback, recipe.columns)
    ahead = pairs.where(_inside(block, pairs.target_dates))
    fit, seen = recipe.fit(known), seen_in(known)
    return BlockForecasts(
        key=job.key,
        recipe=recipe,
        cut_off=block.cut_off,
        as_of=ahead.as_of,
        target_dates=ahead.target_dates,
        forecast=forecast_rv(fit, ahead.windows, seen),
        by_seed={seed: forecast_rv(own, ahead.windows, seen) for seed, own in fit.by_seed.items()},
        rv=ahead.targets,
    )


def _inside(block: Block, target_dates: DateArray) -> np.ndarray:
    inside: np.ndarray = (target_dates > block.cut_off) & (target_dates <= block.last_target)
    return inside


def _join(model: str, horizon: int, parts: Sequence[BlockForecasts]) -> ForecastTrack:
    own = sorted(parts, key=lambda part: part.cut_off)
    return ForecastTrack(
        model=model,
        as_of=np.concatenate([part.as_of for part in own]),
        target_dates=np.concatenate([part.target_dates for part in own]),
        forecast=np.concatenate([part.forecast for part in own]),
        by_seed={
            seed: np.concatenate([part.by_seed[seed] for part in own]) for seed in own[0].by_seed
        },
        rv=np.concatenate([part.rv for part in own]),
        horizon=horizon,
    )
