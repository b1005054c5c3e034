"""``python -m training retrain``: evaluate, fit and publish models."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from training.commands.options import (
    FitsProgress,
    Subparsers,
    add_assets,
    add_fitting,
    assets_of,
    check_writable,
    config_of,
    echo,
    introduce,
    load_sources,
    tell_left_out,
)
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.evaluation.sentences import print_result
from training.evaluation.study import Study, applicable, check_history
from training.models.registry import recipes
from training.publishing.retrain import count_all_fits, publish, train

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
    check_writable(options.store)
    refused = []
    for target, notes in targets:
        introduce(target, notes, console)
        tell_left_out(chosen, target, console)
        data = TrainingSet(target, sources, config.seed)
        study = Study(data, applicable(chosen, target))
        refused.append(_retrain_asset(study, options.jobs, store, console))
    return REFUSED if any(refused) else 0


def _retrain_asset(study: Study, jobs: int, store: Store, console: Console) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    check_history(study.data)
    with FitsProgress(console, count_all_fits(study)) as progress:
        trained = train(study.recipes, study.data, jobs, progress.advance)
    result = publish(trained, store)
    print_result(result, console)
    return result.refused
