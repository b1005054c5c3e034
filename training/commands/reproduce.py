"""``python -m training reproduce``: the paper's tables and figures, from the paper's own files."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.commands.arguments import DEFAULT_SEEDS, QUICK_SEEDS
from training.commands.console import echo
from training.commands.parsing import GOES_ON, INTERRUPTED
from training.commands.preparation import check_writable
from training.config import read_config, seeds_from
from training.reproduction.answers import Answer
from training.reproduction.data import load_paper
from training.reproduction.download import download
from training.reproduction.run import Reproduction, quick_config


def run(options: argparse.Namespace, console: Console) -> int:
    """Train what is left to train and write the report; returns the exit status."""
    config = read_config(options.config)
    if options.quick:
        config = quick_config(config)
    count = options.seeds or (QUICK_SEEDS if options.quick else DEFAULT_SEEDS)
    seeds = seeds_from(config.seed, count)
    if options.download:
        _download(options.data, console)
    data = load_paper(options.data)
    check_writable(options.out)
    echo(
        options,
        config,
        console,
        seeds=seeds,
        data=options.data,
        out=options.out,
        quick=options.quick,
    )
    reproduction = Reproduction(data, config, seeds, options.out)
    if not _train(reproduction, options.jobs, console):
        return INTERRUPTED
    _conclude(reproduction.write(quick=options.quick), options.out, console)
    return 0


def _download(folder: Path, console: Console) -> None:
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=console
    ) as bar:
        task = bar.add_task("files of the paper", total=None)
        written = download(
            folder,
            lambda name, done, total: bar.update(
                task, description=f"fetching {name}", completed=done, total=total
            ),
        )
        bar.update(task, description="files of the paper", completed=len(written))
    console.print(f"fetched {len(written)} files into {folder}", markup=False)


def _train(reproduction: Reproduction, jobs: int, console: Console) -> bool:
    """Train with a bar; returns whether all is finished."""
    pending, total = reproduction.pending(), len(reproduction.units)
    done = total - len(pending)
    if done:
        console.print(f"{done} of {total} networks are at hand from an earlier run")
    with Progress(
        TextColumn("networks"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=console,
    ) as bar:
        task = bar.add_task("training starts", completed=done, total=total)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=f"last: {name}")
            if not console.is_terminal:  # where a bar would show once all is over
                console.print(f"{bar.tasks[task].completed:.0f} of {total}: {name}", markup=False)

        try:
            reproduction.train(pending, jobs, advance)
        except KeyboardInterrupt:
            bar.stop()
            console.print(f"stopped; {GOES_ON}", markup=False)
            return False
    return True


def _conclude(answers: Sequence[Answer], folder: Path, console: Console) -> None:
    for answer in answers:
        console.print(f"\n[bold]{answer.question}[/bold]")
        console.print(answer.short, markup=False)
    console.print(
        f"\nwrote report.md, report.html, results.json, a CSV a table and figures into {folder}",
        markup=False,
    )
