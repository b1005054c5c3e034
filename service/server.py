"""The service as a process: its command line, its server, and what the server does at the start."""

import argparse
import asyncio
import gc
import json
import socket
import sys
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI

from service.app import create_app
from service.http.connections import ConnectionLimits, cut_off, protocol
from service.operations import logs
from service.security.commands import add_keys
from service.security.commands import run as run_keys
from service.settings import Settings
from volatility.errors import RoughcastError

_SWITCH_INTERVAL = 5e-4  # seconds
_TICKS = 10  # of a tenth of a second, between looks at all connections
# Objects, and collections of the next older, between collections: the youngest are gone through in
# two milliseconds, a batch's hundred thousand, in 15, hardly ever while it is answered.
_COLLECTIONS = (25_000, 100, 10)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop, or print the OpenAPI document."""
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve forecasts over HTTP. Settings are environment variables that begin "
        "with ROUGHCAST_; service/settings.py lists them.",
    )
    parser.add_argument(
        "--openapi", action="store_true", help="print the OpenAPI document and exit"
    )
    commands = parser.add_subparsers(metavar="command")
    add_keys(commands.add_parser("keys", help="make, list or revoke API keys"))
    options = parser.parse_args(arguments)
    settings = Settings()
    if "run" in options:
        sys.exit(_run(options, settings))
    app = create_app(settings)
    if options.openapi:
        json.dump(app.openapi(), sys.stdout, indent=2, sort_keys=True)
        sys.stdout.write("\n")
        return
    logs.configure(settings.log_level)
    Server(configured(app, settings)).run()


def configured(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the application."""
    limits = ConnectionLimits(
        most_connections=settings.max_connections,
        most_url_bytes=settings.max_url_bytes,
        most_header_bytes=settings.max_header_bytes,
        most_headers=settings.max_headers,
        header_timeout=settings.header_timeout,
        body_timeout=settings.body_timeout,
        write_timeout=settings.write_timeout,
    )
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol(limits),
        ws="none",
        loop="asyncio",
        log_config=None,
        access_log=False,  # service.http.middleware writes a line for each request
        server_header=False,
        lifespan="on",
    )


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """The exit status of a command, with what stopped it on standard error."""
    try:
        run_keys(options, settings)
    except RoughcastError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


class Server(uvicorn.Server):
    """Uvicorn, told when the application has been put together, and when connections are late."""

    async def on_tick(self, counter: int) -> bool:
        """Once a second, close the connections on which something is overdue."""
        if counter % _TICKS == 0:
            cut_off(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave what was made by now to itself."""
        await super().startup(sockets)
        spare_the_collector()


def spare_the_collector() -> None:
    """Keep Python's collector of cycles, and its threads, from keeping the event loop waiting.

    By default the collector goes through all that was made at the start again and again, and a
    thread runs for 5 ms before the event loop has its turn.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    gc.enable()
