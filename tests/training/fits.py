"""What is inside a fit, by the kind of predictor that it is known to have."""

from typing import Any

import torch
from torch import nn

from training.models.recipe import Fit
from training.networks.fitting import LogWindows
from training.networks.predictor import TorchPredictor
from volatility.regressors import LinearPredictor


def linear_of(fit: Fit) -> LinearPredictor:
    assert isinstance(fit.predictor, LinearPredictor)
    return fit.predictor


def torch_of(fit: Fit) -> TorchPredictor:
    assert isinstance(fit.predictor, TorchPredictor)
    return fit.predictor


def network_of(fit: Fit) -> Any:
    """The module, whose parts each test knows."""
    return torch_of(fit).network


def mean_squared_error(network: nn.Module, windows: LogWindows) -> float:
    """Mean squared error of log rv, without dropout."""
    network.eval()
    with torch.no_grad():
        return float(nn.functional.mse_loss(network(windows.inputs), windows.targets))
