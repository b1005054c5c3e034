"""What is known of an asset that has models but no held bars."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_store import Store
from models_store.shipped import shipped_artifacts
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings, find_asset
from service.models.catalogue import Catalogue
from tests.models_store.artifacts import make_files


@pytest.fixture
def holdings(database_url: str) -> Iterator[Holdings]:
    store = HistoryStore(database_url)
    store.prepare([])
    yield Holdings(store)
    store.close()


@pytest.mark.parametrize("model", ["combination", "universal"])
def test_its_kind_is_what_its_models_take_it_for(
    tmp_path: Path, holdings: Holdings, model: str
) -> None:
    """An index in New York, where most assets are stocks."""
    shutil.copytree(shipped_artifacts() / "SPX" / model, tmp_path / "store" / "SPX" / model)
    catalogue = Catalogue.of(Store(tmp_path / "store"))
    known = find_asset("SPX", holdings, catalogue)
    assert known is not None
    assert (known.calendar, known.kind) == ("XNYS", "index")


def test_where_no_model_depends_on_its_kind_it_is_the_usual_one(
    tmp_path: Path, holdings: Holdings
) -> None:
    store = Store(tmp_path / "store")
    store.promote("TEST", "har", store.publish(make_files()))
    known = find_asset("TEST", holdings, Catalogue.of(store))
    assert known is not None
    assert (known.calendar, known.kind) == ("24/7", "crypto")
