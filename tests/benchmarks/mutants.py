"""Writers that acknowledge what is not there yet, for a process that is to be killed."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from models_store import Store
from models_store.pointers import Pointer
from models_store.runtime import LoadedModel
from models_store.signatures import SUMS
from service.assets.database import HeldAsset
from service.assets.held import Held
from service.database.base import Database
from service.ledger.store import LedgerStore
from volatility.bars import Bars

_LATE = 0.3  # seconds, in which a kill falls wherever it falls
_BETWEEN_ROWS = 0.01


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
    """Write bars without a transaction around them, and take one's time between them."""
    begin = Database._beginning_to_write

    def wait(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO bars"):
            time.sleep(_BETWEEN_ROWS)

    @contextmanager
    def beginning_to_write(self: Database, engine: Engine) -> Iterator[Connection]:
        with begin(self, engine) as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA synchronous=OFF")  # a kill leaves the disk alone
            yield connection

    patched = pytest.MonkeyPatch()
    patched.setattr(Database, "_beginning_to_write", beginning_to_write)
    patched.setattr("service.assets.rows.ROWS_AT_ONCE", 20)
    sa.event.listen(Engine, "before_cursor_execute", wait)


def point_late() -> None:
    """Say that a version serves before the pointer is moved."""
    move = Store._let_serve

    def let_serve(self: Store, folder: Path, loaded: LoadedModel) -> None:
        threading.Timer(_LATE, move, (self, folder, loaded)).start()

    pytest.MonkeyPatch().setattr(Store, "_let_serve", let_serve)


def serve_what_served_before() -> None:
    """Take the version before the one that was promoted for it."""
    read = Store.pointer

    def pointer(self: Store, asset: str, model: str) -> Pointer | None:
        found = read(self, asset, model)
        if found is None or not found.previous:
            return found
        sums = self.root / asset / model / str(found.previous[0]) / SUMS
        sha256 = hashlib.sha256(sums.read_bytes()).hexdigest()
        return found.model_copy(update={"version": found.previous[0], "sha256": sha256})

    pytest.MonkeyPatch().setattr(Store, "pointer", pointer)


def date_states_early() -> None:
    """Note of what is held that it was known a moment before it was."""
    made = Held.__init__

    def init(self: Held, asset: HeldAsset, bars: Bars, revision: int, known_at: int = 0) -> None:
        made(self, asset, bars, revision, known_at - 1)

    pytest.MonkeyPatch().setattr(Held, "__init__", init)


def record_every_other() -> None:
    """Say of every forecast that it is recorded, and write every other."""
    put = LedgerStore.put

    def put_some(self: LedgerStore, lines: Sequence[str]) -> None:
        put(self, [it for it in lines if int(json.loads(it)[0], 16) % 2])

    pytest.MonkeyPatch().setattr(LedgerStore, "put", put_some)
