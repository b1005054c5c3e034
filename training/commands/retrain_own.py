"""``python -m training retrain --panel DIR --models …``: models of their own for many assets."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from training.commands.console import echo
from training.commands.going_on import finished_units
from training.commands.preparation import (
    REFUSED,
    check_alone,
    check_writable,
    config_of,
    with_horizons,
)
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.data.panel import read_panel
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.study import applicable
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from training.models.registry import recipes
from training.publishing.retrain import TrainedModels, long_enough_for, publish, train
from volatility.errors import RoughcastError


@dataclass(frozen=True)
class _Job:
    """One asset, which a process evaluates, fits and, on this machine, publishes."""

    asset: AssetData
    recipes: tuple[Recipe, ...]
    asked: tuple[str, ...]
    config: Config
    store: Path
    finished: FinishedUnits[Any] | None  # fits of an earlier run; None where it cannot be reached


@dataclass(frozen=True)
class _Trained:
    """An asset's models, and the horizons that its history is too short for, with the reason."""

    job: _Job
    models: TrainedModels
    too_long: Mapping[int, str]


@dataclass(frozen=True)
class _Done:
    """What became of an asset, in words."""

    lines: Sequence[str]
    refused: bool


def run(options: argparse.Namespace, console: Console) -> int:
    """Evaluate, fit and publish models of each asset's own, an asset a process.

    Returns the exit status. An asset that cannot be retrained keeps none of the others from it.
    What a Dask cluster has trained is published here: its workers need not see the store.

    Raises
    ------
    InvalidInput : a model that learns from another asset.
    """
    config = with_horizons(config_of(options), options.horizons)
    chosen = recipes(options.models, config)
    check_alone(chosen)
    echo(options, config, console, panel=options.panel, store=options.store)
    assets = read_panel(options.panel, datetime.now(UTC))
    store = open_store(options.store)
    check_writable(options.store)
    asked = tuple(options.models)
    elsewhere, refused = options.scheduler is not None, False
    with finished_units(options.store, console) as finished:
        here = None if elsewhere else finished
        jobs = [_Job(it, applicable(chosen, it), asked, config, store.root, here) for it in assets]
        if elsewhere:
            trained = worker_pool(options.jobs, finished)(joblib.delayed(_train)(it) for it in jobs)
            results: Iterator[_Done] = map(_publish, trained)
        else:  # each process keeps its fits: what is published is not to be passed over
            results = worker_pool(options.jobs)(joblib.delayed(_retrain)(it) for it in jobs)
        for done in results:
            console.print("\n".join(done.lines), markup=False)
            refused |= done.refused
    return REFUSED if refused else 0


def _retrain(job: _Job) -> _Done:
    return _publish(_train(job))


def _train(job: _Job) -> _Trained | _Done:
    """Evaluate and fit, or say why an asset cannot be."""
    judged, *further = job.config.horizons
    data = TrainingSet(job.asset, {}, job.config.seed, judged)
    try:
        horizons, too_long = long_enough_for(data, further)
        models = train(job.recipes, data, 1, further=horizons, finished=job.finished)
        return _Trained(job, models, too_long)
    except RoughcastError as error:
        return _refusal(job, error)


def _publish(trained: _Trained | _Done) -> _Done:
    """Publish what was trained, and say what became of it; a refusal stays one."""
    if isinstance(trained, _Done):
        return trained
    job = trained.job
    try:
        result = publish(trained.models, Store(job.store), job.asked)
    except RoughcastError as error:
        return _refusal(job, error)
    serving = sum(outcome.serves is True for outcome in result.outcomes)
    told = [f"{job.asset.asset}: {serving} models in service, champion {result.champion or 'none'}"]
    told += [f"  without horizon {it}: {reason}" for it, reason in trained.too_long.items()]
    told += [f"  {it.model} refused: {it.note}" for it in result.outcomes if it.refused]
    if result.not_compared:
        told.append(f"  the champion stays: {result.not_compared}")
    return _Done(told, result.refused)


def _refusal(job: _Job, error: RoughcastError) -> _Done:
    return _Done([f"{job.asset.asset}: {error}"], refused=True)
