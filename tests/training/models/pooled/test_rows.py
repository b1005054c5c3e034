"""What a pooled model learns from."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import simulated_asset, simulated_panel
from training.models.pooled.rows import (
    COLUMNS,
    _other_measure,
    class_effects,
    histories,
    log_factors,
    log_targets,
    training_rows,
    usable_columns,
)
from volatility.scale_free import KINDS, MINIMUM
from volatility.series import DatedSeries
from volatility.trailing import SESSIONS


@pytest.fixture(scope="module")
def asset():
    return simulated_asset("COIN", "crypto", "24/7", 300, seed=3)


def test_targets_are_logs_of_mean_rv_ahead(asset):
    rv = asset.series.rv
    targets = log_targets(asset, (1, 5))
    assert targets[0, 0] == pytest.approx(np.log(rv[MINIMUM]))
    assert targets[0, 1] == pytest.approx(np.log(rv[MINIMUM : MINIMUM + 5].mean()))
    assert np.isnan(targets[-1, 0])
    assert np.isnan(targets[-5:, 1]).all()
    assert not np.isnan(targets[:-5]).any()


def test_a_history_too_short_for_one_horizon_has_targets_at_others(asset):
    short = replace(asset, series=asset.series.part(slice(0, 24)))
    targets = log_targets(short, (24, 1))
    assert np.isnan(targets[:, 0]).all()
    assert np.isfinite(targets[:, 1]).tolist() == [True, True, False]


def test_no_target_reaches_over_a_gap(asset):
    keep = np.ones(300, bool)
    keep[100] = False
    gap = replace(asset, series=asset.series.part(keep))
    targets = log_targets(gap, (1, 5))
    last = 99 - (MINIMUM - 1)  # the row of the session before the gap
    assert np.isnan(targets[last, 0])
    assert np.isnan(targets[last - 4 : last + 1, 1]).all()
    assert not np.isnan(targets[last + 1, 0])
    assert not np.isnan(targets[last - 5, 1])


def test_histories_are_ragged(asset):
    seen = histories(asset)
    assert seen["rv"].shape == (300 - MINIMUM + 1, SESSIONS)
    assert np.isfinite(seen["rv"][0]).sum() == MINIMUM
    assert np.isfinite(seen["rv"][-1]).all()
    assert usable_columns(asset) == ("range_ratio", "return")
    stock = simulated_asset("S", "stock", "XNYS", 60, seed=1)
    assert usable_columns(stock) == tuple(sorted(COLUMNS))


def test_effects_are_means_over_the_assets_of_a_kind():
    panel = simulated_panel()
    quiet = [
        replace(
            it,
            series=replace(
                it.series,
                rv=np.where(
                    (it.series.dates.astype(int) + 3) % 7 >= 5, it.series.rv / 2, it.series.rv
                ),
            ),
        )
        for it in panel
        if it.kind == "crypto"
    ]
    effects = class_effects(quiet)
    assert set(effects) == set(KINDS)
    weekend = effects["crypto"][5:7].mean() - effects["crypto"][:5].mean()
    assert weekend == pytest.approx(-np.log(2), abs=0.2)
    assert not effects["stock"].any()


def test_targets_have_no_calendar_left(asset):
    effects = np.array([0, 0, 0, 0, 0, -1.0, -1.0, 0])
    factors = log_factors(asset, effects, (1, 7))
    assert set(np.round(factors[:, 0], 12)) == {0.0, -1.0}
    np.testing.assert_allclose(factors[:, 1], np.log((5 + 2 * np.exp(-1)) / 7))


def test_variations_are_drawn_from_the_seed():
    panel = simulated_panel()[:2]
    effects = class_effects(panel)
    one, same, other = (training_rows(panel, effects, (1,), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.regressors, same.regressors)
    assert one.regressors.shape != other.regressors.shape or not np.array_equal(
        one.regressors, other.regressors
    )
    assert len(one.targets) > 2 * (700 - MINIMUM)  # the rows as they are, and variations
    assert np.isfinite(one.regressors).all()
    assert np.isfinite(one.sequence).all()


def test_a_third_of_the_rows_has_a_shorter_history_and_more_another_measure(asset):
    """Where bars tell no other measure, histories alone are cut."""
    series = asset.series
    alone = replace(asset, series=replace(series, measure="realized_variance"))
    bare = replace(asset, series=DatedSeries(series.rv, series.measure, series.dates))
    whole = len(series) - MINIMUM
    effects = class_effects([asset])
    for given, share in ((asset, 0.35 + 0.2 + 0.1), (alone, 0.35), (bare, 0.35)):
        varied = len(training_rows([given], effects, (1,), 7).targets) - whole
        assert varied / whole == pytest.approx(share, abs=0.1)


def test_rows_do_not_depend_on_what_came_later():
    panel = simulated_panel()[:1]
    effects = class_effects(panel)
    cut = panel[0].series.dates[400]
    known = (panel[0].until(cut),)
    changed = replace(panel[0].series, rv=panel[0].series.rv.copy())
    changed.rv[401:] *= 100
    later = (replace(panel[0], series=changed).until(cut),)
    one, other = (training_rows(it, effects, (1, 5), 1) for it in (known, later))
    for left, right in zip(one, other, strict=True):
        np.testing.assert_array_equal(left, right)


def test_the_other_measure_is_as_far_away_as_the_bars_ranges_tell(asset):
    other, seen = _other_measure(asset, histories(asset))
    assert (asset.series.measure, other.series.measure) == ("garman_klass", "parkinson")
    moved = np.log(other.series.rv / asset.series.rv)
    np.testing.assert_allclose(
        np.abs(moved), np.abs(asset.series.column("range_ratio")), atol=1e-12
    )
    np.testing.assert_allclose(seen["rv"][-1][-1], other.series.rv[-1])
    again, _ = _other_measure(other, seen)
    assert again.series.measure == "garman_klass"
    np.testing.assert_allclose(again.series.rv, asset.series.rv)
