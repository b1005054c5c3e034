"""``python -m service``: serve, or print the OpenAPI document."""

import argparse
import json
import sys
from collections.abc import Sequence

import uvicorn

from service import logs
from service.app import create_app
from service.settings import Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until told to stop; settings come from the environment."""
    parser = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve forecasts over HTTP. Settings are environment variables that begin "
        "with ROUGHCAST_; service/settings.py lists them.",
    )
    parser.add_argument(
        "--openapi", action="store_true", help="print the OpenAPI document and exit"
    )
    settings = Settings()
    app = create_app(settings)
    if parser.parse_args(arguments).openapi:
        json.dump(app.openapi(), sys.stdout, indent=2, sort_keys=True)
        sys.stdout.write("\n")
        return
    logs.configure(settings.log_level)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # service.envelope writes a line for each request
        server_header=False,
        lifespan="on",
    )


if __name__ == "__main__":
    main()
