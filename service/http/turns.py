"""Long bodies are read by turns, one in each round of the event loop.

A round that reads of two dozen bodies, and refuses those that there is no room for, takes up to
eight milliseconds, and a forecast waits for two or three rounds.
"""

import asyncio
from typing import Any, Protocol


class Reader(Protocol):
    """A connection on which a body comes."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    flow: Any  # uvicorn's: whether it has paused it until the application takes what has come


class Turns:
    """The connections that wait for their turn."""

    def __init__(self) -> None:
        self._waiting: dict[Reader, None] = {}  # in the order in which they came

    def wait(self, reader: Reader) -> None:
        """Read no more from a connection until it is its turn."""
        reader.transport.pause_reading()
        if not self._waiting:
            reader.loop.call_soon(self._next)
        self._waiting[reader] = None

    def _next(self) -> None:
        reader = next(iter(self._waiting))
        del self._waiting[reader]
        if self._waiting:
            reader.loop.call_soon(self._next)
        if not reader.flow.read_paused:
            reader.transport.resume_reading()
