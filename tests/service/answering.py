"""A service in a thread of this process, so that its clock can be set."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from service.app import create_app
from service.http.clock import Clock
from service.settings import Settings


@contextmanager
def answering(settings: Settings, clock: Clock) -> Iterator[str]:
    """A service that answers on a port; its address."""
    config = uvicorn.Config(
        create_app(settings, clock), port=0, lifespan="on", log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def eventually(holds: Callable[[], bool], patience: float = 60) -> None:
    """Wait for something that takes a while on a busy machine, at most so many seconds."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)
