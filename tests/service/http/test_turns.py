"""Of connections that wait for their turn, one is read in each round of the event loop."""

import asyncio
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

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


def told_of(
    readers: Callable[[list[str]], Iterable[Reader]], rounds: int, again: bool = False
) -> list[str]:
    """What connections were told that came at one time, and when a round of the loop ended."""
    told: list[str] = []

    async def wait() -> None:
        turns = Turns()
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
    told = told_of(lambda told: [Reader(it, told) for it in "abc"], rounds=4, again=True)
    assert told[:3] == ["a pauses", "b pauses", "c pauses"]
    turns = ["a reads on", "round", "b reads on", "round", "c reads on", "round", "round"]
    assert told[3:10] == turns
    assert told[10:] == ["again pauses", "again reads on"]


def test_one_that_waits_already_does_not_wait_twice() -> None:
    told = told_of(lambda told: [Reader("a", told)] * 2, rounds=3)
    assert told == ["a pauses", "a pauses", "a reads on", "round", "round", "round"]


def test_one_of_which_the_application_has_taken_too_little_is_not_read() -> None:
    told = told_of(lambda told: [Reader("a", told, is_full=True), Reader("b", told)], rounds=2)
    assert told == ["a pauses", "b pauses", "round", "b reads on", "round"]
