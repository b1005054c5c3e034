"""What `make motion` counts is what it says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.motion import __main__ as motion
from benchmarks.motion import changing
from benchmarks.motion.__main__ import Tally
from benchmarks.motion.asking import Asked
from benchmarks.motion.changing import Change, Changer, History
from benchmarks.motion.states import (
    ASSET,
    HIGHS,
    LARGER,
    MODEL,
    State,
    is_held,
    known,
    last_bar,
    publish_another,
    questions,
)
from models_store import Store, open_store
from volatility.datasets import load
from volatility.series import RealizedSeries


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(tmp_path / "store")
    publish_another(store)
    return store


def test_the_second_version_passes_and_says_something_else(store: Store) -> None:
    history = RealizedSeries(np.array([1e-3, 2e-3] * 11), "garman_klass")
    first, second = (store.load(ASSET, MODEL, version) for version in (1, 2))
    for horizon, factor in ((1, LARGER), (5, 1.0)):
        before = first.forecast(history, horizon=horizon).rv
        assert second.forecast(history, horizon=horizon).rv == pytest.approx(factor * before)


def test_clients_ask_of_held_history_and_of_their_own() -> None:
    asked = questions()
    assert [sorted(it.get("history", {})) for it in asked] == [[], [], ["rv"], ["bars"]]
    assert [is_held(it) for it in asked] == [True, True, False, False]
    assert len(asked[3]["history"]["bars"]) == 250


def test_the_last_bar_is_the_one_that_is_shipped_and_others_of_its_day() -> None:
    bars = [last_bar(place) for place in range(len(HIGHS))]
    shipped = load(ASSET).bars
    assert bars[0]["date"] == str(shipped.dates[-1])
    assert [bars[0][it] for it in ("open", "high", "low", "close")] == [
        getattr(shipped, it)[-1] for it in ("open", "high", "low", "close")
    ]
    assert len({it["high"] for it in bars}) == len(HIGHS)
    assert all(it | {"high": 0} == bars[0] | {"high": 0} for it in bars)


def answer(name: str, rv: float, skill: float = 0.0) -> bytes:
    return json.dumps({"forecast_id": name, "rv": rv, "skill": skill}).encode()


STATES = [State(version, bar) for version in (1, 2) for bar in (0, 1)]


def test_each_answer_is_of_one_state() -> None:
    bodies = [answer(name, rv) for name, rv in zip("abcd", (1, 2, 3, 4), strict=True)]
    pairs = list(zip(STATES, bodies, strict=True))
    assert known(pairs, held=True) == dict(zip(bodies, STATES, strict=True))
    of_its_own = [bodies[0], bodies[0], bodies[1], bodies[1]]
    assert known(list(zip(STATES, of_its_own, strict=True)), held=False) == {
        bodies[0]: State(1, None),
        bodies[1]: State(2, None),
    }
    # Skill is of all models: the forecast may be the same.
    others = [answer("a", 1, skill) for skill in (0.1, 0.2, 0.3, 0.4)]
    assert len(known(list(zip(STATES, others, strict=True)), held=True)) == 4


@pytest.mark.parametrize(
    ("bodies", "held", "reason"),
    [
        ([answer(name, 1) for name in "abca"], True, "answer alike"),
        ([answer(name, 1) for name in "aabb"], True, "answer alike"),
        ([answer(name, 1) for name in "abcc"], False, "in two ways"),
        ([answer("a", rv) for rv in (1, 2, 3, 4)], True, "one forecast_id"),
    ],
)
def test_answers_that_do_not_tell_states_apart_are_refused(
    bodies: list[bytes], held: bool, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        known(list(zip(STATES, bodies, strict=True)), held)


CHANGES = [Change(2, 10.0, 10.5, 11.0), Change(1, 20.0, 20.5, 21.0)]  # after 1


@pytest.mark.parametrize(
    ("value", "began", "ended", "is_allowed"),
    [
        (1, 0.0, 0.1, True),
        (2, 9.8, 9.9, False),  # before it is begun
        (2, 9.9, 10.0, True),
        (1, 11.0, 11.1, True),
        (1, 11.1, 11.2, False),  # all had been seen to say 2
        (2, 15.0, 15.1, True),
        (2, 21.1, 21.2, False),
        (1, 30.0, 30.1, True),
        (1, 12.0, 20.0, True),  # a long one
        (3, 15.0, 15.1, False),
    ],
)
def test_an_answer_is_of_what_was_to_be_answered_then(
    value: int, began: float, ended: float, is_allowed: bool
) -> None:
    assert History(1, CHANGES).allows(value, began, ended) == is_allowed


def test_what_fails_is_of_two_states_or_late_is_counted() -> None:
    answers = {b"a": State(1, 0), b"b": State(2, 0), b"c": State(1, 1), b"d": State(2, None)}
    tally, bars = Tally(), History(0)
    for milliseconds, status, body in (
        (1, 200, b"b"),
        (2, 200, b"d"),
        (3, 200, b"a"),  # of the version before
        (4, 200, b"c"),  # of no bar so far, either
        (5, 200, b"e"),
        (6, 503, b""),
    ):
        asked = Asked(15.0, milliseconds / 1e3, status, body)
        tally.add(asked, answers, History(1, CHANGES), bars)
    assert (tally.failed, tally.mixed, tally.late, len(tally.seconds)) == (1, 1, 2, 6)
    assert tally.percentile(50) == pytest.approx(3.5e-3)
    row = motion._row("it", tally, "300 MB")
    assert row == "| it | 6 | 1 | 1 | 2 | 3.50 ms | 5.95 ms | 300 MB |"
    row = motion._change_row("it", CHANGES)
    assert row == "| it | 2 | 0.50 / 0.50 s | 0.50 / 0.50 s |"


class Services:
    """Two that say what the store and one of them were told: the second always later."""

    def __init__(self, store: Store) -> None:
        self._store, self._bar, self._said = store, 0, dict[int, tuple[int, int]]()
        self.commands: list[tuple[int, str, Any]] = []

    def send(self, port: int, _method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        if path == "/forecast":
            now = self._store.current(ASSET, MODEL) or 0, self._bar
            before = self._said.get(port, (1, 0))
            self._said[port] = now
            version, bar = before if port == 2 else now
            return 200, f"{version} {bar}".encode()
        self.commands.append((port, path.rpartition("/")[2], body))
        if path.endswith("promote"):
            self._store.promote(ASSET, MODEL, body["version"])
        elif path.endswith("roll-back"):
            self._store.roll_back(ASSET, MODEL)
        else:
            self._bar = [last_bar(it) for it in range(len(HIGHS))].index(body["bars"][0])
        version = self._store.current(ASSET, MODEL)
        said = {"served_version": version, "promoted_version": version}
        return 200, json.dumps(said).encode()


@pytest.fixture
def services(store: Store, monkeypatch: pytest.MonkeyPatch) -> Services:
    found = Services(store)
    monkeypatch.setattr(changing, "connected", _itself)
    monkeypatch.setattr(changing, "send", found.send)
    monkeypatch.setattr(changing, "BETWEEN_LOOKS", 0.0)
    return found


class _itself:  # noqa: N801 - in the place of a function
    """A connection to a port that is the port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> int:
        return self._port

    def __exit__(self, *_: object) -> None:
        pass


def test_versions_and_bars_are_changed_by_turns_until_both_services_say_so(
    store: Store, services: Services
) -> None:
    bars = range(len(HIGHS))
    answers = {
        f"{version} {bar}".encode(): State(version, bar) for version in (1, 2) for bar in bars
    }
    changer = Changer((1, 2), store, {}, answers)
    for _ in range(4):
        changer.exchange()
        changer.put()
    assert services.commands == [
        (1, "promote", {"version": 2}),
        (1, "bars?replace=true", {"bars": [last_bar(1)]}),
        (2, "bars?replace=true", {"bars": [last_bar(2)]}),
        (1, "bars?replace=true", {"bars": [last_bar(0)]}),
        (2, "roll-back", None),
        (2, "bars?replace=true", {"bars": [last_bar(1)]}),
    ]
    assert [it.value for it in changer.versions.changes] == [2, 1, 2, 1]
    assert [it.value for it in changer.bars.changes] == [1, 2, 0, 1]
    for it in (*changer.versions.changes, *changer.bars.changes):
        assert it.began < it.answered < it.agreed


def test_a_service_that_does_not_follow_is_waited_for_no_longer_than_is_patient(
    store: Store, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changing, "PATIENCE", 0.0)
    with pytest.raises(TimeoutError, match="does not answer by 2"):
        Changer((1, 2), store, {}, {}).exchange()
