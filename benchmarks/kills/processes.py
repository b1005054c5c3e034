"""A process that is killed at a random moment, and what that left."""

import contextlib
import multiprocessing
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import NamedTuple

from service import server
from service.http.errors import DatabaseUnavailable
from service.settings import Settings

UP_SECONDS = 120
PRELOADED = [  # what a service imports until it serves
    "exchange_calendars",
    "service.server",
    "tests.service.worlds",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
]

Serving = Callable[[], None]  # what the process does until it is killed
Mutate = Callable[[], None]  # called in the process that is to be killed, before it writes


class Found(NamedTuple):
    """What one kill, or several, left."""

    kills: int = 0
    acknowledged: int = 0  # writes
    under_way: int = 0  # writes that were, without an answer, when the process was killed
    lost: int = 0  # acknowledged, and not there
    partial: int = 0  # there in part, or unreadable
    unrecorded: int = 0  # forecasts under way that had been answered, and are not there

    def __add__(self, other: "Found") -> "Found":  # type: ignore[override]
        return Found(*map(sum, zip(self, other, strict=True)))


def nothing() -> None:
    """Leave the writer as it is."""


def environment_of(settings: Settings, port: int) -> dict[str, str]:
    """How a service is told of a store, a database and a port."""
    return {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": str(port),
    }


def serve(environment: dict[str, str], mutate: Mutate) -> None:
    """Be a service of these settings."""
    mutate()
    os.environ.update(environment)
    sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115 - until the process is killed
    server.main([])


@contextlib.contextmanager
def started(target: Serving) -> Iterator[BaseProcess]:
    """A process that is killed at the end."""
    process = context().Process(target=target, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def context() -> multiprocessing.context.ForkServerContext:
    """Processes that are forked from one that has imported everything."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(PRELOADED)
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


def wait_until_up(process: BaseProcess, port: int) -> None:
    """Wait until a service answers.

    Raises
    ------
    DatabaseUnavailable : it has ended, or takes too long.
    """
    give_up = time.monotonic() + UP_SECONDS
    while process.is_alive() and time.monotonic() < give_up:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise DatabaseUnavailable("the service did not start again on what a kill had left")
