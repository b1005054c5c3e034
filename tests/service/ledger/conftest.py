"""A service whose clock is set, in either database."""

from collections.abc import Iterator

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service import worlds
from tests.service.client import TestClient
from tests.service.worlds import NOW, SetClock


@pytest.fixture
def settings(settings: Settings, database_url: str) -> Settings:
    """A world of its own for each test, in an SQLite file or in PostgreSQL."""
    worlds.hold(database_url)
    return settings.model_copy(update={"database_url": database_url})


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


@pytest.fixture
def client(settings: Settings, clock: SetClock) -> Iterator[TestClient]:
    with TestClient(create_app(settings, clock)) as client:
        yield client
