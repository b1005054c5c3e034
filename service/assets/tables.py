"""The tables of the held history: what is held now, and what has been replaced.

:mod:`service.database.migrations` makes them.
"""

import sqlalchemy as sa

from volatility.bars import PRICES

metadata = sa.MetaData()

assets = sa.Table(
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
    # Microseconds since 1970 in UTC, here and below: when the revision was made.
    sa.Column("changed_at", sa.BigInteger, nullable=False, server_default="0"),
)


def _columns_of_a_bar(*more_of_the_key: sa.Column[int]) -> list[sa.Column[object]]:
    return [
        sa.Column("asset", sa.ForeignKey("assets.asset"), primary_key=True),
        # Seconds since 1970 in UTC: the same number in every database, with no time zone to
        # convert.
        sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
        *more_of_the_key,
        *(sa.Column(price, sa.Double, nullable=False) for price in PRICES),
        # 0 where it is not known: in rows that are older than this column, or were shipped.
        sa.Column("known_at", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("put_by", sa.String(8), nullable=False, server_default=""),  # id of a key
    ]


bars = sa.Table("bars", metadata, *_columns_of_a_bar(), sqlite_with_rowid=False)

# Bars that others have taken the place of. Rows are added and never changed.
replaced_bars = sa.Table(
    "replaced_bars",
    metadata,
    *_columns_of_a_bar(
        sa.Column("replaced_at", sa.BigInteger, primary_key=True, autoincrement=False)
    ),
    sqlite_with_rowid=False,
)

# What an asset that is made anew under the name of a deleted one goes on from: no revision stands
# for two states.
deleted_assets = sa.Table(
    "deleted_assets",
    metadata,
    sa.Column("asset", sa.String(64), primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),  # above any that it had
    sa.Column("deleted_at", sa.BigInteger, nullable=False),
    sa.Column("deleted_by", sa.String(8), nullable=False),
)
