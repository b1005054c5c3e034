import copy

import numpy as np
import torch

from tests.training.data import make_asset, make_training_set, small_config
from training.models.recipe import TrainingSet
from training.models.transfer import (
    STRATEGIES,
    _pretrained,
    _Source,
    parameter_groups,
    transfer,
    transfer_full,
)
from training.networks.fitting import LogWindows, fit_network, reproducible
from training.networks.volatility_network import VolatilityNetwork


def encoder_before_and_after(strategy: str) -> tuple[dict, dict]:
    config = small_config()
    network = VolatilityNetwork(config.network)
    before = copy.deepcopy(network.encoder.state_dict())
    training, validation = LogWindows.of(make_asset().pairs(20)).split(0.2)
    with reproducible(0):
        groups = parameter_groups(network, STRATEGIES[strategy], config.fine_tuning)
        fit_network(network, training, validation, config.fine_tuning, groups)
    return before, network.encoder.state_dict()


def test_frozen_leaves_the_encoder_as_it_was_to_the_last_bit() -> None:
    before, after = encoder_before_and_after("frozen")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_full_changes_every_part_of_the_encoder() -> None:
    before, after = encoder_before_and_after("full")
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_strategies_lead_to_different_networks_from_one_pretraining() -> None:
    data = make_training_set()
    _pretrained.cache_clear()
    frozen = transfer(small_config()).fit(data)
    full = transfer_full(small_config()).fit(data)
    assert _pretrained.cache_info().misses == 1
    windows = {"rv": data.pairs(20).windows["rv"][-5:]}
    predictions = [fit.predictor.predict(windows).values for fit in (frozen, full)]
    assert not np.allclose(*predictions)


def test_fine_tuning_does_not_touch_the_pretrained_network_in_the_cache() -> None:
    data = make_training_set()
    config = small_config()
    source = _Source.of(data.sources["SOURCE"])
    before = copy.deepcopy(
        _pretrained(source, config.network, config.pretraining, data.seed).state_dict()
    )
    transfer_full(config).fit(data)
    after = _pretrained(source, config.network, config.pretraining, data.seed).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_source_decides_the_forecast() -> None:
    data = make_training_set()
    other = TrainingSet(data.target, {"SOURCE": make_asset("SOURCE", seed=5)}, data.seed)
    windows = {"rv": data.pairs(20).windows["rv"][-5:]}
    predictions = [
        transfer(small_config()).fit(chosen).predictor.predict(windows).values
        for chosen in (data, other)
    ]
    assert not np.allclose(*predictions)


def test_the_target_s_own_scale_is_inside_the_network() -> None:
    data = make_training_set()
    fit = transfer(small_config()).fit(data)
    training, _ = LogWindows.of(data.target.pairs(20)).split(0.2)
    scaler = fit.predictor.network.scaler
    assert torch.allclose(scaler.mean, training.inputs.mean())
    assert torch.allclose(scaler.deviation, training.inputs.std())


def test_the_manifest_will_name_the_source() -> None:
    fit = transfer(small_config()).fit(make_training_set())
    assert [source.asset for source in fit.sources] == ["SOURCE"]
