"""Inserts that know what to do about rows that are there already."""

import re
from functools import lru_cache
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect

Insert = sqlite.Insert | postgresql.Insert
_TOGETHER = 100  # rows of one statement of SQLite
_ROW = re.compile(r"(?<=VALUES )\((?:\?(?:, )?)+\)")


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
    is_sqlite = connection.dialect.name == "sqlite"
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        if is_sqlite:
            _put_together(connection, statement, part)
        else:
            connection.exec_driver_sql(statement, part)


def _put_together(connection: Connection, statement: str, rows: list[tuple[object, ...]]) -> None:
    """Insert many rows by each statement.

    SQLite gives the interpreter up for each statement, and of each row of ``executemany``: whoever
    computes meanwhile loses it a thousand times, and both take longer for it.
    """
    for start in range(0, len(rows), _TOGETHER):
        part = rows[start : start + _TOGETHER]
        connection.exec_driver_sql(_of_many(statement, len(part)), tuple(chain.from_iterable(part)))


@lru_cache(maxsize=2 * _TOGETHER)
def _of_many(statement: str, number: int) -> str:
    """The statement with the values of so many rows in place of one's."""
    return _ROW.sub(lambda row: ", ".join([row[0]] * number), statement)
