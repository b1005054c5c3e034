"""Clients that ask for forecasts at a steady pace, each of all services by turns."""

import contextlib
import http.client
import itertools
import json
import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

RATE = 50  # requests a second of each client


class Asked(NamedTuple):
    """One answer: when it was asked for, how long it took, and what it is."""

    at: float  # seconds of the clock that all processes share
    seconds: float
    status: int
    body: bytes


class _Clients:
    """Processes that ask until they are told to stop."""

    def __init__(self, ports: Sequence[int], asked: Sequence[dict[str, Any]]) -> None:
        fork = multiprocessing.get_context("fork")
        self._pipes, self._processes = [], []
        self.answers: list[list[Asked]] = []
        for place, question in enumerate(asked):
            ours, theirs = fork.Pipe()
            delay = place / len(asked) / RATE
            process = fork.Process(target=_ask, args=(theirs, ports, question, delay), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def stop(self) -> None:
        for pipe in self._pipes:
            pipe.send(None)
        self.answers = [pipe.recv() for pipe in self._pipes]
        for process in self._processes:
            process.join()


@contextlib.contextmanager
def clients(ports: Sequence[int], asked: Sequence[dict[str, Any]]) -> Iterator[_Clients]:
    """One client a question; their answers are there once they have stopped."""
    found = _Clients(ports, asked)
    yield found
    found.stop()


def _ask(pipe: Connection, ports: Sequence[int], question: dict[str, Any], delay: float) -> None:
    """Ask at a steady pace, whatever the answers take."""
    found: list[Asked] = []
    stopping = threading.Event()

    def wait() -> None:
        pipe.recv()
        stopping.set()

    threading.Thread(target=wait, daemon=True).start()
    content = json.dumps(question)
    with contextlib.ExitStack() as connections:
        services = [connections.enter_context(connected(it)) for it in ports]
        at = time.monotonic() + delay
        for service in itertools.cycle(services):
            if stopping.is_set():
                break
            time.sleep(max(0.0, at - time.monotonic()))
            began = time.monotonic()
            status, body = send(service, "POST", "/forecast", content)
            found.append(Asked(began, time.monotonic() - began, status, body))
            at = max(at + 1 / RATE, began)
    pipe.send(found)


@contextlib.contextmanager
def connected(port: int) -> Iterator[http.client.HTTPConnection]:
    """A connection to a service on this machine."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as it:
        yield it


def send(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None
) -> tuple[int, bytes]:
    """Status and content of an answer; a text is sent as it is, anything else as JSON."""
    content = body if isinstance(body, str) else None if body is None else json.dumps(body)
    connection.request(method, path, content, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()
