import math

import numpy as np
import pytest
import torch

from tests.training.processes import har_log_rv, split_of, tiny_config
from training.models.neural.dynamic_attention import DynamicAttentionNetwork, dynamic_attention

SPLIT = split_of(har_log_rv(600, 3))


def untrained() -> DynamicAttentionNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return dynamic_attention(tiny_config()).build(SPLIT.training).eval()


def test_alpha_is_the_logistic_of_encoding_and_har_features() -> None:
    network = untrained()
    log_rv = SPLIT.training.inputs[:5]
    with torch.no_grad():
        torch.nn.init.normal_(network.gate.weight)
        network.gate.bias.fill_(0.3)
        _, alpha = network.explain(log_rv)
        encoding = network.network.encode(log_rv)
    weight = network.gate.weight[0].detach().numpy()
    scaler = network.network.scaler
    for row in range(5):
        window = log_rv[row].numpy()
        means = np.array([window[-1], window[-5:].mean(), window[-22:].mean()])
        features = (means - scaler.mean.item()) / scaler.deviation.item()
        score = weight @ np.concatenate([encoding[row].numpy(), features]) + 0.3
        assert alpha[row].item() == pytest.approx(1 / (1 + math.exp(-score)), rel=1e-4)


def test_alpha_weighs_har_against_the_network_window_by_window() -> None:
    network = untrained()
    log_rv = SPLIT.training.inputs[:5]
    with torch.no_grad():
        torch.nn.init.normal_(network.gate.weight)
        prediction, alpha = network.explain(log_rv)
        weight = alpha[:, 0]
        expected = weight * network.har(log_rv) + (1 - weight) * network.network(log_rv)
        torch.testing.assert_close(prediction, expected)
        assert alpha.shape == (5, 1)
        assert weight.std() > 0.01
        assert torch.equal(network(log_rv), prediction)


def test_it_starts_without_an_opinion() -> None:
    with torch.no_grad():
        _, alpha = untrained().explain(SPLIT.training.inputs)
    assert torch.equal(alpha, torch.full_like(alpha, 0.5))


def test_alpha_is_learned_shown_and_summed_up() -> None:
    fit = dynamic_attention(tiny_config()).train(SPLIT, {}, 1)
    prediction = fit.predictor.predict({"rv": np.exp(SPLIT.validation.inputs.double().numpy())})
    alpha = prediction.diagnostics["alpha"]
    assert alpha.shape == (len(SPLIT.validation), 1)
    assert fit.learned["mean_alpha"] == pytest.approx(alpha.mean(), abs=1e-5)
    assert alpha.mean() > 0.6  # HAR is the truth here
    assert alpha.std() > 1e-4
