"""Alembic's environment. A version is never changed once it is released; a new one follows it."""
