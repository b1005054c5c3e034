"""What the sessions of a history say of forecasts that the universal model makes of them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models_store.universal.asset_model import UniversalAssetModel, bind
from models_store.universal.store import UniversalStore
from tests.models_store.universal.small import HORIZONS, small_files
from tests.simulated_panel import simulated_asset
from volatility.series import DatedSeries

PAGE = (Path(__file__).parents[3] / "docs" / "universal.md").read_text()


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> UniversalAssetModel:
    store = UniversalStore(tmp_path_factory.mktemp("store"))
    return bind(store.load(store.publish(small_files())), "NEW", "crypto", "24/7", "garman_klass")


@pytest.fixture(scope="module")
def history() -> DatedSeries:
    return simulated_asset("NEW", "crypto", "24/7", 1_800, seed=11).series


@pytest.mark.parametrize("horizon", HORIZONS)
def test_later_sessions_move_no_scale_that_was_known_before(
    bound: UniversalAssetModel, history: DatedSeries, horizon: int
) -> None:
    history = history.part(slice(0, 700))
    changed = replace(history, rv=np.where(np.arange(700) >= 500, 1.0, history.rv))
    found, other = (bound._outcomes(it, [horizon])[horizon].errors for it in (history, changed))
    outcomes, others = (
        np.log(np.lib.stride_tricks.sliding_window_view(it.rv[250:], horizon).mean(axis=1))
        for it in (history, changed)
    )
    # Forecasts from sessions 249 to 499: their errors move by their outcomes and by nothing else.
    moved = (other - found)[:251]
    np.testing.assert_allclose(moved, (others - outcomes)[:251], atol=1e-12)
    assert np.count_nonzero(moved) == horizon


@pytest.mark.parametrize("horizon", [1, 22])
def test_no_more_of_a_history_counts_than_stands_in_the_docs(
    bound: UniversalAssetModel, history: DatedSeries, horizon: int
) -> None:
    for_scale, for_intervals = (
        int(it.replace(",", "")) + horizon for it in re.findall(r"([\d,]+) \+ h\b", PAGE)
    )
    whole, scaled, enough = (
        bound.calibrate(it, horizon=horizon)
        for it in (history, history.tail(for_scale), history.tail(for_intervals))
    )
    fewer, too_few = (
        bound.calibrate(history.tail(it - 1), horizon=horizon) for it in (for_scale, for_intervals)
    )
    assert scaled.log_scale == pytest.approx(whole.log_scale, abs=1e-12)
    assert abs(fewer.log_scale - whole.log_scale) > 1e-6
    np.testing.assert_array_equal(enough.ordered, whole.ordered)
    assert np.abs(too_few.ordered - whole.ordered).max() > 1e-6
