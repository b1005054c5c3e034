"""Held history: the bars of each asset, in SQLite or, by URL, in PostgreSQL.

One code path serves both. A transaction that writes begins with its write, so that either
database makes two writers wait for each other: SQLite by its lock on the file, PostgreSQL by the
asset's row.
"""

import dataclasses
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import IntegrityError

from service.http.errors import BarsConflict, NotReady
from volatility.arrays import DateArray, FloatArray
from volatility.bars import PRICES, Bars
from volatility.scale_free import usual_kind

_ROWS_AT_ONCE = 5_000  # what one statement sends; more takes memory and no less time


_metadata = sa.MetaData()

_assets = sa.Table(
    "assets",
    _metadata,
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
    _metadata,
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

    Parameters
    ----------
    url : SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)

    def prepare(self, seed: Iterable[tuple[HeldAsset, Bars]]) -> None:
        """Create the tables; fill an empty database with ``seed``, all of it or nothing.

        A database of an earlier release gets the columns that it lacks.
        """
        with self._engine.begin() as connection:
            _metadata.create_all(connection)
        self._add_kind()
        if self.assets():
            return
        with _yielding_to_rival(), self._engine.begin() as connection:
            for asset, bars in seed:
                _insert_asset(connection, asset)
                _insert_bars(connection, asset.asset, bars)

    def assets(self) -> list[str]:
        """Names of the assets that are held, sorted."""
        with self._engine.connect() as connection:
            return list(connection.scalars(sa.select(_assets.c.asset).order_by(_assets.c.asset)))

    def read(self, asset: str) -> HeldBars:
        """Every bar of an asset that is held."""
        with self._engine.connect() as connection:
            return _read(connection, asset)

    def merge(self, asset: HeldAsset, bars: Bars, replace: bool = False) -> Merge:
        """Add bars in one transaction; an identical bar that is held already stays as it is.

        Raises
        ------
        BarsConflict : a bar contradicts a held one, and ``replace`` is false, or the asset has been
            held meanwhile with another calendar, kind, measure or interval; nothing is changed.
        """
        self._register(asset)
        with self._engine.connect() as connection, connection.begin() as transaction:
            _next_revision(connection, asset.asset)
            held = _read(connection, asset.asset)
            _check_alike(held.asset, asset)
            change = _compare(held.bars, bars)
            if change.contradicting.any() and not replace:
                raise _conflict(asset.asset, held.bars, bars, change)
            if not (change.new.any() or change.contradicting.any()):
                transaction.rollback()  # and with it the new revision
                return _merge_result(change, held, held.revision - 1)
            _insert_bars(connection, asset.asset, bars, change.new)
            _update_bars(connection, asset.asset, bars, change.contradicting)
            held = _read(connection, asset.asset)
        return _merge_result(change, held, held.revision)

    def ping(self) -> None:
        """Ask the database for an answer.

        Raises
        ------
        NotReady : it gives none.
        """
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(_assets.c.asset).limit(1))
        except sa.exc.SQLAlchemyError as error:
            raise NotReady(f"the history database does not answer: {error}") from error

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()

    def _add_kind(self) -> None:
        """Add the column of kinds to a table that was made without it."""
        if self._has_kind():
            return
        column = sa.schema.CreateColumn(_assets.c.kind).compile(self._engine)
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(f"ALTER TABLE {_assets.name} ADD COLUMN {column}")
        except sa.exc.DBAPIError:
            if not self._has_kind():  # nor has another process just added it
                raise

    def _has_kind(self) -> bool:
        columns = sa.inspect(self._engine).get_columns(_assets.name)
        return _assets.c.kind.name in {column["name"] for column in columns}

    def _register(self, asset: HeldAsset) -> None:
        if asset.asset in self.assets():
            return
        with _yielding_to_rival(), self._engine.begin() as connection:
            _insert_asset(connection, asset)


@contextmanager
def _yielding_to_rival() -> Iterator[None]:
    """Roll back in favour of another process that has just inserted the same asset."""
    with suppress(IntegrityError):
        yield


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    return sa.create_engine(parsed, pool_pre_ping=True)


def _sqlite_engine(url: sa.URL) -> Engine:
    """All that is particular to SQLite: its folder, its journal, its waiting time, its BEGIN."""
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would hold BEGIN back until the first write, and run DDL outside of it.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@dataclass(frozen=True, slots=True)
class _Change:
    """How given bars relate to held ones; each array is (n,) over the given bars."""

    new: np.ndarray
    contradicting: np.ndarray
    position: np.ndarray  # where in the held bars the same time stands or would stand


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


def _merge_result(change: _Change, held: HeldBars, revision: int) -> Merge:
    added, replaced = int(change.new.sum()), int(change.contradicting.sum())
    return Merge(
        added=added,
        unchanged=len(change.new) - added - replaced,
        replaced=replaced,
        held=HeldBars(held.asset, held.bars, revision),
    )


def _read(connection: Connection, asset: str) -> HeldBars:
    row = connection.execute(sa.select(_assets).where(_assets.c.asset == asset)).one()
    prices = (_bars.c[price] for price in PRICES)
    query = sa.select(_bars.c.opened_at, *prices).where(_bars.c.asset == asset)
    rows = connection.execute(query.order_by(_bars.c.opened_at)).all()
    described = HeldAsset(
        asset=row.asset,
        calendar=row.calendar,
        measure=row.measure,
        bar_interval=row.bar_interval,
        source=row.source,
        kind=row.kind or usual_kind(row.calendar),
    )
    return HeldBars(described, _to_bars(rows, row.bar_interval), row.revision)


def _to_bars(rows: Sequence[sa.Row[tuple[int, float, float, float, float]]], interval: int) -> Bars:
    opened_at = np.array([row[0] for row in rows], dtype=np.int64)
    prices: FloatArray = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 4)
    return Bars(
        timestamps=opened_at.astype("datetime64[s]"),
        open=prices[:, 0].copy(),
        high=prices[:, 1].copy(),
        low=prices[:, 2].copy(),
        close=prices[:, 3].copy(),
        interval=interval,
    )


def _insert_asset(connection: Connection, asset: HeldAsset) -> None:
    connection.execute(
        sa.insert(_assets).values(
            asset=asset.asset,
            calendar=asset.calendar,
            measure=asset.measure,
            bar_interval=asset.bar_interval,
            source=asset.source,
            kind=asset.kind,
            revision=1,
        )
    )


def _next_revision(connection: Connection, asset: str) -> None:
    connection.execute(
        sa.update(_assets).where(_assets.c.asset == asset).values(revision=_assets.c.revision + 1)
    )


def _insert_bars(
    connection: Connection, asset: str, bars: Bars, which: np.ndarray | None = None
) -> None:
    rows = _rows(asset, bars, which)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        connection.execute(sa.insert(_bars), rows[start : start + _ROWS_AT_ONCE])


def _update_bars(connection: Connection, asset: str, bars: Bars, which: np.ndarray) -> None:
    if rows := _rows(asset, bars, which, prefix="new_"):
        connection.execute(
            sa.update(_bars)
            .where(
                _bars.c.asset == sa.bindparam("new_asset"),
                _bars.c.opened_at == sa.bindparam("new_opened_at"),
            )
            .values({price: sa.bindparam(f"new_{price}") for price in PRICES}),
            rows,
        )


def _rows(
    asset: str, bars: Bars, which: np.ndarray | None, prefix: str = ""
) -> list[dict[str, object]]:
    selected = slice(None) if which is None else which
    columns = [_seconds(bars.timestamps[selected]).tolist()]
    columns += [getattr(bars, price)[selected].tolist() for price in PRICES]
    names = [prefix + name for name in ("asset", "opened_at", *PRICES)]
    return [dict(zip(names, (asset, *row), strict=True)) for row in zip(*columns, strict=True)]


def _seconds(timestamps: DateArray) -> np.ndarray:
    return timestamps.astype("datetime64[s]").astype(np.int64)
