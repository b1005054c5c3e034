r"""HAR and a network combined by one learned weight (Dhansoia 2025, eq. 3).

.. math:: \hat x_{t+1} = \alpha \hat x^{HAR}_{t+1} + (1 - \alpha) \hat x^{NN}_{t+1}

in logs of rv, with :math:`\alpha` in (0, 1). HAR is estimated first, by least squares, and fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.config import Config, HybridConfig, NetworkConfig, flatten
from training.models.neural.fixed_har import FixedHar
from training.models.neural.network_recipe import HarNetworkRecipe
from training.models.recipe import Hyperparameters
from training.networks.fitting import LogWindows, ParameterGroup, Split, Stage
from training.networks.volatility_network import VolatilityNetwork


class HybridNetwork(nn.Module):
    """HAR and network, weighted by the logistic of one parameter."""

    def __init__(self, shape: NetworkConfig) -> None:
        super().__init__()
        self.har = FixedHar()
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


@dataclass(frozen=True, kw_only=True)
class Hybrid(HarNetworkRecipe[HybridNetwork]):
    """HAR-LSTM hybrid.

    Attributes
    ----------
    mixing : how its weight is trained.
    """

    mixing: HybridConfig

    @property
    def hyperparameters(self) -> Hyperparameters:
        """HAR's lags, the network's shape and how both are trained together."""
        return {**super().hyperparameters, **flatten(self.mixing, "hybrid.")}

    def build(self, training: LogWindows) -> HybridNetwork:
        """HAR estimated, the network random, and their weights equal."""
        network = HybridNetwork(self.network)
        network.har.fit(training)
        network.network.scaler.fit(training.inputs)
        return network

    def stages(self, network: HybridNetwork) -> list[Stage]:
        """Network and weight together, each at its own rate."""
        weights = list(network.network.parameters())
        groups = [
            ParameterGroup(weights, self.fitting.learning_rate),
            ParameterGroup([network.alpha_logit], self.mixing.alpha_learning_rate),
        ]
        return [Stage(groups, self.fitting.epochs)]

    def learned(self, network: HybridNetwork, target: Split) -> Mapping[str, float]:  # noqa: ARG002
        """``alpha``, the weight of HAR in (0, 1)."""
        return {"alpha": network.alpha.item()}


def hybrid(config: Config) -> Hybrid:
    """HAR and LSTM with one weight, trained as ``pretraining`` and ``hybrid`` configure."""
    return Hybrid(
        name="hybrid",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
        mixing=config.hybrid,
    )
