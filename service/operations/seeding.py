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
from models_store.signatures import TrustedKeys
from service.assets.database import HeldAsset, HistoryStore
from service.assets.holdings import shipped
from service.http.errors import InvalidSetting
from service.settings import Settings
from volatility import datasets
from volatility.bars import Bars

log = structlog.get_logger("service")

_HISTORIES = ".histories"  # file in a store: digests of where its databases are
_NEVER = "ROUGHCAST_SEED=never says that it is not to be filled with what is shipped"
_ANEW = (
    "Restore it, or correct the setting; or set ROUGHCAST_SEED=always once to begin anew with what "
    "is shipped"
)


def open_both(settings: Settings, history: HistoryStore) -> Store:
    """Open the store and prepare the history; on a first start, fill both with what is shipped.

    Raises
    ------
    InvalidSetting : one of them is missing that must have been there; the store cannot be made.
    DatabaseUnavailable : the database does not answer.
    """
    history.prepare(())
    root = settings.store
    if not root.exists():
        _check_store_is_new(settings, history)
    try:
        store = open_store(root, TrustedKeys.read(settings.trusted_keys))
    except OSError as error:
        raise _refused("store", f"cannot be made: {error.strerror}", "a folder with room") from None
    history.prepare(_bars(settings, history))
    _remember(root, history.place)
    return store


def _check_store_is_new(settings: Settings, history: HistoryStore) -> None:
    if settings.seed == "never":
        raise _refused("store", f"names no folder, and {_NEVER}", "the store")
    if settings.seed == "auto" and history.is_used(datasets.NAMES):
        found = "names no folder, though bars have been put into the history database"
        raise _refused("store", f"{found}. {_ANEW}", "the store that was served before")


def _bars(settings: Settings, history: HistoryStore) -> Iterator[tuple[HeldAsset, Bars]]:
    """The shipped bars, asked for where the database has none."""
    if settings.seed == "never":
        raise _refused("database_url", f"names an empty database, and {_NEVER}", "the history")
    if settings.seed == "auto" and history.place in _known(settings.store):
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
