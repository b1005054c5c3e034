"""Whatever is held is held alike in either database."""

import pytest

from service.settings import Settings
from tests.service import worlds


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    """A world of its own for each test, in an SQLite file or in PostgreSQL."""
    worlds.hold(database_url)
    return settings.model_copy(update={"database_url": database_url})
