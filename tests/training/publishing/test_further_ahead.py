"""The table by sessions ahead, from what is kept beside the models and without it."""

from pathlib import Path

import pytest

from models_store import Store
from models_store.stored_comparisons import record
from tests.models_store.artifacts import make_files
from tests.service.worlds import build
from training.publishing.further_ahead import read_ahead, table_ahead


@pytest.fixture
def store(tmp_path: Path) -> Store:
    build(tmp_path)
    return Store(tmp_path / "store")


def test_it_is_the_same_whether_comparisons_are_kept_or_made(store: Store) -> None:
    anew = list(table_ahead(read_ahead(store)))
    assert record(store, "TEST") == 1
    assert list(table_ahead(read_ahead(store))) == anew
    heading, _, row = anew
    assert heading.startswith("| asset | `auto` | sessions ahead | n | vs last value (p) |")
    assert row.startswith("| TEST | `log_har` | 1 | ")


def test_a_cell_is_the_distance_and_the_pvalue_of_the_champion(store: Store) -> None:
    [found] = read_ahead(store)
    champion, last = found.row(found.champion), found.row("last_value")
    assert champion is not None
    assert last is not None
    ratio = champion.qlike_loss / last.qlike_loss
    pvalue = champion.diebold_mariano["last_value"].pvalue
    *_, row = table_ahead([found])
    assert f"| {ratio - 1:+.1%} ({pvalue:.3f}) |" in row
    assert row.endswith("| – | – |")  # against itself, and what does not serve


def test_an_asset_without_a_champion_is_left_out(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.promote("TEST", "har", store.publish(make_files()))
    assert read_ahead(store) == []
