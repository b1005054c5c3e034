r"""HAR, and a network for what HAR leaves (Dhansoia 2025, eq. 5).

.. math:: \hat x_{t+1} = \hat x^{HAR}_{t+1} + s \, g_\theta([h_t; f_t])

in logs of rv. HAR is estimated first, by least squares, and fixed; the network g is trained on its
residuals, in units of their deviation s over the training part. Its last layer starts at zero, so
that training starts from HAR.

g sees the encoding h_t of the LSTM and the features f_t of HAR, means over 1, 5 and 22 sessions,
standardized. From the encoding alone it learned nothing on simulated data in which two thirds of
the variance of HAR's residuals can be predicted: a random LSTM gives all windows nearly the same
encoding, and without the strong linear signal to part them its units die before they find it.
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
from training.networks.volatility_network import Encoder, Scaler, make_head


class ResidualNetwork(nn.Module):
    """HAR plus a correction that a network makes from the window."""

    deviation: Tensor

    def __init__(self, shape: NetworkConfig) -> None:
        super().__init__()
        self.lookback = shape.lookback
        self.har = FixedHar()
        self.scaler = Scaler()
        self.encoder = Encoder(shape)
        self.head = make_head(shape, shape.bottleneck + len(LAGS))
        self.register_buffer("deviation", torch.ones(()))
        last = self.head[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def fit_scales(self, training: LogWindows) -> None:
        """Take HAR, the scale of its residuals and that of the input from ``training``."""
        self.har.fit(training)
        self.scaler.fit(training.inputs)
        self.deviation.copy_((training.targets - self.har(training.inputs)).std())

    def correction(self, log_rv: Tensor) -> Tensor:
        """What is added to HAR's prediction; (batch,) log rv."""
        encoding = self.encoder(self.scaler(log_rv[:, -self.lookback :]))  # (batch, bottleneck)
        features = self.scaler(har_means(log_rv))  # (batch, 3)
        standardized: Tensor = self.head(torch.cat([encoding, features], dim=1))
        return self.deviation * standardized.squeeze(1)

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22) log rv; (batch,)."""
        har: Tensor = self.har(log_rv)
        return har + self.correction(log_rv)


@dataclass(frozen=True, kw_only=True)
class ResidualBoosting(HarNetworkRecipe[ResidualNetwork]):
    """HAR with a network trained on its residuals."""

    def build(self, training: LogWindows) -> ResidualNetwork:
        """HAR estimated, and a correction of zero."""
        network = ResidualNetwork(self.network)
        network.fit_scales(training)
        return network

    def learned(self, network: ResidualNetwork, target: Split) -> Mapping[str, float]:
        """How large the corrections are over the validation part."""
        return {"correction_std": correction_std(network, target)}


def correction_std(network: ResidualNetwork, target: Split) -> float:
    """Deviation of the corrections over the validation part, of log rv."""
    with torch.no_grad():
        return network.correction(target.validation.inputs).std().item()


def residual_boosting(config: Config) -> ResidualBoosting:
    """HAR and a network for its residuals, trained as ``pretraining`` configures."""
    return ResidualBoosting(
        name="residual_boosting",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
    )
