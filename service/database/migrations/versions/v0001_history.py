"""Assets and their bars."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "assets",
        sa.Column("asset", sa.String(64), primary_key=True),
        sa.Column("calendar", sa.String(16), nullable=False),
        sa.Column("measure", sa.String(64), nullable=False),
        sa.Column("bar_interval", sa.Integer, nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "bars",
        sa.Column("asset", sa.String(64), sa.ForeignKey("assets.asset"), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(price, sa.Double, nullable=False)
            for price in ("open", "high", "low", "close")
        ),
        sqlite_with_rowid=False,
    )
