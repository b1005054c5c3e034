"""Of connections that wait for their turn, one is read in each round of the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from service.http.turns import Turns


class Transport:
    """Tells by name what it was asked to do, and in which round."""

    def __init__(self, name: str, told: list[str]) -> None:
        self.name, self.told = name, told

    def pause_reading(self) -> None:
        self.told.append(f"{self.name} pauses")

    def resume_reading(self) -> None:
        self.told.append(f"{self.name} reads on")


class Reader:
    def __init__(self, name: str, told: list[str], is_full: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport: Any = Transport(name, told)
        self.flow = SimpleNamespace(read_paused=is_full)

    def read_at_once(self, number: int) -> None:
        self.transport.told.append(f"{self.transport.name} {number}")


def told_of(
    readers: Callable[[list[str]], Iterable[Reader]], rounds: int, again: bool = False
) -> list[str]:
    """What connections were told that came at one time, and when a round of the loop ended."""
    told: list[str] = []

    async def wait() -> None:
        turns = Turns(1, 4)
        for it in readers(told):
            turns.wait(it)
        for _ in range(rounds):
            await asyncio.sleep(0)
            told.append("round")
        if again:
            turns.wait(Reader("again", told))
            await asyncio.sleep(0)

    asyncio.run(wait())
    return told


def test_each_has_its_turn_in_the_order_in_which_they_came() -> None:
    told = told_of(lambda told: [Reader(it, told) for it in "ab"], rounds=4, again=True)
    assert told[:2] == ["a pauses", "b pauses"]
    assert told[2:-4] == [
        *("a 4", "a reads on", "round"),
        *("b 4", "b reads on", "round"),
        *("a 1", "round"),  # it has read in the round before
        *("b 1", "round"),
    ]
    assert told[-4:] == ["again pauses", "again 4", "again reads on", "again 1"]


def test_one_that_waits_already_does_not_wait_twice() -> None:
    told = told_of(lambda told: [Reader("a", told)] * 2, rounds=3)
    assert [it for it in told if it != "round"] == [
        *("a pauses", "a pauses", "a 4", "a reads on", "a 1")
    ]


def test_one_of_which_the_application_has_taken_too_little_is_not_read() -> None:
    told = told_of(lambda told: [Reader("a", told, is_full=True), Reader("b", told)], rounds=2)
    assert told == ["a pauses", "b pauses", "round", "b 4", "b reads on", "round", "b 1"]


@pytest.mark.parametrize("leaving", ["a", "ab"])
def test_one_that_is_closed_has_no_turn(leaving: str) -> None:
    told: list[str] = []

    async def wait() -> None:
        turns, readers = Turns(1, 4), {it: Reader(it, told) for it in "ab"}
        for it in readers.values():
            turns.wait(it)
        for name in leaving:
            turns.leave(readers[name])
        turns.leave(Reader("c", told))
        for _ in range(4):
            await asyncio.sleep(0)
        turns.wait(Reader("d", told))
        await asyncio.sleep(0)

    asyncio.run(wait())
    assert [it for it in told if it.endswith("on")] == [
        f"{it} reads on" for it in "abd" if it not in leaving
    ]
