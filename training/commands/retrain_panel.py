"""``python -m training retrain --panel``: fit and publish the model for every asset."""

import argparse
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from models_store.shipped import open_store
from models_store.universal.store import UniversalStore
from training.commands import retrain_own
from training.commands.console import echo
from training.commands.evaluate_panel import evaluate_panel, plan_of
from training.commands.preparation import check_writable, config_of, with_horizons
from training.data.panel import read_panel
from training.evaluation.panel.walk_forward import panel_jobs
from training.evaluation.workers import worker_pool
from training.models.registry import MODELS, pooled_fit
from training.publishing.kind_records import NO_RECORDS, check_outcomes, panel_records
from training.publishing.universal import fit_vintages, to_files, vintages
from volatility.errors import InvalidInput


def run(options: argparse.Namespace, console: Console) -> int:
    """Retrain the model for every asset, or models of each asset's own where some are named.

    Returns the exit status. Of the model for every asset nothing is published before all fits have
    succeeded: on assets left out, and at every date.

    Raises
    ------
    InvalidInput : companions or a source, or see :func:`evaluate_panel`.
    """
    _check_options(options)
    if options.models != list(MODELS):
        return retrain_own.run(options, console)
    config = with_horizons(config_of(options), options.horizons)
    echo(options, config, console, panel=options.panel, store=options.store)
    store = open_store(options.store)
    check_writable(options.store)
    fit = pooled_fit()
    assets = read_panel(options.panel, datetime.now(UTC))
    check_outcomes(panel_jobs(assets, plan_of(options), config), config.horizons)
    found = evaluate_panel(assets, options, config, (), config.horizons, console)
    records = panel_records(found.assets, found.tracks, found.scores, found.plan)
    dates = vintages(found.assets, config.universal.vintage_months, config.universal.vintage_assets)
    exported = {}
    with Progress(console=console) as progress:
        task = progress.add_task("fits as of one date after another", total=len(dates))
        parallel = worker_pool(options.jobs)
        for vintage, graph in fit_vintages(dates, fit, config, parallel):
            exported[vintage.cut_off] = graph
            progress.advance(task)
    files = [
        to_files(it, exported[it.cut_off], config, records if it is dates[-1] else NO_RECORDS)
        for it in dates
    ]
    universal = UniversalStore(store.root)
    for vintage, content in zip(dates, files, strict=True):
        version = universal.publish(content)
        console.print(
            f"published version {version}, fitted on {len(vintage.assets)} assets up to "
            f"{vintage.cut_off}",
            markup=False,
        )
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Refuse what would change nothing.

    Raises
    ------
    InvalidInput : companions or a source are given.
    """
    if options.companion:
        raise InvalidInput(
            "--companion goes with a retrain of single assets or with evaluate --panel; the model "
            "for every asset is published without companions",
            field="companion",
            found=options.companion,
            needed="no --companion with retrain --panel",
        )
    if options.source is not None:
        raise InvalidInput(
            f"--source {options.source} goes with a retrain of single assets or with evaluate "
            "--panel; no model that is published for a panel learns from a source",
            field="source",
            found=options.source,
            needed="no --source with retrain --panel",
        )
