"""All that is particular to SQLite: its file, its journal, its waiting, its BEGIN."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from service.database.base import Changes, Database, Timeouts
from service.database.faults import fault_of, unavailable
from service.http.errors import InvalidSetting

_BETWEEN_TRIES = 0.01  # seconds
_ANNOUNCED = "PRAGMA user_version"  # of the application, with 32 bits; part of each transaction
_MOST_ANNOUNCED = 2**31


class Sqlite(Database):
    """A file. Writers wait for each other; readers wait for nobody.

    Raises
    ------
    InvalidSetting : the URL names no file, or has options.
    """

    def __init__(self, url: sa.URL, timeouts: Timeouts) -> None:
        if url.database in {None, "", ":memory:"} or url.query:
            raise InvalidSetting(
                "the URL of an SQLite database names no file, or has options; needed: "
                "sqlite:///folder/history.sqlite3",
                field="database_url",
                needed="sqlite:///folder/history.sqlite3",
            )
        self._path = Path(str(url.database)).absolute()
        super().__init__(url.set(database=str(self._path)), timeouts)

    @property
    def folder(self) -> Path:
        """Where its file is."""
        return self._path.parent

    def announce(self, connection: Connection) -> None:
        """Count the change in the head of the file, where other processes look."""
        number = connection.exec_driver_sql(_ANNOUNCED).scalar_one()
        connection.exec_driver_sql(f"{_ANNOUNCED} = {(number + 1) % _MOST_ANNOUNCED}")

    def _open(self, timeouts: Timeouts, is_pooled: bool, creates: bool = False) -> Engine:
        if creates:
            self._make_folder()
        engine = sa.create_engine(
            self._url,
            creator=_connector(self._path, timeouts, creates),
            hide_parameters=True,
            **_pool(timeouts, is_pooled),
        )

        @sa.event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            # To write from the first statement on: a transaction that begins to after it has read
            # is refused at once if another has written meanwhile.
            writes = connection.get_execution_options().get("writes", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

        @sa.event.listens_for(engine, "connect")
        def remember(_connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
            record.info["file"] = _identity(self._path)

        @sa.event.listens_for(engine, "checkout")
        def check(
            _connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry, _proxy: object
        ) -> None:
            # A file that is gone or replaced goes on being written by those that have it open.
            if record.info["file"] != _identity(self._path):
                raise sa.exc.DisconnectionError

        return engine

    def _make_folder(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            raise unavailable(
                "cannot be made: the folder of the file that ROUGHCAST_DATABASE_URL names may not "
                "be written"
            ) from None

    def _begin_snapshot(self, connection: Connection) -> None:
        """Every transaction of SQLite is one."""

    def _lock_out_others(self, connection: Connection) -> None:
        """Every transaction of SQLite that writes does."""

    def _watch(self, connection: Connection) -> Changes:
        return _Polled(connection, self._path)


class _Polled(Changes):
    """Asks whether others have announced a change, or this process has, since it was last asked.

    Not whether the file was written (``PRAGMA data_version``), as it is whenever forecasts are
    recorded. The driver is asked: each statement takes the interpreter from those that answer, and
    with a transaction around it there would be three.
    """

    def __init__(self, connection: Connection, path: Path) -> None:
        super().__init__(connection)
        self._path = path
        self._file = _identity(path)
        self._number = self._announced()

    def wait(self, seconds: float) -> bool:
        time.sleep(seconds)
        if self._file != _identity(self._path):
            raise sa.exc.DisconnectionError
        before, self._number = self._number, self._announced()
        return self._number != before

    def _announced(self) -> int:
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            return int(driver.execute(_ANNOUNCED).fetchone()[0])
        except sqlite3.Error as error:
            raise fault_of(error) from None


def _connector(path: Path, timeouts: Timeouts, creates: bool) -> Callable[[], sqlite3.Connection]:
    uri = f"{path.as_uri()}?mode={'rwc' if creates else 'rw'}"

    def connect() -> sqlite3.Connection:
        # The driver would hold BEGIN back until the first write, and run DDL outside of it.
        connection = sqlite3.connect(
            uri, timeout=timeouts.lock, isolation_level=None, uri=True, check_same_thread=False
        )
        try:
            _use_wal(connection, timeouts.lock)
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    return connect


def _use_wal(connection: sqlite3.Connection, seconds: float) -> None:
    """Set the journal's mode, which SQLite refuses at once while another process sets it."""
    give_up = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > give_up:
                raise
            time.sleep(_BETWEEN_TRIES)
        else:
            return


def _pool(timeouts: Timeouts, is_pooled: bool) -> dict[str, object]:
    if not is_pooled:
        return {"poolclass": sa.pool.NullPool}
    return {"pool_timeout": timeouts.lock}


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
