"""The service as a process: its command line, its server, and what the server does at the start."""

import argparse
import gc
import json
import socket
import sys
from collections.abc import Sequence

import uvicorn

from service.app import create_app
from service.operations import logs
from service.security.commands import add_keys
from service.security.commands import run as run_keys
from service.settings import Settings
from volatility.errors import RoughcastError

_ALLOCATIONS_BETWEEN_COLLECTIONS = 50_000


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
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # service.http.middleware writes a line for each request
        server_header=False,
        lifespan="on",
    )
    Server(config).run()


def _run(options: argparse.Namespace, settings: Settings) -> int:
    """The exit status of a command, with what stopped it on standard error."""
    try:
        run_keys(options, settings)
    except RoughcastError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


class Server(uvicorn.Server):
    """Uvicorn, told when the application has been put together."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then leave what was made by now to itself."""
        await super().startup(sockets)
        spare_the_collector()


def spare_the_collector() -> None:
    """Keep Python's collector of cycles from going through all that lives as long as the process.

    A batch makes a hundred thousand objects, none of them in a cycle; by default the collector
    looks at them, and at all that was made at the start, several times.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
    gc.enable()
