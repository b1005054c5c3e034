"""The database: SQLite or PostgreSQL, its migrations, and what it says when it does not answer."""
