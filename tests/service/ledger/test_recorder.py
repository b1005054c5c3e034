"""No forecast waits for the ledger or fails with it, and what was not written is counted."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from service.app import create_app
from service.forecasts import encoding
from service.http.errors import DatabaseUnavailable
from service.ledger import recorder as recording
from service.ledger import records
from service.ledger.recorder import Recorder, Retention
from service.ledger.records import Answered, Entry, Line
from service.ledger.store import LedgerStore
from service.ledger.tables import forecasts
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.ledger.days import days_after, live, performance
from tests.service.worlds import ASSET, NOW, SetClock

DAY = timedelta(days=1)
MODELS = ("har", "log_har", "last_value")


def ask(client: TestClient, model: str = "har", **asked: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **asked})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ledger_of(client: TestClient) -> tuple[LedgerStore, Recorder]:
    ledger = client.app_state["ledger"]
    return ledger.store, ledger.recorder


def number_in(store: LedgerStore) -> int:
    with store.database.reading() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(forecasts)) or 0)


@contextmanager
def away(store: LedgerStore) -> Iterator[list[int]]:
    """A database that takes no forecasts; how many each try wanted to write."""
    tries: list[int] = []

    def refuse(lines: list[str]) -> None:
        tries.append(len(lines))
        raise DatabaseUnavailable("the history database does not answer")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LedgerStore, "put", lambda _self, lines: refuse(lines))
        yield tries


def eventually(holds: Any) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_is_answered_is_written_without_being_asked_for(client: TestClient) -> None:
    store, recorder = ledger_of(client)
    ask(client)
    eventually(lambda: number_in(store) == 1 and recorder.waiting == 0)
    assert (recorder.written, recorder.lost) == (1, 0)
    ask(client)
    ask(client, explain=True)
    recorder.flush()
    assert (number_in(store), recorder.written) == (1, 1)  # it is known already


def test_a_database_that_is_away_is_waited_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_RETRYING", 0.05)
    store, recorder = ledger_of(client)
    with away(store) as tries:
        answers = [ask(client, model, levels=[level]) for model in MODELS for level in (0.8, 0.95)]
        eventually(lambda: len(tries) > 3)
        assert recorder.waiting > 0
        found = client.get(f"/forecasts/{answers[0]['forecast_id']}")
        assert (found.status_code, found.json()["code"]) == (503, "database_unavailable")
    eventually(lambda: recorder.waiting == 0)
    assert recorder.lost == 0
    for answer in answers:
        found = client.get(f"/forecasts/{answer['forecast_id']}").json()
        assert found["answer"] == answer
        assert found["issued_at"] == "2021-02-04T12:00:00Z"


def test_beyond_what_may_wait_answers_are_counted(settings: Settings, clock: SetClock) -> None:
    few = settings.model_copy(update={"max_waiting_records": 2})
    with TestClient(create_app(few, clock)) as client:
        store, recorder = ledger_of(client)
        with away(store):
            given = [ask(client, model)["rv"] for model in MODELS]
            assert all(given)
            eventually(lambda: recorder.lost >= 1)
        recorder.flush()
        answered = [it for it in MODELS if "forecast_id" in ask(client, it)]
        assert recorder.lost >= 1
        assert len(answered) == 3
        assert "roughcast_ledger_lost_total 0.0" not in client.get("/metrics").text


def test_what_waits_is_written_when_the_service_stops(
    settings: Settings, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_BETWEEN", 60.0)
    with TestClient(create_app(settings, clock)) as client:
        answer = ask(client)
        assert number_in(ledger_of(client)[0]) == 0
    with TestClient(create_app(settings, clock)) as client:
        found = client.get(f"/forecasts/{answer['forecast_id']}")
        assert found.json()["answer"] == answer


def test_a_bug_in_one_forecast_keeps_no_other_from_being_written(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, recorder = ledger_of(client)
    lines = Answered.lines

    def faulty(entry: Answered, known: dict[str, str]) -> list[Line]:
        if entry.role == "answer" and entry.model == "har":
            raise ZeroDivisionError
        return lines(entry, known)

    monkeypatch.setattr(Answered, "lines", faulty)
    ask(client, "har")
    kept = ask(client, "log_har")
    recorder.flush()
    assert recorder.lost == 1
    assert store.get(kept["forecast_id"]) is not None


def test_what_the_database_refuses_keeps_no_other_from_being_written(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, served = ledger_of(client)
    answer = ask(client)
    served.flush()
    known = store.get(answer["forecast_id"])
    assert known is not None
    odd: dict[str, dict[str, Any]] = {
        "b": {"model": None},
        "e": {"model_version": None},
        "f": {"horizon": None},
    }
    given = [known._replace(forecast_id=it * 32, **odd.get(it, {})) for it in "abcdef"]
    recorder = Recorder(store, lambda: NOW, 10, Retention(DAY, DAY, 10))
    monkeypatch.setattr(Entry, "lines", lambda entry, _known: [entry.asked.line])
    monkeypatch.setattr(Entry, "held", property(lambda entry: SimpleNamespace(asset=entry.asked)))
    for it in given:
        recorder.note(it, answer)  # type: ignore[arg-type]
    with capture_logs() as lines:
        recorder.flush()
    assert [store.get(it * 32) is not None for it in "abcdef"] == [True, False, True, True] + [
        False
    ] * 2
    assert (recorder.written, recorder.lost, recorder.waiting) == (3, 3, 0)
    told = {it["id"][0]: it["reason"] for it in lines if it["event"] == "forecast not recorded"}
    assert sorted(told) == ["b", "e", "f"]
    assert "model" in told["b"]
    assert "\n" not in told["b"]


@pytest.mark.parametrize("asked", [{"explain": True}, {"horizons": [1]}])
def test_what_is_known_is_not_encoded_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    store, recorder = ledger_of(client)
    encode = Mock(side_effect=encoding.encode)
    monkeypatch.setattr(records, "encode", encode)
    ask(client, **asked)
    recorder.flush()
    number = number_in(store)
    assert encode.call_count == number > 0
    client.app_state["encoded"]._remembered.clear()
    ask(client, **asked)
    recorder.flush()
    assert (encode.call_count, number_in(store), recorder.lost) == (number, number, 0)


def test_an_answer_does_not_wait_for_a_write(client: TestClient) -> None:
    store, _ = ledger_of(client)
    writing, go_on = threading.Event(), threading.Event()
    put = LedgerStore.put

    def slow(self: LedgerStore, lines: list[str]) -> None:
        writing.set()
        assert go_on.wait(10)
        put(self, lines)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LedgerStore, "put", slow)
        ask(client, "har")
        assert writing.wait(5)
        ask(client, "last_value")  # answered while the write is under way
        assert number_in(store) == 0
        go_on.set()
    eventually(lambda: number_in(store) == 2)


def test_what_is_too_old_is_deleted(settings: Settings, clock: SetClock) -> None:
    short = settings.model_copy(update={"ledger_days": 30, "ledger_replay_days": 10})
    with TestClient(create_app(short, clock)) as client:
        store, recorder = ledger_of(client)
        old, replay = ask(client), ask(client, as_of="2021-01-20")
        recorder.flush()
        clock.now = NOW + 10 * DAY
        assert recorder.prune() == 0
        clock.now += timedelta(microseconds=1)
        assert recorder.prune() == 1
        assert store.get(replay["forecast_id"]) is None
        clock.now = NOW + 30 * DAY
        assert recorder.prune() == 0
        clock.now += timedelta(microseconds=1)
        assert recorder.prune() == 1
        assert store.get(old["forecast_id"]) is None


def test_of_too_many_the_oldest_go_in_parts(
    settings: Settings, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.ledger.store._DELETED_AT_ONCE", 2)
    monkeypatch.setattr(recording, "_BETWEEN", 60.0)  # else it prunes what is written so far
    few = settings.model_copy(update={"max_recorded": 2})
    with TestClient(create_app(few, clock)) as client:
        store, recorder = ledger_of(client)
        ids = []
        for day in range(10, 17):
            # Of a replayed day nothing is recorded beside.
            ids.append(ask(client, as_of=f"2021-01-{day}")["forecast_id"])
            clock.now += timedelta(minutes=1)
        recorder.flush()
        assert recorder.prune() == 5
        assert [store.get(it) is None for it in ids] == [True] * 5 + [False] * 2
        assert recorder.prune() == 0


def test_what_was_issued_first_stays(client: TestClient) -> None:
    store, recorder = ledger_of(client)
    answer = ask(client)
    recorder.flush()
    record = store.get(answer["forecast_id"])
    assert record is not None
    later, earlier = record.issued_at + 5, record.issued_at - 5
    store.add([record._replace(issued_at=later, last_issued_at=later, role="shadow")])
    assert store.get(answer["forecast_id"]) == record._replace(last_issued_at=later)
    store.add([record._replace(last_issued_at=earlier), record._replace(forecast_id="a" * 32)])
    assert store.get(answer["forecast_id"]) == record._replace(last_issued_at=later)
    assert store.get("a" * 32) == record._replace(forecast_id="a" * 32)


def test_another_database_takes_over_all_of_it(
    client: TestClient, settings: Settings, tmp_path: Any
) -> None:
    store, recorder = ledger_of(client)
    for level in (0.8, 0.95):
        ask(client, levels=[level])
    recorder.flush()
    other = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/other.sqlite3"})
    with TestClient(create_app(other, lambda: NOW)) as second:
        taken, _ = ledger_of(second)
        taken.take_over(store)
        taken.take_over(store)  # what is there stays
        assert number_in(taken) == number_in(store) == 3  # and the benchmark's
        [name] = store.assets()
        assert taken.live(name, 1, NOW.date(), NOW.date()) == store.live(
            name, 1, NOW.date(), NOW.date()
        )


def test_only_forecasts_of_the_window_are_read(client: TestClient, clock: SetClock) -> None:
    store, recorder = ledger_of(client)
    ask(client)
    ask(client, as_of="2021-01-20")
    recorder.flush()
    target = NOW.date()
    assert len(store.live(ASSET, 1, target, target)) == 1
    assert store.live(ASSET, 1, target + DAY, target + DAY) == []
    assert store.live(ASSET, 1, target - DAY, target - DAY) == []
    assert store.live(ASSET, 2, target, target) == []
    assert store.live("OTHER", 1, target, target) == []


def test_assets_and_their_horizons_are_listed(client: TestClient) -> None:
    store, recorder = ledger_of(client)
    answer = ask(client)
    recorder.flush()
    record = store.get(answer["forecast_id"])
    assert record is not None
    for number, (asset, horizon) in enumerate([("B", 5), ("A", 22), ("C", 1), ("B", 1), ("B", 22)]):
        added: Any = {"forecast_id": f"{number:032}", "asset": asset, "horizon": horizon}
        store.add([record._replace(**added)])
    assert {*store.assets()} == {"A", "B", "C", ASSET}
    assert store.horizons("B") == [1, 5, 22]
    assert store.horizons("D") == []


def test_of_many_that_differ_in_what_is_not_scored_the_last_is_read(
    client: TestClient, clock: SetClock
) -> None:
    store, recorder = ledger_of(client)
    for probability in (0.3, 0.1, 0.2):
        last = ask(client, quantiles=[probability])
        clock.now += timedelta(seconds=1)
    other = ask(client, levels=[0.8])
    recorder.flush()
    target = NOW.date()
    found = {it.levels: it.forecast_id for it in store.live(ASSET, 1, target, target)}
    assert found == {(0.8, 0.95): last["forecast_id"], (0.8,): other["forecast_id"]}


def test_the_newest_targets_are_read_where_there_are_too_many(
    client: TestClient, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.ledger.store.MOST_READ", 2)
    days = days_after(make_series().rv[:4])
    said = list(live(client, clock, days, model="har"))
    row = performance(client)["har"]
    assert (row["nobs"], row["start"]) == (2, said[-2]["target_date"])


def test_an_answer_that_was_not_taken_is_offered_again(settings: Settings, clock: SetClock) -> None:
    few = settings.model_copy(update={"max_waiting_records": 1})
    with TestClient(create_app(few, clock)) as client:
        store, recorder = ledger_of(client)
        with away(store):
            kept, lost = ask(client, "har"), ask(client, "log_har")
            eventually(lambda: recorder.waiting >= 1)
        recorder.flush()
        assert store.get(kept["forecast_id"]) is not None
        again = ask(client, "log_har")
        recorder.flush()
        assert again == lost
        assert store.get(lost["forecast_id"]) is not None


def test_what_comes_in_while_it_is_written_is_the_next_ones(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_BETWEEN", 60.0)
    _, recorder = ledger_of(client)
    recorder._stopping.set()
    put, written = LedgerStore.put, []

    def put_and_ask(self: LedgerStore, lines: list[str]) -> None:
        written.append(len(lines))
        if len(written) < 5:
            ask(client, "last_value", quantiles=[0.1 + len(written) / 100])
        put(self, lines)

    monkeypatch.setattr(LedgerStore, "put", put_and_ask)
    ask(client, "har")
    recorder.flush()
    assert len(written) == 1
    assert recorder.waiting == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_forecast_may_come_several_times_at_once(client: TestClient, times: int) -> None:
    store, recorder = ledger_of(client)
    answer = ask(client)
    recorder.flush()
    record = store.get(answer["forecast_id"])
    assert record is not None
    given = [
        record._replace(forecast_id=name * 32, issued_at=at, last_issued_at=at)
        for at in range(times)
        for name in "ba"
    ]
    store.add([*given, record._replace(forecast_id="c" * 32)])
    last = times - 1
    for name in "ab":
        found = store.get(name * 32)
        assert found is not None
        assert (found.issued_at, found.last_issued_at) == (0, last)
    assert store.get("c" * 32) == record._replace(forecast_id="c" * 32)
    store.add([])


def test_an_answer_stays_as_it_was_to_the_byte(client: TestClient) -> None:
    store, recorder = ledger_of(client)
    answer = ask(client)
    recorder.flush()
    record = store.get(answer["forecast_id"])
    assert record is not None
    odd = b'{"a":1.0,"b":1e-05,"c":0.10000000000000001,"d":"\\u00e9\\n\\"[,","e":[null,true]}'
    other = record._replace(forecast_id="a" * 32, answer=odd, known_at={'a"b': 1, "é": 2})
    store.add([other])
    assert store.get("a" * 32) == other
