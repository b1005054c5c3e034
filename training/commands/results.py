"""``python -m training results``: write the results tables of the README and the docs."""

import argparse
from pathlib import Path

from rich.console import Console

from models_store.shipped import shipped_artifacts
from models_store.store import Store
from training.commands.options import Subparsers
from training.publishing.store_results import between_markers, details, overview, read_results


def add_to(subparsers: Subparsers) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser("results", help="write the results tables of README and docs")
    parser.set_defaults(run=run)
    parser.add_argument("--store", type=Path, default=shipped_artifacts())
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    parser.add_argument("--details", type=Path, default=Path("docs/results.md"))


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the tables; returns the exit status."""
    results = read_results(Store(options.store))
    readme = between_markers(options.readme, overview(results))
    page = between_markers(options.details, details(results))
    options.readme.write_text(readme, encoding="utf-8")
    options.details.write_text(page, encoding="utf-8")
    console.print(f"wrote the results of {options.store} into {options.readme}, {options.details}")
    return 0
