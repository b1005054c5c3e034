"""What a database does for the service, whichever it is."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from service.database.faults import answering
from service.database.tally import DatabaseTally
from service.settings import Settings

_WHERE = frozenset({"host", "hostaddr", "port", "dbname"})  # options of a URL that say it
_START_SECONDS = 120.0  # another process may be creating and filling the database meanwhile


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the database may take, in seconds.

    Parameters
    ----------
    connect : over a connection, and over an answer to the question whether it answers; from 2 on.
    statement : over one statement.
    lock : over a lock that another transaction holds.
    """

    connect: int = 2
    statement: float = 10.0
    lock: float = 5.0

    @classmethod
    def of(cls, settings: Settings) -> "Timeouts":
        """Those that are set."""
        return cls(
            connect=settings.database_connect_timeout,
            statement=settings.database_statement_timeout,
            lock=settings.database_lock_timeout,
        )


USUAL = Timeouts()


class Changes(ABC):
    """A connection of its own, on which to wait for what other processes commit."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Wait so long, or less; whether something may have been committed."""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction to read in."""
        with self._connection.begin():
            yield self._connection


class Database(ABC):
    """Connections to a database; what SQLAlchemy raises comes out as `DatabaseUnavailable`.

    Parameters
    ----------
    url : SQLAlchemy URL.
    timeouts : how long it may take.

    Attributes
    ----------
    tally : of its transactions.
    """

    def __init__(self, url: sa.URL, timeouts: Timeouts) -> None:
        self._url = url
        self._timeouts = timeouts
        self.tally = DatabaseTally()
        self._engine = self._open(timeouts, is_pooled=True)
        # Not of the pool, which waiting writers may have taken up.
        lock = min(timeouts.lock, timeouts.connect / 2)  # so that it is known to be a lock
        brief = Timeouts(timeouts.connect, timeouts.connect, lock)
        self._apart = self._open(brief, is_pooled=False)

    @property
    def place(self) -> str:
        """Digest of where it is, whoever asks it and however."""
        options = {name: it for name, it in self._url.query.items() if name in _WHERE}
        where = self._url.set(query=options)._replace(username=None, password=None)
        return hashlib.sha256(where.render_as_string().encode()).hexdigest()

    @property
    def folder(self) -> Path | None:
        """Where its files are, if they are on this machine."""
        return None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database, whatever is committed meanwhile."""
        with (
            self.tally.counting("reading"),
            answering(),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            self._begin_snapshot(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or not at all."""
        writing = self._beginning_to_write(self._engine)
        with self.tally.counting("writing"), answering(), writing as connection:
            yield connection

    @contextmanager
    def starting(self) -> Iterator[Connection]:
        """A transaction that has the database to itself among processes that start."""
        patient = replace(self._timeouts, statement=_START_SECONDS, lock=_START_SECONDS)
        engine = self._open(patient, is_pooled=False, creates=True)
        try:
            with answering(), self._beginning_to_write(engine) as connection:
                self._lock_out_others(connection)
                yield connection
        finally:
            engine.dispose()

    @contextmanager
    def checking(self) -> Iterator[Connection]:
        """A new connection, with no more patience than for connecting."""
        with (
            self.tally.counting("checking"),
            answering(),
            self._apart.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def trying(self) -> Iterator[Connection]:
        """A transaction to write in, on a new connection, of which nothing stays."""
        engine = self._open(self._timeouts, is_pooled=False)
        try:
            with (
                self.tally.counting("trying"),
                answering(),
                self._beginning_to_write(engine) as connection,
            ):
                yield connection
                connection.rollback()
        finally:
            engine.dispose()

    @contextmanager
    def changes(self) -> Iterator[Changes]:
        """What other processes commit from now on."""
        with answering(), self._apart.connect() as connection:
            yield self._watch(connection)

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()
        self._apart.dispose()

    @contextmanager
    def _beginning_to_write(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    @abstractmethod
    def _open(self, timeouts: Timeouts, is_pooled: bool, creates: bool = False) -> Engine:
        """An engine; ``creates`` if it may make a database that is not there."""

    @abstractmethod
    def _begin_snapshot(self, connection: Connection) -> None: ...

    @abstractmethod
    def _lock_out_others(self, connection: Connection) -> None: ...

    @abstractmethod
    def _watch(self, connection: Connection) -> Changes: ...

    @abstractmethod
    def announce(self, connection: Connection) -> None:
        """Tell other processes, once the transaction is committed, that something has changed."""
