"""Inserts that know what to do about rows that are there already."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect


def insert_into(dialect: Dialect, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows conflicts, of the database's own dialect."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
