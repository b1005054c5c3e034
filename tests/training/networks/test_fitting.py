from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.data import make_asset, small_config
from training.config import read_config
from training.models.har import fit_har
from training.models.lstm import train_from_scratch
from training.networks.fitting import (
    LogWindows,
    fit_network,
    mean_squared_error,
    reproducible,
)
from training.networks.volatility_network import VolatilityNetwork
from volatility.errors import HistoryTooShort


def windows(nobs: int = 600) -> tuple[LogWindows, LogWindows]:
    return LogWindows.of(make_asset(nobs=nobs).pairs(20)).split(0.2)


def test_validation_is_the_newest_part() -> None:
    pairs = make_asset().pairs(20)
    training, validation = LogWindows.of(pairs).split(0.25)
    assert (len(training.targets), len(validation.targets)) == (435, 145)
    np.testing.assert_allclose(validation.targets, np.log(pairs.targets[-145:]), rtol=1e-6)


def test_too_few_windows_to_validate_on_are_refused() -> None:
    with pytest.raises(HistoryTooShort, match="needs 100 windows to train on; got 80"):
        LogWindows.of(make_asset(nobs=100).pairs(20)).split(0.2)


def test_the_best_epoch_s_weights_are_restored() -> None:
    training, validation = windows()
    config = replace(small_config().pretraining, epochs=12, patience=12, learning_rate=0.05)
    with reproducible(3):
        network = VolatilityNetwork(small_config().network)
        network.scaler.fit(training.inputs)
        history = fit_network(network, training, validation, config)
    assert history.best_validation_loss == min(history.validation_losses)
    assert history.validation_losses[-1] > history.best_validation_loss  # or it would prove nothing
    assert mean_squared_error(network, validation) == history.best_validation_loss


def test_training_stops_when_validation_no_longer_improves() -> None:
    training, validation = windows()
    noise = LogWindows(validation.inputs, torch.randn(len(validation.targets)))
    config = replace(small_config().pretraining, epochs=50, patience=3)
    with reproducible(3):
        network = VolatilityNetwork(small_config().network)
        history = fit_network(network, training, noise, config)
    assert len(history.validation_losses) == history.best_epoch + 3 + 1 < 50


def test_one_seed_gives_one_network_and_another_seed_another() -> None:
    config = small_config()
    first, again, other = (
        train_from_scratch(make_asset(), config.network, config.pretraining, seed)[0]
        for seed in (1, 1, 2)
    )
    inputs = torch.randn(3, 20) - 9
    with torch.no_grad():
        assert torch.equal(first(inputs), again(inputs))
        assert not torch.allclose(first(inputs), other(inputs))


def test_training_leaves_torch_s_own_random_state_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_from_scratch(make_asset(), small_config().network, small_config().pretraining, 1)
    assert torch.equal(torch.rand(3), expected)


def test_frozen_parts_keep_dropout_off() -> None:
    shape = replace(small_config().network, dropout=0.9)
    network = VolatilityNetwork(shape)
    network.encoder.requires_grad_(False)
    seen: list[bool] = []
    network.encoder.attention.register_forward_hook(lambda module, *_: seen.append(module.training))
    training, validation = windows()
    fit_network(network, training, validation, small_config().fine_tuning)
    assert seen
    assert not any(seen)
    assert network.head.training is False  # left ready to forecast


def test_parameter_groups_have_rates_of_their_own() -> None:
    network = nn.Sequential(nn.Linear(20, 1), nn.Flatten(0))
    bias_before = network[0].bias.clone()
    weight_before = network[0].weight.clone()
    training, validation = windows()
    groups = [
        {"params": [network[0].weight], "lr": 0.0},
        {"params": [network[0].bias], "lr": 0.1},
    ]
    fit_network(network, training, validation, small_config().fine_tuning, groups)
    assert torch.equal(network[0].weight, weight_before)
    assert not torch.equal(network[0].bias, bias_before)


def test_the_network_finds_a_planted_har() -> None:
    """On log rv made by a HAR, the paper's network comes close to the true model's error."""
    data = make_asset(nobs=3000, seed=4)
    config = read_config()
    fitting = replace(config.pretraining, epochs=12)
    shape = replace(config.network, hidden_size=32, layers=1)
    network, history = train_from_scratch(data, shape, fitting, seed=1)
    _, validation = LogWindows.of(data.pairs(shape.lookback)).split(fitting.validation_share)
    variance = float(validation.targets.var())
    _, residuals = fit_har(data.pairs(22), "logs")
    har_error = float(np.mean(residuals[-len(validation.targets) :] ** 2))
    assert history.best_validation_loss < 0.75 * variance  # beats the mean by far
    assert history.best_validation_loss < 1.15 * har_error
    assert mean_squared_error(network, validation) == pytest.approx(history.best_validation_loss)
