"""A world with its own models, one that sees returns, and the model for every asset."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.any_asset import publish_universal
from tests.service.client import TestClient
from tests.service.worlds import clock, publish_others, settings_in, verified


@pytest.fixture(scope="package")
def richer(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("protocols")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    settings = settings_in(folder)
    publish_universal(settings)
    publish_others(settings)
    return settings


@pytest.fixture(scope="module")
def served(richer: Settings) -> Iterator[TestClient]:
    """For tests that change nothing but the ledger."""
    with TestClient(create_app(richer, clock)) as client:
        yield verified(client)
