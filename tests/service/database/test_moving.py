"""The commands of the guide that move a history from one kind of database to the other."""

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from service.assets.database import HistoryStore
from service.ledger.records import Record
from service.ledger.store import LedgerStore
from service.security.keys import ApiKey
from service.security.store import KeyStore
from tests.models_store.artifacts import make_series
from tests.pages import commands
from tests.service.databases import PostgresServer
from tests.service.worlds import ASSET, bars_of, first_held, held_asset

BARS = bars_of(make_series(40))
KEYS = [
    ApiKey("0a1b2c3d", "desk", frozenset({"forecast"}), "0" * 64, 1_600_000_000, None),
    ApiKey("4e5f6a7b", "feed", frozenset({"ingest"}), "1" * 64, 1_600_000_001, 1_600_000_002),
]

ISSUED = Record(
    forecast_id="0f" * 16,
    asset=ASSET,
    model="har",
    model_version=3,
    model_sha256="1e" * 32,
    horizon=5,
    as_of=date(2020, 2, 8),
    target_date=date(2020, 2, 9),
    last_closed=date(2020, 2, 8),
    asked_as_of=None,
    issued_at=1_581_200_000_000_001,
    last_issued_at=1_581_200_000_000_002,
    levels=(0.8, 0.95),
    known_at={ASSET: 7},
    role="answer",
    answer=b'{"rv":1e-4}',
)


def move(old: str, new: str) -> None:
    *_others, command = commands("docs/operations.md", "Backup and restore")
    command = command.replace("sqlite:///var/history.sqlite3", f"'{old}'")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "ROUGHCAST_DATABASE_URL": new}
    subprocess.run(["bash", "-euc", command], env=environment, check=True)


@pytest.mark.parametrize("back", [False, True], ids=["to_postgresql", "to_sqlite"])
def test_all_that_is_held_is_there_as_it_was(
    tmp_path: Path, postgres: PostgresServer, back: bool
) -> None:
    urls = [f"sqlite:///{tmp_path / 'history.sqlite3'}", postgres.borrow()]
    old, new = stores = [HistoryStore(it) for it in (reversed(urls) if back else urls)]
    old.prepare([first_held(BARS.where(slice(30)))])
    old.merge(held_asset(), BARS)
    for key in KEYS:
        KeyStore(old.database).add(key)
    LedgerStore(old.database).add([ISSUED])
    move(*(reversed(urls) if back else urls))
    moved, before = new.read(ASSET), old.read(ASSET)
    assert new.assets() == [ASSET]
    assert moved.asset == before.asset
    assert moved.revision == before.revision == 2
    assert moved.bars.close.tolist() == BARS.close.tolist()
    assert new.is_used([ASSET])  # by which a lost store is told from a first start
    assert KeyStore(new.database).all() == KEYS
    assert LedgerStore(new.database).get(ISSUED.forecast_id) == ISSUED
    for store in stores:
        store.close()
    postgres.give_back(urls[1])
