import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from models_store import Store, open_store
from models_store.signatures import TrustedKeys
from service.app import create_app
from service.operations import logs
from service.settings import Settings
from tests.service import worlds
from tests.service.client import TestClient
from tests.service.databases import PostgresServer


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    logs.configure("info")
    logging.getLogger("httpx").setLevel(logging.WARNING)


@pytest.fixture(scope="session", autouse=True)
def _worlds_stay_as_they_are() -> Iterator[None]:
    """A store that a test has begun is not given the shipped model for every asset."""

    def as_it_is(root: Path, trusted: TrustedKeys) -> Store:
        return Store(root, trusted) if root.exists() else open_store(root, trusted)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.operations.seeding.open_store", as_it_is)
        yield


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once; each test works on its own copy."""
    folder = tmp_path_factory.mktemp("world")
    worlds.build(folder)
    return folder


@pytest.fixture(scope="session")
def world_settings(world: Path) -> Settings:
    """For tests that change nothing."""
    return worlds.settings_in(world)


@pytest.fixture
def settings(world: Path, tmp_path: Path) -> Settings:
    shutil.copytree(world, tmp_path, dirs_exist_ok=True)
    return worlds.settings_in(tmp_path)


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    return create_app(settings, worlds.clock)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Started by the first test that asks for it."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'history.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)
