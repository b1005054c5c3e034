"""How long each kind of transaction waits."""

from dataclasses import astuple
from typing import Any

import pytest
import sqlalchemy as sa

from service.database.base import USUAL, Database, Timeouts
from service.database.opening import open_database
from service.settings import Settings


class Told(Database):
    """Notes what engines it is to open, and opens another in memory."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.opened: list[tuple[tuple[object, ...], bool, bool]] = []
        super().__init__(sa.make_url("sqlite://"), timeouts)

    def _open(self, timeouts: Timeouts, is_pooled: bool, creates: bool = False) -> sa.Engine:
        self.opened.append((astuple(timeouts), is_pooled, creates))
        return sa.create_engine("sqlite://")

    def _begin_snapshot(self, connection: object) -> None: ...

    _lock_out_others = announce = _begin_snapshot

    def _watch(self, connection: object) -> Any: ...


def test_timeouts_are_those_of_the_settings() -> None:
    assert Timeouts.of(Settings()) == USUAL
    own = Settings(
        database_connect_timeout=3,
        database_statement_timeout=4.5,
        database_lock_timeout=5.5,
    )
    assert astuple(Timeouts.of(own)) == (3, 4.5, 5.5)


@pytest.mark.parametrize(("lock", "of_checks"), [(5.0, 2.0), (1.5, 1.5)])
def test_who_checks_waits_less_and_who_starts_longer(lock: float, of_checks: float) -> None:
    """A check is over within the time for connecting: a lock, in half of that."""
    database = Told(Timeouts(4, 10.0, lock))
    usual, brief = ((4, 10.0, lock), True, False), ((4, 4, of_checks), False, False)
    assert database.opened == [usual, brief]
    with database.starting():
        assert database.opened[2:] == [((4, 120.0, 120.0), False, True)]
    with database.trying():
        assert database.opened[3:] == [((4, 10.0, lock), False, False)]


@pytest.mark.parametrize(
    ("url", "seconds"), [("sqlite:////folder/file", 7.0), ("postgresql://host/name", 4.0)]
)
def test_a_connection_of_the_pool_is_waited_for(url: str, seconds: float) -> None:
    """As long as for a lock in SQLite, and as for connecting in PostgreSQL."""
    database = open_database(url, Timeouts(4, 10.0, 7.0))
    pooled: Any = database._engine.pool
    assert pooled._timeout == seconds
    assert pooled._pre_ping is url.startswith("postgresql")
    assert isinstance(database._apart.pool, sa.pool.NullPool)
    database.close()
