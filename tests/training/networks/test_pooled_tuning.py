"""What each strategy of transfer changes of the network of the model for every asset."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.simulated import small_config
from training.networks.fitting import Stage
from training.networks.pooled_network import Encoder, PooledNetwork, Standardization
from training.networks.pooled_tuning import fine_tune
from training.networks.strategies import STRATEGIES, stages_of

CONFIG = small_config()
FITTING = replace(CONFIG.fine_tuning, learning_rate=3e-3, batch_size=32, epochs=20)
HEADS = {"head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"}


def network(encoders=1):
    torch.manual_seed(0)
    zeros, ones = np.zeros(3), np.ones(3)
    coefficients = np.random.default_rng(0).normal(size=(4, 2)) / 4
    made = [Encoder(3, 3, 2, CONFIG.universal) for _ in range(encoders)]
    return PooledNetwork(Standardization(zeros, ones, zeros, ones), coefficients, made)


def rows(count, seed):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(count, 3)).astype(np.float32),
        rng.normal(size=(count, 22, 3)).astype(np.float32),
    )


def targets_of(source, given):
    """What the source says, and something that it has not learned."""
    planted = np.abs(given[0][:, :1]) - 0.8
    return (source.run(*given) + planted).astype(np.float32)


def tune(source, given, targets, name, seed):
    regressors, sequence = given
    return fine_tune(source, regressors, sequence, targets, STRATEGIES[name], FITTING, seed)


def changed(before, after):
    weights = after.state_dict()
    return {name for name, it in before.state_dict().items() if not torch.equal(it, weights[name])}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_changes_what_it_may_and_learns(name):
    source, given, fresh = network(), rows(400, 1), rows(300, 2)
    before = {key: value.clone() for key, value in source.state_dict().items()}
    targets = targets_of(source, given)
    targets[:50, 1] = np.nan
    tuned = tune(source, given, targets, name, seed=1)
    assert all(torch.equal(before[key], value) for key, value in source.state_dict().items())
    names = {it.removeprefix("encoders.0.") for it in changed(source, tuned)}
    assert names & HEADS == HEADS
    lstm = {it for it in names if it.startswith("lstm")}
    assert lstm == (
        set()
        if name == "frozen"
        else {f"lstm.{it}" for it, _ in source.encoders[0].lstm.named_parameters()}
    )
    assert names == HEADS | lstm  # the regression, means and deviations stay
    wanted = targets_of(source, fresh)
    errors = [np.square(it.run(*fresh) - wanted).mean() for it in (source, tuned)]
    assert errors[1] < 0.9 * errors[0]


def test_gradual_trains_the_heads_first_and_all_encoders_together():
    source = network(encoders=2)
    first, second = stages_of(source, STRATEGIES["gradual"], FITTING)
    heads = {id(it) for it in source.head.parameters()}
    assert len(heads) == 8
    assert parameters(first) == heads
    assert parameters(second) == {id(it) for it in source.parameters()}
    assert (first.epochs, second.epochs) == (10, 10)


def parameters(stage: Stage):
    return {id(it) for group in stage.groups for it in group.parameters}


def test_the_same_seed_gives_the_same_network():
    source, given = network(), rows(100, 1)
    targets = targets_of(source, given)
    one, same, other = (
        tune(source, given, targets, "full", seed).run(*given) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
