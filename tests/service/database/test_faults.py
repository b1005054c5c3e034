"""What each error of a driver is told as, and what connections are told before any is made."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from service.assets import tables
from service.database import faults, sqlite
from service.database.base import USUAL, Database, Timeouts
from service.database.faults import answering, fault_of
from service.database.opening import open_database
from service.database.postgres import BoundedConnection, NoAnswer, Postgres
from service.database.sqlite import Sqlite
from service.http.errors import DatabaseUnavailable
from service.ledger import tables as ledger
from service.security import store as keys
from service.settings import Settings
from tests.errors import details


class DriverError(Exception):
    """Of PostgreSQL's driver, or SQLite's."""

    def __init__(self, sqlstate: str | None = None, name: str = "") -> None:
        super().__init__("of a host and a user")
        self.sqlstate = sqlstate
        self.sqlite_errorname = name


STATES = {
    "08000": "broke off the connection",
    "08006": "broke off the connection",
    "25006": "is read-only",
    "25P03": "ended a transaction in which this process paused",
    "28000": "cannot be reached",
    "28P01": "cannot be reached",
    "3D000": "cannot be reached",
    "40001": "gave up the transaction",
    "40P01": "gave up the transaction",
    "42501": "does not allow the user",
    "42P01": "lacks its tables",
    "53100": "has no room left",
    "53300": "has no room left",
    "55P03": "is locked by another transaction",
    "57P01": "broke off the connection",
    "57014": "took longer over a statement",
    "XX001": "is damaged",
    "XX002": "is damaged",
}
NAMES = {
    "SQLITE_BUSY": "is locked by another transaction",
    "SQLITE_BUSY_SNAPSHOT": "is locked by another transaction",
    "SQLITE_LOCKED": "is locked by another transaction",
    "SQLITE_READONLY": "is read-only",
    "SQLITE_READONLY_DBMOVED": "is read-only",
    "SQLITE_PERM": "is read-only",
    "SQLITE_FULL": "has no room left",
    "SQLITE_IOERR_WRITE": "cannot be written",
    "SQLITE_IOERR_FSYNC": "cannot be written",
    "SQLITE_IOERR_SHMSIZE": "cannot be written",
    "SQLITE_IOERR_READ": "is damaged",
    "SQLITE_CORRUPT": "is damaged",
    "SQLITE_CORRUPT_INDEX": "is damaged",
    "SQLITE_NOTADB": "is damaged",
    "SQLITE_CANTOPEN": "cannot be opened",
}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        *((DriverError(state), said) for state, said in STATES.items()),
        *((DriverError(name=name), said) for name, said in NAMES.items()),
        (NoAnswer(), "does not answer within"),
        (psycopg.errors.ConnectionTimeout(), "does not answer within"),
        (sa.exc.TimeoutError(), "has all connections of this process in use"),
        (sa.exc.DisconnectionError(), "has been removed or replaced"),
        (DriverError("99999"), "broke off the connection"),
        (RuntimeError(), "broke off the connection"),
    ],
)
def test_a_fault_has_its_words(error: Exception, said: str) -> None:
    fault = fault_of(error)
    assert str(fault).startswith(f"the history database {said}")
    assert details(fault) == (None, None, "a database that answers")


def raised(error: sa.exc.SQLAlchemyError) -> Exception:
    """What comes out of a database where its driver raises an error."""
    try:
        with answering():
            raise error
    except (DatabaseUnavailable, sa.exc.SQLAlchemyError) as found:
        return found


def test_what_the_driver_does_not_name_is_told_by_when_it_came() -> None:
    connecting = sa.exc.OperationalError(None, None, DriverError())
    assert "cannot be reached" in str(raised(connecting))
    asking = sa.exc.InterfaceError("SELECT 1", None, DriverError())
    assert "broke off the connection" in str(raised(asking))
    absent = sa.exc.OperationalError("SELECT 1", None, sqlite3.OperationalError("no such table: a"))
    assert "lacks its tables" in str(raised(absent))
    named = sa.exc.ProgrammingError("SELECT 1", None, DriverError("42P01"))
    fault = raised(named)
    assert isinstance(fault, DatabaseUnavailable)
    assert fault.__suppress_context__


def test_a_statement_that_is_at_fault_is_a_bug() -> None:
    wrong = sa.exc.ProgrammingError("SELEC 1", None, DriverError("42601"))
    assert raised(wrong) is wrong
    assert faults._reason(sa.exc.ArgumentError()) is None


def test_what_is_usual_is_what_settings_say() -> None:
    assert USUAL == Timeouts.of(Settings()) == Timeouts(2, 10.0, 5.0)
    own = Settings(
        database_connect_timeout=3, database_statement_timeout=4, database_lock_timeout=5
    )
    assert Timeouts.of(own) == Timeouts(connect=3, statement=4, lock=5)


@pytest.fixture(params=["sqlite", "postgresql", "postgresql+psycopg"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Of which nothing is asked."""
    place = tmp_path / "a" if request.param == "sqlite" else "user@host/name"
    slashes = "///" if request.param == "sqlite" else "//"
    database = open_database(f"{request.param}:{slashes}{place}", Timeouts(2, 10.0, 5.0))
    assert isinstance(database, Sqlite if request.param == "sqlite" else Postgres)
    yield database
    database.close()


def test_probes_and_notices_have_connections_apart_from_all_others(database: Database) -> None:
    assert isinstance(database._engine.pool, sa.pool.QueuePool)
    assert isinstance(database._apart.pool, sa.pool.NullPool)
    pooled: Any = database._engine.pool
    assert pooled._timeout == (5.0 if isinstance(database, Sqlite) else 2)


def test_no_value_of_a_statement_is_logged(database: Database) -> None:
    assert database._engine.hide_parameters
    assert database._apart.hide_parameters


def test_every_column_has_a_type() -> None:
    for metadata in (tables.metadata, keys.metadata, ledger.metadata):
        for table in metadata.tables.values():
            for column in table.columns:
                assert not isinstance(column.type, sa.types.NullType), column


class Unconnected(BoundedConnection):
    """A connection to no server."""

    def __init__(self) -> None:
        pass

    def __del__(self, *_: object) -> None:
        pass


def waiting(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.0) -> tuple[Any, list[Any]]:
    """A connection that fails after a while, and what its driver was told."""
    told: list[Any] = []
    now = [100.0]

    def wait(_self: object, gen: object, interval: float, timeout: float | None) -> None:
        told.append((gen, interval, timeout))
        now[0] += seconds
        raise psycopg.OperationalError("of the driver")

    monkeypatch.setattr(psycopg.Connection, "wait", wait)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    connection: Any = Unconnected()
    connection.pgconn = type("Given", (), {"finish": lambda _: told.append("given up")})()
    return connection, told


@pytest.mark.parametrize(
    ("patience", "given", "passed_on"), [(None, None, None), (3.0, 7.0, 7.0), (3.0, None, 3.0)]
)
def test_an_answer_is_waited_for_as_long_as_there_is_patience(
    monkeypatch: pytest.MonkeyPatch, patience: float | None, given: float | None, passed_on: object
) -> None:
    connection, told = waiting(monkeypatch)
    connection.patience = patience
    with pytest.raises(psycopg.OperationalError, match="of the driver"):
        connection.wait("gen", 0.5, given)
    assert told == [("gen", 0.5, passed_on)]


def test_a_connection_without_an_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, told = waiting(monkeypatch, seconds=3.0)
    connection.patience = 3.0
    with pytest.raises(NoAnswer) as found:
        connection.wait("gen")
    assert told == [("gen", 0.1, 3.0), "given up"]
    assert found.value.__suppress_context__


class Journal:
    """A connection to SQLite whose journal's mode cannot be set for a while."""

    def __init__(self, name: str, times: int) -> None:
        self.name, self.left = name, times
        self.asked: list[str] = []

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        self.left -= 1
        if self.left >= 0:
            error = sqlite3.OperationalError()
            error.sqlite_errorname = self.name
            raise error


def test_a_journal_that_another_process_sets_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=time.monotonic)
    monkeypatch.setattr(sqlite, "time", clock)
    journal: Any = Journal("SQLITE_BUSY", 3)
    sqlite._use_wal(journal, 60)
    assert journal.asked == ["PRAGMA journal_mode=WAL"] * 4
    assert waits == [0.01] * 3
    for name, seconds in (("SQLITE_BUSY", -1.0), ("SQLITE_IOERR", 60)):
        refused: Any = Journal(name, 3)
        with pytest.raises(sqlite3.OperationalError):
            sqlite._use_wal(refused, seconds)
        assert len(refused.asked) == 1
