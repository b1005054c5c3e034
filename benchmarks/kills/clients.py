"""Clients of a service that is killed."""

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.kills.processes import UP_SECONDS, Serving, started, wait_until_up

LONGEST_WAIT = 0.3  # seconds from the first answers to a kill


class Client:
    """Sends requests until it gets no answer.

    Attributes
    ----------
    done : set once the first of them is, since the start.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.done = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send from now on, in a thread."""
        self.done.clear()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        """End, where no answer that fails to come would tell it."""

    def join(self) -> None:
        """Wait until it has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=UP_SECONDS)
        try:
            while True:
                self.turn(connection)
        except (OSError, http.client.HTTPException):
            pass  # the process has been killed
        finally:
            connection.close()

    def turn(self, connection: http.client.HTTPConnection) -> None:
        """Send one request, and keep what came of it."""
        raise NotImplementedError


@contextmanager
def served(serving: Serving, port: int, clients: Sequence[Client]) -> Iterator[None]:
    """A service that is up, and killed at the end; then the clients end, too."""
    with started(serving) as process:
        wait_until_up(process, port)
        yield
    for it in clients:
        it.stop()
    for it in clients:
        it.join()


def ask(clients: Sequence[Client], chance: random.Random) -> None:
    """Let clients ask until each has had an answer, and a moment longer."""
    for it in clients:
        it.start()
    for it in clients:
        it.done.wait(UP_SECONDS)
    time.sleep(chance.uniform(0, LONGEST_WAIT))


def call(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    content = None if body is None else json.dumps(body)
    connection.request(method, path, content, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
