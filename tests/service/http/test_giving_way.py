"""Who computes for long lets others run, and who has just done so does not again."""

import threading
from types import SimpleNamespace

import pytest

from service.http import giving_way
from service.http.giving_way import give_way


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was slept, by a clock of ten microseconds a look."""
    slept: list[float] = []
    looks = iter(range(100_000))
    clock = SimpleNamespace(sleep=slept.append, perf_counter=lambda: 1.0 + 1e-5 * next(looks))
    monkeypatch.setattr(giving_way, "time", clock)
    monkeypatch.setattr(giving_way, "_since", giving_way._Since())
    return slept


def test_it_is_given_at_first_and_after_some_tenths_of_a_millisecond(slept: list[float]) -> None:
    give_way()
    assert slept == [0]
    for _ in range(49):
        give_way()
    assert slept == [0]
    for _ in range(2):
        give_way()
    assert slept == [0, 0]


def test_each_thread_has_its_own_time(slept: list[float]) -> None:
    give_way()
    other = threading.Thread(target=give_way)
    other.start()
    other.join()
    assert slept == [0, 0]
