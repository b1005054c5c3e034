"""Models of a target that start from the model for every asset, or from nothing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import TINY, simulated_asset, simulated_panel
from training.models.pooled.fitting import fit_pooled
from training.models.pooled.rows import log_targets
from training.models.pooled.strategies import methods
from training.models.pooled.transfer import (
    SCRATCH,
    UNIVERSAL,
    UNSCALED,
    Methods,
    Setting,
    Variant,
    adapted_forecasts,
)
from training.models.pooled.zero_shot import inputs_of, zero_shot
from training.networks.strategies import STRATEGIES
from volatility.own_scale import log_scales
from volatility.scale_free import MINIMUM

SESSIONS, KNOWN = 420, 300
VARIANTS = (
    Variant(UNSCALED),
    Variant(UNIVERSAL),
    *(Variant(name, Setting(2)) for name in STRATEGIES),
    Variant(SCRATCH, Setting(2, 0.1)),
)


@pytest.fixture(scope="module")
def source():
    return fit_pooled(simulated_panel()[1:], TINY)


@pytest.fixture(scope="module")
def asset():
    return simulated_asset("NEW", "stock", "XNYS", SESSIONS, seed=11)


def said_of(source, asset, variants=VARIANTS):
    cut_off = asset.series.dates[KNOWN - 1]
    return adapted_forecasts(source, asset, cut_off, variants, methods(), TINY)


def test_as_it_is_the_model_says_what_it_says_of_any_asset(source, asset):
    said, told = said_of(source, asset), zero_shot(source, asset)
    np.testing.assert_array_equal(said[Variant(UNSCALED)], told.plain[:, 0])
    # All outcomes that were known count, the first of them of short histories.
    known = asset.until(asset.series.dates[KNOWN - 1])
    ratios = np.exp(log_targets(known, (1,))[:, 0] - told.plain[: KNOWN - MINIMUM + 1, 0])
    scale = log_scales(ratios, float(source.capped_means[0]), 1)[-1]
    assert scale != 0
    np.testing.assert_allclose(said[Variant(UNIVERSAL)], told.plain[:, 0] + scale)


def test_what_starts_from_nothing_is_fitted_on_what_was_known_at_the_first_horizon(source, asset):
    fitted = []

    def fit(assets, config):
        fitted.append((assets, config))
        return source

    cut_off = asset.series.dates[KNOWN - 1]
    config = replace(TINY, horizons=(1, 5))
    variants = [Variant(SCRATCH, Setting(7, 0.3))]
    adapted_forecasts(source, asset, cut_off, variants, Methods(fit, {}), config)
    [((known,), told)] = fitted
    assert (len(known.series), known.series.dates[-1]) == (KNOWN, cut_off)
    assert told.horizons == (1,)
    own = replace(TINY.universal, ridge=0.3, epochs=7, batch_size=64)
    assert told == replace(TINY, horizons=(1,), universal=own)


def test_a_network_is_tuned_on_sessions_whose_outcome_was_known(source, asset):
    tuned = []

    def tune(network, rows, epochs, config):
        tuned.append((network, rows, epochs, config))
        return network

    cut_off = asset.series.dates[KNOWN - 1]
    methods_of = Methods(fit_pooled, {"full": tune})
    variants = [Variant("full", Setting(3))]
    adapted_forecasts(source, asset, cut_off, variants, methods_of, TINY)
    [(network, rows, epochs, config)] = tuned
    assert (network, epochs, config) == (source, 3, TINY)
    assert len(rows.targets) == len(rows.regressors) == len(rows.sequence) == KNOWN - MINIMUM
    told = zero_shot(source, asset).plain - source.network.run(
        *(np.asarray(it) for it in inputs_of(source, asset)[:2])
    )
    outcomes = log_targets(asset, source.horizons)[: KNOWN - MINIMUM, 0]
    offsets = told[: KNOWN - MINIMUM, 0]
    np.testing.assert_allclose(rows.targets[:, 0], outcomes - offsets, atol=1e-4)


def test_models_differ(source, asset):
    said = said_of(source, asset)
    assert len({it[-1] for it in said.values()}) == len(VARIANTS)


def test_what_came_after_the_cut_off_changes_no_model(source, asset):
    later = 40  # sessions after the cut-off
    changed = replace(asset.series, rv=asset.series.rv.copy())
    changed.rv[KNOWN + later :] *= 30
    before, after = said_of(source, asset), said_of(source, replace(asset, series=changed))
    rows = KNOWN + later - MINIMUM + 1
    for variant in VARIANTS:
        np.testing.assert_array_equal(after[variant][:rows], before[variant][:rows])
        assert not np.array_equal(after[variant][rows:], before[variant][rows:])


def test_what_was_known_changes_every_model_that_learns(source, asset):
    changed = replace(asset.series, rv=asset.series.rv.copy())
    changed.rv[KNOWN - 270 : KNOWN - 251] *= 3  # no forecast after the cut-off looks back so far
    before, after = said_of(source, asset), said_of(source, replace(asset, series=changed))
    ahead = slice(KNOWN - MINIMUM, None)
    for variant in VARIANTS:
        same = np.array_equal(after[variant][ahead], before[variant][ahead])
        assert same == (variant.model == UNSCALED)


def test_fine_tuning_learns_what_is_the_target_s_own(source):
    """Every second day is calm: the panel does not know it, the newest sessions tell it."""
    asset = simulated_asset("NEW", "stock", "XNYS", 900, seed=11)
    planted = np.where(np.arange(900) % 2 == 0, 0.1, 1.0)
    own = replace(asset, series=replace(asset.series, rv=asset.series.rv * planted))
    cut_off = own.series.dates[699]
    config = replace(TINY, universal=replace(TINY.universal, learning_rate=3e-2))
    variants = (Variant(UNIVERSAL), Variant("aggressive", Setting(30)))
    said = adapted_forecasts(source, own, cut_off, variants, methods(), config)
    outcomes = log_targets(own, (1,))[:, 0]
    ahead = slice(700 - MINIMUM, None)
    losses = []
    for variant in variants:
        ratio = np.exp(outcomes[ahead] - said[variant][ahead])
        losses.append(np.nanmean(ratio - np.log(ratio) - 1))
    assert losses[1] < 0.8 * losses[0]
