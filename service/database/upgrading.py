"""Brings a database to the tables of this release."""

import logging
from pathlib import Path

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Connection

from service.database.faults import unavailable

log = structlog.get_logger("service")

HEAD = "0005"  # the newest of migrations/versions
_MIGRATIONS = Path(__file__).parent / "migrations"
_VERSION = sa.table("alembic_version", sa.column("version_num"))


def upgrade(connection: Connection) -> None:
    """Run the migrations that a database lacks, within the transaction that is open.

    Raises
    ------
    DatabaseUnavailable : a newer release has made it.
    """
    version = _version(connection)
    if version == HEAD:
        return
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Loaded now, since it takes a tenth of a second, and a database is rarely upgraded.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    if version is None and (version := _unversioned(connection)) is not None:
        command.stamp(config, version)
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise unavailable(
            "was made by a newer release: serve it with that one, or restore a backup of before"
        ) from None
    log.info("database upgraded", before=version, after=HEAD)


def _version(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def _unversioned(connection: Connection) -> str | None:
    """The version of a database that is older than versions are; None if it is not one."""
    inspector = sa.inspect(connection)
    if not inspector.has_table("assets"):
        return None
    columns = {column["name"] for column in inspector.get_columns("assets")}
    return "0002" if "kind" in columns else "0001"
