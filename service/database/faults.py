"""What is wrong with a database that does not answer, without saying where or whose it is."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from service.http.errors import DatabaseUnavailable

_URL = "ROUGHCAST_DATABASE_URL"
_CONNECT = "ROUGHCAST_DATABASE_CONNECT_TIMEOUT"
_STATEMENT = "ROUGHCAST_DATABASE_STATEMENT_TIMEOUT"
_LOCK = "ROUGHCAST_DATABASE_LOCK_TIMEOUT"

_LOCKED = f"is locked by another transaction for longer than {_LOCK} allows"
_SLOW = f"took longer over a statement than {_STATEMENT} allows"
_SILENT = f"does not answer within {_CONNECT} or {_STATEMENT}: it is frozen, overloaded or far away"
_PAUSED = f"ended a transaction in which this process paused for longer than {_STATEMENT} allows"
_GAVE_WAY = "gave up the transaction in favour of another"
_USED_UP = "has all connections of this process in use: too much is sent at once"
_UNREACHABLE = f"cannot be reached, or refuses the name, user or password in {_URL}"
_BROKEN_OFF = "broke off the connection: it is stopping, starting or gone"
_NO_TABLES = f"lacks its tables: {_URL} names another database, or its content was removed"
_FORBIDDEN = f"does not allow the user in {_URL} what the service does"
_READ_ONLY = f"is read-only: {_URL} names a replica of it, or a file that may not be written"
_FULL = "has no room left: its disk or another of its limits is full"
_UNWRITTEN = "cannot be written: its disk fails, or has no room left, or its files have a limit"
_DAMAGED = "is damaged: its file, or its disk, gives back something else than was written"
_NO_FILE = f"cannot be opened: {_URL} names no file that is there and may be written"
_MOVED = f"has been removed or replaced: the file that {_URL} names is another, or gone"

# By SQLSTATE, or its first two characters; by SQLite's name of the error; by class.
_REASONS = {
    "08": _BROKEN_OFF,
    "25006": _READ_ONLY,
    "25P03": _PAUSED,
    "28": _UNREACHABLE,
    "40": _GAVE_WAY,
    "3D000": _UNREACHABLE,
    "42501": _FORBIDDEN,
    "42P01": _NO_TABLES,
    "53": _FULL,
    "55P03": _LOCKED,
    "57": _BROKEN_OFF,
    "57014": _SLOW,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_READONLY": _READ_ONLY,
    "SQLITE_PERM": _READ_ONLY,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR_WRITE": _UNWRITTEN,
    "SQLITE_IOERR_FSYNC": _UNWRITTEN,
    "SQLITE_IOERR_SHMSIZE": _UNWRITTEN,
    "SQLITE_IOERR": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CANTOPEN": _NO_FILE,
    "NoAnswer": _SILENT,
    "ConnectionTimeout": _SILENT,
    "DisconnectionError": _MOVED,
    "TimeoutError": _USED_UP,
}


@contextmanager
def answering() -> Iterator[None]:
    """Tell of a database that does not answer by `DatabaseUnavailable`, and of nothing else.

    The error that it comes from, whose text may name a host, a file or a user, is left out of what
    is logged.
    """
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise unavailable(reason) from None


def fault_of(error: Exception) -> DatabaseUnavailable:
    """The fault that an error of the driver's stands for."""
    return unavailable(_named(error) or _BROKEN_OFF)


def unavailable(reason: str) -> DatabaseUnavailable:
    """The error that says what the history database ``reason``."""
    return DatabaseUnavailable(f"the history database {reason}", needed="a database that answers")


def _reason(error: sa.exc.SQLAlchemyError) -> str | None:
    """Why the database does not answer, or None if the statement is at fault."""
    known = _named(getattr(error, "orig", None) or error)
    if known is not None:
        return known
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.InternalError):
        if _says_no_table(error):
            return _NO_TABLES
        return _UNREACHABLE if error.statement is None else _BROKEN_OFF
    return None


def _named(error: BaseException) -> str | None:
    state = getattr(error, "sqlstate", None) or ""
    sqlite = getattr(error, "sqlite_errorname", "")
    names = (state, state[:2], sqlite, "_".join(sqlite.split("_")[:2]), type(error).__name__)
    return next((_REASONS[name] for name in names if name in _REASONS), None)


def _says_no_table(error: sa.exc.DBAPIError) -> bool:
    """SQLite has one code for all that is wrong with a statement."""
    return "no such table" in str(error.orig)
