"""Rows that are put many at a time are those that one at a time would be."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from service.assets.database import HistoryStore
from service.database.base import Database
from service.database.inserting import insert_into, of_whole_rows, put_rows

COUNTED = sa.Table(
    "counted",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.Integer),
    sa.Column("note", sa.String),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    store = HistoryStore(database_url)
    store.prepare([])
    with store.database.writing() as connection:
        COUNTED.create(connection)
    yield store.database
    store.close()


@pytest.mark.parametrize("number", [0, 1, 99, 100, 101, 1_234])
def test_every_row_is_there_and_the_later_of_two_counts(database: Database, number: int) -> None:
    note = "(?, ?), VALUES (?)"
    rows: list[tuple[object, ...]] = [(f"row {it}", it, note) for it in range(number)]
    older: list[tuple[object, ...]] = [(f"row {it}", -it, note) for it in range(number)]
    with database.writing() as connection:
        dialect = connection.dialect
        insert = insert_into(dialect, COUNTED)
        newer = {"number": insert.excluded.number, "note": insert.excluded.note}
        statement = of_whole_rows(
            insert.on_conflict_do_update(index_elements=["name"], set_=newer), dialect
        )
        put_rows(connection, statement, rows, 500)
        put_rows(connection, statement, older, 7)
        put_rows(connection, statement, rows[:50], 500)
    with database.reading() as connection:
        found = connection.execute(sa.select(COUNTED)).all()
    assert sorted(map(tuple, found)) == sorted([*rows[:50], *older[50:]])
