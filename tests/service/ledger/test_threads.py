"""What the ledger's threads do and write down, beside stores that are made by hand."""

import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from service.http.clock import microseconds
from service.http.errors import DatabaseUnavailable
from service.ledger import recorder as recording
from service.ledger.live import LiveScorer
from service.ledger.reading import Ledger
from service.ledger.recorder import Recorder, Retention
from service.ledger.records import Entry
from tests.service.worlds import NOW
from volatility.calendars import get_calendar
from volatility.errors import HistoryTooShort, UnknownVersion

DAY = timedelta(days=1)
RETENTION = Retention(kept=30 * DAY, replays_kept=10 * DAY, most=7)
AWAY = DatabaseUnavailable("it does not answer")


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: object) -> None:
        raise error

    return fail


class Store:
    """Takes forecasts, or is away."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.written: list[list[str]] = []
        self.pruned: list[tuple[int, int, int]] = []

    def put(self, lines: list[str]) -> None:
        if self.error is not None:
            raise self.error
        self.written.append(list(lines))

    def prune(self, *bounds: int) -> int:
        self.pruned.append(bounds)  # type: ignore[arg-type]
        return 0


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def recorder(store: Store, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Of which each entry is one line, the name that was asked about."""
    monkeypatch.setattr(recording, "noted", Named.of)
    return Recorder(store, lambda: NOW, 3, RETENTION)  # type: ignore[arg-type]


class Named:
    """An answer that was noted; of one about "L", lines are made by whoever writes."""

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def of(cls, name: Any, *_: object) -> Any:
        return NamedLong(name, (), 0) if name == "L" else cls(name)

    def lines(self, _known: dict[str, str]) -> list[Any]:
        return [line(self.name)]

    @property
    def held(self) -> Any:
        return SimpleNamespace(asset=SimpleNamespace(asset=self.name))


class NamedLong(Entry):
    def lines(self, _known: Any) -> list[Any]:
        return [line(self.asked)]

    @property
    def held(self) -> Any:
        return Named(str(self.asked)).held


def line(name: Any) -> Any:
    return SimpleNamespace(about=f"about {name}", text=name)


def note(recorder: Recorder, name: Any) -> bool:
    return recorder.note(name, name, b"{}")


def told(lines: list[Any]) -> list[tuple[str, str, object, object]]:
    return [(it["log_level"], it["event"], it.get("reason"), it.get("waiting")) for it in lines]


def test_that_the_ledger_is_behind_is_written_down_once_and_so_is_its_end(
    recorder: Recorder, store: Store
) -> None:
    note(recorder, "A")
    for error, lines in (
        (AWAY, [("warning", "ledger behind", "it does not answer", 1)]),
        (None, [("info", "ledger in step again", None, None)]),
        (
            ZeroDivisionError(),
            [
                ("error", "forecasts not recorded", None, None),
                ("warning", "ledger behind", "a bug", 1),
                ("error", "forecasts not recorded", None, None),
            ],
        ),
    ):
        store.error = error
        if not recorder.waiting:
            note(recorder, "B")
        with capture_logs() as written:
            recorder._try()
            recorder._try()
        assert told(written) == lines
    assert recorder.assets == {"A", "B"}


def test_a_thread_writes_five_times_a_second_and_tries_less_often_while_it_is_behind(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        note(recorder, "A")
        store.error = AWAY if len(waits) == 2 else None
        return len(waits) > 4

    monkeypatch.setattr(recorder, "_stopping", SimpleNamespace(wait=wait))
    recorder._run()
    assert waits == [0.2, 0.2, 1.0, 0.2, 0.2]
    assert (recorder.waiting, recorder.written) == (0, 5)  # once more behind the end


def test_what_is_left_at_the_end_is_written_down(recorder: Recorder, store: Store) -> None:
    store.error = AWAY
    for name in "AB":
        note(recorder, name)
    recorder.start()
    with capture_logs() as written:
        recorder.stop()
    [line] = [it for it in written if it["event"] == "forecasts not recorded"]
    assert (line["log_level"], line["forecasts"]) == ("error", 2)


def test_a_stop_that_leaves_nothing_says_nothing(recorder: Recorder, store: Store) -> None:
    note(recorder, "A")
    recorder.start()
    with capture_logs() as written:
        recorder.stop()
    assert written == []
    assert store.written == [["A"]]


def test_as_many_answers_wait_as_may(recorder: Recorder, store: Store) -> None:
    assert [note(recorder, name) for name in "ABCDE"] == [True, True, True, False, False]
    assert (recorder.waiting, recorder.lost, recorder.written) == (3, 2, 0)
    recorder.flush()
    assert (recorder.waiting, recorder.lost, recorder.written) == (0, 2, 3)
    assert note(recorder, "F")


def test_an_hour_lies_between_two_looks_for_what_is_too_old(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seconds, looks in ((10.0, 1), (11.0, 1), (3_610.0, 1), (3_611.0, 2), (7_211.0, 2)):
        monkeypatch.setattr(time, "monotonic", lambda now=seconds: now)
        recorder._try()
        assert len(store.pruned) == looks
    assert store.pruned[0] == (microseconds(NOW - 30 * DAY), microseconds(NOW - 10 * DAY), 7)


def test_what_is_known_is_let_go_of_beyond_a_number(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def lines(entry: Any, known: dict[str, str]) -> list[Any]:
        sizes.append(len(known))
        known[entry.name] = "about it"
        return []

    monkeypatch.setattr(recording, "_MOST_KNOWN", 2)
    monkeypatch.setattr(Named, "lines", lines)
    for name in "ABCD":
        note(recorder, name)
        recorder.flush()
    assert sizes == [0, 1, 2, 0]


def test_a_transaction_has_so_many_forecasts_and_the_next_has_the_others(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_AT_ONCE", 2)
    for name in "ABC":
        note(recorder, name)
    recorder.flush()
    assert store.written == [["A", "B"], ["C"]]


def test_lines_are_made_of_some_answers_together_and_of_the_rest_when_they_are_written(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_TOGETHER", 2)
    made: list[Any] = []

    def lines(entry: Any, _known: dict[str, str]) -> list[Any]:
        made.append(entry.name)
        return [line(entry.name)]

    monkeypatch.setattr(Named, "lines", lines)
    note(recorder, "A")
    assert made == []
    note(recorder, "B")
    assert made == ["A", "B"]
    note(recorder, "L")  # by whoever writes
    assert (made, recorder.waiting) == (["A", "B"], 3)
    recorder.flush()
    assert store.written == [["A", "B", "L"]]


def test_while_another_thread_makes_lines_an_answer_waits_for_none(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_TOGETHER", 1)
    with recorder._making:
        assert note(recorder, "A")
        writer = threading.Thread(target=recorder.flush)
        writer.start()
        writer.join(0.05)
        assert writer.is_alive()  # what is being made may be of an answer that was given
        assert (recorder.waiting, store.written) == (1, [])
    writer.join(10)
    note(recorder, "B")
    recorder.flush()
    assert store.written == [["A"], ["B"]]


def test_more_may_be_left_than_one_transaction_has(
    recorder: Recorder, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_AT_ONCE", 1)
    recorder._unwritten += ["x", "y"]
    note(recorder, "A")
    recorder.flush()
    assert store.written == [["x", "y"], ["A"]]
    assert recorder.waiting == 0


def test_of_answers_about_the_same_the_first_is_accompanied(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(recording, "noted", Named.of)
    monkeypatch.setattr(Named, "lines", lambda entry, _known: [line(entry.name[0])])

    def beside(entry: Any) -> list[Any]:
        asked.append(entry.name)
        return [Named("beside " + entry.name)] if entry.name == "B1" else []

    recorder = Recorder(store, lambda: NOW, 9, RETENTION, beside)  # type: ignore[arg-type]
    for name in ("A1", "B1", "A2"):
        note(recorder, name)
    recorder.flush()
    recorder.flush()
    assert sorted(asked) == ["A1", "B1"]
    assert store.written == [["A", "B", "A"], ["b"]]
    assert recorder.written == 4


def test_a_bug_beside_an_answer_keeps_none_from_being_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "noted", Named.of)

    def beside(entry: Any) -> list[Any]:
        raise ZeroDivisionError(entry.name)

    recorder = Recorder(store, lambda: NOW, 9, RETENTION, beside)  # type: ignore[arg-type]
    note(recorder, "A")
    with capture_logs() as written:
        recorder.flush()
    assert told(written) == [("error", "forecast not recorded", None, None)]
    assert (store.written, recorder.written, recorder.lost) == ([["A"]], 1, 1)


HELD: Any = SimpleNamespace(
    asset=SimpleNamespace(kind="stock", calendar="24/7"),
    calendar=get_calendar("24/7"),
    sessions=lambda: np.array(["2021-03-01", "2021-03-02"], "datetime64[D]"),
    series=lambda: SimpleNamespace(rv=np.array([1.0, 2.0])),
)
NO_BARS: Any = SimpleNamespace(**{**vars(HELD), "sessions": lambda: np.empty(0, "datetime64[D]")})


class Scores:
    """Refreshed, or fails to be."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.refreshed: list[str] = []

    def refresh(self, asset: str, _ledger: object) -> None:
        self.refreshed.append(asset)
        if self.error is not None:
            raise self.error


@pytest.fixture
def scorer() -> LiveScorer:
    """Of B, which this process has answered, and of what the database lists."""
    ledger: Any = SimpleNamespace(
        recorder=SimpleNamespace(flush=lambda: None, assets={"B"}),
        store=SimpleNamespace(assets=lambda: {"C", "A"}),
    )
    holdings: Any = SimpleNamespace(find=lambda _: HELD, doubt=None)
    return LiveScorer(Scores(), ledger, holdings)  # type: ignore[arg-type]


def test_what_cannot_be_scored_is_written_down_and_waits_for_other_bars(
    scorer: LiveScorer,
) -> None:
    scores: Any = scorer.scores
    scores.error = HistoryTooShort("too short")
    with capture_logs() as written:
        scorer.look()
        scorer.look()
    assert [(it["log_level"], it["event"], it["asset"], it["reason"]) for it in written] == [
        ("warning", "live forecasts not scored", "B", "too short")
    ]
    scores.error, scorer._seen = AWAY, {}
    for _ in range(2):  # a database that was away is asked again
        with pytest.raises(DatabaseUnavailable):
            scorer.look()
    assert scores.refreshed == ["B"] * 3


def test_a_second_look_at_the_same_bars_comes_after_five_seconds(
    scorer: LiveScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = []
    for seconds in (0.0, 4.75, 5.0, 60.0):
        monkeypatch.setattr(time, "monotonic", lambda now=seconds: now)
        due.append(scorer._is_due("B", HELD))
    assert due == [True, False, True, False]
    assert scorer._is_due("B", NO_BARS)


def test_a_thread_looks_each_second_and_lists_what_others_forecast_each_minute(
    scorer: LiveScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, listed, looks = [], [], []
    outcomes = {1: AWAY, 2: ZeroDivisionError()}

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 62

    def look() -> None:
        looks.append(sorted(scorer._assets))
        if len(looks) in outcomes:
            raise outcomes[len(looks)]

    def assets() -> set[str]:
        listed.append(len(waits))
        return {"C", "A"}

    monkeypatch.setattr(scorer, "_stopping", SimpleNamespace(wait=wait))
    monkeypatch.setattr(scorer, "look", look)
    scorer._ledger.store.assets = assets  # type: ignore[method-assign]
    with capture_logs() as written:
        scorer._run()
    assert (set(waits), len(looks), listed) == ({1.0}, 62, [1, 61])
    assert looks[0] == ["A", "C"]
    assert [(it["log_level"], it["event"]) for it in written] == [
        ("error", "live forecasts not scored")  # of the bug; the watcher tells of a database
    ]


def test_a_look_is_at_what_was_answered_here_or_listed(scorer: LiveScorer) -> None:
    scorer._assets = {"C", "A"}
    scorer.look()
    assert scorer.scores.refreshed == ["A", "B", "C"]  # type: ignore[attr-defined]
    scorer._stopping.set()
    scorer._seen = {}
    scorer.look()
    assert len(scorer.scores.refreshed) == 3  # type: ignore[attr-defined]


def ledger_that_reads(asked: list[tuple[object, ...]], held: object = HELD) -> Ledger:
    def live(*window: object) -> list[Any]:
        asked.append(window)
        return []

    store: Any = SimpleNamespace(live=live)
    others: Any = SimpleNamespace(flush=lambda: None, find=lambda _: held)
    return Ledger(store, others, others, others, others)


def test_a_window_ends_after_the_last_session_held_and_is_three_years_long() -> None:
    asked: list[tuple[object, ...]] = []
    ledger = ledger_that_reads(asked)
    first, last = date(2018, 3, 3), date(2021, 3, 3)  # 1,096 days
    ledger.performance("A", 5)
    ledger.performance("A", 1, end=date(2020, 1, 1))
    ledger.performance("A", 1, start=date(2020, 1, 1))
    ledger_that_reads(asked, NO_BARS).performance("A", 1)
    assert asked == [
        ("A", 5, first, last),
        ("A", 1, date(2016, 12, 31), date(2020, 1, 1)),
        ("A", 1, date(2020, 1, 1), last),
        ("A", 1, date.max - timedelta(days=1_096), date.max),
    ]


def test_a_promise_is_that_of_the_very_version() -> None:
    """Of the model for every asset as it is bound to this one; of others as the store has it."""
    universal = SimpleNamespace(
        model=SimpleNamespace(sha256="u"), bound=lambda *to: SimpleNamespace(sha256="u", of=to)
    )
    kept = {("A", "har", 2): "h", ("A", "universal", 1): "v"}

    def evidence(*version: Any) -> Any:
        if version not in kept:
            raise UnknownVersion("there is none")
        return SimpleNamespace(sha256=kept[version], of=version)

    catalogue: Any = SimpleNamespace(universal=universal, store=SimpleNamespace(evidence=evidence))
    holdings: Any = SimpleNamespace(find=lambda asset: HELD if asset == "A" else None)
    nothing: Any = None
    ledger = Ledger(nothing, nothing, nothing, holdings, catalogue)

    def promise(asset: str, model: str, version: int, sha256: str) -> Any:
        track: Any = SimpleNamespace(model=model, version=version, sha256=sha256, measure="m")
        found: Any = ledger._promise(asset, track)
        return found and found.of

    assert promise("A", "universal", 1, "u") == ("stock", "24/7", "m", 2)
    assert promise("A", "universal", 1, "v") == ("A", "universal", 1)
    assert promise("A", "har", 2, "h") == ("A", "har", 2)
    assert promise("A", "har", 2, "another") is None
    assert promise("A", "har", 3, "h") is None
    assert promise("B", "universal", 1, "u") is None  # held no longer
    universal.model = None
    assert promise("A", "universal", 1, "v") == ("A", "universal", 1)
