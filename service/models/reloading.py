"""``python -m service models reload``: have a running service look at its store now."""

import argparse
import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from service.settings import Settings

_KEY = "ROUGHCAST_API_KEY"  # in the environment, where no list of processes shows it
_WITHIN = 600.0  # seconds: what is new is verified, opened and compared before the answer
_LONGEST = 1 << 24  # bytes of an answer


def add_reload(parser: argparse.ArgumentParser) -> None:
    """Options of ``models reload``."""
    parser.add_argument(
        "--service",
        type=_address,
        metavar="URL",
        help="where it answers (default: ROUGHCAST_HOST and ROUGHCAST_PORT); its key, if it needs "
        f"one, is {_KEY} in the environment",
    )


def reload(options: argparse.Namespace, settings: Settings) -> int:
    """Ask the service and say what serves now; 1 where something was refused, 2 without answer."""
    url = options.service or f"http://{settings.host}:{settings.port}"
    request = urllib.request.Request(f"{url}/admin/reload", method="POST")  # noqa: S310
    if key := os.environ.get(_KEY, "").strip():
        request.add_header("Authorization", f"Bearer {key}")
    try:
        # Of an address that the operator has named, by HTTP.
        with urllib.request.urlopen(request, timeout=_WITHIN) as answer:  # noqa: S310
            turned = json.loads(answer.read(_LONGEST))
    except urllib.error.HTTPError as error:
        return _failed(url, f"refuses: {error.code} {_detail(error)}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        return _failed(url, f"does not answer as a service does: {error}")
    for line in _told(turned):
        sys.stderr.write(f"{line}\n")
    return 1 if turned["refused"] else 0


def _told(turned: dict[str, Any]) -> list[str]:
    swaps, champions, refused = turned["swaps"], turned["champions"], turned["refused"]
    return [
        *(f"version {it['served']} of {it['asset']}/{it['model']} serves" for it in swaps),
        *(f"the champion of {it['asset']} is {it['champion']}" for it in champions),
        *(f"{it['asset']}/{it['model']} is refused: {it['reason']}" for it in refused),
    ] or ["nothing is new"]


def _failed(url: str, why: str) -> int:
    sys.stderr.write(f"{url} {why}\n")
    return 2


def _detail(error: urllib.error.HTTPError) -> str:
    """What a problem document says."""
    try:
        return str(json.loads(error.read(_LONGEST))["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return str(error.reason)


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.password:
        # Without what was given: there may be a password in it.
        raise argparse.ArgumentTypeError(
            "that is no address of a service; needed: http:// or https://, a host and perhaps a "
            "port, such as http://127.0.0.1:8000"
        )
    return text.rstrip("/")
