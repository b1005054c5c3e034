"""Held history: the bars of each asset, in SQLite or, by URL, in PostgreSQL.

One code path serves both. Two writers of one asset wait for each other: in SQLite by its lock on
the file, in PostgreSQL by that on the asset's row. A bar that is replaced is kept, with the times
at which it was known and replaced, so that what was known at a time can be read afterwards.
"""

import dataclasses
import uuid
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from service.assets import rows, tables
from service.assets.deleting import Deleted, delete, not_held
from service.assets.merging import Merge, compare, conflict
from service.assets.rows import Stamp, rows_of, seconds_of, to_bars
from service.database import upgrading
from service.database.base import USUAL, Changes, Timeouts
from service.database.inserting import insert_into, of_whole_rows, put_rows
from service.database.opening import open_database
from service.http.clock import Clock, microseconds, utc_now
from service.http.errors import BarsConflict
from volatility.bars import PRICES, Bars
from volatility.scale_free import usual_kind


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """What is known of an asset besides its bars."""

    asset: str
    calendar: str
    measure: str
    bar_interval: int  # seconds
    source: str
    kind: str  # one of volatility.scale_free.KINDS


@dataclass(frozen=True, slots=True)
class HeldBars:
    """The bars of one asset, as of one revision.

    Parameters
    ----------
    known_at : microseconds since 1970, at which these bars were what was known.
    """

    asset: HeldAsset
    bars: Bars
    revision: int
    known_at: int = 0


_SHIPPED = Stamp(0, "")
_UNSETTLED = 600_000_000  # microseconds; no transaction that writes takes as long


class HistoryStore:
    """The database behind the held history.

    Every method raises :class:`service.http.errors.DatabaseUnavailable` if the database does not
    answer, or not in time.

    Parameters
    ----------
    url : SQLAlchemy URL.
    timeouts : how long the database may take.
    clock : by which bars become known.

    Attributes
    ----------
    database : for what else is kept in it.

    Raises
    ------
    InvalidSetting : the URL names no database that can be used.
    """

    def __init__(self, url: str, timeouts: Timeouts = USUAL, clock: Clock = utc_now) -> None:
        self.database = open_database(url, timeouts)
        self._clock = clock

    def prepare(self, seed: Iterable[HeldBars]) -> None:
        """Bring the tables to this release; fill an empty database with ``seed``.

        All of it or nothing. Of several processes one does it, and the others wait.
        """
        with self.database.starting() as connection:
            upgrading.upgrade(connection)
            if _names(connection):
                return
            for held in seed:
                _insert_asset(connection, held.asset, held.revision)
                _put_bars(connection, held.asset.asset, held.bars, _SHIPPED)

    @property
    def place(self) -> str:
        """Digest of where the database is, whoever asks it."""
        return self.database.place

    def is_used(self, shipped: Collection[str]) -> bool:
        """Whether bars were put into it, besides those that it was filled with.

        Parameters
        ----------
        shipped : names of the assets that it is filled with.
        """
        of_others = tables.assets.c.asset.not_in(shipped)
        with self.database.reading() as connection:
            query = sa.select(tables.assets.c.asset).where(
                (tables.assets.c.revision > 1) | of_others
            )
            return connection.execute(query.limit(1)).first() is not None

    def assets(self) -> list[str]:
        """Names of the assets that are held, sorted."""
        with self.database.reading() as connection:
            return _names(connection)

    def read(self, asset: str, known_at: datetime | int | None = None) -> HeldBars:
        """Every bar of an asset that is held, or that was at a time.

        Parameters
        ----------
        asset : that is held.
        known_at : with a time zone; the bars as they were known then, which are those put until
            then and not replaced until then. Bars that are older than times were noted were always
            known. Or the `known_at` of bars that were read: these. The revision is that of now.

        Raises
        ------
        NoHistory : it is not held, or no longer.
        """
        if isinstance(known_at, datetime):
            known_at = max(microseconds(known_at), _SHIPPED.known_at)
            if known_at > microseconds(self._clock()) - _UNSETTLED:
                self._await_writers(asset)
        with self.database.reading() as connection:
            return _read(connection, asset, known_at)

    def merge(self, asset: HeldAsset, bars: Bars, replace: bool = False, put_by: str = "") -> Merge:
        """Add bars in one transaction; an identical bar that is held already stays as it is.

        Of what is held, the bars of the times from the first to the last given are read.

        Parameters
        ----------
        asset : what it is held as, or will be.
        bars : of it, oldest first.
        replace : whether held bars that they contradict are replaced, and kept among the replaced.
        put_by : id of the key that sent them, if one was needed.

        Raises
        ------
        BarsConflict : a bar contradicts a held one, and ``replace`` is false, or the asset has been
            held meanwhile with another calendar, kind, measure or interval; nothing is changed.
        """
        with self.database.writing() as connection:
            row, _ = _made_and_locked(connection, asset)
            held = _bars_between(connection, asset, bars)
            found = compare(held, bars)
            if found.contradicting.any() and not replace:
                raise conflict(asset.asset, held, bars, found)
            if not found.written.any():
                return Merge.of(found, bars, row.revision, row.changed_at)
            # Later than the revision before, whatever the clock says: times order revisions.
            now = max(microseconds(self._clock()), row.changed_at + 1)
            _keep_replaced(connection, asset.asset, bars.where(found.contradicting), now)
            _put_bars(connection, asset.asset, bars.where(found.written), Stamp(now, put_by))
            _next_revision(connection, asset.asset, now)
            self.database.announce(connection)
        return Merge.of(found, bars, row.revision, now)

    def register(self, asset: HeldAsset) -> bool:
        """Hold an asset without bars, unless it is held; whether it is new.

        Raises
        ------
        BarsConflict : it has been held meanwhile as something else.
        """
        with self.database.writing() as connection:
            _, is_new = _made_and_locked(connection, asset)
            if is_new:
                _next_revision(connection, asset.asset, microseconds(self._clock()))
                self.database.announce(connection)
        return is_new

    def delete(self, asset: str, by: str = "") -> Deleted:
        """Delete an asset, its bars and those that were replaced, in one transaction.

        Parameters
        ----------
        asset : that is held.
        by : id of the key that asked for it, if one was needed.

        Raises
        ------
        NoHistory : it is not held.
        """
        with self.database.writing() as connection:
            deleted = delete(connection, asset, microseconds(self._clock()), by)
            self.database.announce(connection)
        return deleted

    def take_over(self, other: "HistoryStore") -> None:
        """Copy all that another database has, with what it has replaced, into this empty one.

        All of it or nothing.
        """
        with other.database.reading() as source, self.database.writing() as connection:
            for table in tables.metadata.sorted_tables:
                for part in source.execute(sa.select(table)).partitions(rows.ROWS_AT_ONCE):
                    connection.execute(table.insert(), [row._asdict() for row in part])

    def _await_writers(self, asset: str) -> None:
        """Wait until whoever writes an asset has: what comes after becomes known after this.

        A bar is stamped before it is committed; to read between the two would be to say that it
        was not known at a time at which, from then on, it was.
        """
        with self.database.writing() as connection:
            _asset_row(connection, asset, locks=True)

    def changes(self) -> AbstractContextManager[Changes]:
        """What other processes commit from now on."""
        return self.database.changes()

    def revisions(self, changes: Changes) -> dict[str, int]:
        """Revision of every asset, by its name."""
        with changes.reading() as connection:
            found = connection.execute(sa.select(tables.assets.c.asset, tables.assets.c.revision))
            return {row.asset: row.revision for row in found}

    def ping(self) -> None:
        """Ask the database for an answer, on a connection of its own."""
        with self.database.checking() as connection:
            connection.execute(sa.select(tables.assets.c.asset).limit(1))

    def try_writing(self) -> None:
        """Write a row and take it back.

        Raises
        ------
        DatabaseUnavailable : it cannot be written, or does not answer in time.
        """
        texts = dict.fromkeys(("calendar", "measure", "source"), "")
        nobody = {"asset": uuid.uuid4().hex, "bar_interval": 0, "revision": 0, **texts}
        with self.database.trying() as connection:
            connection.execute(sa.insert(tables.assets).values(nobody))

    def close(self) -> None:
        """Let go of every connection."""
        self.database.close()


def _check_alike(held: HeldAsset, given: HeldAsset) -> None:
    """Two requests may make one asset at once; the first says what it is."""
    if dataclasses.replace(held, source=given.source) != given:
        raise BarsConflict(
            f"{held.asset} has just been held with the calendar {held.calendar}, the kind "
            f"{held.kind}, the measure {held.measure} and bars of {held.bar_interval} seconds. "
            "Nothing was changed; send the bars again",
            field="asset",
            found=held.asset,
            needed="bars of the asset as it is held",
        )


def _names(connection: Connection) -> list[str]:
    names = sa.select(tables.assets.c.asset).order_by(tables.assets.c.asset)
    return list(connection.scalars(names))


def _read(connection: Connection, asset: str, known_at: int | None = None) -> HeldBars:
    row = _asset_row(connection, asset)
    if row is None:
        raise not_held(asset)
    found = connection.execute(_bars_known(asset, known_at).order_by("opened_at"))
    bars, moment = (
        to_bars(found, row.bar_interval),
        row.changed_at if known_at is None else known_at,
    )
    return HeldBars(_described(row), bars, row.revision, moment)


def _asset_row(connection: Connection, asset: str, locks: bool = False) -> sa.Row[Any] | None:
    """What is known of an asset; with ``locks``, other writers of it wait from here on."""
    wanted = sa.select(tables.assets).where(tables.assets.c.asset == asset)
    return connection.execute(wanted.with_for_update() if locks else wanted).one_or_none()


def _made_and_locked(connection: Connection, asset: HeldAsset) -> tuple[sa.Row[Any], bool]:
    """What is held of an asset, made if it is not, and whether it was made.

    Raises
    ------
    BarsConflict : it is held as something else.
    """
    row, is_new = None, False
    while row is None:  # again where another deletes it while its row is waited for
        is_new = _insert_asset(connection, asset, revision=0)
        row = _asset_row(connection, asset.asset, locks=True)
    _check_alike(_described(row), asset)
    return row, is_new


def _described(row: sa.Row[Any]) -> HeldAsset:
    return HeldAsset(
        asset=row.asset,
        calendar=row.calendar,
        measure=row.measure,
        bar_interval=row.bar_interval,
        source=row.source,
        kind=row.kind or usual_kind(row.calendar),
    )


def _bars_known(asset: str, known_at: int | None) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Times and prices of the bars that are held, or were at a time."""
    held, past = tables.bars.c, tables.replaced_bars.c
    query = sa.select(held.opened_at, *(held[it] for it in PRICES)).where(held.asset == asset)
    if known_at is None:
        return query
    replaced = sa.select(past.opened_at, *(past[it] for it in PRICES)).where(
        past.asset == asset, past.known_at <= known_at, past.replaced_at > known_at
    )
    return sa.union_all(query.where(held.known_at <= known_at), replaced)


def _bars_between(connection: Connection, asset: HeldAsset, given: Bars) -> Bars:
    """The held bars from the first to the last of those given."""
    opened_at = tables.bars.c.opened_at
    first, last = seconds_of(given.timestamps[[0, -1]]).tolist() if len(given) else (0, -1)
    held = sa.select(opened_at, *(tables.bars.c[it] for it in PRICES)).where(
        tables.bars.c.asset == asset.asset, opened_at.between(first, last)
    )
    return to_bars(connection.execute(held.order_by(opened_at)), asset.bar_interval)


def _insert_asset(connection: Connection, asset: HeldAsset, revision: int) -> bool:
    """Register an asset, unless it is; whether it was not."""
    gone = tables.deleted_assets.c
    before = sa.select(gone.revision).where(gone.asset == asset.asset).scalar_subquery()
    described = dataclasses.asdict(asset) | {"revision": sa.func.coalesce(before, 0) + revision}
    insert = insert_into(connection.dialect, tables.assets).values(described)
    made = insert.on_conflict_do_nothing().returning(tables.assets.c.asset)
    return connection.execute(made).first() is not None


def _next_revision(connection: Connection, asset: str, now: int) -> None:
    of_asset = tables.assets.c.asset == asset
    revised = {"revision": tables.assets.c.revision + 1, "changed_at": now}
    connection.execute(sa.update(tables.assets).where(of_asset).values(revised))


def _keep_replaced(connection: Connection, asset: str, bars: Bars, now: int) -> None:
    """Copy the held bars of these times to those that have been replaced."""
    opened = seconds_of(bars.timestamps).tolist()
    held = tables.bars.c
    for start in range(0, len(opened), rows.ROWS_AT_ONCE):
        these = held.opened_at.in_(opened[start : start + rows.ROWS_AT_ONCE])
        replaced = sa.select(*held, sa.literal(now)).where(held.asset == asset, these)
        names = [*held.keys(), "replaced_at"]
        connection.execute(tables.replaced_bars.insert().from_select(names, replaced))


def _put_bars(connection: Connection, asset: str, bars: Bars, stamp: Stamp) -> None:
    """Write bars, over those that are held of the same times."""
    statement = _upsert(connection.dialect)
    for start in range(0, len(bars), rows.ROWS_AT_ONCE):
        part = bars.where(slice(start, start + rows.ROWS_AT_ONCE))
        put_rows(connection, statement, rows_of(asset, part, stamp), rows.ROWS_AT_ONCE)


@lru_cache
def _upsert(dialect: Dialect) -> str:
    insert = insert_into(dialect, tables.bars)
    upsert = insert.on_conflict_do_update(
        index_elements=[tables.bars.c.asset, tables.bars.c.opened_at],
        set_={name: insert.excluded[name] for name in (*PRICES, *Stamp._fields)},
    )
    return of_whole_rows(upsert, dialect)
