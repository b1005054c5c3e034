"""When bars were known and who sent them, what took their place, and which assets were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns and the tables."""
    op.add_column("assets", _moment("changed_at"))
    op.add_column("bars", _moment("known_at"))
    op.add_column("bars", _sender())
    op.create_table(
        "replaced_bars",
        sa.Column("asset", sa.String(64), sa.ForeignKey("assets.asset"), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
        # The key's columns come first: else SQLite 3.40 reports rows without a rowid as damaged.
        sa.Column("replaced_at", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(price, sa.Double, nullable=False)
            for price in ("open", "high", "low", "close")
        ),
        _moment("known_at"),
        _sender(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "deleted_assets",
        sa.Column("asset", sa.String(64), primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("deleted_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_by", sa.String(8), nullable=False),
    )


def _moment(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _sender() -> sa.Column[str]:
    return sa.Column("put_by", sa.String(8), nullable=False, server_default="")
