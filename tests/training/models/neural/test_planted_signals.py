"""Every network finds what is there: a HAR, and a HAR with a term that no linear model sees."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from tests.training.fits import torch_of
from tests.training.processes import (
    LOOKBACK,
    har_log_rv,
    nonlinear_log_rv,
    split_of,
    tiny_config,
    windows_of,
)
from training.models.linear.har import LAGS, har_least_squares
from training.models.neural.network_recipe import NetworkRecipe
from training.models.registry import MODELS, make_recipe
from training.networks.fitting import LogWindows, Split
from volatility.filters import trailing_means

PROCESSES = {"har": har_log_rv, "nonlinear": nonlinear_log_rv}
RECIPES = [make_recipe(name, tiny_config()) for name in MODELS]
NETWORKS = {recipe.name: recipe for recipe in RECIPES if isinstance(recipe, NetworkRecipe)}
SEEN = 1500


class World(NamedTuple):
    """A simulated asset, another one of the same kind, and how well simple forecasts do."""

    target: Split
    source: Split
    held_out: LogWindows
    mean_loss: float
    har_loss: float


@cache
def world(process: str) -> World:
    log_rv = PROCESSES[process](SEEN + 1000, 1)
    target = split_of(log_rv[:SEEN])
    held_out = windows_of(log_rv[SEEN - LOOKBACK :])
    har = har_least_squares(*(part.double().numpy() for part in vars(target.training).values()))
    features = trailing_means(held_out.inputs.double().numpy(), LAGS)
    return World(
        target,
        split_of(PROCESSES[process](SEEN, 2)),
        held_out,
        loss_of(np.full(len(held_out), target.training.targets.mean().item()), held_out),
        loss_of(features @ har.coefficients + har.intercept, held_out),
    )


def loss_of(forecast: np.ndarray, windows: LogWindows) -> float:
    return float(np.mean((forecast - windows.targets.numpy()) ** 2))


def held_out_loss(name: str, process: str) -> float:
    data = world(process)
    fit = NETWORKS[name].train(data.target, {"SOURCE": data.source}, seed=1)
    return loss_of(torch_of(fit).predict_log(data.held_out.inputs), data.held_out)


def test_every_network_of_the_paper_is_here() -> None:
    assert set(NETWORKS) >= {
        "lstm",
        "transfer",
        "transfer_full",
        "transfer_differential",
        "transfer_gradual",
        "transfer_aggressive",
        "transfer_residual",
        "hybrid",
        "dynamic_attention",
        "residual_boosting",
        "regime_ensemble",
        "transformer",
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_a_planted_har_is_found(name: str) -> None:
    loss = held_out_loss(name, "har")
    assert loss < 0.65 * world("har").mean_loss  # the true model: 0.50
    assert loss < 1.2 * world("har").har_loss


@pytest.mark.parametrize("name", NETWORKS)
def test_a_nonlinear_term_is_found(name: str) -> None:
    loss = held_out_loss(name, "nonlinear")
    assert loss < 0.25 * world("nonlinear").mean_loss  # the true model: 0.08
    assert loss < 0.8 * world("nonlinear").har_loss


def test_a_linear_model_does_not_see_that_term() -> None:
    true_loss = 0.3**2
    assert world("nonlinear").har_loss > 3 * true_loss
