"""``python -m training evaluate --panel DIR --source panel``: transfer from many assets to one."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import Progress

from training.commands.arguments import DEFAULT_HISTORIES, PANEL_SOURCE
from training.commands.console import echo
from training.commands.going_on import finished_units
from training.commands.preparation import check_writable, config_of
from training.config import Config
from training.data.assets import AssetData
from training.data.panel import read_panel
from training.evaluation import folder
from training.evaluation.panel.transfer import (
    LOG_HAR,
    Chosen,
    SourceJob,
    TransferKey,
    TransferPlan,
    candidates,
    fit_sources,
    shortages,
    source_jobs,
    spans_of,
    transfer_tracks,
)
from training.evaluation.panel.transfer_report import transfer_csv, transfer_report
from training.evaluation.panel.transfer_scores import (
    choose,
    chosen_elsewhere,
    score_transfer,
    summarize,
)
from training.evaluation.run import SELECTION, TEST
from training.evaluation.study import MINIMUM_TARGETS
from training.evaluation.workers import Pool, worker_pool
from training.models.registry import MODELS, make_recipe, pooled_methods
from training.reports.page import page
from volatility.errors import InvalidInput
from volatility.evaluation.tracks import ForecastTrack


def run(options: argparse.Namespace, console: Console) -> int:
    """Choose settings on third quarters, judge on last ones, and write; returns the exit status.

    Raises
    ------
    InvalidInput : options that this comparison has no use for, or a panel that it cannot be made
        on.
    """
    _check_options(options)
    folder.check_replaceable(options.out)
    check_writable(options.out.resolve().parent)
    config = _config_of(options)
    echo(options, config, console, panel=options.panel, out=options.out)
    plan = TransferPlan(options.folds, options.months, options.targets)
    assets = read_panel(options.panel, datetime.now(UTC))
    console.print(f"{len(assets)} assets in {options.panel}", markup=False)
    jobs = {part: _jobs(assets, part, plan, config) for part in (SELECTION, TEST)}
    left_out = [it for part in jobs for it in _left_out(assets, part, jobs[part], plan)]
    for told in left_out:
        console.print(f"left out: {told}", markup=False)
    every = candidates(plan, pooled_methods())
    with finished_units(options.out, console) as finished:
        parallel = worker_pool(options.jobs, finished)
        tried = _forecast(jobs, SELECTION, every, plan, config, parallel, console)
        chosen, before = choose(tried), summarize(chosen_elsewhere(assets, tried))
        tracks = _forecast(jobs, TEST, chosen, plan, config, parallel, console)
        summaries = summarize(tracks)
        report = transfer_report(summaries, before, chosen, plan, _command(options), left_out)
        console.print(report.decode(), markup=False, soft_wrap=True)
        files = {
            folder.RESULTS_CSV: transfer_csv(score_transfer(assets, tracks)),
            folder.REPORT: report,
            folder.PAGE: page(report.decode()),
        }
        folder.replace_folder(options.out, files)
    console.print(f"wrote scores and a report into {options.out}", markup=False)
    return 0


def _check_options(options: argparse.Namespace) -> None:
    """Refuse what would change nothing.

    Raises
    ------
    InvalidInput : models, horizons, companions or lengths of histories are given.
    """
    defaults: dict[str, list[object]] = {
        "models": [*MODELS],
        "horizons": [1],
        "companion": [],
        "histories": [*DEFAULT_HISTORIES],
    }
    for option, default in defaults.items():
        found = getattr(options, option)
        if found != default:
            raise InvalidInput(
                f"--source {PANEL_SOURCE} compares its own models at its own numbers of sessions "
                f"known, one session ahead, without companions; --{option} does not go with it",
                field=option,
                found=found,
                needed=f"no --{option} with --source {PANEL_SOURCE}",
            )


def _jobs(
    assets: Sequence[AssetData], part: str, plan: TransferPlan, config: Config
) -> list[SourceJob]:
    """The fits that a part of the assets' samples needs, before any is made.

    Raises
    ------
    InvalidInput : none can be made.
    """
    jobs = source_jobs(assets, spans_of(assets, plan, part), plan, config.horizons)
    if not jobs:
        raise InvalidInput(
            f"nothing can be transferred to the {part} part of any asset of the panel: each needs "
            "assets of other folds with a target at every horizon before, and enough of its own",
            field="panel",
            found=", ".join(f"{it.asset} ({len(it.series)} sessions)" for it in assets),
            needed=f"an asset with {MINIMUM_TARGETS} targets in each part, and others before them",
        )
    return jobs


def _left_out(
    assets: Sequence[AssetData], part: str, jobs: Sequence[SourceJob], plan: TransferPlan
) -> list[str]:
    """Why assets are not forecast in a part, a sentence each."""
    served = {span.asset.asset for job in jobs for span in job.spans}
    return [*shortages(assets, plan, part).values()] + [
        f"assets of other folds had no target at every horizon before the {part} part of "
        f"{span.asset.asset}"
        for span in spans_of(assets, plan, part)
        if span.asset.asset not in served
    ]


def _forecast(
    jobs_of: Mapping[str, Sequence[SourceJob]],
    part: str,
    settings: Chosen,
    plan: TransferPlan,
    config: Config,
    parallel: Pool,
    console: Console,
) -> dict[TransferKey, ForecastTrack]:
    """Fit the sources of a part of the assets' samples, and forecast it."""
    methods, jobs = pooled_methods(), jobs_of[part]
    benchmark = make_recipe(LOG_HAR, config)
    with Progress(console=console) as progress:
        fits = progress.add_task(f"sources, {part}", total=len(jobs))
        targets = progress.add_task(f"targets, {part}", total=sum(len(it.spans) for it in jobs))
        spans = []
        for job, source in fit_sources(jobs, methods.fit, config, parallel):
            progress.advance(fits)
            spans += [(span, source) for span in job.spans]
        return transfer_tracks(
            spans,
            settings,
            plan,
            methods,
            benchmark,
            config,
            parallel,
            lambda: progress.advance(targets),
        )


def _config_of(options: argparse.Namespace) -> Config:
    """The configuration, with as many encoders as asked for."""
    config = config_of(options)
    if options.seeds is None:
        return config
    return replace(config, universal=replace(config.universal, seeds=options.seeds))


def _command(options: argparse.Namespace) -> str:
    """The command that makes the same results from the same data and code."""
    words = ["python", "-m", "training", "evaluate", "--panel", str(options.panel)]
    words += ["--source", options.source]
    words += ["--folds", str(options.folds), "--months", str(options.months)]
    for option in ("targets", "config", "seed", "seeds"):
        if getattr(options, option) is not None:
            words += [f"--{option}", str(getattr(options, option))]
    return shlex.join(words)
