"""What several commands are told in the same words: which assets, which models, how to fit."""

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.config import SEEDS, Config, flatten, read_config
from training.data.assets import AssetData
from training.data.bars_file import BarsFile, load_asset
from training.evaluation.study import obstacle
from training.models.recipe import Recipe
from training.models.registry import MODELS
from volatility.datasets import NAMES
from volatility.errors import Finding, InvalidInput
from volatility.evaluation.compare import BENCHMARKS

# argparse has no public name for what holds its commands.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_assets(parser: argparse.ArgumentParser) -> None:
    """Options that say whose bars are read, from where."""
    parser.add_argument(
        "--asset",
        "--target",
        action="append",
        metavar="NAME",
        help=f"asset to forecast; may be repeated; without it, all that are shipped: {list(NAMES)}",
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


def add_fitting(parser: argparse.ArgumentParser) -> None:
    """Options that say which models are fitted, and how."""
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="MODEL",
        default=list(MODELS),
        help=f"of {list(MODELS)} (default: all that apply to the asset); "
        f"{list(BENCHMARKS)} are always among them",
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        help=f"asset that transferred models are pre-trained on, of {list(NAMES)}; "
        "overrides transfer.source",
    )
    parser.add_argument("--config", type=Path, help="TOML file (default: the shipped one)")
    parser.add_argument("--seed", type=_seed, help="overrides the configuration's seed")
    add_jobs(parser)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """How many processes work."""
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=-1,
        metavar="N",
        help="processes (default: -1, one a core; -2 leaves one core free)",
    )


def assets_of(options: argparse.Namespace) -> tuple[list[str], BarsFile | None]:
    """The assets that are asked for, and the file of the one whose bars are the user's own.

    Raises
    ------
    InvalidInput : options that do not go together.
    """
    assets = list(dict.fromkeys(options.asset or NAMES))
    if options.source in assets:
        raise InvalidInput(
            f"{options.source} is both source and target; nothing can be transferred from an "
            "asset to itself",
            field="source",
            found=options.source,
            needed="another asset",
        )
    if options.bars is None:
        if options.calendar or options.measure:
            raise InvalidInput("--calendar and --measure go with --bars", field="bars")
        return assets, None
    if not options.asset or len(assets) != 1:
        raise InvalidInput("--bars needs exactly one --asset to belong to", field="asset")
    return assets, BarsFile(options.bars, options.calendar, options.measure)


def config_of(options: argparse.Namespace) -> Config:
    """The configuration with what the options override."""
    config = read_config(options.config)
    if options.seed is not None:
        config = replace(config, seed=options.seed)
    if options.source is not None:
        config = replace(config, transfer=replace(config.transfer, source=options.source))
    return config


def load_sources(
    chosen: Sequence[Recipe], options: argparse.Namespace, now: datetime
) -> dict[str, AssetData]:
    """The shipped assets that the chosen models learn from, besides the target.

    Raises
    ------
    InvalidInput : a source is named, and no model has a use for it.
    UnknownAsset : a source that is not shipped.
    """
    names = {name for recipe in chosen for name in recipe.sources}
    if options.source is not None and not names:
        raise InvalidInput(
            "--source goes with models that are pre-trained on another asset; "
            f"none of {list(options.models)} is",
            field="source",
        )
    return {name: load_asset(name, None, now)[0] for name in sorted(names)}


def check_writable(folder: Path) -> None:
    """Make a folder where it is not there, and try to write: before hours of work, not after.

    Raises
    ------
    OSError : it cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def echo(config: Config, console: Console, **others: object) -> None:
    """Print everything that decides the outcome, apart from the data."""
    settings = flatten(config) | {name: str(value) for name, value in others.items()}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    console.print("\n".join(lines), markup=False)


def introduce(target: AssetData, notes: Sequence[Finding], console: Console) -> None:
    """Print what an asset's data are, and what is worth knowing about them."""
    console.print(f"\n[bold]{target.asset}[/bold]: {escape(_describe(target))}")
    for note in notes:
        console.print(f"  note: {note}", markup=False)


def tell_left_out(chosen: Sequence[Recipe], target: AssetData, console: Console) -> None:
    """Print which of the chosen models an asset cannot have, and why."""
    for recipe in chosen:
        reason = obstacle(recipe, target)
        if reason:
            console.print(f"  without {recipe.name}: {reason}", markup=False)


class FitsProgress:
    """Bars that count fits, one for each frequency of refitting: networks beside linear models.

    One bar for all would stand still for hours and then leap, since a network costs a thousand
    times a linear fit.

    Parameters
    ----------
    console : to draw on.
    expected : fits to come, by the recipe's ``refit_every``.
    """

    def __init__(self, console: Console, expected: Mapping[int, int]) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("fits"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks = {
            every: self._bar.add_task(f"models fitted every {every} sessions", total=fits)
            for every, fits in sorted(expected.items(), reverse=True)
        }

    def __enter__(self) -> "FitsProgress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, recipe: Recipe) -> None:
        """One fit of ``recipe`` is done."""
        self._bar.advance(self._tasks[recipe.refit_every])


def _describe(data: AssetData) -> str:
    dates = data.series.dates
    return (
        f"{len(dates)} sessions of {data.series.measure}, {dates[0]} to {dates[-1]}, "
        f"calendar {data.calendar_name}, from {data.source}"
    )


def _seed(text: str) -> int:
    if not SEEDS.low <= int(text) <= SEEDS.high:
        raise argparse.ArgumentTypeError(f"{text} is not {SEEDS}")
    return int(text)


def _jobs(text: str) -> int:
    if int(text) == 0:
        raise argparse.ArgumentTypeError("0 processes can do nothing")
    return int(text)
