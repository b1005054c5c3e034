import shutil
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pandas as pd
import pytest

import roughcast
from models_store.shipped import shipped_artifacts
from models_store.universal.store import UniversalStore
from roughcast.fitting import FittedModel
from service.app import create_app
from service.settings import Settings
from tests.service import worlds
from tests.service.client import TestClient

mpl.use("Agg")  # no test opens a window


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One asset with models of its own, and the model for every asset that is shipped."""
    folder = tmp_path_factory.mktemp("roughcast")
    worlds.build(folder)
    settings = worlds.settings_in(folder)
    newest = UniversalStore(shipped_artifacts()).folder / "9"
    place = UniversalStore(settings.store_folder).folder
    place.mkdir()
    shutil.copytree(newest, place / "9")
    return settings


@pytest.fixture(scope="session")
def service(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, worlds.clock)) as client:
        yield worlds.verified(client)


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    """Bitcoin up to the last session of the world, of which nothing is said."""
    frame = roughcast.dataset("BTC-USD").loc[: worlds.LAST]
    frame.attrs = {}
    return frame


@pytest.fixture(scope="session")
def rv(bars: pd.DataFrame) -> pd.Series:
    return roughcast.measure(bars)


@pytest.fixture(scope="session")
def model(rv: pd.Series) -> FittedModel:
    return roughcast.fit("har", rv, horizons=[1, 5, 22])


@pytest.fixture
def csv(bars: pd.DataFrame, tmp_path: Path) -> Path:
    """Too few for the model to be tried on them, which takes a second."""
    path = tmp_path / "mine.csv"
    bars.tail(120).to_csv(path)
    return path
