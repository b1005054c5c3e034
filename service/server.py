"""The service as a process: its command line, its server, and what the server does at the start."""

import argparse
import asyncio
import gc
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from service.app import create_app
from service.http.connections import ConnectionLimits, cut_off, protocol
from service.models.commands import add_models
from service.models.commands import run as run_models
from service.operations import logs
from service.security.commands import add_keys
from service.security.commands import run as run_keys
from service.settings import Settings
from volatility.allocator import move_what_grows, share_arenas
from volatility.errors import RoughcastError
from volatility.parsing import Parser

log = structlog.get_logger("service")

_SWITCH_INTERVAL = 5e-4  # seconds
_TICKS = 10  # of a tenth of a second, between looks at all connections
# Objects, and collections of the next older, between collections: the youngest are gone through in
# two milliseconds, a batch's hundred thousand, in 15, hardly ever while it is answered.
_COLLECTIONS = (25_000, 100, 10)
_TICK = 0.1  # seconds between two of uvicorn's looks at what is to be done
_CANCELLING = 1  # seconds after connections are cut in which what they asked for ends by itself
_LAST_WAIT = 0.5  # seconds for a thread that has nothing left to do
_CLOSE = (b"connection", b"close")


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop, or print the OpenAPI document."""
    parser = Parser(
        prog="python -m service",
        description="Serve forecasts over HTTP. Settings are environment variables that begin "
        "with ROUGHCAST_; service/settings.py lists them.",
    )
    parser.add_argument(
        "--openapi", action="store_true", help="print the OpenAPI document and exit"
    )
    commands = parser.add_subparsers(metavar="command")
    keys = commands.add_parser("keys", help="make, list or revoke API keys")
    add_keys(keys)
    keys.set_defaults(of=run_keys)
    models = commands.add_parser("models", help="list, promote, roll back or prune models")
    add_models(models)
    models.set_defaults(of=run_models)
    options = parser.parse_args(arguments)
    settings = _settings()
    share_arenas()
    move_what_grows()
    if "run" in options:
        logs.configure(settings.log_level)
        sys.exit(_run(options, settings))
    if options.openapi:
        json.dump(create_app(settings).openapi(), sys.stdout, indent=2, sort_keys=True)
        sys.stdout.write("\n")
        return
    logs.configure(settings.log_level)
    logs.take_over()
    app = create_app(settings)
    server_of(app, settings).run()
    end_without_stuck_threads()


def server_of(app: FastAPI, settings: Settings) -> "Server":
    """Uvicorn with the application, as the settings say."""
    limits = ConnectionLimits(
        most_connections=settings.max_connections,
        most_url_bytes=settings.max_url_bytes,
        most_header_bytes=settings.max_header_bytes,
        most_headers=settings.max_headers,
        header_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        write_timeout=settings.write_timeout,
    )
    config = uvicorn.Config(
        app,
        timeout_graceful_shutdown=settings.shutdown_timeout + _CANCELLING,
        host=settings.host,
        port=settings.port,
        http=protocol(limits, app.state.connections),
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,  # service.http.middleware writes a line for each request
        server_header=False,
        lifespan="on",
        proxy_headers=False,  # anybody can write them: an address is that of the connection
    )
    return Server(config, settings.drain_seconds, settings.shutdown_timeout)


def _settings() -> Settings:
    """Settings of the environment, or what is wrong with them on standard error and the end.

    Their values stay out of it: a URL may have a password.
    """
    try:
        return Settings()
    except ValidationError as error:
        for it in error.errors():
            name = "_".join(map(str, it["loc"])).upper()
            sys.stderr.write(f"ROUGHCAST_{name}: {it['msg']}\n")
        sys.exit(2)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """The exit status of a command, with what stopped it on standard error."""
    command: Callable[[argparse.Namespace, Settings], int] = options.of
    try:
        return command(options, settings)
    except RoughcastError as error:
        sys.stderr.write(f"{error}\n")
        return 2


class Server(uvicorn.Server):
    """Uvicorn, told when all has been put together, when connections are late, and how to stop.

    Parameters
    ----------
    config : what uvicorn knows.
    drain_seconds : in which new requests are still answered after SIGTERM.
    shutdown_timeout : seconds after those until connections are cut.
    """

    def __init__(self, config: uvicorn.Config, drain_seconds: float, shutdown_timeout: int) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._shutdown_timeout = shutdown_timeout

    async def on_tick(self, counter: int) -> bool:
        """Once a second, close the connections on which something is overdue."""
        if counter % _TICKS == 0:
            cut_off(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave what was made by now to itself."""
        await super().startup(sockets)
        spare_the_collector()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to stop; unlike uvicorn, end with 0 then. A Ctrl+C after that does not wait."""
        if sig == signal.SIGINT:
            self.force_exit = self.should_exit
            self._drain_seconds = 0.0  # somebody waits, and no load balancer
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer for a while as before, then only what is under way, and cut what stalls."""
        await self._drain()
        cutting = asyncio.get_running_loop().call_later(self._shutdown_timeout, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()

    async def _drain(self) -> None:
        """Say that this process ends: by readiness, and by closing each connection once it may.

        A client that keeps connections open learns of it by the answer to its next request. Were
        they closed at once, a request on its way would get no answer.
        """
        self.lifespan.state["draining"].begun = True
        self.config.encoded_headers.append(_CLOSE)
        for connection in list(self.server_state.connections):
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                connection.shutdown()  # after the answer
        for tick in range(round(self._drain_seconds / _TICK)):
            if self.force_exit:
                return
            await self.on_tick(tick)
            await asyncio.sleep(_TICK)

    def _cut(self) -> None:
        connections = list(self.server_state.connections)
        if connections:
            log.warning("connections cut", connections=len(connections))
        for connection in connections:
            connection.transport.abort()


def end_without_stuck_threads() -> None:
    """End the process at once if a thread goes on, such as one that a file system keeps waiting.

    Python would wait for it. What a database has acknowledged is in it, and models are only read.
    """
    others = [it for it in threading.enumerate() if it is not threading.current_thread()]
    waited_for = [it for it in others if not it.daemon]
    for it in waited_for:
        it.join(_LAST_WAIT)
    stuck = [it.name for it in waited_for if it.is_alive()]
    if stuck:
        log.warning("threads left behind", threads=stuck)
        sys.stderr.flush()
        os._exit(0)


def spare_the_collector() -> None:
    """Keep Python's collector of cycles, and its threads, from keeping the event loop waiting.

    By default the collector goes through all that was made at the start again and again, and a
    thread runs for 5 ms before the event loop has its turn. What the start has left over stays, a
    megabyte: the first request would wait 0.15 s for the collector to go through all the rest.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    gc.enable()
