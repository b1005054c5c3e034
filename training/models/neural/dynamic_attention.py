r"""HAR and a network combined by a weight that depends on the window (Dhansoia 2025, eq. 4).

.. math::
   \alpha_t &= \sigma(W [h_t; f_t] + b) \\
   \hat x_{t+1} &= \alpha_t \hat x^{HAR}_{t+1} + (1 - \alpha_t) \hat x^{NN}_{t+1}

in logs of rv, with the encoding :math:`h_t` of the LSTM and the features :math:`f_t` of HAR, means
over 1, 5 and 22 sessions, standardized as the network's input is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.config import Config, NetworkConfig
from training.models.linear.har import LAGS
from training.models.neural.fixed_har import FixedHar, har_means
from training.models.neural.network_recipe import HarNetworkRecipe
from training.networks.fitting import LogWindows, Split
from training.networks.volatility_network import VolatilityNetwork


class DynamicAttentionNetwork(nn.Module):
    """HAR and network, weighted window by window."""

    diagnostics = ("alpha",)

    def __init__(self, shape: NetworkConfig) -> None:
        super().__init__()
        self.har = FixedHar()
        self.network = VolatilityNetwork(shape)
        self.gate = nn.Linear(shape.bottleneck + len(LAGS), 1)
        nn.init.zeros_(self.gate.weight)  # alpha = 1/2 for every window: no opinion
        nn.init.zeros_(self.gate.bias)

    def explain(self, log_rv: Tensor) -> tuple[Tensor, Tensor]:
        """Predict from (batch, 22) log rv; (batch,), and the (batch, 1) weights of HAR."""
        encoding = self.network.encode(log_rv)  # (batch, bottleneck)
        features = self.network.scaler(har_means(log_rv))  # (batch, 3)
        alpha = torch.sigmoid(self.gate(torch.cat([encoding, features], dim=1)))
        weight = alpha.squeeze(1)
        return weight * self.har(log_rv) + (1 - weight) * self.network.decode(encoding), alpha

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22) log rv; (batch,)."""
        return self.explain(log_rv)[0]


@dataclass(frozen=True, kw_only=True)
class DynamicAttention(HarNetworkRecipe[DynamicAttentionNetwork]):
    """HAR and LSTM with a learned weight for each window."""

    def build(self, training: LogWindows) -> DynamicAttentionNetwork:
        """HAR estimated, the network random, and their weights equal."""
        network = DynamicAttentionNetwork(self.network)
        network.har.fit(training)
        network.network.scaler.fit(training.inputs)
        return network

    def learned(self, network: DynamicAttentionNetwork, target: Split) -> Mapping[str, float]:
        """The weight of HAR, on average over the validation part."""
        with torch.no_grad():
            _, alpha = network.explain(target.validation.inputs)
        return {"mean_alpha": alpha.mean().item()}


def dynamic_attention(config: Config) -> DynamicAttention:
    """HAR and LSTM with a weight for each window, trained as ``pretraining`` configures."""
    return DynamicAttention(
        name="dynamic_attention",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
    )
