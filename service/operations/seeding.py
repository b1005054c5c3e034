"""A first start, told from one after which something is missing.

Without models, or without bars, a service begins with those that are shipped. Were that done
whenever a volume is lost, the service would come back with data of years ago, and say that all is
well. So the store remembers the databases that it was served with, and a database tells by its
revisions that bars were put into it; where one of them is new and the other is not, the service
does not start.
"""

from collections.abc import Iterator
from pathlib import Path

import structlog

from models_store import Store, open_store
from models_store.atomic import locked, replace_file
from models_store.mirror import Mirror
from models_store.shipped import begin_store, is_begun
from models_store.signatures import TrustedKeys
from service.assets.database import HeldBars, HistoryStore
from service.assets.holdings import shipped
from service.http.errors import InvalidSetting
from service.settings import Settings
from volatility import datasets

log = structlog.get_logger("service")

_HISTORIES = ".histories"  # file in a store: digests of where its databases are
_NEVER = "ROUGHCAST_SEED=never says that it is not to be filled with what is shipped"
_ANEW = (
    "Restore it, or correct the setting; or set ROUGHCAST_SEED=always once to begin anew with what "
    "is shipped"
)


def open_both(settings: Settings, history: HistoryStore, mirror: Mirror | None = None) -> Store:
    """Open the store and prepare the history; on a first start, fill both with what is shipped.

    Parameters
    ----------
    settings : of the service.
    history : its database.
    mirror : of the store, where that is named by a URL. While the remote does not answer, what is
        in the mirror is opened.

    Raises
    ------
    InvalidSetting : one of them is missing that must have been there; the store cannot be made.
    DatabaseUnavailable : the database does not answer.
    """
    history.prepare(())
    try:
        if mirror is not None:
            mirror.follow()
        store = _open_store(settings, history)
    except OSError as error:
        found = f"cannot be read or made: {error.strerror or error}"  # shutil has no strerror
        raise _refused("store", found, "a folder that can be read, with room") from None
    history.prepare(_bars(settings, history))
    _remember(store.root, history.place)
    return store


def _open_store(settings: Settings, history: HistoryStore) -> Store:
    root, trusted = settings.store_folder, TrustedKeys.read(settings.trusted_keys)
    if not is_begun(root):
        _check_store_is_new(settings, history)
        begin_store(root)
    return Store(root, trusted) if settings.seed == "never" else open_store(root, trusted)


def _check_store_is_new(settings: Settings, history: HistoryStore) -> None:
    root = settings.store_folder
    named = "names an empty folder" if root.exists() else "names no folder"
    if settings.seed == "never":
        raise _refused("store", f"{named}, and {_NEVER}", "the store")
    if settings.seed == "always":
        return
    if history.is_used(datasets.NAMES):
        why = "though bars have been put into the history database"
    elif _known(root):
        why = f"though the note {_HISTORIES} in it says that it has been served"
    else:
        return
    raise _refused("store", f"{named}, {why}. {_ANEW}", "the store that was served before")


def _bars(settings: Settings, history: HistoryStore) -> Iterator[HeldBars]:
    """The shipped bars, asked for where the database has none."""
    if settings.seed == "never":
        raise _refused("database_url", f"names an empty database, and {_NEVER}", "the history")
    if settings.seed == "auto" and history.place in _known(settings.store_folder):
        found = "names an empty database, though the store has been served with bars from there"
        raise _refused("database_url", f"{found}. {_ANEW}", "the history that was there before")
    yield from shipped()


def _refused(field: str, found: str, needed: str) -> InvalidSetting:
    return InvalidSetting(f"ROUGHCAST_{field.upper()} {found}", field=field, needed=needed)


def _remember(root: Path, place: str) -> None:
    """Note in the store where the database is that it is served with."""
    if place in _known(root):
        return
    try:
        with locked(root):
            replace_file(root / _HISTORIES, "\n".join(sorted({*_known(root), place})))
    except OSError as error:
        log.warning("the store cannot note its database", reason=error.strerror)


def _known(root: Path) -> list[str]:
    try:
        return (root / _HISTORIES).read_text().split()
    except (OSError, ValueError):  # not there, or damaged
        return []
