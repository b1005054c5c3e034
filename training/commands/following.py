"""The folder of a store that a command reads and publishes into, wherever the store is."""

from pathlib import Path


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
