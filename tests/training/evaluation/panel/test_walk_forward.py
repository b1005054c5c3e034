"""Forecasts of assets that were left out of the fits that forecast them."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import TINY, simulated_panel
from training.evaluation.panel.scores import ALL, by_kind, score_assets
from training.evaluation.panel.walk_forward import (
    UNIVERSAL,
    PanelWalkForward,
    TrackKey,
    folds_of,
    last_half,
    panel_jobs,
    panel_tracks,
)
from training.evaluation.workers import worker_pool
from training.models.pooled.rows import class_effects
from volatility.evaluation.combination import combine
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import KINDS

PLAN = PanelWalkForward(folds=2, months=6, histories=(22,))


class LastValue:
    """Says that log rv stays where it was, relative to its slow mean."""

    def run(self, regressors, sequence):
        return np.repeat(sequence[:, -1, :1].astype(np.float64), 2, axis=1)


class Pooled:
    """A fit that knows the calendar of what it saw."""

    def __init__(self, assets):
        self.effects = class_effects(assets)
        self.network, self.horizons, self.capped_means = LastValue(), (1, 5), np.ones(2)
        self.kind_scales = dict.fromkeys(KINDS, np.zeros(2))


def fit(assets, _config):
    return Pooled(assets)


def tracks_of(assets, how=fit):
    jobs = panel_jobs(assets, PLAN, TINY)
    return panel_tracks(jobs, how, worker_pool(1))


def test_no_fit_sees_an_asset_that_it_forecasts_or_what_came_later():
    for job in panel_jobs(simulated_panel(), PLAN, TINY):
        assert not {it.asset for it in job.known} & {it.asset for it in job.judged}
        assert max(it.series.dates[-1] for it in job.known) <= job.start
        assert job.start < job.end


def test_no_fit_has_seen_the_day_that_is_forecast_from():
    panel = simulated_panel()
    for job in panel_jobs(panel, PLAN, TINY):
        for track in panel_tracks([job], fit, worker_pool(1)).values():
            assert max(it.series.dates[-1] for it in job.known) < track.as_of[0]
            assert track.as_of[-1] <= job.end


def test_kinds_are_spread_over_folds():
    fold = folds_of(simulated_panel(), 2)
    assert sorted(fold[f"STOCK{i}"] for i in range(3)) in ([0, 0, 1], [0, 1, 1])
    assert {fold["CRYPTO3"], fold["CRYPTO4"]} == {0, 1}


def test_every_session_of_the_last_half_is_forecast_once():
    panel = simulated_panel()
    tracks = tracks_of(panel)
    for asset in panel:
        track = tracks[TrackKey(asset.asset, UNIVERSAL, 1)]
        pairs = asset.pairs(22)
        wanted = pairs.target_dates[pairs.target_dates >= last_half(asset)]
        np.testing.assert_array_equal(track.target_dates, wanted)
        assert TrackKey(asset.asset, f"{UNIVERSAL}_22", 1) in tracks
        assert tracks[TrackKey(asset.asset, UNIVERSAL, 5)].horizon == 5


def test_the_future_of_any_asset_moves_no_forecast():
    panel = simulated_panel()
    cut = np.datetime64("2020-06-30")
    changed = tuple(
        replace(
            it, series=replace(it.series, rv=np.where(it.series.dates > cut, 1.0, it.series.rv))
        )
        for it in panel
    )
    before, after = tracks_of(panel), tracks_of(changed)
    moved = 0
    for key, track in before.items():
        known = track.as_of <= cut
        np.testing.assert_array_equal(after[key].forecast[known], track.forecast[known])
        moved += (after[key].forecast[~known] != track.forecast[~known]).sum()
    assert moved


def test_scores_are_against_the_assets_own_log_har():
    panel = simulated_panel()[:3]
    track = tracks_of(simulated_panel())[TrackKey("STOCK0", UNIVERSAL, 1)]
    twice = replace(track, model="log_har", forecast=track.rv * np.e)
    keys = [TrackKey("STOCK0", model, 1) for model in (UNIVERSAL, "log_har")]
    [score] = score_assets(panel, dict(zip(keys, (track, twice), strict=True)))
    # QLIKE of a forecast e times too large is 1/e + 1 - 1
    assert score.change == pytest.approx(score.qlike_loss / np.exp(-1) - 1)
    assert (score.kind, score.nobs) == ("stock", len(track))
    [kind, everything] = by_kind([score])
    assert (kind.kind, everything.kind) == ("stock", ALL)
    assert everything.change == score.change
    assert everything.better == int(score.change < 0)


def test_a_combination_is_the_mean_of_logs():
    dates = np.array(["2020-01-02", "2020-01-03", "2020-01-06"], "M8[D]")
    one = ForecastTrack("a", dates[:2], dates[1:], np.array([1.0, 4.0]), np.array([1.0, 2.0]))
    other = ForecastTrack("b", dates[1:2], dates[2:], np.array([9.0]), np.array([2.0]))
    both = combine("both", [one, other])
    assert both.forecast == pytest.approx([6.0])
    np.testing.assert_array_equal(both.target_dates, dates[2:])
    np.testing.assert_array_equal(both.as_of, dates[1:2])
