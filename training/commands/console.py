"""What several commands print: settings, what an asset's data are, and how far fitting is."""

import argparse
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.config import Config, flatten
from training.data.assets import AssetData
from training.evaluation.study import obstacle
from training.models.recipe import Recipe
from volatility.errors import Finding


def echo(options: argparse.Namespace, config: Config, console: Console, **others: object) -> None:
    """Print everything that decides the outcome, apart from the data, if that is wanted."""
    if not options.verbose:
        return
    settings = flatten(config) | {name: str(value) for name, value in others.items()}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    console.print("\n".join(lines), markup=False)


def introduce(
    target: AssetData,
    notes: Sequence[Finding],
    chosen: Sequence[Recipe],
    console: Console,
    horizons: Sequence[int] = (1,),
) -> None:
    """Print what an asset's data are, what is worth knowing about them, and who cannot be fitted.

    Parameters
    ----------
    target : the asset.
    notes : on its bars and its series.
    chosen : the models asked for.
    console : to print on.
    horizons : at which they are fitted.
    """
    console.print(f"\n[bold]{target.asset}[/bold]: {escape(_describe(target))}")
    for companion in target.companions:
        described = f"companion {companion.asset}: {_describe(companion)}"
        console.print(f"  {described}", markup=False)
    for note in notes:
        console.print(f"  note: {note}", markup=False)
    tell_obstacles(target, chosen, console, horizons)


def tell_obstacles(
    target: AssetData, chosen: Sequence[Recipe], console: Console, horizons: Sequence[int]
) -> None:
    """Print which models cannot be fitted at some of the horizons, and why."""
    for recipe in chosen:
        reason = obstacle(recipe, target, horizons)
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
