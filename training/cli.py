"""``python -m training``: retrain and evaluate models, reproduce the paper, write results."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console

from training.commands import evaluate, reproduce, results, retrain
from volatility.errors import RoughcastError

STOPPED = 2  # exit status: what was asked cannot be done; the reason is printed
REDIRECTED_WIDTH = 140  # columns
COMMANDS = (retrain, evaluate, reproduce, results)


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
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        command.add_to(subparsers)
    return parser
