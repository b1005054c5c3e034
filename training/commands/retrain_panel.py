"""``python -m training retrain --panel``: fit and publish the model for every asset."""

import argparse
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from models_store.shipped import open_store
from models_store.universal.store import UniversalStore
from training.commands import retrain_own
from training.commands.console import echo
from training.commands.evaluate_panel import EvaluatedPanel, evaluate_panel, plan_of
from training.commands.going_on import finished_units
from training.commands.preparation import check_writable, config_of, with_horizons
from training.config import Config
from training.data.panel import read_panel
from training.evaluation.panel.walk_forward import panel_jobs
from training.evaluation.workers import Pool, worker_pool
from training.models.pooled.zero_shot import FitPooled
from training.models.registry import MODELS, pooled_fit
from training.publishing.kind_records import NO_RECORDS, check_outcomes, panel_records
from training.publishing.universal import Vintage, fit_vintages, to_files, vintages
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
    with finished_units(options.store, console) as finished:
        found = evaluate_panel(assets, options, config, (), config.horizons, console, finished)
        parallel = worker_pool(options.jobs, finished)
        versions = _versions(found, fit, config, parallel, console)
        universal = UniversalStore(store.root)
        for vintage, content in versions:
            version = universal.publish(content)
            console.print(
                f"published version {version}, fitted on {len(vintage.assets)} assets up to "
                f"{vintage.cut_off}",
                markup=False,
            )
    return 0


def _versions(
    found: EvaluatedPanel, fit: FitPooled, config: Config, parallel: Pool, console: Console
) -> list[tuple[Vintage, dict[str, bytes]]]:
    """Every fit that is published, with its files; the newest last."""
    records = panel_records(found.assets, found.tracks, found.scores, found.plan)
    dates = vintages(found.assets, config.universal.vintage_months, config.universal.vintage_assets)
    exported = {}
    with Progress(console=console) as progress:
        task = progress.add_task("fits as of one date after another", total=len(dates))
        for vintage, graph in fit_vintages(dates, fit, config, parallel):
            exported[vintage.cut_off] = graph
            progress.advance(task)
    told = {it.cut_off: records if it is dates[-1] else NO_RECORDS for it in dates}
    return [(it, to_files(it, exported[it.cut_off], config, told[it.cut_off])) for it in dates]


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
