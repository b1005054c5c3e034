"""Out-of-sample forecasts: fit on what was known, forecast the next sessions, fit again.

A fit for a block of sessions sees data up to the session before the block and nothing later: no
target that it learns from ends after its cut-off, whatever the horizon. Of a source it sees what
had closed when the forecast at the end of its cut-off is issued. Each forecast is made from the
window that ends the session before its target date, so positions in two models' arrays never need
to agree: dates do.

All fits of a regression are made in one pass, by one process; see
:mod:`training.models.linear.at_once`. Others are fitted block by block, wherever there is room.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from training.data.assets import TrainingSet
from training.evaluation.study import Study, StudyKey
from training.evaluation.workers import Pool
from training.models.linear import at_once
from training.models.linear.asset_regressors import AssetRegressors, regressors_of
from training.models.recipe import Fit, Recipe, members_of, seen_in
from volatility.arrays import DateArray, FloatArray, Windows
from volatility.evaluation.combination import combine
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import Bounds, to_rv

FitDone = Callable[[Recipe], None]  # called with the recipe of every fit that ends


class Block(NamedTuple):
    """Consecutive target sessions that one fit forecasts."""

    cut_off: np.datetime64  # last session the fit may see
    last_target: np.datetime64


@dataclass(frozen=True)
class Blocks:
    """Blocks one after the other; there may be one for every session."""

    cut_offs: DateArray  # (n,)
    last_targets: DateArray  # (n,)

    def __len__(self) -> int:
        return len(self.cut_offs)

    def __getitem__(self, place: int) -> Block:
        return Block(self.cut_offs[place], self.last_targets[place])

    def __iter__(self) -> Iterator[Block]:
        return map(Block, self.cut_offs, self.last_targets)

    def each(self) -> list["Blocks"]:
        """Every block alone."""
        ones = (slice(place, place + 1) for place in range(len(self)))
        return [Blocks(self.cut_offs[one], self.last_targets[one]) for one in ones]


@dataclass(frozen=True)
class BlockForecasts:
    """One recipe's forecasts for one block, or for several one after the other, and what came."""

    key: StudyKey
    recipe: Recipe
    fits: int  # one a block
    cut_off: np.datetime64  # of the first
    as_of: DateArray  # (n,)
    target_dates: DateArray  # (n,)
    forecast: FloatArray  # (n,) rv
    by_seed: Mapping[int, FloatArray]  # (n,) each: what the fits say that the model is the mean of
    rv: FloatArray  # (n,)


@dataclass(frozen=True)
class _Part:
    """Some of a study's models for one block, or one of them for all."""

    key: StudyKey
    data: TrainingSet
    recipes: tuple[Recipe, ...]
    blocks: Blocks


# What one process does at a time: parts that share work, all of one target.
_Job = tuple[_Part, ...]


def blocks(data: TrainingSet, refit_every: int) -> Blocks:
    """Cut the second half of the target's sessions into blocks of ``refit_every``.

    Blocks without a target are left out: the last sessions of a sample begin no horizon that ends
    inside it.
    """
    dates = data.target.series.dates
    starts = np.arange(len(dates) // 2, len(dates), refit_every)
    cut_offs, last_targets = dates[starts - 1], dates[np.append(starts[1:], len(dates)) - 1]
    targets = data.pairs(1).target_dates
    before, through = np.searchsorted(targets, [cut_offs, last_targets], side="right")
    filled = through > before
    return Blocks(cut_offs[filled], last_targets[filled])


def walk_forward(studies: Sequence[Study], parallel: Pool) -> Iterator[BlockForecasts]:
    """Forecast the second half of every study's target with every one of its recipes.

    Parameters
    ----------
    studies : targets with their whole history, and their models.
    parallel : where fits run; must return a generator.

    Yields
    ------
    Forecasts as they are done, in no particular order; :func:`tracks_of` puts them in one.
    """
    jobs = _jobs_of(studies)
    # Among equals the earliest comes first: if history is too short, it fails there.
    jobs.sort(key=lambda job: (*_smallness(job[0].recipes), job[0].blocks[0].cut_off))
    for forecasts in parallel(joblib.delayed(_forecast)(job) for job in jobs):
        yield from forecasts


def forecast_studies(
    studies: Sequence[Study], parallel: Pool, fit_done: FitDone
) -> list[dict[str, ForecastTrack]]:
    """Each model's forecasts of the last half, by study in the order given.

    Parameters
    ----------
    studies, parallel : see :func:`walk_forward`.
    fit_done : told of every fit that ends.
    """
    forecasts: dict[StudyKey, list[BlockForecasts]] = {study.key: [] for study in studies}
    for part in walk_forward(studies, parallel):
        forecasts[part.key].append(part)
        for _ in range(part.fits):
            fit_done(part.recipe)
    return [tracks_of(study, forecasts[study.key]) for study in studies]


def count_fits(studies: Sequence[Study]) -> Counter[int]:
    """How many fits :func:`walk_forward` makes, by the recipe's ``refit_every``."""
    fits: Counter[int] = Counter()
    for study in studies:
        for every, models in Counter(recipe.refit_every for recipe in _fitted(study)).items():
            fits[every] += models * len(blocks(study.data, every))
    return fits


def tracks_of(study: Study, forecasts: Iterable[BlockForecasts]) -> dict[str, ForecastTrack]:
    """A study's blocks in order of time, by model in the order of its recipes.

    None where the second half of the target has no block.
    """
    own: dict[str, list[BlockForecasts]] = {recipe.name: [] for recipe in _fitted(study)}
    for part in forecasts:
        if part.key == study.key:
            own[part.recipe.name].append(part)
    if not any(own.values()):
        return {}
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


def _jobs_of(studies: Sequence[Study]) -> list[_Job]:
    """Parts of one target together that share work.

    All regressions share regressors, and the fits of another model at several horizons what is
    estimated before the horizon matters.
    """
    jobs: dict[tuple[str, ...], list[_Part]] = {}
    for study in studies:
        for part in _parts_of(study):
            names, first = [it.name for it in part.recipes], str(part.blocks[0].cut_off)
            apart = [] if at_once.is_regression(part.recipes[0]) else [*names, first]
            jobs.setdefault((study.key.asset, *apart), []).append(part)
    return [tuple(job) for job in jobs.values()]


def _parts_of(study: Study) -> list[_Part]:
    parts = []
    fitted = _fitted(study)
    by_frequency = {it: blocks(study.data, it) for it in {it.refit_every for it in fitted}}
    for group in together(fitted):
        cut = by_frequency[group[0].refit_every]
        if not cut:  # the second half has no target
            continue
        each = [cut] if at_once.can_be(group[0]) else cut.each()
        needed = only_needed(study.data, group)
        parts += [_Part(study.key, needed, group, part) for part in each]
    return parts


def _fitted(study: Study) -> Sequence[Recipe]:
    """The recipes that are fitted: not combinations of others, whose forecasts are made of theirs.

    A combination is fitted where some member is not evaluated beside it.
    """
    names = {recipe.name for recipe in study.recipes}
    return [it for it in study.recipes if not members_of(it) or not names >= set(members_of(it))]


def _smallness(group: Sequence[Recipe]) -> tuple[bool, int]:
    return (not group[0].sources, -group[0].refit_every)


def _forecast(job: _Job) -> list[BlockForecasts]:
    regressors = regressors_of(job[0].data.target)
    return [forecasts for part in job for forecasts in _forecast_part(part, regressors)]


def _forecast_part(part: _Part, regressors: AssetRegressors) -> list[BlockForecasts]:
    recipe, block = part.recipes[0], part.blocks[0]
    if at_once.can_be(recipe):
        return [_forecast_at_once(recipe, part, regressors)]
    known = part.data.until(block.cut_off)
    return [_forecast_one(recipe, part, block, known) for recipe in part.recipes]


def _forecast_at_once(
    recipe: at_once.AtOnce, part: _Part, regressors: AssetRegressors
) -> BlockForecasts:
    """Forecasts of every block, each by the fit at its cut-off."""
    data = part.data
    cut_offs = part.blocks.cut_offs
    rows = regressors.rows(recipe.lookback, data.horizon, recipe.columns)
    ahead = rows.where(rows.target_dates > cut_offs[0])
    fit_of = np.searchsorted(cut_offs, ahead.target_dates) - 1
    known = np.searchsorted(data.target.series.dates, cut_offs, side="right")
    said = at_once.predict(recipe, data, at_once.Schedule(known, ahead, fit_of), regressors)
    bounds = Bounds(*(bound[fit_of] for bound in _bounds_at(data, known, regressors)))
    rv, _ = to_rv(said.values, said.scale, said.residual_variance, bounds)
    return BlockForecasts(
        key=part.key,
        recipe=recipe,
        fits=len(part.blocks),
        cut_off=part.blocks[0].cut_off,
        as_of=ahead.as_of,
        target_dates=ahead.target_dates,
        forecast=rv,
        by_seed={},
        rv=ahead.targets,
    )


def _bounds_at(
    data: TrainingSet, known: NDArray[np.int64], regressors: AssetRegressors
) -> tuple[FloatArray, ...]:
    """Lowest, highest and mean value that fits of so many sessions have seen; (fits,) each."""
    rv = data.target.series.rv
    if data.horizon > 1:
        rows = regressors.rows(1, data.horizon)
        rv, known = rows.targets, at_once.counts_known(data.target, rows, data.horizon, known)
    newest = known - 1
    lowest, highest = np.minimum.accumulate(rv)[newest], np.maximum.accumulate(rv)[newest]
    return lowest, highest, np.cumsum(rv)[newest] / known


def _forecast_one(recipe: Recipe, part: _Part, block: Block, known: TrainingSet) -> BlockForecasts:
    pairs = part.data.pairs(recipe.lookback, recipe.columns)
    ahead = pairs.where(_inside(block, pairs.target_dates))
    fit, seen = recipe.fit(known), seen_in(known)
    return BlockForecasts(
        key=part.key,
        recipe=recipe,
        fits=1,
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
