"""``python -m training results``: write the results tables of the documentation."""

import argparse

from rich.console import Console

from models_store.shipped import shipped_artifacts
from models_store.store import Store
from training.publishing.store_results import between_markers, tables


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the tables; returns the exit status."""
    store = options.store or shipped_artifacts()
    page = between_markers(options.page, tables(Store(store)))
    options.page.write_text(page, encoding="utf-8")
    console.print(f"wrote the results of {store} into {options.page}", markup=False)
    return 0
