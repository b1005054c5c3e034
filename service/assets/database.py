"""Held history: the bars of each asset, in SQLite or, by URL, in PostgreSQL.

One code path serves both. Two writers of one asset wait for each other: in SQLite by its lock on
the file, in PostgreSQL by that on the asset's row.
"""

import dataclasses
from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from service.database import upgrading
from service.database.base import USUAL, Changes, Timeouts
from service.database.opening import open_database
from service.http.errors import BarsConflict
from volatility.arrays import DateArray
from volatility.bars import PRICES, Bars
from volatility.scale_free import usual_kind

_ROWS_AT_ONCE = 5_000  # what one statement sends; more takes memory and no less time


metadata = sa.MetaData()  # service.database.migrations makes the tables

_assets = sa.Table(
    "assets",
    metadata,
    sa.Column("asset", sa.String(64), primary_key=True),
    sa.Column("calendar", sa.String(16), nullable=False),
    sa.Column("measure", sa.String(64), nullable=False),
    sa.Column("bar_interval", sa.Integer, nullable=False),  # seconds
    sa.Column("source", sa.String(200), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),  # grows by one with every change
    # Empty in rows that are older than this column, or written by a service that is.
    sa.Column("kind", sa.String(16), nullable=False, server_default=""),
)

_bars = sa.Table(
    "bars",
    metadata,
    sa.Column("asset", sa.ForeignKey("assets.asset"), primary_key=True),
    # Seconds since 1970 in UTC: the same number in every database, with no time zone to convert.
    sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
    *(sa.Column(price, sa.Double, nullable=False) for price in PRICES),
    sqlite_with_rowid=False,
)


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
    """The bars of one asset, as of one revision."""

    asset: HeldAsset
    bars: Bars
    revision: int


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge did."""

    added: int
    unchanged: int
    replaced: int
    held: HeldBars


class HistoryStore:
    """The database behind the held history.

    Every method raises :class:`service.http.errors.DatabaseUnavailable` if the database does not
    answer, or not in time.

    Parameters
    ----------
    url : SQLAlchemy URL.
    timeouts : how long the database may take.

    Attributes
    ----------
    database : for what else is kept in it.

    Raises
    ------
    InvalidSetting : the URL names no database that can be used.
    """

    def __init__(self, url: str, timeouts: Timeouts = USUAL) -> None:
        self.database = open_database(url, timeouts)

    def prepare(self, seed: Iterable[tuple[HeldAsset, Bars]]) -> None:
        """Bring the tables to this release; fill an empty database with ``seed``.

        All of it or nothing. Of several processes one does it, and the others wait.
        """
        with self.database.starting() as connection:
            upgrading.upgrade(connection)
            if _names(connection):
                return
            for asset, bars in seed:
                _insert_asset(connection, asset, revision=1)
                _put_bars(connection, asset.asset, bars)

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
        of_others = _assets.c.asset.not_in(shipped)
        with self.database.reading() as connection:
            query = sa.select(_assets.c.asset).where((_assets.c.revision > 1) | of_others)
            return connection.execute(query.limit(1)).first() is not None

    def assets(self) -> list[str]:
        """Names of the assets that are held, sorted."""
        with self.database.reading() as connection:
            return _names(connection)

    def read(self, asset: str) -> HeldBars:
        """Every bar of an asset that is held."""
        with self.database.reading() as connection:
            return _read(connection, asset)

    def merge(self, asset: HeldAsset, bars: Bars, replace: bool = False) -> Merge:
        """Add bars in one transaction; an identical bar that is held already stays as it is.

        Raises
        ------
        BarsConflict : a bar contradicts a held one, and ``replace`` is false, or the asset has been
            held meanwhile with another calendar, kind, measure or interval; nothing is changed.
        """
        with self.database.writing() as connection:
            _insert_asset(connection, asset, revision=0)
            held = _read(connection, asset.asset, locks=True)
            _check_alike(held.asset, asset)
            change = _compare(held.bars, bars)
            if change.contradicting.any() and not replace:
                raise _conflict(asset.asset, held.bars, bars, change)
            if not change.written.any():
                return _merge_result(change, held)
            _put_bars(connection, asset.asset, bars, change.written)
            _next_revision(connection, asset.asset)
            self.database.announce(connection)
            held = _read(connection, asset.asset)
        return _merge_result(change, held)

    def changes(self) -> AbstractContextManager[Changes]:
        """What other processes commit from now on."""
        return self.database.changes()

    def revisions(self, changes: Changes) -> dict[str, int]:
        """Revision of every asset, by its name."""
        with changes.reading() as connection:
            rows = connection.execute(sa.select(_assets.c.asset, _assets.c.revision))
            return {row.asset: row.revision for row in rows}

    def ping(self) -> None:
        """Ask the database for an answer, on a connection of its own."""
        with self.database.checking() as connection:
            connection.execute(sa.select(_assets.c.asset).limit(1))

    def close(self) -> None:
        """Let go of every connection."""
        self.database.close()


@dataclass(frozen=True, slots=True)
class _Change:
    """How given bars relate to held ones; each array is (n,) over the given bars."""

    new: np.ndarray
    contradicting: np.ndarray
    position: np.ndarray  # where in the held bars the same time stands or would stand

    @property
    def written(self) -> np.ndarray:
        """(n,) bars that are to be written."""
        written: np.ndarray = self.new | self.contradicting
        return written


def _compare(held: Bars, given: Bars) -> _Change:
    position = np.searchsorted(held.timestamps, given.timestamps)
    nearest = np.minimum(position, max(len(held) - 1, 0))
    present = (
        held.timestamps[nearest] == given.timestamps
        if len(held)
        else np.zeros(len(given), dtype=bool)
    )
    differs = np.zeros(len(given), dtype=bool)
    for price in PRICES:
        old, new = getattr(held, price), getattr(given, price)
        differs[present] |= old[position[present]] != new[present]
    return _Change(new=~present, contradicting=present & differs, position=position)


def _conflict(asset: str, held: Bars, given: Bars, change: _Change) -> BarsConflict:
    index = int(np.flatnonzero(change.contradicting)[0])
    at = int(change.position[index])
    found, expected = _prices_text(given, index), _prices_text(held, at)
    number = int(change.contradicting.sum())
    return BarsConflict(
        f"{number} of the bars given for {asset} contradict bars that are held; the first opens at "
        f"{given.timestamps[index]}: given {found}, held {expected}. Nothing was changed. "
        "Send the held prices, or replace them with ?replace=true",
        field=f"bars[{index}]",
        found=found,
        needed=expected,
    )


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


def _prices_text(bars: Bars, index: int) -> str:
    return ", ".join(f"{price} {float(getattr(bars, price)[index])!r}" for price in PRICES)


def _merge_result(change: _Change, held: HeldBars) -> Merge:
    added, replaced = int(change.new.sum()), int(change.contradicting.sum())
    return Merge(
        added=added,
        unchanged=len(change.new) - added - replaced,
        replaced=replaced,
        held=held,
    )


def _names(connection: Connection) -> list[str]:
    return list(connection.scalars(sa.select(_assets.c.asset).order_by(_assets.c.asset)))


def _read(connection: Connection, asset: str, locks: bool = False) -> HeldBars:
    """An asset and its bars; with ``locks``, other writers of it wait from here on."""
    wanted = sa.select(_assets).where(_assets.c.asset == asset)
    row = connection.execute(wanted.with_for_update() if locks else wanted).one()
    prices = (_bars.c[price] for price in PRICES)
    query = sa.select(_bars.c.opened_at, *prices).where(_bars.c.asset == asset)
    rows = connection.execute(query.order_by(_bars.c.opened_at))
    described = HeldAsset(
        asset=row.asset,
        calendar=row.calendar,
        measure=row.measure,
        bar_interval=row.bar_interval,
        source=row.source,
        kind=row.kind or usual_kind(row.calendar),
    )
    return HeldBars(described, _to_bars(rows, row.bar_interval), row.revision)


def _to_bars(rows: sa.CursorResult[tuple[int, float, float, float, float]], interval: int) -> Bars:
    """Bars of rows, made of some thousands at a time: the driver keeps all threads waiting."""
    times, prices = [np.empty(0, np.int64)], [np.empty((0, len(PRICES)))]
    for part in rows.partitions(_ROWS_AT_ONCE):
        times.append(np.array([row[0] for row in part], dtype=np.int64))
        prices.append(np.array([row[1:] for row in part], dtype=np.float64))
    columns = np.concatenate(prices).T.copy()
    return Bars(
        np.concatenate(times).astype("datetime64[s]"),
        **dict(zip(PRICES, columns, strict=True)),
        interval=interval,
    )


def _insert_asset(connection: Connection, asset: HeldAsset, revision: int) -> None:
    """Register an asset, unless it is."""
    described = dataclasses.asdict(asset) | {"revision": revision}
    connection.execute(_insert(connection, _assets).values(described).on_conflict_do_nothing())


def _next_revision(connection: Connection, asset: str) -> None:
    connection.execute(
        sa.update(_assets).where(_assets.c.asset == asset).values(revision=_assets.c.revision + 1)
    )


def _put_bars(
    connection: Connection, asset: str, bars: Bars, which: np.ndarray | None = None
) -> None:
    """Write bars, over those that are held of the same times."""
    insert = _insert(connection, _bars)
    upsert = insert.on_conflict_do_update(
        index_elements=[_bars.c.asset, _bars.c.opened_at],
        set_={price: insert.excluded[price] for price in PRICES},
    )
    rows = _rows(asset, bars, which)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(upsert, rows[start : start + _ROWS_AT_ONCE])


def _insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows conflicts, of the database's own dialect."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def _rows(asset: str, bars: Bars, which: np.ndarray | None) -> list[dict[str, object]]:
    selected = slice(None) if which is None else which
    columns = [_seconds(bars.timestamps[selected]).tolist()]
    columns += [getattr(bars, price)[selected].tolist() for price in PRICES]
    names = ("asset", "opened_at", *PRICES)
    return [dict(zip(names, (asset, *row), strict=True)) for row in zip(*columns, strict=True)]


def _seconds(timestamps: DateArray) -> np.ndarray:
    return timestamps.astype("datetime64[s]").astype(np.int64)
