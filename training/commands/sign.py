"""``python -m training sign``: say by a signature who has published the artifacts of a store."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from models_store.files import ArtifactFiles, DamagedArtifact
from models_store.outgoing import note, put_again
from models_store.signatures import SIGNATURE, SUMS, TrustedKeys, read_private_key, sign
from models_store.store import Store
from models_store.stored_comparisons import folders
from models_store.universal.store import UniversalStore
from training.commands.preparation import REFUSED
from volatility.errors import InvalidInput


def run(options: argparse.Namespace, console: Console) -> int:
    """Sign every version and comparison that lacks a signature by the key; the exit status.

    One whose files are not what its digests say is not signed but named.

    Raises
    ------
    InvalidInput : there is no store, or no key in the file.
    """
    key = read_private_key(options.key)
    own = TrustedKeys((key.public_key(),))
    if not options.store.is_dir():
        raise InvalidInput(
            f"{options.store} is no folder",
            field="store",
            found=str(options.store),
            needed="the folder of a model store",
        )
    signed, damaged = 0, 0
    for folder in _versions(options.store):
        try:
            files = ArtifactFiles.read(folder)
        except DamagedArtifact as error:
            console.print(f"{folder}: not signed: {error}", markup=False)
            damaged += 1
            continue
        if own.fault(files[SUMS], files.contents.get(SIGNATURE)) is not None:
            sign(folder, key)
            signed += 1
        put_again(options.store, folder / SIGNATURE)
    note(options.store)
    console.print(f"{signed} artifacts signed in {options.store}", markup=False)
    return REFUSED if damaged else 0


def _versions(root: Path) -> Iterator[Path]:
    store, universal = Store(root), UniversalStore(root)
    for asset in store.assets():
        for model in store.models(asset):
            yield from (root / asset / model / str(it) for it in store.versions(asset, model))
        yield from folders(store, asset)
    yield from (universal.folder / str(it) for it in universal.versions())
