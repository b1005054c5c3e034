"""``python -m training reproduce``: the paper's tables and figures, from the paper's own files."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from training.commands.options import Subparsers, add_jobs, check_writable, echo
from training.config import read_config
from training.reproduction.answers import Answer
from training.reproduction.data import load_paper
from training.reproduction.download import download
from training.reproduction.run import Reproduction, quick_config, seeds_from

SEEDS, QUICK_SEEDS = 5, 2
MOST_SEEDS = 100
INTERRUPTED = 130  # exit status of a command that was stopped by the keyboard


def add_to(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("reproduce", help="compute the paper's tables and figures again")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("var/paper"),
        metavar="DIR",
        help="folder of the paper's files, .csv or .csv.gz (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("var/reproduction"),
        metavar="DIR",
        help="folder of the results; what is finished there is not computed again "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--download", action="store_true", help="fetch files that --data lacks, and check them"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few epochs: shows that everything runs, in minutes"
    )
    parser.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N",
        help=f"of each network (default: {SEEDS}; {QUICK_SEEDS} with --quick)",
    )
    parser.add_argument("--config", type=Path, help="TOML file (default: the shipped one)")
    add_jobs(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Train what is left to train and write the report; returns the exit status."""
    config = read_config(options.config)
    if options.quick:
        config = quick_config(config)
    seeds = seeds_from(config, options.seeds or (QUICK_SEEDS if options.quick else SEEDS))
    if options.download:
        _download(options.data, console)
    data = load_paper(options.data)
    check_writable(options.out)
    echo(config, console, seeds=seeds, data=options.data, out=options.out, quick=options.quick)
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
            console.print("stopped; the same command goes on with what is left", markup=False)
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


def _seeds(text: str) -> int:
    if not 1 <= int(text) <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MOST_SEEDS}")
    return int(text)
