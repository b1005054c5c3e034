"""``python -m training retrain``: evaluate, fit and publish models."""

import argparse
from collections.abc import Collection, Sequence
from dataclasses import replace

from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from training.commands import retrain_panel
from training.commands.comparison_tables import print_retrained
from training.commands.console import FitsProgress, echo
from training.commands.preparation import Preparation, check_writable, workers_of
from training.config import Config
from training.data.assets import TrainingSet
from training.evaluation.study import Study, check_history
from training.publishing.retrain import count_all_fits, publish, train
from volatility.errors import HistoryTooShort, TooFewObservations

REFUSED = 1  # exit status: something was not promoted


def run(options: argparse.Namespace, console: Console) -> int:
    """Retrain asset by asset, or the model for every asset; returns the exit status."""
    with workers_of(options):
        if options.panel is not None:
            return retrain_panel.run(options, console)
        return _retrain_assets(options, console)


def _retrain_assets(options: argparse.Namespace, console: Console) -> int:
    prepared = Preparation.of(options)
    config = _with_horizons(prepared.config, options.horizons)
    echo(config, console, store=options.store)
    loaded = prepared.load()
    store = open_store(options.store)
    check_writable(options.store)
    studies = prepared.introduce_studies(loaded, console)
    refused = [
        _retrain_asset(study, config.horizons[1:], options, store, console) for study in studies
    ]
    return REFUSED if any(refused) else 0


def _retrain_asset(
    study: Study,
    further: Sequence[int],
    options: argparse.Namespace,
    store: Store,
    console: Console,
) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    asked: Collection[str] = options.models
    console.print(f"\nfitting models of {study.key.asset}", markup=False)
    further = _long_enough_for(study.data, further, console)
    with FitsProgress(console, count_all_fits(study, further)) as progress:
        trained = train(study.recipes, study.data, options.jobs, progress.advance, further)
    result = publish(trained, store, asked)
    print_retrained(result, console)
    return result.refused


def _with_horizons(config: Config, horizons: Sequence[int] | None) -> Config:
    return replace(config, horizons=tuple(sorted(set(horizons)))) if horizons else config


def _long_enough_for(
    data: TrainingSet, horizons: Sequence[int], console: Console
) -> tuple[int, ...]:
    """The horizons that the history can be fitted and tested at; says which it cannot, and why."""
    found = []
    for horizon in horizons:
        try:
            check_history(replace(data, horizon=horizon))
        except (HistoryTooShort, TooFewObservations) as error:
            console.print(f"  without horizon {horizon}: {error}", markup=False)
        else:
            found.append(horizon)
    return tuple(found)
