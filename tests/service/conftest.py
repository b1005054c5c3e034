import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from models_store import Store, open_store
from models_store.shipped import is_begun
from models_store.signatures import TrustedKeys
from service.app import create_app
from service.http.routing import include_routers
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
        return Store(root, trusted) if is_begun(root) else open_store(root, trusted)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.operations.seeding.open_store", as_it_is)
        yield


@pytest.fixture(scope="session", autouse=True)
def _routes_are_made_once() -> Iterator[None]:
    """They are the same in every application, and take longer than all else that a test needs."""
    made: list[APIRoute] = []

    def include(app: FastAPI, routers: Sequence[APIRouter]) -> None:
        if made:
            app.router.routes[:0] = made
        else:
            include_routers(app, routers)
            made.extend(it for it in app.routes if isinstance(it, APIRoute))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.app.include_routers", include)
        yield


@pytest.fixture(scope="session", autouse=True)
def _watchers_look_often() -> Iterator[None]:
    """Else each application that is stopped, one a test, waits for a tenth of a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("service.assets.watcher._GLANCE", 0.01)
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


@pytest.fixture(scope="module")
def module_settings(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a copy for all tests of a module: a start takes longer than what most of them ask."""
    folder = tmp_path_factory.mktemp("module")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    return worlds.settings_in(folder)


@pytest.fixture(scope="module")
def module_client(module_settings: Settings) -> Iterator[TestClient]:
    """For modules whose tests leave the service as it is."""
    with TestClient(create_app(module_settings, worlds.clock)) as client:
        yield client


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
    url = server.borrow()
    yield url
    server.give_back(url)
