"""Old versions that are let go of, so that a store that is retrained nightly does not fill up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from models_store.atomic import flush_folder, unfinished
from models_store.errors import ArtifactRefused
from models_store.outgoing import remove_version
from models_store.shadows import shadow
from models_store.store import Store

# A service that has not heard of a promotion yet serves what was promoted before, and so does one
# that is told of it only once the disk of the store answers again.
SETTLED = timedelta(minutes=10)


class Pruned(NamedTuple):
    """What became of one model's versions.

    Parameters
    ----------
    asset, model : which.
    removed : versions that are gone.
    left : why none is, where some could be.
    """

    asset: str
    model: str
    removed: tuple[int, ...] = ()
    left: str | None = None


def prune(store: Store, asset: str, model: str, keep: int, now: datetime | None = None) -> Pruned:
    """Remove old versions of one model.

    Kept are the one that serves, those that it can be rolled back to, one on trial, and the newest
    of the others; the newest of all in any case, so that no number is given twice.
    None is removed while the one that serves does not pass its checks, since another may be needed
    then, nor soon after a promotion.

    Parameters
    ----------
    store : it.
    asset, model : which.
    keep : how many of the others.
    now : the time, with its zone.

    Raises
    ------
    UnknownAsset, UnknownModel : there is none of the name.
    OSError : the store cannot be written.
    """
    with store.locked_model(asset, model) as folder:
        try:
            pointer = store.pointer(asset, model)
            versions = store.versions(asset, model)
            needed = {pointer.version, *pointer.previous} if pointer else set()
            tried = shadow(store, asset, model)
            others = sorted(set(versions) - needed - ({tried.version} if tried else set()))
            kept = max(keep, int(others[-1:] == versions[-1:]))
            old = others[: max(0, len(others) - kept)]
            if pointer is None or not old:
                return Pruned(asset, model, _remove(store, folder, old))
            store.load(asset, model, pointer.version, pointer.sha256)
        except ArtifactRefused as error:
            return Pruned(asset, model, left=str(error))
        since = (now or datetime.now(UTC)) - pointer.promoted_at
        if since < SETTLED:
            minutes = SETTLED.seconds // 60
            return Pruned(asset, model, left=f"promoted less than {minutes} minutes ago")
        return Pruned(asset, model, _remove(store, folder, old))


def _remove(store: Store, folder: Path, versions: Sequence[int]) -> tuple[int, ...]:
    """Remove versions, each at once for whoever looks for it, and say which."""
    removed = []
    for version in versions:
        if remove_version(store.root, folder / str(version)):
            with unfinished(folder) as gone:
                (folder / str(version)).rename(gone)
            removed.append(version)
    if removed:
        flush_folder(folder)
    return tuple(removed)
