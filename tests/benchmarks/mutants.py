"""Writers that acknowledge what is not there yet, for a process that is to be killed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from models_store import Store
from models_store.runtime import LoadedModel
from service.database.base import Database

_LATE = 0.05  # seconds


def commit_late() -> None:
    """Answer a PUT before its transaction is committed."""

    @contextmanager
    def beginning_to_write(_self: Database, engine: Engine) -> Iterator[Connection]:
        connection = engine.connect().execution_options(writes=True)
        transaction = connection.begin()
        yield connection

        def commit() -> None:
            transaction.commit()
            connection.close()

        threading.Timer(_LATE, commit).start()

    pytest.MonkeyPatch().setattr(Database, "_beginning_to_write", beginning_to_write)


def write_row_by_row() -> None:
    """Write bars without a transaction around them, and take one's time between statements."""
    begin = Database._beginning_to_write

    @contextmanager
    def beginning_to_write(self: Database, engine: Engine) -> Iterator[Connection]:
        with begin(self, engine) as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")  # a kill leaves the disk alone
            yield connection

    patched = pytest.MonkeyPatch()
    patched.setattr(Database, "_beginning_to_write", beginning_to_write)
    patched.setattr("service.assets.database._ROWS_AT_ONCE", 20)
    sa.event.listen(Engine, "before_cursor_execute", lambda *_: time.sleep(_LATE / 5))


def point_late() -> None:
    """Say that a version serves before the pointer is moved."""
    move = Store._let_serve

    def let_serve(self: Store, folder: Path, loaded: LoadedModel) -> None:
        threading.Timer(_LATE, move, (self, folder, loaded)).start()

    pytest.MonkeyPatch().setattr(Store, "_let_serve", let_serve)
