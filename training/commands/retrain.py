"""``python -m training retrain``: evaluate, fit and publish models."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from models_store.stored_comparisons import promoted
from training.commands import retrain_panel
from training.commands.comparison_tables import print_retrained
from training.commands.console import FitsProgress, echo, tell_obstacles
from training.commands.going_on import finished_units
from training.commands.preparation import (
    REFUSED,
    Preparation,
    check_panel_alone,
    check_writable,
    with_horizons,
    workers_of,
)
from training.commands.seeding import Seeding
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.study import Study, applicable
from training.publishing.retrain import count_all_fits, long_enough_for, publish, train


def run(options: argparse.Namespace, console: Console) -> int:
    """Retrain asset by asset, or the model for every asset; returns the exit status."""
    with workers_of(options):
        if options.panel is not None:
            check_panel_alone(options)
            return retrain_panel.run(options, console)
        return _retrain_assets(options, console)


def _retrain_assets(options: argparse.Namespace, console: Console) -> int:
    prepared = Preparation.of(options)
    config = with_horizons(prepared.config, options.horizons)
    echo(options, config, console, store=options.store)
    loaded = prepared.load()
    store = open_store(options.store)
    check_writable(options.store)
    studies = prepared.introduce_studies(loaded, console)
    seeding = None
    if options.to_service is not None:
        seeding = Seeding.of(options.to_service, prepared.file, studies[0].data.target)
        if seeding.is_first:
            seeding.put(console)
    further = config.horizons[1:]
    with finished_units(options.store, console) as finished:
        refused = [
            _retrain_asset(study, further, options, store, console, finished) for study in studies
        ]
    if seeding is not None and not seeding.is_first:
        if promoted(store, seeding.data.asset):
            seeding.put(console)
        else:
            console.print("bars not put: no model serves, by which a service would know the asset")
    return REFUSED if any(refused) else 0


def _retrain_asset(
    study: Study,
    further: Sequence[int],
    options: argparse.Namespace,
    store: Store,
    console: Console,
    finished: FinishedUnits[Any],
) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    asked: Collection[str] = options.models
    console.print(f"\nfitting models of {study.key.asset}", markup=False)
    further, too_long = long_enough_for(study.data, further)
    for horizon, reason in too_long.items():
        console.print(f"  without horizon {horizon}: {reason}", markup=False)
    target = study.data.target
    tell_obstacles(target, study.recipes, console, further)
    study = replace(study, recipes=applicable(study.recipes, target, further))
    with FitsProgress(console, count_all_fits(study, further)) as progress:
        told = progress.advance
        trained = train(study.recipes, study.data, options.jobs, told, further, finished)
    result = publish(trained, store, asked)
    print_retrained(result, console)
    return result.refused
