"""``python -m training retrain``: evaluate, fit and publish models."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from models_store.store import Store, open_store
from training.commands.options import (
    Subparsers,
    add_assets,
    add_fitting,
    assets_of,
    config_of,
    echo,
    fits_progress,
    introduce,
    load_sources,
)
from training.models.recipe import Recipe, TrainingSet
from training.models.registry import recipes
from training.report import print_result
from training.retrain import applicable, publish, train
from training.source import load_asset

REFUSED = 1  # exit status: something was not promoted


def add_to(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("retrain", help="evaluate, fit and publish models")
    parser.set_defaults(run=run)
    add_assets(parser)
    add_fitting(parser)
    parser.add_argument(
        "--store", type=Path, default=Path("var/store"), help="model store (default: %(default)s)"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Retrain asset by asset; returns the exit status."""
    assets, file = assets_of(options)
    config = config_of(options)
    chosen = recipes(options.models, config)
    echo(config, console, store=options.store)
    now = datetime.now(UTC)
    # All of them first: a misspelled asset should not come to light hours into a retrain.
    targets = [load_asset(asset, file, now) for asset in assets]
    sources = load_sources(chosen, options, now)
    store = open_store(options.store)
    refused = []
    for target, notes in targets:
        introduce(target, notes, console)
        own = applicable(chosen, target.asset)
        data = TrainingSet(target, sources, config.seed)
        refused.append(_retrain_asset(own, data, options.jobs, store, console))
    return REFUSED if any(refused) else 0


def _retrain_asset(
    recipes: Sequence[Recipe], data: TrainingSet, jobs: int, store: Store, console: Console
) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    with fits_progress(console) as bar:
        task = bar.add_task(f"{data.target.asset}: {len(recipes)} models")
        trained = train(
            recipes, data, jobs, lambda done, total: bar.update(task, completed=done, total=total)
        )
    result = publish(trained, store)
    print_result(result, console)
    return result.refused
