"""The model for every asset, fitted on simulated ones."""

from dataclasses import replace

import numpy as np
import pytest

from models_store.predictors.pooled_graph import PooledGraph
from tests.simulated_panel import TINY, simulated_asset, simulated_panel
from training.models.pooled.fitting import fit_pooled
from training.models.pooled.ridge import pooled_ridge
from training.models.pooled.rows import log_targets, training_rows
from training.models.pooled.zero_shot import ExportedPooled, zero_shot
from training.networks.pooled_network import PooledNetwork, Standardization


@pytest.fixture(scope="module")
def fitted():
    return fit_pooled(simulated_panel(), TINY)


@pytest.fixture(scope="module")
def exported(fitted):
    return ExportedPooled.of(fitted)


def qlike(log_rv, log_forecast):
    ratio = np.exp(log_rv - log_forecast)
    return np.nanmean(ratio - np.log(ratio) - 1)


def test_it_forecasts_an_asset_that_it_has_not_seen(fitted):
    stranger = simulated_asset("NEW", "stock", "XNYS", 700, seed=11)
    said = zero_shot(fitted, stranger)
    outcomes = log_targets(stranger, fitted.horizons)
    rv = stranger.series.rv[21:]
    for column, horizon in enumerate(fitted.horizons):
        mean = np.log(np.cumsum(rv) / np.arange(1, len(rv) + 1))
        loss = qlike(outcomes[:, column], said.plain[:, column])
        assert loss < qlike(outcomes[:, column], mean), horizon
    assert qlike(outcomes[:, 0], said.plain[:, 0]) < 0.8 * qlike(outcomes[:, 0], np.log(rv))


def test_the_same_seed_gives_the_same_network(fitted):
    again = fit_pooled(simulated_panel(), TINY)
    rows = fitted.example
    np.testing.assert_array_equal(
        fitted.network.run(rows.regressors, rows.sequence),
        again.network.run(rows.regressors, rows.sequence),
    )


def test_what_is_exported_says_the_same(fitted, exported):
    rows = fitted.example
    graph = PooledGraph.of(exported.graph)
    np.testing.assert_allclose(
        graph.run(rows.regressors, rows.sequence),
        fitted.network.run(rows.regressors, rows.sequence),
        atol=1e-5,
    )
    alone = replace(graph, chunk=1)
    checked = graph.alike(rows.regressors, rows.sequence)
    np.testing.assert_array_equal(
        checked.run(rows.regressors, rows.sequence), alone.run(rows.regressors, rows.sequence)
    )


def test_what_is_exported_tells_its_regression(fitted, exported):
    graph = PooledGraph.of(exported.graph)
    rows, network = fitted.example, fitted.network
    regression = graph.regression
    np.testing.assert_array_equal(regression.mean, network.mean.numpy().astype(np.float64))
    without = PooledNetwork(
        Standardization(
            regression.mean,
            regression.deviation,
            network.sequence_mean.double().numpy(),
            network.sequence_deviation.double().numpy(),
        ),
        np.vstack([regression.intercepts, regression.slopes]),
        (),
    ).run(rows.regressors, rows.sequence)
    for output in range(len(fitted.horizons)):
        added = regression.added(rows.regressors, output).sum(axis=1)
        told = regression.intercepts[output] + added
        np.testing.assert_allclose(told, without[:, output], atol=1e-5)
        encoders = graph.run(rows.regressors, rows.sequence)[:, output] - told
        assert np.abs(encoders).max() > 1e-3  # what the encoders say is something else


def test_forecasts_have_the_mean_of_outcomes_over_the_panel(fitted):
    ratios = []
    for asset in simulated_panel():
        said = zero_shot(fitted, asset).plain[:, 0]
        ratios.append(np.exp(log_targets(asset, (1,))[:, 0] - said))
    assert np.nanmean(np.concatenate(ratios)) == pytest.approx(1.0, abs=0.05)


def test_ratios_beyond_six_count_as_six_for_the_mean_that_scales_are_told_by(fitted):
    rows = training_rows(simulated_panel(), fitted.effects, fitted.horizons, TINY.seed)
    ratios = np.exp(rows.targets - fitted.network.run(rows.regressors, rows.sequence))
    np.testing.assert_allclose(np.nanmean(ratios, axis=0, dtype=np.float64), 1, rtol=1e-5)
    assert np.nanmax(ratios[:, 0]) > 10
    assert fitted.capped_means[0] < 0.996
    expected = np.nanmean(np.minimum(ratios, 6), axis=0, dtype=np.float64)
    np.testing.assert_allclose(fitted.capped_means, expected, rtol=1e-5)


def test_the_scale_of_an_asset_is_learned_from_its_outcomes(fitted):
    asset = simulated_panel()[0]
    said = zero_shot(fitted, asset)
    assert (said.scaled[:49] == said.plain[:49]).all()
    assert (said.scaled[-1] != said.plain[-1]).all()


def test_the_future_moves_no_forecast(fitted):
    asset = simulated_panel()[0]
    changed = replace(asset.series, rv=asset.series.rv.copy())
    changed.rv[500:] *= 50
    other = zero_shot(fitted, replace(asset, series=changed))
    said = zero_shot(fitted, asset)
    np.testing.assert_array_equal(other.scaled[: 500 - 21], said.scaled[: 500 - 21])
    assert not np.array_equal(other.scaled[500 - 21], said.scaled[500 - 21])


def test_ridge_is_least_squares_without_a_penalty():
    rng = np.random.default_rng(0)
    design = rng.normal(size=(500, 3)).astype(np.float32)
    targets = (design @ [[1.0], [2.0], [-1.0]] + 0.5).astype(np.float32)
    targets = np.column_stack([targets[:, 0], np.where(design[:, 0] > 0, targets[:, 0], np.nan)])
    found = pooled_ridge(design, targets.astype(np.float32), 0.0)
    np.testing.assert_allclose(found, np.tile([[0.5], [1], [2], [-1]], (1, 2)), atol=1e-5)
    shrunk = pooled_ridge(design, targets.astype(np.float32), 10.0)
    assert (np.abs(shrunk[1:]) < np.abs(found[1:])).all()
