import math

import numpy as np
import pytest
import torch

from tests.training.fits import torch_of
from tests.training.processes import (
    LOOKBACK,
    split_of,
    switching_log_rv,
    tiny_config,
    windows_of,
)
from training.models.linear.har import LAGS, har_least_squares
from training.models.neural.regime_ensemble import RegimeNetwork, regime_ensemble
from training.models.recipe import Fit
from volatility.arrays import FloatArray
from volatility.filters import trailing_means

SEEN = 2000
LOG_RV, REGIME = switching_log_rv(SEEN + 1000, 1)
SPLIT = split_of(LOG_RV[:SEEN])
HELD_OUT = windows_of(LOG_RV[SEEN - LOOKBACK :])
HELD_OUT_REGIME = REGIME[SEEN - 1 : -1]  # that of each window's last day


@pytest.fixture(scope="module")
def fit() -> Fit:
    return regime_ensemble(tiny_config()).train(SPLIT, {}, 1)


def untrained() -> RegimeNetwork:
    return regime_ensemble(tiny_config()).build(SPLIT.training).eval()


def probabilities_of(fit: Fit) -> FloatArray:
    prediction = fit.predictor.predict({"rv": np.exp(HELD_OUT.inputs.double().numpy())})
    return prediction.diagnostics["regime_probabilities"]


def correlation(probabilities: FloatArray) -> float:
    return float(np.corrcoef(probabilities, HELD_OUT_REGIME)[0, 1])


def test_regimes_are_told_apart(fit: Fit) -> None:
    probabilities = probabilities_of(fit)
    assert probabilities.shape == (len(HELD_OUT), 3)
    assert correlation(probabilities[:, -1]) > 0.92
    assert correlation(probabilities[:, 0]) < -0.85


def test_training_tells_regimes_apart_better_than_the_start(fit: Fit) -> None:
    with torch.no_grad():
        _, start = untrained().explain(HELD_OUT.inputs)
    assert correlation(probabilities_of(fit)[:, -1]) > correlation(start[:, -1].numpy())


def test_probabilities_sum_to_one(fit: Fit) -> None:
    probabilities = probabilities_of(fit)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=0, atol=1e-6)
    assert probabilities.min() >= 0


def test_har_is_beaten_where_there_are_regimes(fit: Fit) -> None:
    har = har_least_squares(
        SPLIT.training.inputs.double().numpy(), SPLIT.training.targets.double().numpy()
    )
    features = trailing_means(HELD_OUT.inputs.double().numpy(), LAGS)
    targets = HELD_OUT.targets.numpy()
    har_loss = np.mean((features @ har.coefficients + har.intercept - targets) ** 2)
    loss = np.mean((torch_of(fit).predict_log(HELD_OUT.inputs) - targets) ** 2)
    assert loss < 0.95 * har_loss


def test_every_regime_starts_as_har() -> None:
    network = untrained()
    har = har_least_squares(
        SPLIT.training.inputs.double().numpy(), SPLIT.training.targets.double().numpy()
    )
    features = trailing_means(HELD_OUT.inputs.double().numpy(), LAGS)
    with torch.no_grad():
        predicted, probabilities = network.explain(HELD_OUT.inputs)
    np.testing.assert_allclose(predicted, features @ har.coefficients + har.intercept, rtol=1e-5)
    assert probabilities.std(dim=0).min() > 0.1  # but they begin apart


def test_the_forecast_is_the_mixture_of_the_regimes_own() -> None:
    network = untrained()
    log_rv = HELD_OUT.inputs[:4]
    with torch.no_grad():
        torch.nn.init.normal_(network.predictors.weight)
        torch.nn.init.normal_(network.classifier.weight)
        predicted, probabilities = network.explain(log_rv)
        encoding = network.encoder(network.scaler(log_rv[:, -network.lookback :]))
    for row in range(4):
        window = log_rv[row].numpy()
        means = np.array([window[-1], window[-5:].mean(), window[-22:].mean()])
        scaled = (means - network.scaler.mean.item()) / network.scaler.deviation.item()
        seen = np.concatenate([encoding[row].numpy(), scaled])
        scores, own = (
            layer.weight.detach().numpy() @ seen + layer.bias.detach().numpy()
            for layer in (network.classifier, network.predictors)
        )
        weights = np.exp(scores) / np.exp(scores).sum()
        np.testing.assert_allclose(probabilities[row], weights, rtol=1e-3)
        mixed = network.scaler.mean.item() + network.scaler.deviation.item() * (weights @ own)
        assert math.isclose(predicted[row].item(), mixed, rel_tol=1e-4)


def test_regimes_are_numbered_by_level(fit: Fit) -> None:
    levels = [fit.learned[f"regime_{place}_log_rv"] for place in (1, 2, 3)]
    assert levels == sorted(levels)
    probabilities = probabilities_of(fit)
    weekly = HELD_OUT.inputs[:, -5:].mean(dim=1).numpy()
    seen = [np.average(weekly, weights=probabilities[:, place]) for place in range(3)]
    assert seen == sorted(seen)
    assert seen == pytest.approx(levels, abs=0.5)


def test_sorting_changes_names_and_nothing_else() -> None:
    network = untrained()
    with torch.no_grad():
        for layer in (network.classifier, network.predictors):
            layer.weight.copy_(layer.weight.flip(0))  # the highest first
            layer.bias.copy_(layer.bias.flip(0))
        predicted, probabilities = network.explain(HELD_OUT.inputs)
        network.sort(SPLIT.training)
        same, reversed_ = network.explain(HELD_OUT.inputs)
    torch.testing.assert_close(same, predicted)
    torch.testing.assert_close(reversed_, probabilities.flip(1))


def test_as_many_regimes_as_are_asked_for() -> None:
    config = tiny_config()
    recipe = regime_ensemble(config)
    assert recipe.hyperparameters["regime_ensemble.regimes"] == 3
    network = RegimeNetwork(config.network, 5)
    network.fit_start(SPLIT.training)
    _, probabilities = network.eval().explain(HELD_OUT.inputs[:2])
    assert probabilities.shape == (2, 5)
