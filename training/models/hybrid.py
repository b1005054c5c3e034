r"""HAR and a network combined by one learned weight (Dhansoia 2025, eq. 3).

.. math:: \hat x_{t+1} = \alpha \hat x^{HAR}_{t+1} + (1 - \alpha) \hat x^{NN}_{t+1}

in logs of rv, with :math:`\alpha` in (0, 1). HAR is estimated first, by least squares, and fixed.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models_store.predictors import LinearPredictor
from training.config import Config, FittingConfig, HybridConfig, NetworkConfig, flatten
from training.models.har import LAGS, fit_har
from training.models.recipe import Fit, Hyperparameters, TrainingSet
from training.networks.fitting import LogWindows, ParameterGroup, fit_network, reproducible
from training.networks.predictor import TorchPredictor
from training.networks.volatility_network import VolatilityNetwork


class FixedHar(nn.Module):
    """Log-HAR inside a graph, with coefficients that training does not touch."""

    coefficients: Tensor
    intercept: Tensor

    def __init__(self, har: LinearPredictor) -> None:
        super().__init__()
        self.register_buffer("coefficients", torch.tensor([*har.coefficients.values()]))
        self.register_buffer("intercept", torch.tensor(har.intercept))

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22) log rv; (batch,)."""
        means = torch.stack([log_rv[:, -lag:].mean(dim=1) for lag in LAGS], dim=1)  # (batch, 3)
        return self.intercept + (means * self.coefficients).sum(dim=1)


class HybridNetwork(nn.Module):
    """HAR and network, weighted by the logistic of one parameter."""

    def __init__(self, har: LinearPredictor, shape: NetworkConfig) -> None:
        super().__init__()
        self.har = FixedHar(har)
        self.network = VolatilityNetwork(shape)
        self.alpha_logit = nn.Parameter(torch.zeros(()))  # alpha = 1/2: no opinion

    @property
    def alpha(self) -> Tensor:
        """The weight of HAR, scalar in (0, 1)."""
        return torch.sigmoid(self.alpha_logit)

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22) log rv; (batch,)."""
        har: Tensor = self.har(log_rv)
        network: Tensor = self.network(log_rv)
        return self.alpha * har + (1 - self.alpha) * network


@dataclass(frozen=True)
class Hybrid:
    """HAR-LSTM hybrid."""

    network: NetworkConfig
    fitting: FittingConfig
    mixing: HybridConfig
    refit_every: int
    name: str = "hybrid"
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def lookback(self) -> int:
        """The longer of HAR's and the network's windows."""
        return max(*LAGS, self.network.lookback)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """HAR's lags, the network's shape and how both are trained together."""
        return {
            "lags": LAGS,
            **flatten(self.network, "network."),
            **flatten(self.fitting, "fitting."),
            **flatten(self.mixing, "hybrid."),
        }

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate HAR, then train network and weight together."""
        pairs = data.pairs(self.lookback, self.columns)
        har, _ = fit_har(pairs, "logs")
        training, validation = LogWindows.of(pairs).split(self.fitting.validation_share)
        with reproducible(data.seed):
            hybrid = HybridNetwork(har, self.network)
            hybrid.network.scaler.fit(training.inputs)
            groups: list[ParameterGroup] = [
                {"params": list(hybrid.network.parameters())},
                {"params": [hybrid.alpha_logit], "lr": self.mixing.alpha_learning_rate},
            ]
            history = fit_network(hybrid, training, validation, self.fitting, groups)
        return Fit(
            TorchPredictor(hybrid, self.lookback),
            residual_variance=history.best_validation_loss,
            learned={"alpha": hybrid.alpha.item(), "best_epoch": history.best_epoch},
        )


def hybrid(config: Config) -> Hybrid:
    """The recipe as configured."""
    return Hybrid(
        config.network,
        config.pretraining,
        config.hybrid,
        config.walk_forward.network_refit_every,
    )
