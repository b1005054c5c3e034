"""Transactions of a real database, and of one that is gone."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from service.app import create_app
from service.database.base import USUAL
from service.database.opening import open_database
from service.http.errors import DatabaseUnavailable
from service.operations.collectors.database import DatabaseMetrics
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.operations.samples import samples, samples_of
from tests.service.worlds import ASSET, clock


def test_transactions_are_counted_by_what_they_do_and_whether_they_fail(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    database = open_database(f"sqlite:///{path}", USUAL)
    with database.starting() as connection:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))
    for _ in range(2):
        with database.reading() as connection:
            connection.execute(sa.text("SELECT * FROM t"))
    with database.writing() as connection:
        connection.execute(sa.text("INSERT INTO t VALUES (1)"))
    with pytest.raises(KeyError, match="of the caller"), database.writing():
        fail()
    path.unlink()
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable, match="names no file"), database.checking():
            pass
    found = samples_of(DatabaseMetrics(database.tally))
    database.close()
    counts = {it: found["roughcast_database_seconds_count", it] for it in OPERATIONS}
    assert counts == {"reading": 2, "writing": 2, "checking": 3}
    failures = {it: found["roughcast_database_failures_total", it] for it in OPERATIONS}
    assert failures == {"reading": 0, "writing": 0, "checking": 3}
    for it in OPERATIONS:
        assert found["roughcast_database_seconds_bucket", "+Inf", it] == counts[it]
        assert 0 < found["roughcast_database_seconds_sum", it] < 60


def fail() -> None:
    raise KeyError("of the caller")


OPERATIONS = ("reading", "writing", "checking")


def test_the_service_tells_of_its_own(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        before = samples(client)
        client.get("/health/ready").raise_for_status()
        bars = "date,open,high,low,close\n2021-02-03,100,101,99,100\n"
        csv = {"content-type": "text/csv"}
        client.put(f"/assets/{ASSET}/bars", content=bars, headers=csv)
        after = samples(client)
    name = "roughcast_database_seconds_count"
    assert after[name, "checking"] == before[name, "checking"] + 1
    assert after[name, "writing"] > before[name, "writing"]  # the ledger writes, too
