"""The scales of kinds: what a network that knows no kind leaves of each."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import simulated_asset
from training.models.pooled.kind_scales import kind_scales
from training.models.pooled.rows import class_effects
from training.models.pooled.zero_shot import zero_shot
from volatility.scale_free import KINDS

DEVIATION = {"stock": 0.3, "crypto": 0.9}  # of log rv, which has no memory here


class Flat:
    """Says that mean rv will be what its slow mean of logs says."""

    def run(self, regressors, sequence):
        return np.zeros((len(regressors), 2))


class Unscaled:
    def __init__(self, assets):
        self.network, self.horizons, self.effects = Flat(), (1, 5), class_effects(assets)


class Scaled(Unscaled):
    def __init__(self, assets, scales):
        super().__init__(assets)
        self.capped_means, self.kind_scales = np.ones(2), scales


def without_memory(asset, seed):
    z = np.random.default_rng(seed).normal(size=len(asset.series))
    rv = 1e-4 * np.exp(DEVIATION[asset.kind] * z)
    return replace(asset, series=replace(asset.series, rv=rv))


@pytest.fixture(scope="module")
def panel():
    stocks = [simulated_asset(f"S{it}", "stock", "XNYS", 1_000, it) for it in range(4)]
    coins = [simulated_asset(f"C{it}", "crypto", "24/7", 1_450, 9 + it) for it in range(2)]
    return [without_memory(it, place) for place, it in enumerate([*stocks, *coins])]


def test_a_kind_with_wider_errors_has_a_scale_of_its_own(panel):
    found = kind_scales(Unscaled(panel), panel)
    assert set(found) == set(KINDS)
    # Means of ratios are exp(deviation²/2), and of seven ratios three are of coins.
    mean = {kind: np.exp(it**2 / 2) for kind, it in DEVIATION.items()}
    of_all = (4 * mean["stock"] + 3 * mean["crypto"]) / 7
    assert found["crypto"][0] == pytest.approx(np.log(mean["crypto"] / of_all), abs=0.05)
    assert found["stock"][0] == pytest.approx(np.log(mean["stock"] / of_all), abs=0.05)
    assert (found["fx"] == 0).all()
    assert all(it == round(it, 6) != round(it, 5) for it in found["stock"].tolist())
    alike = kind_scales(Unscaled(panel), [replace(it, kind="stock") for it in panel])
    assert alike["stock"] == pytest.approx(0.0, abs=1e-6)


def test_forecasts_of_a_kind_are_multiplied_by_its_scale(panel):
    coin = panel[-1].until(panel[-1].series.dates[280])  # too few outcomes for its own scale
    said = []
    for scale in (0.0, 0.3):
        pooled = Scaled(panel, {"crypto": np.array([scale, 0.0])})
        said.append(zero_shot(pooled, coin).scaled)
    told = said[1] - said[0]
    np.testing.assert_allclose(told[:, 0], 0.3, atol=1e-12)
    assert (told[:, 1] == 0).all()


def test_what_comes_after_the_cut_off_moves_no_scale(panel):
    pooled, cut_off = Unscaled(panel), np.datetime64("2021-03-31")
    changed = []
    for asset in panel:
        rv = np.where(asset.series.dates > cut_off, 9.0, asset.series.rv)
        changed.append(replace(asset, series=replace(asset.series, rv=rv)))
    known, others = ([it.until(cut_off) for it in each] for each in (panel, changed))
    before, after = kind_scales(pooled, known), kind_scales(pooled, others)
    for kind in KINDS:
        np.testing.assert_array_equal(before[kind], after[kind])
    assert not np.array_equal(before["crypto"], kind_scales(pooled, changed)["crypto"])
