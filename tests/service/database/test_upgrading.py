"""Databases of earlier releases, of later ones, and of several processes that start at once."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Engine
from structlog.testing import capture_logs

from service.assets import tables as history
from service.assets.database import HistoryStore
from service.database import upgrading
from service.http.errors import DatabaseUnavailable
from service.ledger import tables as ledger
from service.security import store as keys
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET, bars_of, first_held, held_asset
from volatility.bars import PRICES, Bars

BARS = bars_of(make_series(40))

# What releases before versions made, in PostgreSQL.
ASSETS = """CREATE TABLE assets (
    asset VARCHAR(64) NOT NULL, calendar VARCHAR(16) NOT NULL, measure VARCHAR(64) NOT NULL,
    bar_interval INTEGER NOT NULL, source VARCHAR(200) NOT NULL, revision INTEGER NOT NULL,
    PRIMARY KEY (asset))"""
BARS_TABLE = """CREATE TABLE bars (
    asset VARCHAR(64) NOT NULL, opened_at BIGINT NOT NULL, open DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL, low DOUBLE PRECISION NOT NULL, close DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (asset, opened_at), FOREIGN KEY(asset) REFERENCES assets (asset))"""
KIND = "ALTER TABLE assets ADD COLUMN kind VARCHAR(16) DEFAULT '' NOT NULL"

START_THREE = """
import multiprocessing, sys
from service.assets.database import HistoryStore
from service.assets.holdings import shipped

fork = multiprocessing.get_context("fork")  # each has loaded its modules then
ready = fork.Barrier(3)

def start():
    store = HistoryStore(sys.argv[1])
    ready.wait()
    store.prepare(shipped())
    # In one piece: three processes write into one pipe.
    print(" ".join(store.assets()) + "\\n", end="", flush=True)
    store.close()

processes = [fork.Process(target=start) for _ in range(3)]
for it in processes:
    it.start()
for it in processes:
    it.join()
print([it.exitcode for it in processes])
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Past the service, as releases before versions were."""
    url = sa.make_url(database_url)
    if url.drivername == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True)
    else:
        url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(database_url: str) -> Iterator[HistoryStore]:
    store = HistoryStore(database_url)
    yield store
    store.close()


def test_an_upgrade_is_written_down_once(store: HistoryStore) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            store.prepare([])
    assert lines == [
        {"event": "database upgraded", "log_level": "info", "before": None, "after": "0005"}
    ]


def write_old(engine: Engine, has_kinds: bool) -> None:
    """A database of a release before versions, with one asset of two."""
    seconds = BARS.timestamps.astype("datetime64[s]").astype(np.int64).tolist()
    with engine.begin() as connection:
        table = BARS_TABLE
        if engine.dialect.name == "sqlite":
            table = BARS_TABLE.replace("DOUBLE PRECISION", "DOUBLE") + " WITHOUT ROWID"
        for statement in (ASSETS, table, *([KIND] if has_kinds else [])):
            connection.exec_driver_sql(statement)
        for asset, calendar in ((ASSET, "24/7"), ("SHARE", "XNYS")):
            connection.execute(
                sa.text("INSERT INTO assets VALUES (:a, :c, 'garman_klass', 86400, 'simulated', 7"
                        + (", 'etf')" if has_kinds else ")")),
                {"a": asset, "c": calendar},
            )  # fmt: skip
        prices = [getattr(BARS, price).tolist() for price in PRICES]
        for row in zip(seconds, *prices, strict=True):
            connection.execute(
                sa.text("INSERT INTO bars VALUES (:asset, :at, :open, :high, :low, :close)"),
                dict(zip(("at", *PRICES), row, strict=True)) | {"asset": ASSET},
            )


def assert_same(found: Bars, expected: Bars) -> None:
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))


@pytest.mark.parametrize(
    ("has_kinds", "kinds"), [(False, ["crypto", "stock"]), (True, ["etf"] * 2)]
)
def test_a_database_of_before_versions_keeps_its_bars(
    engine: Engine, store: HistoryStore, has_kinds: bool, kinds: list[str]
) -> None:
    write_old(engine, has_kinds)
    for _ in range(2):  # the second finds it done
        store.prepare([first_held(BARS, "SEED")])
        assert store.assets() == ["SHARE", ASSET]
    coin, share = store.read(ASSET), store.read("SHARE")
    assert (coin.revision, len(share.bars)) == (7, 0)
    assert_same(coin.bars, BARS)
    assert_same(store.read(ASSET, known_at=datetime(1970, 1, 1, tzinfo=UTC)).bars, BARS)
    assert [coin.asset.kind, share.asset.kind] == kinds
    assert coin.asset == replace(held_asset(), kind=kinds[0])
    store.merge(replace(held_asset("NEW"), kind="fx"), BARS)
    assert store.read("NEW").asset.kind == "fx"


@pytest.mark.parametrize("has_kinds", [False, True, None])
def test_every_way_ends_at_the_same_tables(
    engine: Engine, store: HistoryStore, has_kinds: bool | None
) -> None:
    tables: Any = [history.metadata, keys.metadata, ledger.metadata]
    if has_kinds is not None:
        write_old(engine, has_kinds)
    store.prepare([])
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, tables) == []
        assert context.get_current_revision() == upgrading.HEAD


def test_the_head_is_the_newest_version() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrading._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [upgrading.HEAD]


def test_a_start_without_an_upgrade_does_not_load_alembic(
    store: HistoryStore, database_url: str
) -> None:
    store.prepare([first_held(BARS)])
    code = (
        "import sys; from service.assets.database import HistoryStore;"
        "store = HistoryStore(sys.argv[1]); store.prepare([]); store.close();"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, database_url], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_database_of_a_newer_release_is_refused_and_left_alone(
    engine: Engine, store: HistoryStore
) -> None:
    store.prepare([first_held(BARS)])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnavailable, match="was made by a newer release"):
        store.prepare([])
    assert_same(store.read(ASSET).bars, BARS)


def test_an_upgrade_that_fails_halfway_leaves_what_was_there(
    engine: Engine, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_old(engine, has_kinds=False)

    def fail(*_: Any) -> None:
        raise RuntimeError("killed")

    monkeypatch.setattr("service.assets.database._names", fail)  # once the tables are upgraded
    with pytest.raises(RuntimeError, match="killed"):
        store.prepare([])
    inspector = sa.inspect(engine)
    assert sorted(inspector.get_table_names()) == ["assets", "bars"]
    assert "kind" not in {column["name"] for column in inspector.get_columns("assets")}


def test_an_old_database_is_upgraded_by_one_of_several(engine: Engine, database_url: str) -> None:
    write_old(engine, has_kinds=False)
    stores = [HistoryStore(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda store: store.prepare([]), stores))
    for store in stores:
        assert_same(store.read(ASSET).bars, BARS)
        store.close()


def test_processes_that_start_at_once_all_come_up(database_url: str) -> None:
    """On an empty database, which one of them fills."""
    done = subprocess.run(
        [sys.executable, "-c", START_THREE, database_url],
        capture_output=True,
        text=True,
        check=True,
    )
    said = done.stdout.splitlines()
    assert said.pop() == "[0, 0, 0]", done.stderr
    assert said.count("BTC-USD BTC-USD-1H ETH-USD SPX") == 3
    assert sum("database upgraded" in line for line in said) == 1
