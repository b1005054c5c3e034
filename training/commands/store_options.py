"""Where a command's store is, and the folder that it reads and publishes into."""

import argparse
from pathlib import Path


def add_store_options(
    parser: argparse.ArgumentParser,
    default: Path | None = Path("var/store"),
    told: str = "%(default)s",
) -> None:
    """Options of the commands that read or publish into a store.

    Parameters
    ----------
    parser : of the command.
    default : where the store is if nothing is said.
    told : the same, as help tells it.
    """
    parser.add_argument(
        "--store",
        type=_place,
        default=default,
        help=f"model store: a folder, or a URL such as s3://bucket/prefix (default: {told})",
    )
    parser.add_argument(
        "--store-mirror",
        type=Path,
        metavar="DIR",
        help="folder in which a store at a URL is mirrored (default: one for each in var/mirrors)",
    )


def followed(store: Path | str, folder: Path | None) -> Path:
    """The store's folder; of one that is named by a URL the mirror, brought into step.

    Parameters
    ----------
    store : folder or URL.
    folder : of the mirror, if not the default's.

    Raises
    ------
    OSError : the remote does not answer; a command does not begin on what may be old.
    InvalidInput : the folder is no mirror of this store.
    """
    from models_store.mirror import mirror_of  # with pydantic, which help does not wait for

    mirror = mirror_of(store, folder)
    if mirror is None:
        return Path(store)
    mirror.pull(anyway=True)
    return mirror.root


def _place(text: str) -> Path | str:
    return text if "://" in text else Path(text)
