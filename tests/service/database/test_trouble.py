"""A database that is stopped, frozen, locked, removed, read-only, damaged or full, for real."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from service.assets.database import HistoryStore
from service.database.base import Timeouts
from service.http.errors import DatabaseUnavailable
from tests.models_store.artifacts import make_series
from tests.service.databases import PASSWORD, PostgresServer, file_in, locked, name_in
from tests.service.worlds import ASSET, bars_of, first_held, held_asset

SHORT = Timeouts(connect=2, statement=1.0, lock=0.3)
BARS = bars_of(make_series(60))
HALF = BARS.where(slice(30))


@pytest.fixture
def store(database_url: str) -> Iterator[HistoryStore]:
    store = HistoryStore(database_url, SHORT)
    store.prepare([first_held(HALF)])
    yield store
    store.close()


@pytest.fixture
def file(database_url: str) -> Path:
    return file_in(database_url)


on_server = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
on_file = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def assert_refused(store: HistoryStore, url: str, reason: str) -> None:
    """A merge, which says why and neither where nor whose the database is."""
    with pytest.raises(DatabaseUnavailable, match=reason) as caught:
        store.merge(held_asset(), BARS)
    text = str(caught.value)
    secrets = [PASSWORD, "postgres:", "@", "/"]
    if url.startswith("postgresql"):
        secrets.append(name_in(url))
    assert not [it for it in secrets if it in text]
    assert caught.value.__suppress_context__  # nor does the log, which has no cause of it


def assert_serves(store: HistoryStore, added: int = 30) -> None:
    merge = store.merge(held_asset(), BARS)
    assert (merge.added, merge.unchanged) == (added, 60 - added)
    assert len(store.read(ASSET).bars) == 60


def test_locked(store: HistoryStore, database_url: str) -> None:
    with locked(database_url):
        assert_refused(store, database_url, "is locked .* ROUGHCAST_DATABASE_LOCK_TIMEOUT")
    assert_serves(store)


@on_server
def test_stopped(store: HistoryStore, database_url: str, postgres: PostgresServer) -> None:
    store.ping()
    with postgres.stopped():
        assert_refused(store, database_url, "cannot be reached.*ROUGHCAST_DATABASE_URL")
        with pytest.raises(DatabaseUnavailable, match="cannot be reached"):
            store.ping()
    assert_serves(store)  # with no connection left over from before


@on_server
def test_frozen(store: HistoryStore, database_url: str, postgres: PostgresServer) -> None:
    with postgres.frozen():
        assert_refused(store, database_url, "does not answer within")
        with pytest.raises(DatabaseUnavailable, match="does not answer within"):
            store.ping()
    assert_serves(store)


@on_server
def test_frozen_within_a_transaction(
    store: HistoryStore, database_url: str, postgres: PostgresServer
) -> None:
    def frozen_halfway() -> None:
        with store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM bars")
            with postgres.frozen():
                connection.exec_driver_sql("DELETE FROM assets")

    with pytest.raises(DatabaseUnavailable, match="does not answer within"):
        frozen_halfway()
    assert_serves(store)


@on_server
def test_slow(store: HistoryStore, postgres: PostgresServer) -> None:
    with (
        pytest.raises(DatabaseUnavailable, match=r"took longer .*STATEMENT_TIMEOUT"),
        store.database.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(60)")
    assert_serves(store)


@on_server
def test_the_server_says_that_it_is_slow_before_its_client_gives_up(database_url: str) -> None:
    """Its own limit of a statement is nine tenths of ours, that of a pause three times ours."""
    store = HistoryStore(database_url, Timeouts(connect=2, statement=0.5, lock=0.25))
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with store.database.reading() as connection:
        found = {it: connection.exec_driver_sql(f"SHOW {it}").scalar() for it in names}
    store.close()
    assert found == dict(zip(names, ("450ms", "250ms", "1500ms"), strict=True))


@on_server
def test_a_process_that_stops_within_a_transaction_keeps_nobody_waiting(
    store: HistoryStore, database_url: str, postgres: PostgresServer
) -> None:
    other = HistoryStore(database_url, SHORT)

    def wait_halfway() -> None:
        with store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE assets SET revision = 9")
            while not is_free(other):  # until the server ends the transaction
                pass

    with pytest.raises(DatabaseUnavailable, match="ended a transaction in which"):
        wait_halfway()
    other.close()
    assert store.read(ASSET).revision == 2


def is_free(store: HistoryStore) -> bool:
    try:
        store.merge(held_asset(), BARS)
    except DatabaseUnavailable:
        return False
    return True


@on_server
def test_given_up_for_another(
    store: HistoryStore, database_url: str, postgres: PostgresServer
) -> None:
    def update_what_has_changed() -> None:
        with store.database.reading() as connection:
            connection.exec_driver_sql("SELECT * FROM assets")
            with psycopg.connect(database_url) as other:
                other.execute("UPDATE assets SET revision = 9")
            connection.exec_driver_sql("UPDATE assets SET revision = 8")

    with pytest.raises(DatabaseUnavailable, match="in favour of another"):
        update_what_has_changed()
    assert store.read(ASSET).revision == 9


@on_server
def test_used_up(
    store: HistoryStore, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store.database._engine.pool, "_timeout", 0.1)
    transactions = [store.database.reading() for _ in range(15)]
    for transaction in transactions:
        transaction.__enter__()
    with pytest.raises(DatabaseUnavailable, match="all connections of this process in use"):
        store.read(ASSET)
    store.ping()  # which has a connection of its own
    for transaction in transactions:
        transaction.__exit__(None, None, None)
    assert_serves(store)


@on_server
def test_of_another_owner(store: HistoryStore, database_url: str, postgres: PostgresServer) -> None:
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("DROP ROLE IF EXISTS guest")
        owner.execute("CREATE ROLE guest LOGIN")
    guest = HistoryStore(database_url.replace("postgres:", "guest:"), SHORT)
    assert_refused(guest, database_url, "does not allow the user in ROUGHCAST_DATABASE_URL")
    guest.close()


def test_without_its_tables(store: HistoryStore, database_url: str) -> None:
    store.ping()
    is_file = database_url.startswith("sqlite")
    other: Any = (
        sqlite3.connect(file_in(database_url)) if is_file else psycopg.connect(database_url)
    )
    with closing(other):
        for table in ("replaced_bars", "bars", "assets"):
            other.execute(f"DROP TABLE {table}")
        other.commit()
    assert_refused(store, database_url, "lacks its tables")


@on_file
def test_removed(store: HistoryStore, database_url: str, file: Path) -> None:
    store.ping()
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()
    assert_refused(store, database_url, "cannot be opened|removed or replaced")
    assert not file.exists()  # and no empty one takes its place


@on_file
def test_replaced_by_a_backup(store: HistoryStore, database_url: str, file: Path) -> None:
    with closing(sqlite3.connect(file)) as source:
        source.execute("VACUUM INTO ?", [str(file.with_name("backup"))])
    assert_serves(store)
    for path in file.parent.glob(f"{file.name}-*"):
        path.unlink()  # what was written since, which does not belong to the backup
    file.with_name("backup").rename(file)
    assert_serves(store)  # into the file that is there now


@on_file
def test_read_only(
    store: HistoryStore, database_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
    uri = f"{file.as_uri()}?mode=ro&immutable=1"  # root may write what it may not

    def read_only(*_: object) -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)

    monkeypatch.setattr(store.database._engine.pool, "_creator", read_only)
    assert_refused(store, database_url, "is read-only")


@on_server
def test_a_trial_of_a_replica(store: HistoryStore, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(
            f"ALTER DATABASE {name_in(database_url)} SET default_transaction_read_only = on"
        )
        with pytest.raises(DatabaseUnavailable, match="is read-only"):
            store.try_writing()
        server.execute(
            f"ALTER DATABASE {name_in(database_url)} RESET default_transaction_read_only"
        )
    store.try_writing()


def test_a_trial_leaves_nothing(store: HistoryStore, database_url: str) -> None:
    with store.changes() as changes:
        before = store.revisions(changes)
        store.try_writing()
        assert not changes.wait(0.05)
        assert store.revisions(changes) == before
    with locked(database_url), pytest.raises(DatabaseUnavailable, match="is locked"):
        store.try_writing()


@on_file
def test_damaged(store: HistoryStore, database_url: str, file: Path) -> None:
    store.merge(held_asset(), BARS)
    store.close()  # the last connection brings the journal into the file
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    assert_refused(store, database_url, "is damaged")


@on_file
def test_no_database_at_all(store: HistoryStore, database_url: str, file: Path) -> None:
    store.close()
    file.write_bytes(b"date,open,high,low,close\n" * 400)
    assert_refused(store, database_url, "is damaged")


@on_file
def test_full(store: HistoryStore, database_url: str, file: Path) -> None:
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DatabaseUnavailable, match="has no room left"):
        store.merge(held_asset("LONG"), bars_of(make_series(3000)))
    assert store.assets() == [ASSET]


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = HistoryStore(f"sqlite:///{tmp_path}/file/history.sqlite3", SHORT)
    with pytest.raises(DatabaseUnavailable, match="the folder of the file"):
        store.prepare([])


def test_a_start_waits_for_its_turn_longer_than_a_request(
    store: HistoryStore, database_url: str
) -> None:
    with store.database.starting() as connection:
        timeout = (
            connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
            if database_url.startswith("sqlite")
            else connection.exec_driver_sql(
                "SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'"
            ).scalar_one()
        )
    assert timeout == 120_000
