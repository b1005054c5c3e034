"""Alembic's environment.

A change of tables is a new module in ``versions`` and its number in
:data:`service.database.upgrading.HEAD`; a version that is released is never changed.
"""
