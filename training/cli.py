"""``python -m training``: retrain models, and write the README's results."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models_store.store import Store, open_store, shipped_artifacts
from training.config import SEEDS, Config, flatten, read_config
from training.models.recipe import AssetData, Recipe, TrainingSet
from training.models.registry import BENCHMARKS, MODELS, recipes
from training.report import print_result, write_results
from training.retrain import applicable, publish, train
from training.source import BarsFile, load_asset
from volatility.bars import Finding
from volatility.datasets import NAMES
from volatility.errors import InvalidInput, RoughcastError

REFUSED = 1  # exit status: something was not promoted
STOPPED = 2  # exit status: what was asked cannot be done; the reason is printed
REDIRECTED_WIDTH = 140  # columns


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    # In a file or a pipe rich would fold tables to 80 columns.
    width = None if sys.stdout.isatty() else REDIRECTED_WIDTH
    console, errors = Console(width=width), Console(stderr=True, soft_wrap=True)
    try:
        return int(options.run(options, console))
    except (RoughcastError, OSError) as error:  # a full disk, a store that cannot be written
        errors.print(f"error: {error}", markup=False, highlight=False)
        return STOPPED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_retrain(commands.add_parser("retrain", help="evaluate, fit and publish models"))
    _add_results(commands.add_parser("results", help="write the README's results table"))
    return parser


def _add_retrain(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_retrain)
    parser.add_argument(
        "--asset",
        action="append",
        metavar="NAME",
        help=f"asset to retrain; may be repeated; without it, all that are shipped: {list(NAMES)}",
    )
    parser.add_argument(
        "--bars",
        type=Path,
        metavar="FILE",
        help="CSV or Parquet file of the asset's own bars: date, open, high, low, close",
    )
    parser.add_argument(
        "--calendar", help="with --bars: 24/7, XNYS or another calendar of exchange_calendars"
    )
    parser.add_argument("--measure", help="with --bars: garman_klass, parkinson, …")
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="MODEL",
        default=list(MODELS),
        help=f"of {list(MODELS)} (default: all); {list(BENCHMARKS)} are always among them",
    )
    parser.add_argument(
        "--store", type=Path, default=Path("var/store"), help="model store (default: %(default)s)"
    )
    parser.add_argument("--config", type=Path, help="TOML file (default: the shipped one)")
    parser.add_argument("--seed", type=_seed, help="overrides the configuration's seed")
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=-1,
        metavar="N",
        help="processes (default: -1, one a core; -2 leaves one core free)",
    )


def _seed(text: str) -> int:
    if not SEEDS.low <= int(text) <= SEEDS.high:
        raise argparse.ArgumentTypeError(f"{text} is not {SEEDS}")
    return int(text)


def _jobs(text: str) -> int:
    if int(text) == 0:
        raise argparse.ArgumentTypeError("0 processes can do nothing")
    return int(text)


def _add_results(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run=_results)
    parser.add_argument("--store", type=Path, default=shipped_artifacts())
    parser.add_argument("--readme", type=Path, default=Path("README.md"))


def _retrain(options: argparse.Namespace, console: Console) -> int:
    assets, file = _assets(options)
    config = read_config(options.config)
    seed = config.seed if options.seed is None else options.seed
    chosen = recipes(options.models, config)
    _echo(config, seed, options.store, console)
    now = datetime.now(UTC)
    # All of them first: a misspelled asset should not come to light hours into a retrain.
    targets = [load_asset(asset, file, now) for asset in assets]
    sources = _sources(chosen, now)
    store = open_store(options.store)
    refused = []
    for target, notes in targets:
        _introduce(target, notes, console)
        own = applicable(chosen, target.asset)
        data = TrainingSet(target, sources, seed)
        refused.append(_retrain_asset(own, data, options.jobs, store, console))
    return REFUSED if any(refused) else 0


def _assets(options: argparse.Namespace) -> tuple[list[str], BarsFile | None]:
    assets = list(dict.fromkeys(options.asset or NAMES))
    if options.bars is None:
        if options.calendar or options.measure:
            raise InvalidInput("--calendar and --measure go with --bars", field="bars")
        return assets, None
    if not options.asset or len(assets) != 1:
        raise InvalidInput("--bars needs exactly one --asset to belong to", field="asset")
    return assets, BarsFile(options.bars, options.calendar, options.measure)


def _echo(config: Config, seed: int, store: Path, console: Console) -> None:
    settings = flatten(config) | {"seed": seed, "store": str(store)}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    console.print("\n".join(lines), markup=False)


def _introduce(target: AssetData, notes: Sequence[Finding], console: Console) -> None:
    console.print(f"\n[bold]{target.asset}[/bold]: {escape(_describe(target))}")
    for note in notes:
        console.print(f"  note: {note}", markup=False)


def _retrain_asset(
    recipes: Sequence[Recipe], data: TrainingSet, jobs: int, store: Store, console: Console
) -> bool:
    """Retrain one asset and print what came of it; returns whether anything was refused."""
    with _progress(console) as bar:
        task = bar.add_task(f"{data.target.asset}: {len(recipes)} models")
        trained = train(
            recipes, data, jobs, lambda done, total: bar.update(task, completed=done, total=total)
        )
    result = publish(trained, store)
    print_result(result, console)
    return result.refused


def _sources(chosen: Sequence[Recipe], now: datetime) -> dict[str, AssetData]:
    names = {name for recipe in chosen for name in recipe.sources}
    return {name: load_asset(name, None, now)[0] for name in sorted(names)}


def _describe(data: AssetData) -> str:
    dates = data.series.dates
    assert dates is not None, "training series carry dates"
    return (
        f"{len(dates)} sessions of {data.series.measure}, {dates[0]} to {dates[-1]}, "
        f"calendar {data.calendar_name}, from {data.source}"
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("fits"),
        TimeElapsedColumn(),
        console=console,
    )


def _results(options: argparse.Namespace, console: Console) -> int:
    store = Store(options.store)
    write_results(store, store.assets(), options.readme)
    console.print(f"wrote the results of {options.store} into {options.readme}")
    return 0
