"""Two services on one database answer alike, soon after a bar was put to either."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from service.app import create_app
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.assets.watcher import Watcher
from service.http.errors import DatabaseUnavailable
from service.ledger import tables
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.databases import PostgresServer
from tests.service.patience import PATIENCE, eventually
from tests.service.worlds import ASSET, bars_of, clock, held_asset, json_bars

BARS = json_bars(bars_of(make_series()))
LONGER = bars_of(make_series(410))


@pytest.fixture
def replicas(settings: Settings) -> Iterator[list[TestClient]]:
    with ExitStack() as started:
        yield [started.enter_context(TestClient(create_app(settings, clock))) for _ in range(2)]


def forecasts(replicas: list[TestClient]) -> list[bytes]:
    return [it.post("/forecast", json={"asset": ASSET}).content for it in replicas]


def test_a_bar_put_to_one_is_in_the_answer_of_the_other(replicas: list[TestClient]) -> None:
    one, other = replicas
    before = forecasts(replicas)
    assert before[0] == before[1]
    body = {"bars": [BARS[-1] | {"high": 120.0}]}
    assert one.put(f"/assets/{ASSET}/bars?replace=true", json=body).status_code == 200
    eventually(lambda: forecasts([other]) != before[1:])
    after = forecasts(replicas)
    assert after[0] == after[1] != before[0]


def test_an_asset_made_by_one_is_known_to_the_other(replicas: list[TestClient]) -> None:
    one, other = replicas
    assert other.get("/assets/NEW/history").status_code == 404
    assert one.put("/assets/NEW/bars", json={"bars": BARS[-30:]}).status_code == 200
    eventually(lambda: other.get("/assets/NEW/history").status_code == 200)
    assert len(other.get("/assets/NEW/history").json()["rv"]) == 30


def test_both_may_be_written_at_once(replicas: list[TestClient]) -> None:
    for at, replica in enumerate(replicas * 5):
        body = {"bars": BARS[10 * at : 10 * at + 12]}
        assert replica.put("/assets/NEW/bars", json=body).status_code == 200
    eventually(lambda: [sessions_of("NEW", it) for it in replicas] == [102, 102])


def sessions_of(asset: str, replica: TestClient) -> int:
    return len(replica.get(f"/assets/{asset}/history").json()["rv"])


@pytest.fixture
def store(settings: Settings) -> Iterator[HistoryStore]:
    store = HistoryStore(settings.database_url)
    yield store
    store.close()


@pytest.fixture
def holdings(store: HistoryStore) -> Holdings:
    holdings = Holdings(store)
    holdings.load()
    return holdings


@pytest.fixture
def watcher(holdings: Holdings) -> Iterator[Watcher]:
    watcher = Watcher(holdings)
    watcher.start()
    yield watcher
    watcher.stop()


def test_it_ends_when_told_to(watcher: Watcher) -> None:
    watcher.stop()
    assert not watcher._thread.is_alive()


def test_what_has_not_changed_is_not_read_again(holdings: Holdings, store: HistoryStore) -> None:
    held = holdings.get(ASSET)
    assert holdings.refresh({ASSET: held.revision}) == []
    assert holdings.get(ASSET) is held
    store.merge(held_asset("NEW"), LONGER)
    assert holdings.refresh({ASSET: held.revision, "NEW": 1}) == ["NEW"]
    assert holdings.get(ASSET) is held
    assert len(holdings.get("NEW").bars) == 410


def test_bars_that_were_merged_meanwhile_are_not_taken_back(
    holdings: Holdings, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.read
    old = read(ASSET)

    def read_late(_asset: str) -> object:
        monkeypatch.setattr(store, "read", read)
        holdings.merge(held_asset(), LONGER, replace=False)
        return old

    monkeypatch.setattr(store, "read", read_late)
    holdings.refresh({ASSET: 9})
    assert (len(holdings.get(ASSET).bars), holdings.get(ASSET).revision) == (410, 2)


def test_a_merge_that_ends_late_does_not_hide_a_later_one(
    holdings: Holdings, store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    merge = store.merge

    def overtaken(*arguments: object) -> object:
        first = merge(held_asset(), LONGER.where(slice(405)))
        monkeypatch.setattr(store, "merge", merge)
        holdings.merge(held_asset(), LONGER, replace=False)
        return first

    monkeypatch.setattr(store, "merge", overtaken)
    answered, _ = holdings.merge(held_asset(), LONGER.where(slice(405)), replace=False)
    assert answered.added == 5
    assert (len(holdings.get(ASSET).bars), holdings.get(ASSET).revision) == (410, 3)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite tells none apart
def test_its_own_notices_do_not_wake_it(store: HistoryStore, settings: Settings) -> None:
    other = HistoryStore(settings.database_url)
    with store.changes() as changes:
        store.merge(held_asset("NEW"), LONGER)
        assert not changes.wait(0.5)
        other.merge(held_asset("NEWER"), LONGER)
        assert changes.wait(PATIENCE)
    other.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("number", [0, 7, 2**31 - 1, -(2**31)])  # with 32 bits and a sign
def test_sqlite_tells_of_what_is_announced_and_of_no_other_write(
    store: HistoryStore, settings: Settings, number: int
) -> None:
    other = HistoryStore(settings.database_url)
    with other.database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {number}")
    with store.changes() as changes:
        assert not changes.wait(0.0)
        other.merge(held_asset("NEW"), LONGER)
        assert [changes.wait(0.0), changes.wait(0.0)] == [True, False]
        with other.database.writing() as connection:
            connection.execute(sa.delete(tables.forecasts))  # as the ledger writes
        assert not changes.wait(0.0)
        with other.database.writing() as connection:
            other.database.announce(connection)
            assert not changes.wait(0.0)
            connection.rollback()
        assert not changes.wait(0.0)
    other.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_that_sqlite_cannot_be_asked_is_the_databases_fault(
    store: HistoryStore, settings: Settings
) -> None:
    with store.changes() as changes:
        file = Path(settings.database_url.removeprefix("sqlite:///"))
        content = file.read_bytes()
        file.write_bytes(b"no database" * 1_000)
        file.with_name(file.name + "-wal").write_bytes(b"")
        with pytest.raises(DatabaseUnavailable, match="is damaged"):
            changes.wait(0.0)
        file.write_bytes(content)


def test_a_change_without_a_notice_is_found_all_the_same(
    watcher: Watcher, holdings: Holdings, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one behind a pooler that passes none on, or by a release that sends none."""
    monkeypatch.setattr("service.assets.watcher._COMPARING", 0.1)
    other = HistoryStore(settings.database_url)
    monkeypatch.setattr(other.database, "announce", lambda _connection: None)
    other.merge(held_asset(), LONGER)
    other.close()
    eventually(lambda: len(holdings.get(ASSET).bars) == 410)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
class TestALostConnection:
    def test_is_made_again_and_everything_compared(
        self, watcher: Watcher, holdings: Holdings, settings: Settings, postgres: PostgresServer
    ) -> None:
        with capture_logs() as logs:
            postgres.stop()
            eventually(lambda: not watcher.in_step)
            postgres.start()
            url = sa.make_url(settings.database_url).set(drivername="postgresql+psycopg")
            engine = sa.create_engine(url)
            with engine.begin() as connection:  # and no notice
                connection.exec_driver_sql("DELETE FROM bars WHERE opened_at > 1600000000")
                connection.exec_driver_sql("UPDATE assets SET revision = 5")
            engine.dispose()
            eventually(lambda: watcher.in_step and holdings.get(ASSET).revision == 5)
        assert len(holdings.get(ASSET).bars) < 400
        [lost] = [it for it in logs if it["log_level"] == "warning"]
        assert lost["event"] == "history not in step with its database"
        assert "history database" in lost["reason"]
        assert str(postgres.folder) not in str(logs)

    def test_to_a_frozen_server_is_noticed_and_does_not_keep_the_process(
        self,
        watcher: Watcher,
        holdings: Holdings,
        postgres: PostgresServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("service.assets.watcher._COMPARING", 0.1)
        with postgres.frozen():
            eventually(lambda: not watcher.in_step)
            watcher.stop()
        assert len(holdings.get(ASSET).bars) == 400


def test_a_bug_does_not_end_it(
    watcher: Watcher, holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.assets.watcher._COMPARING", 0.05)
    monkeypatch.setattr("service.assets.watcher._RETRYING", 0.05)
    with capture_logs() as lines:
        with monkeypatch.context() as patched:
            patched.setattr(holdings, "refresh", lambda _revisions: 1 / 0)
            eventually(lambda: not watcher.in_step)
        eventually(lambda: watcher.in_step)
    told = [it["event"] for it in lines]
    assert told[:2] == ["history not compared", "history not in step with its database"]
    assert told[-1] == "history in step again"


def test_what_was_read_again_is_written_down_and_since_when_nothing_was_compared() -> None:
    now = datetime(2021, 2, 4, 12, tzinfo=timezone(timedelta(hours=2)))
    changed, seen = iter([["A", "B"], []]), list[object]()
    store: Any = SimpleNamespace(revisions=lambda changes: seen.append(("revisions", changes)))
    holdings: Any = SimpleNamespace(store=store, refresh=lambda _: next(changed), doubt=None)
    watcher = Watcher(holdings, lambda it: seen.append(("other", it)), clock=lambda: now)
    changes: Any = "changes"
    doubt = (
        "what is held has not been compared with the history database since "
        "2021-02-04T{}:00:00Z: bars that were put elsewhere since then are not known"
    )
    with capture_logs() as lines:
        watcher._fell_behind("it does not answer")
        watcher._fell_behind("a bug")
        assert holdings.doubt == doubt.format(10)
        now += timedelta(hours=3)
        for _ in range(2):
            watcher._compare(changes)
            assert watcher.in_step
        watcher._fell_behind("a bug")
        assert holdings.doubt == doubt.format(13)
    assert seen == [("other", "changes"), ("revisions", "changes")] * 2
    behind = "history not in step with its database"
    assert [(it["log_level"], it["event"], it.get("assets"), it.get("reason")) for it in lines] == [
        ("warning", behind, None, "it does not answer"),
        ("info", "history read again", ["A", "B"], None),
        ("info", "history in step again", None, None),
        ("warning", behind, None, "a bug"),
    ]


def test_one_that_is_told_to_stop_falls_behind_without_a_word() -> None:
    holdings: Any = SimpleNamespace(doubt=None)
    watcher = Watcher(holdings)
    watcher._stopping.set()
    with capture_logs() as lines:
        watcher._fell_behind("the database is gone, too")
    assert (lines, watcher.in_step) == ([], True)
