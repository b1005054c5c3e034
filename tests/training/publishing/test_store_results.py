"""The page of results, whole, of a small store."""

from pathlib import Path

import numpy as np
import pytest

from models_store.store import Store
from tests.models_store.artifacts import make_files
from tests.service.worlds import ASSET, MODELS
from tests.training.simulated import make_training_set, small_config
from training.models.registry import recipes
from training.publishing.retrain import publish, train
from training.publishing.served_models import ServedModels
from training.publishing.store_results import BEGIN, END, between_markers, tables
from volatility.evaluation.compare import BENCHMARKS

OVERVIEW = """\
| asset | `auto` | before: vs calendar, SPA | tested, n | vs last value | vs HAR | vs log-HAR | \
vs calendar | p | one day |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
| TEST | `log_har` | – | 218 | +0.0% | -5.5% | +0.0% | – | 0.000 | 2020-08-07: 18%, -4.9% |

- **TEST**: better than HAR at 5 %: `log_har` -5.5% (p = 0.000; 18% of the differential's variance \
is 2020-08-07, without it -4.9%). As the best of 2, the best beats HAR by more than luck explains \
(superior predictive ability, p = 0.000).

| model | TEST (n = 218) |
|---|---:|
| `last_value` | -5.6% |
| `har` | 0.1831 |
| `log_har` | -5.5% ▼ |

`auto` by sessions ahead, on the same part: its QLIKE against each plain benchmark's, and the \
p-value of Diebold and Mariano.

| asset | `auto` | sessions ahead | n | vs last value (p) | vs HAR (p) | vs log-HAR (p) | \
vs calendar (p) |
|---:|---:|---:|---:|---:|---:|---:|---:|
| TEST | `log_har` | 1 | 218 | +0.0% (0.989) | -5.5% (0.000) | – | – |

"""
DETAILS = """\
**TEST**, `garman_klass`, 2020-07-01 to 2021-02-03, n = 218:

| model | QLIKE | vs HAR | p: HAR | p: calendar | one day of: calendar | in set | \
RMSE of volatility | R² of log | 80 % / 95 % |
|---|---:|---:|---:|---:|---:|:-:|---:|---:|---:|
| `last_value` | 0.1729 | -5.6% | 0.110 | – | – | yes | 0.00366 | -0.548 | 80.7% / 95.4% |
| `har` | 0.1831 | – | – | – | – | no | 0.00345 | -0.337 | 79.8% / 95.4% |
| `log_har` | 0.1729 | -5.5% | 0.000 | – | – | yes | 0.00347 | -0.367 | 79.8% / 95.4% |

Significantly better than HAR (5 %): `log_har`. Not distinguishable: `last_value`. \
Significantly worse: none.
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for model, intercept in MODELS.items():
        store.promote(ASSET, model, store.publish(make_files(ASSET, model, intercept)))
    store.set_champion(ASSET, "log_har")
    return store


def test_a_page_has_an_overview_further_horizons_and_a_table_an_asset(store: Store) -> None:
    assert tables(store) == OVERVIEW + DETAILS


def test_of_two_assets_each_has_its_column_and_its_table(store: Store) -> None:
    store.promote("OTHER", "har", store.publish(make_files("OTHER", "har", 3e-4)))
    page = tables(store)
    assert "| model | OTHER (n = 218) | TEST (n = 218) |\n" in page
    assert "| `last_value` |  | -5.6% |\n" in page
    assert page.count("\n**OTHER**, `garman_klass`, ") == 1
    assert page.endswith(DETAILS)


def test_what_stands_between_the_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "results.md"
    page.write_text(f"a\n{BEGIN}\nold\n{END}\nb {END} c\n")
    assert between_markers(page, "new") == f"a\n{BEGIN}\n\nnew\n{END}\nb {END} c\n"


def test_both_parts_of_a_published_sample_are_compared(tmp_path: Path) -> None:
    """The part that chose what ``auto`` means ends before the one that judges it."""
    trained = train(recipes(["ewma"], small_config()), make_training_set(602), jobs=1)
    published = publish(trained, Store(tmp_path), [])
    found = ServedModels.of(Store(tmp_path), "TARGET")
    assert (found.asset, found.measure, found.champion) == (
        "TARGET",
        trained.data.target.series.measure,
        published.champion,
    )
    assert {it.model for it in found.tracks} == {*BENCHMARKS, "ewma"}
    assert found.pretrained == []
    assert found.start == trained.parts.test
    assert found.comparison == published.comparison
    assert found.selection is not None
    first, last = found.selection.span
    assert first == trained.parts.selection
    assert last == found.start - np.timedelta64(1, "D")
    assert found.selection.nobs == len(trained.parts.of_selection(trained.tracks["har"]))
