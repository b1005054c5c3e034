"""Whatever is held is held alike in either database."""

import shutil

import pytest

from service.settings import Settings
from tests.service import worlds
from tests.service.databases import file_in


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    """A world of its own for each test, in an SQLite file or in PostgreSQL."""
    if database_url.startswith("sqlite"):
        file_in(database_url).parent.mkdir()
        shutil.copy(file_in(settings.database_url), file_in(database_url))
    else:
        worlds.hold(database_url)
    return settings.model_copy(update={"database_url": database_url})
