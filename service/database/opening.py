"""From a URL to a database."""

import sqlalchemy as sa

from service.database.base import Database, Timeouts
from service.database.sqlite import Sqlite
from service.http.errors import InvalidSetting

_NEEDED = "sqlite:///folder/history.sqlite3 or postgresql://user:password@host/name"


def open_database(url: str, timeouts: Timeouts) -> Database:
    """A database; nothing is asked of it yet.

    Raises
    ------
    InvalidSetting : the URL is none, or of another database, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise _refused("cannot be read") from None
    match parsed.drivername:
        case "sqlite":
            return Sqlite(parsed, timeouts)
        case "postgresql" | "postgresql+psycopg":
            return _postgres(parsed, timeouts)
    raise _refused(f"is of {parsed.drivername}")


def _postgres(url: sa.URL, timeouts: Timeouts) -> Database:
    try:
        from service.database.postgres import Postgres  # the driver is an extra
    except ImportError:
        raise InvalidSetting(
            "the history database is a PostgreSQL, and its driver is not installed; needed: the "
            "extra postgres, as by pip install 'roughcast[postgres]'",
            field="database_url",
            needed="the extra postgres",
        ) from None
    return Postgres(url, timeouts)


def _refused(found: str) -> InvalidSetting:
    return InvalidSetting(
        f"ROUGHCAST_DATABASE_URL {found}; needed: {_NEEDED}", field="database_url", needed=_NEEDED
    )
