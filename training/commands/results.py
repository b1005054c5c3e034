"""``python -m training results``: write the README's results table."""

import argparse
from pathlib import Path

from rich.console import Console

from models_store.store import Store, shipped_artifacts
from training.commands.options import Subparsers
from training.report import write_results


def add_to(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("results", help="write the README's results table")
    parser.set_defaults(run=run)
    parser.add_argument("--store", type=Path, default=shipped_artifacts())
    parser.add_argument("--readme", type=Path, default=Path("README.md"))


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the table; returns the exit status."""
    store = Store(options.store)
    write_results(store, store.assets(), options.readme)
    console.print(f"wrote the results of {options.store} into {options.readme}")
    return 0
