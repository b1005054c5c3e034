"""``python -m service keys``: make, list and revoke API keys."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from service.database.base import Database, Timeouts
from service.database.opening import open_database
from service.database.upgrading import upgrade
from service.security.audit import log
from service.security.keys import make_key
from service.security.scopes import SCOPES
from service.security.store import KeyStore
from service.settings import Settings

_LONGEST_NAME = 64


def add_keys(parser: argparse.ArgumentParser) -> None:
    """Options of ``keys``."""
    commands = parser.add_subparsers(required=True, metavar="command")
    make = commands.add_parser("make", help="make a key, and print it once")
    make.add_argument("name", type=_name, help="whose it is, as logs will say")
    make.add_argument(
        "--scopes",
        nargs="+",
        choices=SCOPES,
        default=["forecast"],
        metavar="SCOPE",
        help=f"what it may do, of {', '.join(SCOPES)} (default: forecast)",
    )
    make.set_defaults(run=_make)
    commands.add_parser("list", help="list all keys").set_defaults(run=_list)
    revoke = commands.add_parser("revoke", help="revoke a key, everywhere within seconds")
    revoke.add_argument("id", help="as list shows it")
    revoke.set_defaults(run=_revoke)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the command on the database of the settings; the exit status.

    Raises
    ------
    DatabaseUnavailable, UnknownKey
    """
    database = open_database(settings.database_url, Timeouts.of(settings))
    try:
        command: Callable[[Database, argparse.Namespace], None] = options.run
        command(database, options)
    finally:
        database.close()
    return 0


def _make(database: Database, options: argparse.Namespace) -> None:
    with database.starting() as connection:  # the first key may come before the service
        upgrade(connection)
    key, text = make_key(options.name, options.scopes, int(time.time()))
    KeyStore(database).add(key)
    log.info("audit", action="make key", key=key.id, name=key.name, scopes=sorted(key.scopes))
    sys.stderr.write(f"key {key.id} of {key.name}; it is shown this once:\n")
    sys.stdout.write(f"{text}\n")


def _list(database: Database, _options: argparse.Namespace) -> None:
    for key in KeyStore(database).all():
        scopes = " ".join(it for it in SCOPES if it in key.scopes)
        state = f"revoked {_day(key.revoked_at)}" if key.revoked_at else "good"
        sys.stdout.write(
            f"{key.id}  {_day(key.created_at)}  {state:<18}  {scopes:<22}  {key.name}\n"
        )


def _revoke(database: Database, options: argparse.Namespace) -> None:
    KeyStore(database).revoke(options.id, int(time.time()))
    log.info("audit", action="revoke key", key=options.id)
    sys.stderr.write(f"key {options.id} is revoked\n")


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _name(text: str) -> str:
    if not 1 <= len(text) <= _LONGEST_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name; needed: 1 to {_LONGEST_NAME} printable characters"
        )
    return text
