"""``python -m training retrain --panel DIR --models …``: models of their own for many assets."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import joblib  # type: ignore[import-untyped]
from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from training.commands.console import echo
from training.commands.preparation import REFUSED, check_writable, config_of, with_horizons
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.data.panel import read_panel
from training.evaluation.study import applicable
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from training.models.registry import recipes
from training.publishing.retrain import long_enough_for, publish, train
from volatility.errors import HistoryTooShort, InvalidInput, TooFewObservations


@dataclass(frozen=True)
class _Job:
    """One asset, which a process evaluates, fits and publishes from beginning to end."""

    asset: AssetData
    recipes: tuple[Recipe, ...]
    asked: tuple[str, ...]
    config: Config
    store: Path


@dataclass(frozen=True)
class _Done:
    """What became of an asset, in words."""

    lines: Sequence[str]
    refused: bool


def run(options: argparse.Namespace, console: Console) -> int:
    """Evaluate, fit and publish models of each asset's own, an asset a process.

    Returns the exit status. An asset that cannot be retrained keeps none of the others from it.

    Raises
    ------
    InvalidInput : a model that learns from another asset.
    """
    config = with_horizons(config_of(options), options.horizons)
    chosen = recipes(options.models, config)
    _check_alone(chosen)
    echo(config, console, panel=options.panel, store=options.store)
    assets = read_panel(options.panel, datetime.now(UTC))
    store = open_store(options.store)
    check_writable(options.store)
    asked = tuple(options.models)
    jobs = [_Job(it, applicable(chosen, it), asked, config, store.root) for it in assets]
    refused = False
    for done in worker_pool(options.jobs)(joblib.delayed(_retrain)(job) for job in jobs):
        console.print("\n".join(done.lines), markup=False)
        refused |= done.refused
    return REFUSED if refused else 0


def _check_alone(chosen: Sequence[Recipe]) -> None:
    for recipe in chosen:
        if recipe.sources:
            raise InvalidInput(
                f"{recipe.name} learns from another asset, which a panel has none of",
                field="models",
                found=recipe.name,
                needed="models that learn from their asset alone",
            )


def _retrain(job: _Job) -> _Done:
    name = job.asset.asset
    judged, *further = job.config.horizons
    data = TrainingSet(job.asset, {}, job.config.seed, judged)
    horizons, too_long = long_enough_for(data, further)
    try:
        trained = train(job.recipes, data, 1, further=horizons)
    except (HistoryTooShort, TooFewObservations) as error:
        return _Done([f"{name}: {error}"], refused=True)
    result = publish(trained, Store(job.store), job.asked)
    serving = sum(outcome.serves is True for outcome in result.outcomes)
    told = [f"{name}: {serving} models in service, champion {result.champion or 'none'}"]
    told += [f"  without horizon {horizon}: {reason}" for horizon, reason in too_long.items()]
    told += [f"  {it.model} refused: {it.note}" for it in result.outcomes if it.refused]
    if result.not_compared:
        told.append(f"  the champion stays: {result.not_compared}")
    return _Done(told, result.refused)
