"""``python -m training evaluate``: models side by side, on any assets and horizons."""

import argparse
import shlex
from collections.abc import Mapping, Sequence

from rich.console import Console

from training.commands import evaluate_panel, evaluate_transfer
from training.commands.arguments import PANEL_PLAN, PANEL_SOURCE
from training.commands.bars_options import words_of
from training.commands.comparison_tables import print_comparison
from training.commands.console import FitsProgress, echo
from training.commands.going_on import finished_units
from training.commands.preparation import (
    Preparation,
    check_panel_alone,
    check_writable,
    workers_of,
)
from training.config import flatten
from training.evaluation import folder
from training.evaluation.across import AcrossRow, across_assets
from training.evaluation.figures import draw
from training.evaluation.report import heading, report
from training.evaluation.run import SELECTION, TEST, Evaluated, evaluate
from training.evaluation.tables import Value, forecasts_csv_gz, results_csv, results_json
from training.evaluation.walk_forward import count_fits
from training.models.recipe import Recipe
from training.models.registry import MODELS
from volatility.errors import InvalidInput


def run(options: argparse.Namespace, console: Console) -> int:
    """Evaluate everything asked for, print it and write it down; returns the exit status.

    Raises
    ------
    InvalidInput : options that do not go together.
    """
    if options.targets is not None and options.source != PANEL_SOURCE:
        raise InvalidInput(
            f"--targets goes with --panel and --source {PANEL_SOURCE}",
            field="targets",
            found=options.targets,
            needed=f"--source {PANEL_SOURCE}, or no --targets",
        )
    with workers_of(options):
        if options.panel is None:
            _check_no_plan(options)
            return _evaluate_assets(options, console)
        check_panel_alone(options)
        if options.source == PANEL_SOURCE:
            return evaluate_transfer.run(options, console)
        return evaluate_panel.run(options, console)


def _check_no_plan(options: argparse.Namespace) -> None:
    for name, default in PANEL_PLAN.items():
        found = getattr(options, name)
        if found != default:
            raise InvalidInput(
                f"--{name} goes with --panel: single assets have no folds, and are fitted as the "
                "configuration says",
                field=name,
                found=found,
                needed=f"--panel DIR, or no --{name}",
            )


def _evaluate_assets(options: argparse.Namespace, console: Console) -> int:
    prepared = Preparation.of(options)
    folder.check_replaceable(options.out)
    check_writable(options.out.resolve().parent)  # the folder itself is replaced as a whole
    horizons = sorted(set(options.horizons))
    echo(options, prepared.config, console, horizons=horizons, out=options.out)
    studies = prepared.introduce_studies(prepared.load(), console, horizons)
    with finished_units(options.out, console) as finished:
        with FitsProgress(console, count_fits(studies)) as progress:
            results = evaluate(studies, options.jobs, progress.advance, finished)
        for result in results:
            print_comparison(heading(result), result.comparisons[TEST], console)
        settings = flatten(prepared.config) | {"horizons": " ".join(map(str, horizons))}
        command = _command(options, prepared.recipes)
        folder.replace_folder(options.out, files_of(results, settings, command))
    console.print(f"wrote tables, forecasts, figures and a report into {options.out}", markup=False)
    return 0


def files_of(
    results: Sequence[Evaluated], settings: Mapping[str, Value], command: str
) -> dict[str, bytes]:
    """Everything that is written, by path below the folder."""
    across = _across(results)
    drawings = {heading(result): draw(result, folder.FIGURES) for result in results}
    written = report(results, across, drawings, command)
    return {
        folder.RESULTS_CSV: results_csv(results),
        folder.RESULTS_JSON: results_json(results, across, settings),
        folder.FORECASTS: forecasts_csv_gz(results),
        folder.REPORT: written.markdown,
        folder.PAGE: written.html,
        **{it.file: it.svg for drawn in drawings.values() for it in drawn},
    }


def _across(results: Sequence[Evaluated]) -> list[AcrossRow]:
    horizons = sorted({result.study.key.horizon for result in results})
    return [
        row
        for horizon in horizons
        for part in (TEST, SELECTION)
        for row in across_assets(results, horizon, part)
    ]


def _command(options: argparse.Namespace, chosen: Sequence[Recipe]) -> str:
    """The command that makes the same results from the same data and code."""
    words = ["python", "-m", "training", "evaluate"]
    for asset in options.asset or ():
        words += ["--asset", asset]
    given = {
        "--bars": options.bars,
        "--from-service": options.from_service,
        "--calendar": options.calendar,
        "--measure": options.measure,
        "--outside-sessions": options.outside_sessions,
        "--source": options.source,
        "--config": options.config,
        "--seed": options.seed,
        "--seeds": options.seeds,
    }
    for option, value in given.items():
        if value is not None:
            words += [option, str(value)]
    words += words_of(options)
    for companion in options.companion:
        words += ["--companion", companion]
    if len(chosen) < len(MODELS):
        words += ["--models", *(recipe.name for recipe in chosen)]
    words += ["--horizons", *map(str, sorted(set(options.horizons)))]
    return shlex.join(words)
