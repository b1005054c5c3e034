"""Inserts that know what to do about rows that are there already."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect

Insert = sqlite.Insert | postgresql.Insert


def insert_into(dialect: Dialect, table: sa.Table) -> Insert:
    """An insert that knows conflicts, of the database's own dialect."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def of_whole_rows(insert: Insert, dialect: Dialect) -> str:
    """The statement of an insert of every column, for :func:`put_rows`."""
    return str(insert.compile(dialect=dialect, column_keys=insert.table.columns.keys()))


def put_rows(
    connection: Connection, statement: str, rows: list[tuple[object, ...]], at_once: int
) -> None:
    """Insert rows, some at a time, as the driver takes them.

    What SQLAlchemy does to a row of its own statements takes longer than SQLite does over it.

    Parameters
    ----------
    connection : that writes.
    statement : of :func:`of_whole_rows`.
    rows : the values of all columns, in the order of the table.
    at_once : how many one call sends.
    """
    for start in range(0, len(rows), at_once):
        connection.exec_driver_sql(statement, rows[start : start + at_once])
