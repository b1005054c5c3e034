"""What the verifier does, in which order, and writes down; beside a catalogue made by hand."""

from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from models_store.comparison import JUDGED
from service.http.lanes import Lane
from service.models import log as models_log
from service.models import verifier as verifying
from service.models.verifier import Verifier


class Turns:
    """Counts the waits, and stops after some."""

    def __init__(self, waits: int, *, stopped: bool = False) -> None:
        self.left, self.seconds, self.stopped = waits, list[float](), stopped

    def wait(self, seconds: float) -> bool:
        self.seconds.append(seconds)
        self.left -= 1
        return self.left < 0

    def is_set(self) -> bool:
        return self.stopped


@pytest.fixture
def done() -> list[tuple[object, ...]]:
    return []


@pytest.fixture
def verifier(done: list[tuple[object, ...]]) -> Verifier:
    """Of two assets, of which one model each fails; what is lost comes back at the first try."""
    models = {"A": ["har"], "B": ["lstm", "har"]}
    fails = {("A", "har"), ("B", "lost"), ("B", JUDGED)}

    def noting(what: str, result: object = None) -> Any:
        def note(*of: object) -> object:
            done.append((what, *of))
            if of in fails:
                raise KeyError(of)
            return result

        return note

    lost = [("C", "har"), ("B", "lost"), ("B", "har"), ("A", "har")]
    catalogue: Any = SimpleNamespace(
        assets=lambda: ["A", "B"],
        models=models.__getitem__,
        prepare=noting("verify"),
        totals=lambda: {"assets": 2, "models": 3},
        shelf=SimpleNamespace(refused=[1, 2, 3], lost=lambda: lost),
        standings=SimpleNamespace(comparison=noting("compare")),
    )
    turner: Any = SimpleNamespace(retry=noting("retry", result=True))
    return Verifier(catalogue, turner, Lane("models", 1, 1))


VERIFIED = [
    ("verify", "A", "auto"),
    ("verify", "B", "auto"),
    ("verify", "A", "har"),
    ("verify", "B", "lstm"),
    ("verify", "B", "har"),
]
COMPARED = [("compare", "A", JUDGED), ("compare", "B", JUDGED)]
RETRIED = [("retry", *of) for of in (("C", "har"), ("B", "lost"), ("B", "har"), ("A", "har"))]


def test_all_is_verified_and_compared_once_and_what_is_back_again(
    verifier: Verifier, done: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(1)
    monkeypatch.setattr(verifier, "_stopping", turns)
    with capture_logs() as lines:
        verifier._run()
    back = [("verify", "B", "auto"), ("verify", "B", "lstm"), ("verify", "B", "har")]
    assert done == [*VERIFIED, *COMPARED, *RETRIED, *back, ("compare", "B", JUDGED)]
    assert turns.seconds == [5.0, 5.0]
    verified = {"assets": 2, "models": 3, "refused": 3}
    told = [{name: it[name] for name in it if name != "exc_info"} for it in lines]
    assert told == [
        {"event": "model not verified", "log_level": "error", "asset": "A", "model": "har"},
        {"event": "models verified", "log_level": "info", **verified},
        {"event": "models not compared", "log_level": "error", "asset": "B"},
        {
            "event": "what is lost not tried again",
            "log_level": "error",
            "asset": "B",
            "model": "lost",
        },
        {
            "event": "what is lost not tried again",
            "log_level": "error",
            "asset": "A",
            "model": "har",
        },
        {"event": "models not compared", "log_level": "error", "asset": "B"},
    ]


def test_a_stop_ends_each_part(
    verifier: Verifier, done: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_stopping", Turns(1, stopped=True))
    with capture_logs() as lines:
        verifier._run()
        verifier._compare(["A"])
        assert verifier._retry() == []
    assert (done, lines) == ([], [])


def test_that_something_can_be_read_again_is_written_down() -> None:
    with capture_logs() as lines:
        models_log.returned("A", "har", 2)
    assert lines == [
        {
            "event": "artifact can be read again",
            "log_level": "info",
            "asset": "A",
            "model": "har",
            "version": 2,
        }
    ]


class Clock:
    """Time that passes while the verifier waits."""

    def __init__(self, done: list[tuple[object, ...]]) -> None:
        self.now, self.done, self.stopped = 100.0, done, False

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.done.append(("wait", seconds))
        self.now += seconds
        return self.stopped

    def is_set(self) -> bool:
        return self.stopped


@pytest.fixture
def clock(
    verifier: Verifier, done: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> Clock:
    clock = Clock(done)
    monkeypatch.setattr(verifier, "_stopping", clock)
    monkeypatch.setattr(verifying, "time", clock)
    return clock


def asked_again_and_again(
    verifier: Verifier, monkeypatch: pytest.MonkeyPatch, *first: tuple[int, int]
) -> None:
    """Requests, each time how many have come in and how many are under way; the last never ends."""
    rest = iter(first)

    class Requests:
        @property
        def taken(self) -> int:
            taken, self.busy = next(rest, (9, 1))
            return taken

    monkeypatch.setattr(verifier, "_requests", Requests())


WAIT = ("wait", 0.005)


@pytest.mark.usefixtures("clock")
def test_requests_for_models_come_first_for_half_a_second(
    verifier: Verifier, done: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_again_and_again(verifier, monkeypatch, (1, 0), (2, 0), (2, 0))
    with capture_logs():
        verifier._verify(["A"])
    assert done[:3] == [WAIT, WAIT, ("verify", "A", "auto")]
    assert done[-1] == ("verify", "A", "har")
    assert set(done[3:-1]) == {WAIT}
    assert 100 <= len(done[3:-1]) <= 101


@pytest.mark.usefixtures("clock")
def test_all_is_verified_however_many_requests_come(
    verifier: Verifier, done: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_again_and_again(verifier, monkeypatch)
    with capture_logs():
        verifier._verify(["A"] * 100)
    assert 60 / 0.005 <= done.count(WAIT) <= 60 / 0.005 + 121
    assert len(done) - done.count(WAIT) == 200


def test_a_stop_is_not_kept_waiting_by_requests(
    verifier: Verifier,
    done: list[tuple[object, ...]],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked_again_and_again(verifier, monkeypatch)
    clock.stopped = True
    verifier._verify(["A"])
    assert done == [WAIT]
