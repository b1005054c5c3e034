"""The second stage: what it recovers, what it leaves alone, and that nothing later moves it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import TINY, simulated_asset, simulated_panel
from training.data.assets import AssetData
from training.evaluation.panel.walk_forward import (
    UNIVERSAL,
    UNIVERSAL_COMPANIONS,
    PanelWalkForward,
    TrackKey,
    panel_jobs,
    panel_tracks,
)
from training.evaluation.workers import worker_pool
from training.models.pooled import market as module
from training.models.pooled.market import (
    accompanied_forecasts,
    fit_market,
    looked_at,
    market_of,
)
from training.models.pooled.ridge import pooled_ridge
from training.models.pooled.rows import class_effects, log_targets
from training.models.pooled.zero_shot import zero_shot
from volatility.scale_free import KINDS, LARGEST
from volatility.series import DatedSeries


class Flat:
    """Says that nothing departs from its slow mean."""

    def run(self, regressors, sequence):
        return np.zeros((len(regressors), 2))


class Pooled:
    def __init__(self, assets):
        self.effects = class_effects(assets)
        self.network, self.horizons, self.capped_means = Flat(), (1, 5), np.ones(2)
        self.kind_scales = dict.fromkeys(KINDS, np.zeros(2))


def fit(assets, _config):
    return Pooled(assets)


PANEL = simulated_panel()
PLAN = PanelWalkForward(2, 12, ())


def implied(seed: int = 9) -> AssetData:
    asset = simulated_asset("VIX", "index", "XNYS", 700, seed)
    return replace(asset, series=replace(asset.series, measure="implied_variance"))


def tracks_of(panel, index):
    jobs = panel_jobs(panel, PLAN, TINY, market_of(panel, index))
    return panel_tracks(jobs, fit, worker_pool(1))


def test_a_kind_without_others_and_too_few_rows_are_left_as_they_are() -> None:
    market, pooled = market_of(PANEL, None), Pooled(PANEL)
    currency = PANEL[-1]
    assert np.isnan(market[currency.asset]).all()  # the only one of its kind
    stages = fit_market(pooled, PANEL, market)
    assert set(stages) == {"stock", "crypto"}
    plain = zero_shot(pooled, currency).scaled
    assert np.array_equal(accompanied_forecasts(pooled, currency, market, stages), plain)
    assert fit_market(pooled, [PANEL[0]], market) == {}  # 679 rows


def test_a_forecast_without_companions_is_the_plain_one() -> None:
    pooled, index = Pooled(PANEL), implied()
    late = replace(index, series=index.series.part(slice(300, None)))
    market = market_of(PANEL, late)
    stages = fit_market(pooled, PANEL, market)
    stock = PANEL[0]
    unknown = np.isnan(market[stock.asset]).any(axis=1)
    assert 250 < unknown.sum() < 310
    pooled.capped_means = np.array([0.8, 0.9])
    pooled.kind_scales = {"stock": np.array([0.2, -0.1])}
    found = accompanied_forecasts(pooled, stock, market, stages)
    said = zero_shot(pooled, stock)
    assert (said.log_scales[unknown] != 0).any()
    assert np.array_equal(found[unknown], said.scaled[unknown])
    # The first accompanied ones have no scale yet: 50 outcomes of accompanied ones are needed.
    rows, stage = module._rows(pooled, stock, market), stages["stock"]
    accompanied = (rows.plain[rows.known] + stage.correction(rows.design))[:50]
    assert np.array_equal(found[~unknown][:50], accompanied)
    assert (said.log_scales[~unknown][:50] != 0).all()
    assert not np.array_equal(found[~unknown][60:], said.scaled[~unknown][60:])


def test_it_recovers_what_the_companions_tell() -> None:
    """A class whose next log rv is half of the mean departure of the others."""
    market, pooled = market_of(PANEL, None), Pooled(PANEL)
    rng = np.random.default_rng(0)
    known = []
    for asset in PANEL[:3]:
        said = zero_shot(pooled, asset).plain[:, 0] + 0.5 * market[asset.asset][:, 0]
        rv = asset.series.rv.copy()
        rv[22:] = np.exp(said[:-1] + 0.05 * rng.normal(size=len(said) - 1))
        series = DatedSeries(
            rv, asset.series.measure, asset.series.dates, columns=asset.series.columns
        )
        known.append(replace(asset, series=series))
    # Targets alone are changed: what is seen stays that of the panel.
    stage = _stage_of(pooled, known, market)
    others = PANEL[0].asset
    companions = market[others]
    flat = np.zeros((len(companions), stage.coefficients.shape[0] - 1 - companions.shape[1]))
    there = ~np.isnan(companions).any(axis=1)
    design = np.concatenate([companions, flat + stage.mean[companions.shape[1] :]], axis=1)[there]
    added = stage.correction(design)[:, 0]
    slope = np.polyfit(companions[there, 0], added, 1)[0]
    assert slope == pytest.approx(0.5, abs=0.1)


def _stage_of(pooled, known, market):
    """Fitted with the targets of ``known``, and what the panel saw."""
    rows = [
        module._rows(pooled, asset, market)._replace(targets=log_targets(it, pooled.horizons))
        for asset, it in zip(PANEL[:3], known, strict=True)
    ]
    return module._fit(rows)


def test_ratios_beyond_six_count_as_six_for_the_mean_that_scales_are_told_by() -> None:
    # 19 outcomes of 1 and one of 61, and nothing that tells them apart: a mean of 4, which the
    # correction says; over it 1/4 and 15.25, which counts as 6.
    logs = np.log(np.array([1.0] * 19 + [61.0]))[:, None]
    flat = np.zeros((20, 1))
    rows = module._Rows(np.ones(20, dtype=bool), flat, flat, logs)
    stage = module._fit([rows])
    assert stage.correction(flat[:1]) == pytest.approx(np.log(4))
    assert stage.capped_means == pytest.approx((19 / 4 + 6) / 20)


def test_the_future_of_any_asset_moves_no_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prefix invariance, to the last bit: of the class, of the index and of every fit."""
    monkeypatch.setattr("training.models.pooled.market._FEWEST", 200)
    cut = np.datetime64("2020-06-30")

    def change(asset):
        later = asset.series.dates > cut
        columns = {it: np.where(later, 0.01, old) for it, old in asset.series.columns.items()}
        rv = np.where(later, 1.0, asset.series.rv)
        return replace(asset, series=replace(asset.series, rv=rv, columns=columns))

    index = implied()
    before = tracks_of(PANEL, index)
    after = tracks_of(tuple(map(change, PANEL)), change(index))
    moved = 0
    for key, track in before.items():
        known = track.as_of <= cut
        assert after[key].forecast[known].tobytes() == track.forecast[known].tobytes()
        moved += (after[key].forecast[~known] != track.forecast[~known]).sum()
    assert moved
    one = TrackKey("STOCK0", UNIVERSAL_COMPANIONS, 1)
    plain = before[one._replace(model=UNIVERSAL)]
    assert np.array_equal(before[one].target_dates, plain.target_dates)
    assert not np.array_equal(before[one].forecast, plain.forecast)
    only = TrackKey("FX5", UNIVERSAL_COMPANIONS, 1)
    assert np.array_equal(before[only].forecast, before[only._replace(model=UNIVERSAL)].forecast)


def test_what_an_asset_of_a_panel_looks_at() -> None:
    stock, coin, bitcoin = PANEL[0], PANEL[3], simulated_asset("BTC", "crypto", "24/7", 100, 1)
    index = implied()
    assert looked_at(stock, [index, bitcoin]) == [index, bitcoin]
    assert looked_at(coin, [index, bitcoin]) == [bitcoin]
    assert looked_at(bitcoin, [index, bitcoin]) == []


def rows_of(count: int, seed: int = 0) -> module._Rows:
    """Sessions of an asset, a third of them without companions, and one outcome not known."""
    rng = np.random.default_rng(seed)
    known = np.arange(count) % 3 != 0
    design = np.column_stack([np.full(known.sum(), 2.0), rng.normal(3.0, 0.5, known.sum())])
    design[0, 1] = 60.0  # far beyond what counts
    plain = rng.normal(-9.0, 0.3, (count, 2))
    targets = plain + rng.normal(0.4, 0.9, (count, 2))
    targets[-1, 1] = np.nan
    return module._Rows(known, design, plain, targets)


def test_a_stage_moves_forecasts_of_logs_to_those_of_means() -> None:
    both = [rows_of(600, 1), rows_of(300, 2)]
    stage = module._fit(both)
    design = np.concatenate([it.design for it in both])
    np.testing.assert_allclose(stage.mean, design.mean(axis=0))
    np.testing.assert_allclose(stage.deviation, [1.0, design[:, 1].std()])  # the first never varies
    left = np.concatenate([(it.targets - it.plain)[it.known] for it in both])
    ratios = np.exp(left - stage.correction(design))
    np.testing.assert_allclose(np.nanmean(ratios, axis=0), 1.0)
    scaled = np.clip((design - stage.mean) / stage.deviation, -LARGEST, LARGEST)
    slopes = pooled_ridge(scaled, left, 0.1)[1:]  # the penalty of docs/decisions/0032
    np.testing.assert_allclose(stage.coefficients[1:], slopes)
    np.testing.assert_allclose(stage.capped_means, np.nanmean(np.minimum(ratios, 6.0), axis=0))
    assert (stage.capped_means < 0.999).all()
    # What is further off than counts adds no more, on either side.
    for side in (-1, 1):
        far = np.array([[2.0, stage.mean[1] + side * it] for it in (1e3, 2e3)])
        one, other = stage.correction(far)
        assert np.array_equal(one, other)
        edge = np.array([[2.0, stage.mean[1] + side * LARGEST * stage.deviation[1]]])
        np.testing.assert_allclose(stage.correction(edge)[0], one)


@pytest.mark.parametrize(("short_of", "is_fitted"), [(1, False), (0, True)])
def test_a_thousand_rows_of_a_kind_are_enough(
    short_of: int, is_fitted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of(1_500)
    left_out = np.flatnonzero(rows.known)[:short_of]
    rows.known[left_out] = False
    fewer = rows._replace(design=rows.design[short_of:])
    assert fewer.known.sum() == 1_000 - short_of
    monkeypatch.setattr(module, "_rows", lambda *_: fewer)
    stages = fit_market(Pooled(PANEL), PANEL[:1], {})
    assert set(stages) == ({"stock"} if is_fitted else set())


def test_an_asset_without_a_session_to_forecast_from_teaches_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def rows(_pooled: object, asset: AssetData, _market: object) -> module._Rows:
        asked.append(len(asset.series))
        return rows_of(3_000)

    monkeypatch.setattr(module, "_rows", rows)
    cut = [PANEL[0].until(PANEL[0].series.dates[it - 1]) for it in (21, 22, 23)]
    assert set(fit_market(Pooled(PANEL), cut, {})) == {"stock"}
    assert asked == [23]
