"""``python -m training evaluate``: models side by side, on any assets and horizons."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

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
from training.config import flatten
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.evaluation import folder
from training.evaluation.across import AcrossRow, across_assets
from training.evaluation.report import heading, report
from training.evaluation.run import HALF, TEST, Evaluated, evaluate
from training.evaluation.sentences import print_comparison
from training.evaluation.study import Study, applicable, check_history
from training.evaluation.tables import Cell, forecasts_csv_gz, results_csv, results_json
from training.evaluation.walk_forward import count_fits
from training.models.recipe import Recipe
from training.models.registry import MODELS, recipes


def add_to(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("evaluate", help="compare models, and write tables and figures")
    parser.set_defaults(run=run)
    add_assets(parser)
    add_fitting(parser)
    parser.add_argument(
        "--horizons",
        nargs="+",
        type=_horizon,
        default=[1],
        metavar="H",
        help="sessions ahead, whose mean rv is forecast (default: 1)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("var/evaluation"),
        metavar="DIR",
        help="folder of the results, replaced when they are complete (default: %(default)s)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Evaluate everything asked for, print it and write it down; returns the exit status."""
    assets, file = assets_of(options)
    config = config_of(options)
    chosen = recipes(options.models, config)
    folder.check_replaceable(options.out)
    check_writable(options.out.resolve().parent)  # the folder itself is replaced as a whole
    horizons = sorted(set(options.horizons))
    echo(config, console, horizons=horizons, out=options.out)
    now = datetime.now(UTC)
    targets = [load_asset(asset, file, now) for asset in assets]
    sources = load_sources(chosen, options, now)
    studies = []
    for target, notes in targets:
        introduce(target, notes, console)
        tell_left_out(chosen, target, console)
        own = applicable(chosen, target)
        sets = [TrainingSet(target, sources, config.seed, horizon) for horizon in horizons]
        studies += [Study(data, own) for data in sets]
    # All of them before any is fitted: too short a history should not come to light hours later.
    for study in studies:
        check_history(study.data)
    with FitsProgress(console, count_fits(studies)) as progress:
        results = evaluate(studies, options.jobs, progress.advance)
    for result in results:
        print_comparison(heading(result), result.comparisons[TEST], console)
    settings = flatten(config) | {"horizons": " ".join(map(str, horizons))}
    folder.replace_folder(options.out, files_of(results, settings, _command(options, chosen)))
    console.print(f"wrote tables, forecasts, figures and a report into {options.out}", markup=False)
    return 0


def files_of(
    results: Sequence[Evaluated], settings: Mapping[str, Cell], command: str
) -> dict[str, bytes]:
    """Everything that is written, by path below the folder."""
    across = _across(results)
    paths, figures = _figures(results)
    return {
        folder.RESULTS_CSV: results_csv(results),
        folder.RESULTS_JSON: results_json(results, across, settings),
        folder.FORECASTS: forecasts_csv_gz(results),
        folder.REPORT: report(results, across, paths, command),
        **figures,
    }


def _across(results: Sequence[Evaluated]) -> list[AcrossRow]:
    horizons = sorted({result.study.key.horizon for result in results})
    return [
        row
        for horizon in horizons
        for part in (TEST, HALF)
        for row in across_assets(results, horizon, part)
    ]


def _figures(
    results: Sequence[Evaluated],
) -> tuple[dict[str, dict[str, str]], dict[str, bytes]]:
    """Paths by study and by what a figure shows, and the files by path."""
    from training.evaluation.figures import draw

    paths: dict[str, dict[str, str]] = {}
    files: dict[str, bytes] = {}
    for result in results:
        asset, horizon = result.study.key
        drawn = draw(result)
        names = {
            shows: f"{folder.FIGURES}/{asset}-{horizon}-{shows.lower().replace(' ', '-')}.svg"
            for shows in drawn
        }
        paths[heading(result)] = names
        files |= {names[shows]: content for shows, content in drawn.items()}
    return paths, files


def _command(options: argparse.Namespace, chosen: Sequence[Recipe]) -> str:
    """The command that makes the same results from the same data and code."""
    words = ["python", "-m", "training", "evaluate"]
    for asset in options.asset or ():
        words += ["--asset", asset]
    given = {
        "--bars": options.bars,
        "--calendar": options.calendar,
        "--measure": options.measure,
        "--source": options.source,
        "--config": options.config,
        "--seed": options.seed,
    }
    for option, value in given.items():
        if value is not None:
            words += [option, str(value)]
    if len(chosen) < len(MODELS):
        words += ["--models", *(recipe.name for recipe in chosen)]
    words += ["--horizons", *map(str, sorted(set(options.horizons)))]
    return shlex.join(words)


def _horizon(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of sessions, of 1 or more")
    return int(text)
