"""Issued forecasts in the database that holds the history, so that all replicas know the same."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect, Row

from service.database.base import Database
from service.database.inserting import insert_into
from service.ledger.records import Record, place_of
from service.ledger.tables import forecasts

MOST_READ = 50_000  # forecasts of one window: about 75 MB while they are read
_READ_AT_ONCE = 500  # forecasts of another database
_LINES = "lines"
_id_of = itemgetter(slice(2, 34))  # of a line, behind a bracket and a quote
_DELETED_AT_ONCE = 10_000
# What a database, or its driver, says of a value that it does not take.
_REFUSALS = (sa.exc.IntegrityError, sa.exc.DataError)


class RecordRefused(Exception):
    """The database answers, and does not take what is in one of the forecasts."""


class LedgerStore:
    """The ledger of a database.

    Every method raises :class:`service.http.errors.DatabaseUnavailable` if the database does not
    answer, or not in time.

    Parameters
    ----------
    database : with its tables.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, records: Sequence[Record]) -> None:
        """As :meth:`put`, of records."""
        self.put([it.line.text for it in records])

    def put(self, lines: Sequence[str]) -> None:
        """Keep forecasts, all of them or none.

        Of one that was issued before, only when it was last issued changes.

        Parameters
        ----------
        lines : each the text of a :class:`.Line`.

        Raises
        ------
        RecordRefused : what is in one of them is not taken, however often it is tried.
        """
        given = [{_LINES: f"[{','.join(it)}]"} for it in _once_each(lines)]
        try:
            with self.database.writing() as connection:
                for it in given:
                    connection.execute(_upsert(connection.dialect), it)
        except _REFUSALS as error:
            # The first line; PostgreSQL's second one shows the row.
            reason, *_ = str(getattr(error, "orig", error)).splitlines() or ["it says no reason"]
            raise RecordRefused(reason) from None

    def get(self, forecast_id: str) -> Record | None:
        """The forecast of an id, if it is kept."""
        wanted = sa.select(forecasts).where(forecasts.c.forecast_id == forecast_id)
        with self.database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _record(row)

    def live(self, asset: str, horizon: int, start: date, end: date) -> list[Record]:
        """Forecasts that were issued before their target had closed, in the order of issue.

        Of those of one version and target that have intervals of the same levels, the last. Where
        there are more than `MOST_READ`, the newest targets.

        Parameters
        ----------
        asset : whose.
        horizon : sessions ahead.
        start, end : first and last target date, both included.
        """
        column = forecasts.c
        turn = sa.func.row_number().over(
            partition_by=(column.model_sha256, column.target_date, column.levels),
            order_by=(column.last_issued_at.desc(), column.forecast_id),
        )
        each = (
            sa.select(column.forecast_id, turn.label("turn"))
            .where(
                column.asset == asset,
                column.target_date.between(start, end),
                column.horizon == horizon,
                column.target_date > column.last_closed,
            )
            .subquery()
        )
        wanted = (
            sa.select(forecasts)
            .join(each, (each.c.forecast_id == column.forecast_id) & (each.c.turn == 1))
            .order_by(column.target_date.desc(), column.last_issued_at)
            .limit(MOST_READ)
        )
        with self.database.reading() as connection:
            found = [_record(row) for row in connection.execute(wanted)]
        return sorted(found, key=lambda it: (it.last_issued_at, it.forecast_id))

    def assets(self) -> set[str]:
        """Names of the assets that have forecasts."""
        names = sa.select(forecasts.c.asset).distinct()
        with self.database.reading() as connection:
            return set(connection.scalars(names))

    def horizons(self, asset: str) -> list[int]:
        """How many sessions ahead the forecasts of an asset are, sorted."""
        column = forecasts.c.horizon
        found = sa.select(column).where(forecasts.c.asset == asset).distinct().order_by(column)
        with self.database.reading() as connection:
            return list(connection.scalars(found))

    def prune(self, before: int, replays_before: int, most_kept: int) -> int:
        """Delete the oldest forecasts, some thousands at a time; return how many.

        Parameters
        ----------
        before : microseconds since 1970; what was issued earlier goes.
        replays_before : the same of what was no forecast of a time to come.
        most_kept : beyond so many, the oldest go.
        """
        column = forecasts.c
        old = column.issued_at < before
        replayed = (column.issued_at < replays_before) & (column.target_date <= column.last_closed)
        deleted = self._delete(old | replayed)
        beyond = self._number() - most_kept
        return deleted + (self._delete(sa.true(), beyond) if beyond > 0 else 0)

    def _number(self) -> int:
        with self.database.reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(forecasts)) or 0

    def _delete(self, those: sa.ColumnElement[bool], most: int | None = None) -> int:
        """Delete the oldest of those, in parts, for which others that write do not wait long."""
        deleted, part = 0, _DELETED_AT_ONCE
        while part == _DELETED_AT_ONCE and (most is None or deleted < most):
            wanted = _DELETED_AT_ONCE if most is None else min(_DELETED_AT_ONCE, most - deleted)
            oldest = sa.select(forecasts.c.forecast_id).where(those)
            oldest = oldest.order_by(forecasts.c.issued_at).limit(wanted)
            gone = sa.delete(forecasts).where(forecasts.c.forecast_id.in_(oldest))
            with self.database.writing() as connection:
                part = connection.execute(gone).rowcount
            deleted += part
        return deleted

    def take_over(self, other: "LedgerStore") -> None:
        """Copy all that another database has; what is here already stays as it is."""
        with other.database.reading() as source:
            for part in source.execute(sa.select(forecasts)).partitions(_READ_AT_ONCE):
                self.add([_record(row) for row in part])


def _once_each(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines in parts in which each forecast is once, as PostgreSQL wants it of one statement.

    In one order, so that processes that write the same wait for each other in no circle.
    """
    rest = lines
    while rest:
        part: dict[str, str] = {}
        again = [it for it in rest if part.setdefault(_id_of(it), it) is not it]
        yield sorted(part.values())  # by their ids, which they begin with
        rest = again


@lru_cache
def _upsert(dialect: Dialect) -> sa.Executable:
    """The statement that makes rows of lines, which are given as one JSON text.

    A driver holds the interpreter while it binds values, sixteen a row, and gives it up for each
    statement; whoever computes meanwhile loses it as often. Of one text the database makes rows
    while others compute.
    """
    lines = sa.bindparam(_LINES, type_=sa.Text)
    read: list[sa.ColumnElement[Any]]
    if dialect.name == "sqlite":
        each = sa.func.json_each(lines).table_valued("value")
        read = [
            sa.func.json_extract(each.c.value, "$" + "".join([f"[{at}]" for at in place]))
            for place in map(place_of, forecasts.c.keys())
        ]
    else:
        each = sa.func.json_array_elements(sa.cast(lines, sa.JSON)).table_valued("value")
        read = [
            sa.cast(each.c.value.op("#>>")(_path(place_of(it.name))), _read_as(it))
            for it in forecasts.c
        ]
    # A condition, without which SQLite takes ON CONFLICT for that of a join.
    found = sa.select(*read).select_from(each).where(sa.true())
    insert = insert_into(dialect, forecasts).from_select(list(forecasts.c.keys()), found)
    last = insert.excluded.last_issued_at
    return insert.on_conflict_do_update(
        index_elements=[forecasts.c.forecast_id],
        set_={"last_issued_at": last},
        where=forecasts.c.last_issued_at < last,
    )


def _path(place: tuple[int, ...]) -> sa.ColumnElement[Any]:
    return sa.cast([*map(str, place)], postgresql.ARRAY(sa.Text))


def _read_as(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    """A text stays as it is: cast to a shorter type, it would be cut instead of refused."""
    return sa.Text() if isinstance(column.type, sa.String) else column.type


def _record(row: Row[Any]) -> Record:
    fields = row._asdict()
    fields["known_at"], fields["answer"] = from_json(row.known_at), row.answer.encode()
    fields["levels"] = tuple(map(float, row.levels.split()))
    return Record(**fields)
