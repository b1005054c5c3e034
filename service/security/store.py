"""API keys in the database that holds the history, so that all replicas know the same."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from service.database.base import Changes, Database
from service.http.errors import UnknownKey
from service.security.keys import ApiKey, KeyRing
from service.security.scopes import SCOPES

metadata = sa.MetaData()  # service.database.migrations makes the table

_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(8), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("scopes", sa.String(64), nullable=False),  # separated by spaces
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),  # seconds since 1970, UTC
    sa.Column("revoked_at", sa.BigInteger),
)


class KeyStore:
    """The keys of a database.

    Every method raises :class:`service.http.errors.DatabaseUnavailable` if the database does not
    answer, or not in time.

    Parameters
    ----------
    database : with its tables.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ApiKey]:
        """Every key that ever was, oldest first."""
        with self._database.reading() as connection:
            return _read(connection)

    def add(self, key: ApiKey) -> None:
        """Keep a key, and tell other processes."""
        with self._database.writing() as connection:
            connection.execute(
                _keys.insert().values(
                    id=key.id,
                    name=key.name,
                    scopes=" ".join(it for it in SCOPES if it in key.scopes),
                    sha256=key.sha256,
                    created_at=key.created_at,
                    revoked_at=key.revoked_at,
                )
            )
            self._database.announce(connection)

    def revoke(self, key_id: str, now: int) -> None:
        """Make a key good for nothing, and tell other processes.

        Raises
        ------
        UnknownKey : none is good under this id.
        """
        good = sa.and_(_keys.c.id == key_id, _keys.c.revoked_at.is_(None))
        with self._database.writing() as connection:
            if not connection.execute(_keys.update().where(good).values(revoked_at=now)).rowcount:
                raise UnknownKey(
                    f"no key {key_id} is in use",
                    field="id",
                    found=key_id,
                    needed="an id as keys list shows it, of a key that is not revoked",
                )
            self._database.announce(connection)

    def fill(self, ring: KeyRing, changes: Changes | None = None) -> None:
        """Let a ring know what the database has now, by the connection of ``changes`` if given."""
        reading = self._database.reading if changes is None else changes.reading
        with reading() as connection:
            ring.replace(_read(connection))


def _read(connection: Connection) -> list[ApiKey]:
    rows = connection.execute(_keys.select().order_by(_keys.c.created_at, _keys.c.id))
    return [_key(row) for row in rows]


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    scopes = frozenset(it for it in SCOPES if it in row.scopes.split())
    return ApiKey(row.id, row.name, scopes, row.sha256, row.created_at, row.revoked_at)
