"""``python -m training results``: write the results tables of the README and the docs."""

import argparse

from rich.console import Console

from models_store.shipped import shipped_artifacts
from models_store.store import Store
from training.publishing.store_results import between_markers, details, overview, read_results


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the tables; returns the exit status."""
    store = options.store or shipped_artifacts()
    results = read_results(Store(store))
    readme = between_markers(options.readme, overview(results))
    page = between_markers(options.details, details(results))
    options.readme.write_text(readme, encoding="utf-8")
    options.details.write_text(page, encoding="utf-8")
    console.print(f"wrote the results of {store} into {options.readme}, {options.details}")
    return 0
