"""The table of issued forecasts; :mod:`service.database.migrations` makes it."""

import sqlalchemy as sa

metadata = sa.MetaData()

forecasts = sa.Table(
    "forecasts",
    metadata,
    sa.Column("forecast_id", sa.String(32), primary_key=True),
    sa.Column("asset", sa.String(64), nullable=False),
    sa.Column("model", sa.String(64), nullable=False),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("horizon", sa.Integer, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("target_date", sa.Date, nullable=False),
    sa.Column("last_closed", sa.Date, nullable=False),  # session, when it was issued
    sa.Column("asked_as_of", sa.Date),  # the day that was to be replayed, if one was
    # Microseconds since 1970 in UTC: first, and last from another state of the bars.
    sa.Column("issued_at", sa.BigInteger, nullable=False),
    sa.Column("last_issued_at", sa.BigInteger, nullable=False),
    sa.Column("levels", sa.String(128), nullable=False),  # of its intervals, separated by spaces
    sa.Column("known_at", sa.Text, nullable=False),  # JSON: of each asset looked at
    sa.Column("role", sa.String(8), nullable=False),  # "answer" or "shadow"
    sa.Column("answer", sa.Text, nullable=False),  # JSON, as `POST /forecast` gives it
    sa.Index("forecasts_by_target", "asset", "target_date"),
    sa.Index("forecasts_by_time", "issued_at"),
)
