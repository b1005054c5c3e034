"""What is traded: the kind of each asset, empty where it was held before kinds were."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("assets", sa.Column("kind", sa.String(16), nullable=False, server_default=""))
