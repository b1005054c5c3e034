"""Long bodies are read by turns, one in each round of the event loop.

A round that reads of two dozen bodies, and refuses those that there is no room for, takes up to
eight milliseconds, and a forecast waits for two or three rounds. Who sends more slowly than we read
waits for no turn.
"""

import asyncio
from typing import Any, Protocol


class Reader(Protocol):
    """A connection on which a body comes, faster than it is read."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any  # uvicorn's: whether it has paused it until the application takes what has come

    def read_at_once(self, number: int) -> None:
        """Read at most so many bytes in one go."""


class Turns:
    """The connections that wait for their turn.

    Parameters
    ----------
    at_once : bytes that are read of each otherwise.
    in_a_turn : bytes that are read when it is its turn.
    """

    def __init__(self, at_once: int, in_a_turn: int) -> None:
        self._at_once, self._in_a_turn = at_once, in_a_turn
        self._waiting: dict[Reader, None] = {}  # in the order in which they came
        self._is_scheduled = False

    def wait(self, reader: Reader) -> None:
        """Read no more from a connection until it is its turn."""
        reader.transport.pause_reading()
        self._waiting[reader] = None
        if not self._is_scheduled:
            self._is_scheduled = True
            reader.loop.call_soon(self._next, reader.loop)

    def leave(self, reader: Reader) -> None:
        """Have no more turns, such as a connection that is closed."""
        self._waiting.pop(reader, None)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_scheduled = len(self._waiting) > 1
        if self._is_scheduled:
            loop.call_soon(self._next, loop)
        reader = next(iter(self._waiting), None)
        if reader is None:  # all have left
            return
        del self._waiting[reader]
        if not reader.flow.read_paused:
            self._begin(reader)

    def _begin(self, reader: Reader) -> None:
        """Let it read much in the next round, and no longer: many may have nothing to read now."""
        reader.read_at_once(self._in_a_turn)
        reader.transport.resume_reading()
        # What is called soon runs before what the next round reads: it is the one after that.
        reader.loop.call_soon(reader.loop.call_soon, reader.read_at_once, self._at_once)
