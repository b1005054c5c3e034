from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tests.training.fits import mean_squared_error
from tests.training.simulated import make_asset, small_config
from training.networks.fitting import (
    Diverged,
    LogWindows,
    ParameterGroup,
    Split,
    Stage,
    fit_network,
    reproducible,
)
from training.networks.volatility_network import VolatilityNetwork
from volatility.errors import HistoryTooShort


def split(nobs: int = 600) -> Split:
    return Split.of(make_asset(nobs=nobs).pairs(20), 0.2)


def linear() -> Any:
    return nn.Sequential(nn.Linear(20, 1), nn.Flatten(0))


def test_validation_is_the_newest_part() -> None:
    pairs = make_asset().pairs(20)
    parts = Split.of(pairs, 0.25)
    assert (len(parts.training), len(parts.validation)) == (435, 145)
    np.testing.assert_allclose(parts.validation.targets, np.log(pairs.targets[-145:]), rtol=1e-6)
    np.testing.assert_allclose(parts.training.inputs, np.log(pairs.windows["rv"][:435]), rtol=1e-6)


def test_too_few_windows_to_validate_on_are_refused() -> None:
    with pytest.raises(HistoryTooShort, match="needs 100 windows to train on; got 80"):
        Split.of(make_asset(nobs=100).pairs(20), 0.2)


def test_a_split_is_known_by_its_content() -> None:
    assert split().sha256 == split().sha256
    other = split()
    other.validation.targets[-1] += 1e-6
    assert other.sha256 != split().sha256
    assert split(601).sha256 != split().sha256


def test_the_best_epoch_s_weights_are_restored() -> None:
    data = split()
    config = replace(small_config().pretraining, epochs=12, patience=12, learning_rate=0.05)
    with reproducible(3):
        network = VolatilityNetwork(small_config().network)
        network.scaler.fit(data.training.inputs)
        history = fit_network(network, data, config)
    assert history.best_validation_loss == min(history.validation_losses)
    assert history.validation_losses[-1] > history.best_validation_loss  # or it would prove nothing
    assert mean_squared_error(network, data.validation) == history.best_validation_loss


def test_training_stops_when_validation_no_longer_improves() -> None:
    data = split()
    noise = LogWindows(data.validation.inputs, torch.randn(len(data.validation)))
    config = replace(small_config().pretraining, epochs=50, patience=3)
    with reproducible(3):
        network = VolatilityNetwork(small_config().network)
        history = fit_network(network, Split(data.training, noise), config)
    assert len(history.validation_losses) == history.best_epoch + 3 + 1 < 50
    assert len(history.training_losses) == len(history.validation_losses)


def test_the_learning_rate_falls_when_validation_no_longer_improves() -> None:
    """With a hopeless validation part, each epoch halves the rate: the weights come to rest."""
    data = split()
    noise = LogWindows(data.validation.inputs, 1e3 * torch.randn(len(data.validation)))
    config = replace(small_config().pretraining, epochs=12, patience=12, plateau_patience=0)
    moved = {}
    for patience in (0, 12):
        with reproducible(3):
            network = linear()
            history = fit_network(
                network, Split(data.training, noise), replace(config, plateau_patience=patience)
            )
        losses = history.training_losses
        moved[patience] = abs(losses[-1] - losses[-2])
    assert moved[0] < 0.2 * moved[12]


def test_gradients_are_clipped() -> None:
    network, norms = linear(), []

    def look(*_: object) -> None:
        gradients = [parameter.grad for parameter in network.parameters()]
        norms.append(torch.cat([gradient.flatten() for gradient in gradients]).norm().item())

    handle = register_optimizer_step_pre_hook(look)
    try:
        fit_network(network, split(), replace(small_config().pretraining, gradient_norm=1e-3))
    finally:
        handle.remove()
    assert norms == pytest.approx([1e-3] * len(norms), rel=1e-3)  # log rv of -9: all were larger


def test_training_leaves_torch_s_own_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with reproducible(1):
        fit_network(linear(), split(), small_config().pretraining)
    assert torch.equal(torch.rand(3), expected)


def test_frozen_parts_keep_dropout_off() -> None:
    shape = replace(small_config().network, dropout=0.9)
    network = VolatilityNetwork(shape)
    network.encoder.lstm.requires_grad_(False)
    network.encoder.attention.requires_grad_(False)
    seen: list[bool] = []
    attention: Any = network.encoder.attention
    attention.register_forward_hook(lambda module, *_: seen.append(module.training))
    fit_network(network, split(), small_config().fine_tuning)
    assert seen
    assert not any(seen)
    assert network.head.training is False  # left ready to forecast


def test_a_frozen_encoder_is_asked_once() -> None:
    network = VolatilityNetwork(small_config().network)
    network.encoder.requires_grad_(False)
    calls: list[int] = []
    encoder: Any = network.encoder
    encoder.register_forward_hook(lambda _module, given, _out: calls.append(len(given[0])))
    data = split()
    config = replace(small_config().fine_tuning, epochs=3)
    history = fit_network(network, data, config)
    assert len(history.training_losses) == 3
    assert calls == [len(data.training), len(data.validation)]
    assert mean_squared_error(network, data.validation) == pytest.approx(
        history.best_validation_loss, rel=1e-6
    )


def test_groups_are_trained_at_rates_of_their_own() -> None:
    network = linear()
    bias, weight = (part.detach().clone() for part in (network[0].bias, network[0].weight))
    groups = [ParameterGroup([network[0].weight], 0.0), ParameterGroup([network[0].bias], 0.1)]
    fit_network(network, split(), small_config().fine_tuning, [Stage(groups, 2)])
    assert torch.equal(network[0].weight, weight)
    assert not torch.equal(network[0].bias, bias)


def test_stages_train_what_they_name_one_after_the_other() -> None:
    network = linear()
    weights: list[torch.Tensor] = []
    biases: list[torch.Tensor] = []

    def look(*_: object) -> None:
        weights.append(network[0].weight.detach().clone())
        biases.append(network[0].bias.detach().clone())

    network.register_forward_hook(look)
    stages = [
        Stage([ParameterGroup([network[0].bias], 0.01)], epochs=1),
        Stage([ParameterGroup([network[0].weight], 0.01)], epochs=1),
    ]
    data = split()
    history = fit_network(network, data, small_config().fine_tuning, stages)
    assert len(history.validation_losses) == 2
    half = len(weights) // 2  # each epoch asks as often
    assert all(torch.equal(weights[0], weight) for weight in weights[:half])
    assert not torch.equal(biases[0], biases[half - 1])
    assert all(torch.equal(biases[half], bias) for bias in biases[half:])
    assert not torch.equal(weights[half], weights[-1])


def test_a_stage_begins_with_the_best_weights_so_far() -> None:
    """A first stage that ruins the network leaves the second the weights of its first epoch."""
    network = linear()
    data = split()
    config = replace(small_config().fine_tuning, patience=20)
    parameters = list(network.parameters())
    ruin = Stage([ParameterGroup(parameters, 5.0)], epochs=6)
    rest = Stage([ParameterGroup(parameters, 0.0)], epochs=1)
    with reproducible(0):
        history = fit_network(network, data, config, [ruin, rest])
    *ruined, last = history.validation_losses
    assert last == min(ruined) < ruined[-1]


def test_a_network_that_diverges_is_refused_by_name() -> None:
    windows = LogWindows(torch.randn(40, 20), torch.full((40,), float("inf")))
    with pytest.raises(Diverged, match=r"validation loss is .* after epoch 1"):
        fit_network(linear(), Split(windows, windows), small_config().pretraining)
