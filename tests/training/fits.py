"""What is inside a fit, by the kind of predictor that it is known to have."""

from typing import Any

from training.models.recipe import Fit
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
