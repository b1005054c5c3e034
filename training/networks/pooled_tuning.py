"""Fine-tuning of the network of the model for every asset."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.config import FittingConfig
from training.networks.fitting import Stage, freeze_all_but, reproducible, set_training_mode
from training.networks.pooled_network import PooledNetwork, error_of
from training.networks.strategies import Strategy, stages_of


def fine_tune(
    network: PooledNetwork,
    regressors: NDArray[np.float32],
    sequence: NDArray[np.float32],
    targets: NDArray[np.float32],
    strategy: Strategy,
    fitting: FittingConfig,
    seed: int,
) -> PooledNetwork:
    """Train a copy of a network further, by Adam, as far as a strategy allows.

    All epochs are trained, and the last weights kept: of a short history nothing can be spared to
    stop by.

    Parameters
    ----------
    network : stays as it is.
    regressors, sequence : (n, k) and (n, sessions, channels), as the network takes them.
    targets : (n, horizons) of what the network says; NaN where there is none.
    strategy : which parameters are trained, and when.
    fitting : rate, size of batches, epochs, largest norm of a gradient.
    seed : of batches and dropout.
    """
    tuned = copy.deepcopy(network)
    given = torch.from_numpy(targets)
    data = (
        torch.from_numpy(regressors),
        torch.from_numpy(sequence),
        given.nan_to_num(),
        ~given.isnan(),
    )
    with reproducible(seed):
        for stage in stages_of(tuned, strategy, fitting):
            _train(tuned, data, stage, fitting)
    tuned.requires_grad_(True)
    return tuned.eval()


def _train(
    network: PooledNetwork, data: tuple[torch.Tensor, ...], stage: Stage, fitting: FittingConfig
) -> None:
    freeze_all_but(network, stage)
    set_training_mode(network)
    groups = [{"params": list(it.parameters), "lr": it.learning_rate} for it in stage.groups]
    trained = [weights for it in stage.groups for weights in it.parameters]
    optimizer = torch.optim.Adam(groups, fused=True)
    for _ in range(stage.epochs):
        for rows in torch.split(torch.randperm(len(data[0])), fitting.batch_size):
            regressors, sequence, targets, known = (it[rows] for it in data)
            optimizer.zero_grad()
            loss = error_of(network(regressors, sequence), targets, known)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trained, fitting.gradient_norm)
            optimizer.step()
