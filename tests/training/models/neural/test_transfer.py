import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.training.fits import network_of
from tests.training.simulated import make_asset, make_training_set, small_config
from training.config import Config, NetworkConfig
from training.data.assets import TrainingSet
from training.models.neural import pretraining
from training.models.neural.transfer import (
    Transfer,
    transfer,
    transfer_aggressive,
    transfer_differential,
    transfer_full,
    transfer_gradual,
)
from training.models.registry import MODELS, make_recipe
from training.networks.fitting import Split, fit_network, reproducible
from training.networks.strategies import STRATEGIES, stages_of
from training.networks.volatility_network import VolatilityNetwork
from volatility.errors import HistoryTooShort

FINE_TUNING = small_config().fine_tuning
# From the top down; the last layer of the LSTM comes before the first.
ORDER = ("head", "attention", "lstm_2", "lstm_1", "lstm_0")


def three_layers() -> NetworkConfig:
    return replace(small_config().network, layers=3)


def part_of(name: str) -> str:
    if name.startswith("head"):
        return "head"
    return f"lstm_{name[-1]}" if "lstm" in name else "attention"


def split() -> Split:
    return Split.of(make_asset().pairs(10), 0.2)


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    """Parts in which every parameter changed; a part that changed in part is an error."""
    moved = {name: not torch.equal(before[name], after[name]) for name in before}
    parts = {part_of(name): moved[name] for name in moved if "scaler" not in name}
    assert all(parts[part_of(name)] == moved[name] for name in moved if "scaler" not in name)
    return {part for part, has_moved in parts.items() if has_moved}


def weights(network: VolatilityNetwork) -> dict[str, Tensor]:
    return copy.deepcopy(network.state_dict())


@pytest.mark.parametrize("name", STRATEGIES)
def test_what_a_strategy_changes(name: str) -> None:
    with reproducible(0):
        network = VolatilityNetwork(three_layers())
        before = weights(network)
        stages = stages_of(network, STRATEGIES[name], FINE_TUNING)
        fit_network(network, split(), FINE_TUNING, stages)
    expected = {"head"} if name == "frozen" else set(ORDER)
    assert changed(before, weights(network)) == expected


def test_frozen_leaves_the_encoder_as_it_was_to_the_last_bit() -> None:
    data = make_training_set()
    recipe = transfer(small_config())
    fit = recipe.fit(data)
    source = Split.of(data.source_pairs("SOURCE", 10), recipe.pretraining.validation_share)
    pretrained, _ = pretraining.pretrain(recipe.scratch, source, data.seed)
    before, after = (network.encoder.state_dict() for network in (pretrained, network_of(fit)))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    head, tuned = (network.head.state_dict() for network in (pretrained, network_of(fit)))
    assert not any(torch.equal(head[name], tuned[name]) for name in head)


def test_gradual_unfreezes_from_the_top_down_one_part_a_stage() -> None:
    with reproducible(0):
        network = VolatilityNetwork(three_layers())
        before = weights(network)
        stages = stages_of(network, STRATEGIES["gradual"], FINE_TUNING)
        assert len(stages) == len(ORDER)
        for count, stage in enumerate(stages, start=1):
            fit_network(network, split(), replace(FINE_TUNING, learning_rate=1e-3), [stage])
            assert changed(before, weights(network)) == set(ORDER[:count])


def test_gradual_shares_the_epochs_among_its_stages() -> None:
    network = VolatilityNetwork(three_layers())
    epochs = [
        [
            stage.epochs
            for stage in stages_of(
                network, STRATEGIES["gradual"], replace(FINE_TUNING, epochs=total)
            )
        ]
        for total in (30, 33, 2)
    ]
    assert epochs == [[6, 6, 6, 6, 6], [6, 6, 6, 6, 9], [1, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("make", "head", "encoder"),
    [
        (transfer, 1e-4, None),
        (transfer_full, 1e-4, 1e-4),
        (transfer_differential, 1e-3, 1e-4),
        (transfer_gradual, 1e-4, 1e-4),
        (transfer_aggressive, 1e-3, 1e-3),
    ],
)
def test_learning_rates(
    make: Callable[[Config], Transfer], head: float, encoder: float | None
) -> None:
    recipe = make(small_config())
    fitting = replace(recipe.fitting, learning_rate=1e-4)
    network = VolatilityNetwork(recipe.network)
    first, *others = stages_of(network, STRATEGIES[recipe.strategy], fitting)[-1].groups
    assert first.learning_rate == pytest.approx(head)
    assert first.parameters == list(network.head.parameters())
    assert {group.learning_rate for group in others} == ({encoder} if encoder else set())


def test_strategies_lead_to_different_networks_from_one_pretraining() -> None:
    data = make_training_set()
    pretraining._pretrained.cache_clear()
    names = [
        name for name in MODELS if name in {"transfer", *(f"transfer_{s}" for s in STRATEGIES)}
    ]
    assert len(names) == len(STRATEGIES)
    windows = {"rv": data.pairs(10).windows["rv"][-5:]}
    fits = [make_recipe(name, small_config()).fit(data) for name in names]
    assert pretraining._pretrained.cache_info().misses == 1
    predictions = np.array([fit.predictor.predict(windows).values for fit in fits])
    assert len(np.unique(predictions, axis=0)) == len(STRATEGIES)
    assert len({fit.histories["pretraining"] for fit in fits}) == 1
    assert all(len(fit.histories["fine_tuning"].training_losses) >= 2 for fit in fits)


def test_fine_tuning_does_not_touch_the_pretrained_network_in_the_cache() -> None:
    data = make_training_set()
    recipe = transfer_full(small_config())
    source = Split.of(data.source_pairs("SOURCE", 10), recipe.pretraining.validation_share)
    pretrained, _ = pretraining.pretrain(recipe.scratch, source, data.seed)
    before = weights(pretrained)
    recipe.fit(data)
    again, _ = pretraining.pretrain(recipe.scratch, source, data.seed)
    assert again is pretrained
    assert all(torch.equal(before[name], value) for name, value in again.state_dict().items())


def test_the_source_decides_the_forecast() -> None:
    data = make_training_set()
    other = TrainingSet(data.target, {"SOURCE": make_asset("SOURCE", seed=5)}, data.seed)
    windows = {"rv": data.pairs(10).windows["rv"][-5:]}
    predictions = [
        transfer(small_config()).fit(chosen).predictor.predict(windows).values
        for chosen in (data, other)
    ]
    one, two = predictions
    assert not np.allclose(one, two)


def test_the_target_s_own_scale_is_inside_the_network() -> None:
    data = make_training_set()
    fit = transfer(small_config()).fit(data)
    training = Split.of(data.pairs(10), 0.2).training
    scaler = network_of(fit).scaler
    assert torch.allclose(scaler.mean, training.inputs.mean())
    assert torch.allclose(scaler.deviation, training.inputs.std())


def test_the_manifest_will_name_the_source_and_the_strategy() -> None:
    recipe = transfer_differential(small_config())
    assert [source.asset for source in recipe.fit(make_training_set()).sources] == ["SOURCE"]
    chosen = recipe.hyperparameters
    assert (chosen["strategy"], chosen["source"]) == ("differential", "SOURCE")
    assert (chosen["strategy.head_rate"], chosen["strategy.encoder_rate"]) == (10.0, 1.0)


def test_a_source_that_is_too_short_is_named() -> None:
    data = make_training_set()
    short = {"SOURCE": make_asset("SOURCE", nobs=100)}
    with pytest.raises(HistoryTooShort, match=r"pre-training on SOURCE.*choose another source"):
        transfer(small_config()).fit(replace(data, sources=short))
