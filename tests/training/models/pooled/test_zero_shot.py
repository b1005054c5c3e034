"""What a model for every asset says of one is the same in an evaluation and in service."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from models_store.calibration import scaled_calibration
from models_store.universal.asset_model import bind
from models_store.universal.model import UniversalModel
from models_store.universal.store import UniversalStore
from tests.simulated_panel import simulated_asset
from tests.universal import universal_files
from training.models.pooled.rows import log_targets
from training.models.pooled.universal import Universal, own_log_scale
from training.models.pooled.zero_shot import zero_shot
from volatility.scale_free import MINIMUM
from volatility.trailing import SESSIONS


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> UniversalModel:
    store = UniversalStore(tmp_path_factory.mktemp("universal"))
    return store.load(store.publish(universal_files()[-1]))


@cache
def asset():
    """With sessions missing, and one print that its scale must not be set by."""
    whole = simulated_asset("NEW", "stock", "XNYS", 900, 11)
    series = whole.series
    rv = series.rv.copy()
    rv[700] *= 400
    there = np.ones(len(rv), dtype=bool)
    there[[400, 401, 650, 895]] = False
    columns = {name: values[there] for name, values in series.columns.items()}
    changed = replace(series, rv=rv[there], dates=series.dates[there], columns=columns)
    return replace(whole, series=changed)


@pytest.mark.parametrize("horizon", [1, 5, 22])
def test_scale_and_errors_are_those_that_serve(model, horizon):
    data = asset()
    column = model.horizons.index(horizon)
    said, outcomes = zero_shot(model, data), log_targets(data, model.horizons)
    errors = (outcomes - said.scaled)[SESSIONS - MINIMUM :, column]

    served = bind(model, "NEW", data.kind, data.calendar_name, data.series.measure)
    found = served.calibrate(data.series, horizon=horizon)

    assert found.log_scale == pytest.approx(said.log_scales[-1, column], abs=1e-12)
    assert found.log_scale == pytest.approx(own_log_scale(model, data, horizon), abs=1e-12)
    start = served.pooled[horizon].size
    expected = scaled_calibration(errors[~np.isnan(errors)], found.through, horizon, start=start)
    assert found.nobs == expected.nobs
    np.testing.assert_allclose(found.ordered, expected.ordered, atol=1e-9)
    assert found.scale == pytest.approx(expected.scale)


def test_a_forecast_that_saw_less_than_a_full_window_says_nothing_of_the_scale(model):
    data = asset()
    early = data.until(data.series.dates[SESSIONS + 48])  # 49 outcomes of full windows
    assert (zero_shot(model, early).log_scales == 0).all()
    later = data.until(data.series.dates[SESSIONS + 49])
    assert zero_shot(model, later).log_scales[-1, 0] != 0
    assert (zero_shot(model, later).log_scales[:-1] == 0).all()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (("return", "jump"), ("return",)),
        (
            ("range_ratio", "return", "overnight_return"),
            ("overnight_return", "range_ratio", "return"),
        ),
        ((), ()),
    ],
)
def test_columns_that_bars_do_not_give_are_done_without(
    given: tuple[str, ...], kept: tuple[str, ...], tmp_path: Path
) -> None:
    assert Universal(22, tmp_path).adapted_to(given) == Universal(22, tmp_path, kept)
