"""``python -m training retrain``: evaluate, fit and publish models."""

import argparse
from collections.abc import Collection

from rich.console import Console

from models_store.shipped import open_store
from models_store.store import Store
from training.commands.comparison_tables import print_retrained
from training.commands.console import FitsProgress, echo
from training.commands.preparation import Preparation, check_writable
from training.evaluation.study import Study
from training.publishing.retrain import count_all_fits, publish, train

REFUSED = 1  # exit status: something was not promoted


def run(options: argparse.Namespace, console: Console) -> int:
    """Retrain asset by asset; returns the exit status."""
    prepared = Preparation.of(options)
    echo(prepared.config, console, store=options.store)
    loaded = prepared.load()
    store = open_store(options.store)
    check_writable(options.store)
    studies = prepared.introduce_studies(loaded, console)
    refused = [
        _retrain_asset(study, options.models, options.jobs, store, console) for study in studies
    ]
    return REFUSED if any(refused) else 0


def _retrain_asset(
    study: Study, asked: Collection[str], jobs: int, store: Store, console: Console
) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    console.print(f"\nfitting models of {study.key.asset}", markup=False)
    with FitsProgress(console, count_all_fits(study)) as progress:
        trained = train(study.recipes, study.data, jobs, progress.advance)
    result = publish(trained, store, asked)
    print_retrained(result, console)
    return result.refused
