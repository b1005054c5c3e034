"""The ledger: forecasts as they were issued."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "forecasts",
        sa.Column("forecast_id", sa.String(32), primary_key=True),
        sa.Column("asset", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("model_version", sa.Integer, nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("horizon", sa.Integer, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("target_date", sa.Date, nullable=False),
        sa.Column("last_closed", sa.Date, nullable=False),
        sa.Column("asked_as_of", sa.Date),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
        sa.Column("last_issued_at", sa.BigInteger, nullable=False),
        sa.Column("levels", sa.String(128), nullable=False),
        sa.Column("known_at", sa.Text, nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
    )
    op.create_index("forecasts_by_target", "forecasts", ["asset", "target_date"])
    op.create_index("forecasts_by_time", "forecasts", ["issued_at"])
