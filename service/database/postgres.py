"""All that is particular to PostgreSQL: its timeouts, its locks, its notices."""

import time
import uuid
from collections.abc import Generator
from typing import Any, TypeVar, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from service.database.base import Changes, Database, Timeouts
from service.database.faults import fault_of

_CHANNEL = "roughcast_history"
_START_LOCK = 0x726F7567686361  # any number that others do not take
_IDLE_STATEMENTS = 3  # times the limit of a statement that a process may pause in a transaction
_SERVER_SHARE = 0.9  # of the time for a statement: so that a server that is alive says so first

_T = TypeVar("_T")


class NoAnswer(psycopg.OperationalError):
    """The server has not answered in time, and the connection to it is given up."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits for no answer longer than ``patience``.

    The server's own limits do not help against a server that is stopped, or a network that is gone.
    """

    patience: float | None = None  # seconds; None until the connection stands

    def wait(
        self,
        gen: Generator[Any, Any, _T],
        interval: float = 0.1,
        timeout: float | None = None,
    ) -> _T:
        """Wait for the server, and give the connection up if it takes too long."""
        if timeout is not None or self.patience is None:
            return super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return super().wait(gen, interval, self.patience)
        except psycopg.OperationalError:
            if time.monotonic() - began < self.patience:
                raise
            self.pgconn.finish()
            raise NoAnswer from None


class Postgres(Database):
    """A server. Writers of one asset wait for each other; readers wait for nobody."""

    def __init__(self, url: sa.URL, timeouts: Timeouts) -> None:
        self._sender = uuid.uuid4().hex  # by which a process knows its own notices
        super().__init__(url, timeouts)

    def announce(self, connection: Connection) -> None:
        """Send a notice, which the server passes on when the transaction is committed."""
        connection.execute(sa.select(sa.func.pg_notify(_CHANNEL, self._sender)))

    def _open(self, timeouts: Timeouts, is_pooled: bool, creates: bool = False) -> Engine:  # noqa: ARG002
        pool = (
            {"pool_pre_ping": True, "pool_timeout": timeouts.connect}
            if is_pooled
            else {"poolclass": sa.pool.NullPool}
        )
        engine = sa.create_engine(
            self._url.set(drivername="postgresql+psycopg"),
            connect_args={"connect_timeout": timeouts.connect, "application_name": "roughcast"},
            hide_parameters=True,
            paramstyle="format",  # by position, as SQLite has them: a row is a tuple for both
            **pool,
        )
        _bound(engine, timeouts)
        return engine

    def _begin_snapshot(self, connection: Connection) -> None:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def _lock_out_others(self, connection: Connection) -> None:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_START_LOCK)))

    def _watch(self, connection: Connection) -> Changes:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(f"LISTEN {_CHANNEL}")
        connection.commit()
        return _Notified(connection, self._sender)


class _Notified(Changes):
    """Hears the notices of other processes."""

    def __init__(self, connection: Connection, sender: str) -> None:
        super().__init__(connection)
        self._sender = sender

    def wait(self, seconds: float) -> bool:
        driver = _driver(self._connection.connection.driver_connection)
        try:
            notices = list(driver.notifies(timeout=seconds, stop_after=1))
        except psycopg.Error as error:
            self._connection.invalidate()  # there is nothing to roll back on it
            raise fault_of(error) from None
        return any(notice.payload != self._sender for notice in notices)


def _bound(engine: Engine, timeouts: Timeouts) -> None:
    """Limit what connections wait for: the client for the server, and the server for all else."""

    @sa.event.listens_for(engine, "do_connect")
    def connect(
        _dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> BoundedConnection:
        connection = BoundedConnection.connect(*arguments, **options)
        connection.patience = timeouts.connect
        return connection

    @sa.event.listens_for(engine, "connect")
    def limit(connection: BoundedConnection, _record: object) -> None:
        statement = int(1000 * timeouts.statement * _SERVER_SHARE)
        idle = int(1000 * timeouts.statement * _IDLE_STATEMENTS)
        with connection.transaction():
            connection.execute(
                f"SET statement_timeout = {statement}; "
                f"SET lock_timeout = {int(1000 * timeouts.lock)}; "
                # A process that stops within a transaction keeps others from its asset no longer.
                f"SET idle_in_transaction_session_timeout = {idle}"
            )

    @sa.event.listens_for(engine, "begin")
    def take_time(connection: Connection) -> None:
        _driver(connection.connection.driver_connection).patience = timeouts.statement

    @sa.event.listens_for(engine, "reset")
    def hurry(connection: BoundedConnection, _record: object, _state: object) -> None:
        connection.patience = timeouts.connect


def _driver(connection: object) -> BoundedConnection:
    return cast(BoundedConnection, connection)
